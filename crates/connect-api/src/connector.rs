//! Connectors: how a configuration becomes tasks.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

use crate::ConfigMap;
use crate::error::ConnectError;

/// A connector instance: decides how work is divided into tasks. Tasks are made by their class, not by it, and may run
/// on other workers.
#[async_trait]
pub trait Connector: Send {
    /// Checks the configuration and starts whatever watches the outside. An error fails the connector.
    async fn start(&mut self, context: ConnectorContext, config: ConfigMap) -> Result<(), ConnectError>;

    /// One configuration for each task, at most `max_tasks`. Called after `start`, and again after
    /// [`ConnectorContext::request_task_reconfiguration`].
    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>, ConnectError>;

    /// Releases what `start` took.
    async fn stop(&mut self) -> Result<(), ConnectError> {
        Ok(())
    }
}

/// Means that the worker lends to a connector.
#[derive(Clone, Debug)]
pub struct ConnectorContext {
    /// Signals the worker to call `task_configs` again.
    pub reconfigure: Arc<Notify>,
    /// Takes the error that fails the connector at any time.
    pub errors: UnboundedSender<ConnectError>,
}

impl ConnectorContext {
    /// Asks the worker to divide the work anew, for example because tables or topics appeared.
    pub fn request_task_reconfiguration(&self) {
        self.reconfigure.notify_one();
    }

    /// Fails the connector.
    pub fn raise_error(&self, error: ConnectError) {
        // A worker that is gone has no use for it.
        let _ = self.errors.send(error);
    }
}

/// Whether a source connector can deliver exactly once with a configuration (KIP-618).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExactlyOnceSupport {
    /// It can.
    Supported,
    /// It cannot.
    Unsupported,
}

/// Whether a source connector can say where transactions end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectorTransactionBoundaries {
    /// It can.
    Supported,
    /// It cannot.
    Unsupported,
}

/// One offset of a connector, as `GET /connectors/{c}/offsets` shows it; no offset: reset.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectorOffset {
    /// Source partition, or `kafka_topic` and `kafka_partition`.
    pub partition: Map<String, Value>,
    /// Source offset, or `kafka_offset`.
    pub offset: Option<Map<String, Value>>,
}
