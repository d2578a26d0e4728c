//! The running tasks of one connector: started together, each by default on a thread of its own, and stopped together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tracing::{error, info, warn};

use super::host::TaskPlan;

use super::{Shared, StopReport};
use crate::api::{ConfigMap, ConnectError};
use crate::storage::StatusId;
use crate::worker::executor::{Outcome, panic_text};
use crate::worker::status::StatusAuthor;
use crate::worker::{StopSignal, StopSwitch, TaskContext, TaskId, TaskOffsets, TaskReport, TaskStatusHandle};

/// The tasks of one division of the work.
pub(super) struct TaskSet {
    configs: Vec<ConfigMap>,
    switch: StopSwitch,
    running: BTreeMap<usize, Running>,
    exits: mpsc::UnboundedReceiver<Exit>,
}

struct Running {
    status: TaskStatusHandle,
    current: Arc<AtomicBool>,
}

struct Exit {
    task: usize,
    drained: u64,
}

impl TaskSet {
    /// A set without tasks.
    pub(super) fn empty() -> Self {
        let (_, exits) = mpsc::unbounded_channel();
        Self { configs: Vec::new(), switch: StopSwitch::new().0, running: BTreeMap::new(), exits }
    }

    /// Starts every task. One that cannot even be started is FAILED; the others run.
    pub(super) fn start(
        shared: &Shared,
        connector: &str,
        author: &StatusAuthor,
        plans: Vec<TaskPlan>,
    ) -> Self {
        let (exit, exits) = mpsc::unbounded_channel();
        let (switch, signal) = StopSwitch::new();
        let configs = plans.iter().map(|plan| plan.config.clone()).collect();
        let mut running = BTreeMap::new();
        for (task, plan) in plans.into_iter().enumerate() {
            let id = TaskId { connector: connector.to_owned(), task };
            let launch = Launch { shared, author, signal: signal.clone(), exit: exit.clone() };
            if let Some(started) = launch.start(id, plan) {
                running.insert(task, started);
            }
        }
        Self { configs, switch, running, exits }
    }

    /// True when these are exactly the configurations that run here.
    pub(super) fn runs(&self, plans: &[TaskPlan]) -> bool {
        self.configs.iter().eq(plans.iter().map(|plan| &plan.config))
    }

    /// Number of tasks that have not ended.
    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// Waits until a task ends by itself; for ever when none runs. Cancel-safe.
    pub(super) async fn exited(&mut self) {
        match self.exits.recv().await {
            Some(exit) => {
                self.running.remove(&exit.task);
            }
            None => std::future::pending().await,
        }
    }

    /// Asks every task to stop and waits for them until `deadline`; who is not done by then is given up on.
    pub(super) async fn stop(mut self, connector: &str, deadline: Instant) -> StopReport {
        let mut report = StopReport::default();
        self.switch.request(deadline);
        while !self.running.is_empty() {
            match timeout_at(deadline, self.exits.recv()).await {
                Ok(Some(exit)) => {
                    self.running.remove(&exit.task);
                    report.drained_records += exit.drained;
                }
                Ok(None) | Err(_) => break,
            }
        }
        for (task, left) in self.running {
            left.status.unassigned();
            left.current.store(false, Ordering::Release);
            let id = TaskId { connector: connector.to_owned(), task };
            warn!(
                task = %id,
                "the task did not stop in time and is left behind (task.shutdown.graceful.timeout.ms)"
            );
            report.abandoned.push(id);
        }
        report
    }
}

struct Launch<'a> {
    shared: &'a Shared,
    author: &'a StatusAuthor,
    signal: StopSignal,
    exit: mpsc::UnboundedSender<Exit>,
}

impl Launch<'_> {
    fn start(self, id: TaskId, plan: TaskPlan) -> Option<Running> {
        let current = Arc::new(AtomicBool::new(true));
        let status_id = StatusId::Task(id.connector.clone(), id.task);
        let author = self.author.clone();
        let status = TaskStatusHandle::new(self.shared.statuses.clone(), status_id, author, current.clone());
        let context = TaskContext {
            id: id.clone(),
            task: plan.task,
            config: plan.config,
            offsets: TaskOffsets::new(self.shared.offsets.clone(), &id.connector, current.clone()),
            status: status.clone(),
            stop: self.signal,
        };
        let runner = self.shared.runner.clone();
        let (exit, said) = (self.exit, status.clone());
        let task = id.task;
        let name = format!("task-{id}");
        let done = move |outcome| {
            let drained = conclude(&id, &said, outcome);
            // A set that is gone has given up on this task.
            let _ = exit.send(Exit { task, drained });
        };
        match self.shared.executor.run(name, move || runner(context), done) {
            Ok(()) => Some(Running { status, current }),
            Err(reason) => {
                error!("cannot start a thread for task {task}: {reason}");
                status.failed(format!("cannot start a thread: {reason}"));
                None
            }
        }
    }
}

/// Says how a task ended; returns how many records it drained.
fn conclude(
    id: &TaskId,
    status: &TaskStatusHandle,
    outcome: Outcome<Result<TaskReport, ConnectError>>,
) -> u64 {
    let failure = match outcome {
        Ok(Ok(report)) => {
            info!(task = %id, "stopped, {} records drained", report.drained_records);
            status.unassigned();
            return report.drained_records;
        }
        Ok(Err(reason)) => reason.to_string(),
        Err(panic) => panic_text(&*panic),
    };
    error!(task = %id, "the task failed and will not run again by itself: {failure}");
    status.failed(failure);
    0
}
