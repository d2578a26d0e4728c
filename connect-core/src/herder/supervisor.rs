//! Keeps one connector going: its instance, its tasks, their configurations in the config topic and the statuses.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tracing::{error, info, warn};

use super::host::{self, HostEvent, Instance, TaskPlan};
use super::tasks::TaskSet;
use super::{Shared, StopReport};
use crate::storage::{Properties, State, StatusId};
use crate::worker::status::StatusAuthor;
use crate::worker::{StopSignal, StopSwitch};

/// Time that a connector instance gets to stop, after its tasks have.
const CONNECTOR_STOP_LIMIT: Duration = Duration::from_secs(5);
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// How far a connector has got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not yet running.
    Starting,
    /// Its tasks have been started.
    Running,
    /// It failed; the text says why.
    Failed(String),
}

/// One connector's supervisor.
pub(super) struct Supervisor {
    pub(super) shared: Arc<Shared>,
    pub(super) name: String,
    pub(super) author: StatusAuthor,
    pub(super) phase: watch::Sender<Phase>,
    pub(super) stop: StopSignal,
}

impl Supervisor {
    /// Runs the connector until it is asked to stop.
    pub(super) async fn run(self, instance: Instance) -> StopReport {
        let (events, mut inbox) = mpsc::unbounded_channel();
        let (host_switch, host_stop) = StopSwitch::new();
        if let Err(reason) = host::launch(&self.shared.executor, instance, host_stop, events) {
            self.failed(format!("cannot start a thread for the connector: {reason}"));
        }
        let mut tasks = TaskSet::empty();
        loop {
            tokio::select! {
                () = self.stop.requested() => break,
                Some(event) = inbox.recv() => tasks = self.handle(event, tasks).await,
                () = tasks.exited() => info!(connector = %self.name, "{} tasks still run", tasks.running()),
            }
        }
        let report = tasks.stop(&self.name, self.deadline()).await;
        host_switch.request(Instant::now() + CONNECTOR_STOP_LIMIT);
        self.host_ended(&mut inbox).await;
        if !matches!(*self.phase.borrow(), Phase::Failed(_)) {
            self.say(State::Unassigned, None);
        }
        report
    }

    async fn handle(&self, event: HostEvent, tasks: TaskSet) -> TaskSet {
        match event {
            HostEvent::Started => self.say(State::Running, None),
            HostEvent::Failed(reason) => self.failed(reason),
            HostEvent::Tasks(plans) => return self.redistribute(plans, tasks).await,
            HostEvent::Ended => {}
        }
        tasks
    }

    /// Puts a new division of the work into force, unless it is the one that is.
    async fn redistribute(&self, plans: Vec<TaskPlan>, tasks: TaskSet) -> TaskSet {
        let first = *self.phase.borrow() != Phase::Running;
        if !first && tasks.runs(&plans) {
            return tasks;
        }
        let optional = |(key, value): (&String, &String)| (key.clone(), Some(value.clone()));
        let configs: Vec<Properties> =
            plans.iter().map(|plan| plan.config.iter().map(optional).collect()).collect();
        if !self.store(&configs).await {
            return tasks;
        }
        if tasks.running() > 0 {
            info!(connector = %self.name, "the work is divided anew; stopping {} tasks", tasks.running());
        }
        tasks.stop(&self.name, Instant::now() + self.shared.shutdown_timeout).await;
        if self.stop.is_requested() {
            return TaskSet::empty();
        }
        self.forget_tasks_beyond(plans.len());
        info!(connector = %self.name, "starting {} tasks", plans.len());
        let started = TaskSet::start(&self.shared, &self.name, &self.author, plans);
        self.phase.send_replace(Phase::Running);
        started
    }

    /// Stores the task configurations where they changed, for as long as it takes. False: the stop came first.
    async fn store(&self, configs: &[Properties]) -> bool {
        loop {
            let write = async {
                let mut store = self.shared.configs.lock().await;
                if store.state().tasks_are(&self.name, configs) {
                    return Ok(());
                }
                store.put_tasks(&self.name, configs).await
            };
            let outcome = tokio::select! {
                outcome = write => outcome,
                () = self.stop.requested() => return false,
            };
            let Err(reason) = outcome else { return true };
            error!(connector = %self.name, "cannot store task configurations, trying again: {reason}");
            tokio::select! {
                () = sleep(RETRY_PAUSE) => {}
                () = self.stop.requested() => return false,
            }
        }
    }

    fn forget_tasks_beyond(&self, count: usize) {
        for (task, _) in self.shared.statuses.tasks(&self.name) {
            if task >= count {
                self.shared.statuses.delete(&StatusId::Task(self.name.clone(), task));
            }
        }
    }

    async fn host_ended(&self, inbox: &mut mpsc::UnboundedReceiver<HostEvent>) {
        // The channel closes with the host's thread, if that ever began.
        let ended = async { while !matches!(inbox.recv().await, Some(HostEvent::Ended) | None) {} };
        if timeout(CONNECTOR_STOP_LIMIT, ended).await.is_err() {
            warn!(
                connector = %self.name,
                "the connector did not stop within {CONNECTOR_STOP_LIMIT:?} and is left behind"
            );
        }
    }

    fn deadline(&self) -> Instant {
        self.stop.deadline().unwrap_or_else(Instant::now)
    }

    fn failed(&self, reason: String) {
        error!(connector = %self.name, "the connector failed: {reason}");
        self.say(State::Failed, Some(reason.clone()));
        self.phase.send_replace(Phase::Failed(reason));
    }

    fn say(&self, state: State, trace: Option<String>) {
        let id = StatusId::Connector(self.name.clone());
        let status = self.author.status(state, trace);
        match state {
            State::Running => self.shared.statuses.put(id, status),
            _ => self.shared.statuses.put_safe(id, status),
        }
    }
}
