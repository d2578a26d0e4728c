//! The life of a connector instance on its thread: started, paused, asked to divide its work, stopped.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use connect_api::{ConfigMap, ConnectError, Connector, ConnectorContext, ConnectorPlugin};
use futures::FutureExt;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tracing::{error, warn};

use super::executor::panic_text;
use super::instances::{Division, Limit, Request};
use super::listener::StatusReporter;
use super::metrics::Metrics;
use super::stop::StopSignal;
use crate::ids::TargetState;

/// Told when a connector asks for its work to be divided anew; with its name.
pub type Reconfigure = Arc<dyn Fn(&str) + Send + Sync>;

fn check_count(name: &str, count: usize, Limit { max, enforce }: Limit) -> Result<(), ConnectError> {
    if count <= max {
        return Ok(());
    }
    let text = format!(
        "The connector {name} has generated {count} tasks, which is greater than {max}, the maximum number of tasks it \
         is configured to create."
    );
    if !enforce {
        warn!("{text} This behavior should be considered a bug and will be disallowed in future releases.");
        return Ok(());
    }
    Err(ConnectError::of(
        "org.apache.kafka.connect.runtime.TooManyTasksException",
        format!(
            "{text} This behaviour should be considered a bug and is disallowed. If necessary, it can be permitted by \
             reconfiguring the connector with 'tasks.max.enforce' set to false; however, this option will be removed \
             in a future release of Kafka Connect."
        ),
    ))
}

/// One instance on its thread.
pub(super) struct Life {
    pub(super) name: String,
    pub(super) plugin: Arc<dyn ConnectorPlugin>,
    pub(super) config: ConfigMap,
    pub(super) status: StatusReporter,
    pub(super) reconfigure: Reconfigure,
    pub(super) metrics: Arc<Metrics>,
    pub(super) running: Arc<AtomicBool>,
    pub(super) stop: StopSignal,
    pub(super) targets: watch::Receiver<TargetState>,
    pub(super) inbox: mpsc::UnboundedReceiver<Request>,
    pub(super) state: State,
}

/// Condition of the instance.
pub(super) enum State {
    Down,
    Up(Up),
    Failed,
}

/// A connector that has started.
pub(super) struct Up {
    connector: Box<dyn Connector>,
    reconfigure: Arc<Notify>,
    errors: mpsc::UnboundedReceiver<ConnectError>,
}

impl Life {
    /// Lives until the stop is asked for.
    pub(super) async fn live(mut self) {
        let stop = self.stop.clone();
        let mut applied = None;
        tokio::select! {
            () = async { loop { self.step(&mut applied).await } } => {}
            () = stop.requested() => {}
        }
        self.set_running(false);
        if let State::Up(mut up) = std::mem::replace(&mut self.state, State::Down)
            && let Err(error) = guarded(up.connector.stop()).await
        {
            error!(connector = %self.name, "the connector did not stop cleanly: {error}");
        }
        self.status.shut_down();
    }

    /// Applies what is wanted, then waits for the next event.
    async fn step(&mut self, applied: &mut Option<TargetState>) {
        let wanted = *self.targets.borrow_and_update();
        // One that failed can still be stopped, and begins anew after that.
        let able = wanted == TargetState::Stopped || !matches!(self.state, State::Failed);
        if *applied != Some(wanted) && able {
            self.transit(wanted, applied.is_none()).await;
            *applied = Some(wanted);
        }
        let up = match &mut self.state {
            State::Up(up) => Some(up),
            _ => None,
        };
        tokio::select! {
            changed = self.targets.changed() => {
                if changed.is_err() {
                    // The worker has let go of it; the stop is on its way.
                    std::future::pending::<()>().await;
                }
            }
            Some((limit, answer)) = self.inbox.recv() => self.divide(limit, answer).await,
            event = news(up) => match event {
                News::Reconfigure => (self.reconfigure)(&self.name),
                News::Failed(error) => self.fail(&error),
            },
        }
    }

    async fn transit(&mut self, wanted: TargetState, first: bool) {
        match (wanted, std::mem::replace(&mut self.state, State::Down)) {
            (TargetState::Started, State::Up(up)) => self.state = State::Up(up),
            (TargetState::Started, _) => self.start(first).await,
            (wanted, previous) => {
                self.set_running(false);
                if let State::Up(mut up) = previous
                    && let Err(error) = guarded(up.connector.stop()).await
                {
                    return self.fail(&error);
                }
                if wanted == TargetState::Paused {
                    self.metrics.connector_status(&self.name, "paused");
                    self.status.paused();
                } else {
                    self.metrics.connector_status(&self.name, "stopped");
                    self.status.stopped();
                }
            }
        }
    }

    /// Each start has an instance of its own.
    async fn start(&mut self, first: bool) {
        let mut connector = self.plugin.connector();
        let reconfigure = Arc::new(Notify::new());
        let (sender, errors) = mpsc::unbounded_channel();
        let context = ConnectorContext { reconfigure: reconfigure.clone(), errors: sender };
        let started = guarded(connector.start(context, self.config.clone())).await;
        if first {
            self.metrics.connector_started(started.is_ok());
        }
        if let Err(error) = started {
            return self.fail(&error);
        }
        self.state = State::Up(Up { connector, reconfigure, errors });
        self.set_running(true);
        self.metrics.connector_status(&self.name, "running");
        if first {
            self.status.started();
        } else {
            self.status.resumed();
        }
        (self.reconfigure)(&self.name);
    }

    async fn divide(&mut self, limit: Limit, answer: oneshot::Sender<Division>) {
        let mut division = match &mut self.state {
            State::Up(up) => {
                match AssertUnwindSafe(up.connector.task_configs(limit.max)).catch_unwind().await {
                    Ok(division) => division,
                    Err(panic) => {
                        let error = ConnectError::new(panic_text(&*panic));
                        self.fail(&error);
                        Err(error)
                    }
                }
            }
            _ => Err(ConnectError::new(format!("Connector {} is not running", self.name))),
        };
        let count = division.as_ref().map_or(0, Vec::len);
        if let Err(error) = check_count(&self.name, count, limit) {
            self.fail(&error);
            division = Err(error);
        }
        // Who asked may have gone.
        let _ = answer.send(division);
    }

    fn fail(&mut self, error: &ConnectError) {
        self.set_running(false);
        self.state = State::Failed;
        self.metrics.connector_status(&self.name, "failed");
        self.status.failed(error);
    }

    fn set_running(&self, running: bool) {
        self.running.store(running, Ordering::Release);
    }
}

/// A panic in a connector's call is its failure.
async fn guarded<T>(call: impl Future<Output = Result<T, ConnectError>>) -> Result<T, ConnectError> {
    let outcome = AssertUnwindSafe(call).catch_unwind().await;
    outcome.unwrap_or_else(|panic| Err(ConnectError::new(panic_text(&*panic))))
}

enum News {
    Reconfigure,
    Failed(ConnectError),
}

/// Waits for news of a connector that is up; of any other, for ever.
async fn news(up: Option<&mut Up>) -> News {
    let Some(up) = up else { return std::future::pending().await };
    tokio::select! {
        () = up.reconfigure.notified() => News::Reconfigure,
        Some(error) = up.errors.recv() => News::Failed(error),
    }
}
