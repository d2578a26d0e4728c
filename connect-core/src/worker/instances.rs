//! Connectors and tasks as the worker holds them while they run on threads of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use connect_api::{ConfigMap, ConnectError};
use tokio::sync::{mpsc, oneshot, watch};

use super::listener::StatusReporter;
use super::stop::StopSwitch;
use crate::ids::TargetState;

/// Configurations of tasks, or why the work was not divided.
pub(super) type Division = Result<Vec<ConfigMap>, ConnectError>;
/// Request to divide the work.
pub(super) type Request = (Limit, oneshot::Sender<Division>);

/// Number of tasks that a connector may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// `tasks.max`.
    pub(super) max: usize,
    /// `tasks.max.enforce`.
    pub(super) enforce: bool,
}

/// A connector as the worker holds it.
pub(super) struct ConnectorHandle {
    pub(super) switch: StopSwitch,
    pub(super) target: watch::Sender<TargetState>,
    pub(super) requests: mpsc::UnboundedSender<Request>,
    pub(super) running: Arc<AtomicBool>,
    pub(super) ended: watch::Receiver<bool>,
    pub(super) status: StatusReporter,
}

impl ConnectorHandle {
    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    pub(super) fn set_target(&self, state: TargetState) {
        self.target.send_replace(state);
    }
}

/// Number of records that a task drained, once it has ended.
pub(super) type Ended = Option<u64>;

/// A task as the worker holds it.
pub(super) struct TaskHandle {
    pub(super) switch: StopSwitch,
    pub(super) target: watch::Sender<TargetState>,
    /// Once it has ended: how many records it drained.
    pub(super) ended: watch::Receiver<Ended>,
    pub(super) status: StatusReporter,
}

impl TaskHandle {
    pub(super) fn set_target(&self, state: TargetState) {
        self.target.send_replace(state);
    }
}
