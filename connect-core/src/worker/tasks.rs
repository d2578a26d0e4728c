//! Starting and stopping tasks: from a configuration to a loop on a thread of its own.

use std::sync::Arc;

use connect_api::{ConfigMap, ConnectError, ConnectorType};
use futures::future::{LocalBoxFuture, join_all};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::{error, info, warn};

use super::clients::TopicCreation;
use super::exactly_once::ExactlyOnce;
use super::executor::{Outcome, panic_text};
use super::handle::Worker;
use super::instances::TaskHandle;
use super::listener::{StatusListener, StatusReporter};
use super::metrics::{TaskMetrics, TaskState};
use super::plan::Plan;
use super::report::{StopReport, TaskReport};
use super::stop::StopSwitch;
use crate::ids::{InstanceId, TargetState, TaskId};

impl Worker {
    /// Starts a task on a thread of its own and returns at once; `listener` hears what becomes of it. Variables of both
    /// configurations are resolved here. `generation` is that of the assignment, for logs: statuses are the listener's.
    /// `exactly_once` is given for source tasks when the worker has `exactly.once.source.support=enabled`.
    ///
    /// # Errors
    /// What can be refused at once: it runs already, an unknown class, settings that cannot be used, no thread. The
    /// listener hears of those too.
    #[allow(clippy::too_many_arguments)]
    pub async fn start_task(
        &self,
        id: TaskId,
        connector_config: ConfigMap,
        task_config: ConfigMap,
        target: TargetState,
        generation: i32,
        listener: Arc<dyn StatusListener>,
        exactly_once: Option<Arc<dyn ExactlyOnce>>,
    ) -> Result<(), ConnectError> {
        info!(task = %id, generation, "starting the task");
        let status = StatusReporter::new(InstanceId::Task(id.clone()), listener);
        let started = self
            .launch_task(&id, &connector_config, &task_config, target, status.clone(), exactly_once)
            .await;
        self.0.metrics.task_started(started.is_ok());
        if let Err(error) = &started {
            error!(task = %id, "the task cannot be started: {error}");
            status.failed(error);
        }
        started
    }

    async fn launch_task(
        &self,
        id: &TaskId,
        connector: &ConfigMap,
        config: &ConfigMap,
        target: TargetState,
        status: StatusReporter,
        exactly_once: Option<Arc<dyn ExactlyOnce>>,
    ) -> Result<(), ConnectError> {
        if self.lock_tasks().contains_key(id) {
            return Err(ConnectError::new(format!("Task already exists in this worker: {id}")));
        }
        let connector = self.variables().resolve(connector)?;
        let config = self.variables().resolve(config)?;
        let plugin = self.plugin(&connector)?.clone();
        let (switch, stop) = StopSwitch::new();
        let (target, targets) = watch::channel(target);
        let metrics = self.0.metrics.task(id, plugin.kind());
        let plan = Plan {
            worker: self.clone(),
            id: id.clone(),
            plugin,
            connector,
            config,
            status: status.clone(),
            stop,
            target: targets,
            metrics: metrics.clone(),
            exactly_once,
        };
        let life = plan.life().await;
        let life = life.inspect_err(|_| self.0.metrics.forget_task(id))?;
        let (ending, ended) = watch::channel(None);
        let (name, said) = (id.clone(), status.clone());
        let done = move |outcome| {
            let drained = conclude(&name, &said, &metrics, outcome);
            ending.send_replace(Some(drained));
        };
        let executor = &self.0.surroundings.executor;
        executor
            .run(format!("task-{id}"), life, done)
            .map_err(|error| ConnectError::new(format!("cannot start a thread for the task: {error}")))?;
        self.lock_tasks().insert(id.clone(), TaskHandle { switch, target, ended, status });
        Ok(())
    }

    /// Stops tasks, all at the same time, in at most `task.shutdown.graceful.timeout.ms`; those that are not done by then
    /// are left behind.
    pub async fn stop_tasks(&self, ids: &[TaskId]) -> StopReport {
        let deadline = Instant::now() + self.settings().shutdown_timeout;
        let mut stopping = Vec::new();
        for id in ids {
            match self.lock_tasks().remove(id) {
                Some(handle) => {
                    handle.switch.request(deadline);
                    stopping.push((id, handle));
                }
                None => warn!(task = %id, "ignoring the request to stop a task that does not run here"),
            }
        }
        let wait = |(id, mut handle): (_, TaskHandle)| async move {
            let ended = match timeout_at(deadline, handle.ended.wait_for(Option::is_some)).await {
                Ok(Ok(drained)) => *drained,
                // Its thread is gone without a word.
                Ok(Err(_)) => Some(0),
                Err(_) => None,
            };
            (id, handle, ended)
        };
        let mut report = StopReport::default();
        for (id, handle, ended) in join_all(stopping.into_iter().map(wait)).await {
            match ended {
                Some(drained) => report.drained_records += drained,
                None => {
                    warn!(
                        task = %id,
                        "the task did not stop in time and is left behind (task.shutdown.graceful.timeout.ms)"
                    );
                    handle.status.give_up();
                    report.abandoned.push(TaskId::clone(id));
                }
            }
            self.0.metrics.forget_task(id);
        }
        report
    }
}

/// Says how a task ended; returns how many records it drained.
fn conclude(
    id: &TaskId,
    status: &StatusReporter,
    metrics: &TaskMetrics,
    outcome: Outcome<Result<TaskReport, ConnectError>>,
) -> u64 {
    let failure = match outcome {
        Ok(Ok(report)) => {
            info!(task = %id, "stopped, {} records drained", report.drained_records);
            metrics.set_state(TaskState::Unassigned);
            status.shut_down();
            return report.drained_records;
        }
        Ok(Err(error)) => error,
        Err(panic) => ConnectError::new(panic_text(&*panic)),
    };
    metrics.set_state(TaskState::Failed);
    status.failed(&failure);
    0
}

/// A task's whole life, to be made and run on its own thread.
type Life = Box<dyn FnOnce() -> LocalBoxFuture<'static, Result<TaskReport, ConnectError>> + Send>;

impl Plan {
    async fn life(self) -> Result<Life, ConnectError> {
        // Both are checked here, where the herder hears of it, and made again on the task's thread.
        self.errors()?;
        self.chain()?;
        match self.plugin.kind() {
            ConnectorType::Source => {
                self.clients().producer(&self.id, None)?;
                if self.worker.settings().topic_creation {
                    TopicCreation::check(&self.connector)?;
                }
                let stores = self.worker.offset_stores(&self.id.connector, &self.connector).await?;
                Ok(Box::new(move || Box::pin(self.source(stores))))
            }
            ConnectorType::Sink => {
                self.clients().consumer(&self.id)?;
                self.converters()?;
                Ok(Box::new(move || Box::pin(self.sink())))
            }
        }
    }
}
