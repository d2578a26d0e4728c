//! The plan of a task: its configurations and what is made of them, on the way to its loop.

use std::sync::Arc;

use connect_api::{ConfigMap, ConnectError, ConnectorPlugin};
use tokio::sync::watch;

use super::clients::Clients;
use super::exactly_once::ExactlyOnce;
use super::handle::Worker;
use super::listener::StatusReporter;
use super::metrics::TaskMetrics;
use super::records::{Chain, Converters, ErrorHandling, ErrorSettings};
use super::stop::StopSignal;
use crate::ids::{TargetState, TaskId};

/// Parts that every task is made from.
pub(super) struct Plan {
    pub(super) worker: Worker,
    pub(super) id: TaskId,
    pub(super) plugin: Arc<dyn ConnectorPlugin>,
    /// The connector's configuration, variables resolved.
    pub(super) connector: ConfigMap,
    /// The task's.
    pub(super) config: ConfigMap,
    pub(super) status: StatusReporter,
    pub(super) stop: StopSignal,
    pub(super) target: watch::Receiver<TargetState>,
    pub(super) metrics: Arc<TaskMetrics>,
    pub(super) exactly_once: Option<Arc<dyn ExactlyOnce>>,
}

impl Plan {
    pub(super) fn clients(&self) -> Clients<'_> {
        Clients { worker: self.worker.settings(), connector: &self.connector }
    }

    pub(super) fn errors(&self) -> Result<ErrorHandling, ConnectError> {
        Ok(ErrorHandling {
            id: self.id.clone(),
            settings: ErrorSettings::from_config(&self.connector)?,
            metrics: self.metrics.clone(),
            stop: self.stop.clone(),
            reporter: None,
        })
    }

    pub(super) fn chain(&self) -> Result<Chain, ConnectError> {
        Chain::from_config(self.worker.plugins(), &self.connector)
    }

    pub(super) fn converters(&self) -> Result<Converters, ConnectError> {
        Converters::new(self.worker.plugins(), &self.connector, &self.worker.settings().properties)
    }
}
