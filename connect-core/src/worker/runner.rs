//! Source tasks under a herder that starts them itself and gives them everything: a task, its offsets, its status, where it
//! writes to. The appliance's herder does; others let the [`super::Worker`] do it.

use std::sync::Arc;
use std::time::Duration;

use connect_api::{ConfigMap, ConnectError, SourceTask};
use futures::future::LocalBoxFuture;
use kafka_wire::cluster::Cluster;
use kafka_wire::produce::ProduceSettings;
use tokio::sync::watch;

use super::listener::{InstanceId, StatusListener, Voice};
use super::metrics::{Metrics, Windows};
use super::source::{SourceRun, run_source};
use super::{StopSignal, TaskId, TaskOffsets, TaskReport, TaskStatusHandle};
use crate::storage::TargetState;

/// Runs a task from start to stop: everything between `SourceTask::start` and `SourceTask::stop`, both included. It
/// returns soon after [`StopSignal::requested`], before [`StopSignal::deadline`], with what it drained, or earlier
/// with the error that becomes the task's FAILED trace. The future stays on the task's thread and may block it.
pub type TaskRunner =
    Arc<dyn Fn(TaskContext) -> LocalBoxFuture<'static, Result<TaskReport, ConnectError>> + Send + Sync>;

/// One task with what it may use.
pub struct TaskContext {
    /// Which task.
    pub id: TaskId,
    /// The task, not yet started.
    pub task: Box<dyn SourceTask>,
    /// Its configuration.
    pub config: ConfigMap,
    /// Its connector's offsets.
    pub offsets: TaskOffsets,
    /// Where it says how it is doing.
    pub status: TaskStatusHandle,
    /// When it is to stop.
    pub stop: StopSignal,
}

impl std::fmt::Debug for TaskContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TaskContext({})", self.id)
    }
}

/// How a task that yields batches writes them.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    /// The copy path's writing half.
    pub produce: ProduceSettings,
    /// `offset.flush.interval.ms`.
    pub flush_interval: Duration,
}

/// Runs a source task that yields batches from start to stop. An error is the task's failure.
pub async fn run(
    context: TaskContext,
    destination: Cluster,
    settings: SourceSettings,
) -> Result<TaskReport, ConnectError> {
    let TaskContext { id, task, config, offsets, status, stop } = context;
    let SourceSettings { produce, flush_interval } = settings;
    let (_switch, target) = watch::channel(TargetState::Started);
    let windows = Windows { window: Duration::from_secs(30), samples: 2 };
    let metrics = Metrics::new(windows).task(&id, connect_api::ConnectorType::Source);
    let writer = move || Ok((destination.clone(), produce.clone()));
    let run = SourceRun {
        voice: Voice::new(InstanceId::Task(id.clone()), Arc::new(Status(status))),
        id,
        task,
        config,
        offsets,
        stop,
        target,
        metrics,
        transaction: None,
        raw: Box::new(writer),
        records: None,
        transactional: false,
        flush_interval,
        flush_timeout: None,
    };
    run_source(run).await
}

/// Puts what a task says into its status.
struct Status(TaskStatusHandle);

impl StatusListener for Status {
    fn on_startup(&self, _: &InstanceId) {
        self.0.running();
    }

    fn on_running(&self, _: &InstanceId, trouble: Option<&str>) {
        match trouble {
            None => self.0.running(),
            Some(text) => self.0.degraded(text),
        }
    }

    fn on_pause(&self, _: &InstanceId) {}

    fn on_resume(&self, _: &InstanceId) {
        self.0.running();
    }

    fn on_stop(&self, _: &InstanceId) {}

    fn on_failure(&self, _: &InstanceId, error: &ConnectError) {
        self.0.failed(error.to_string());
    }

    // How it ended is said by who started it.
    fn on_shutdown(&self, _: &InstanceId) {}
}
