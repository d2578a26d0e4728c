//! The life of a connector instance on a thread of its own: started, paused, asked to divide its work, stopped.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use connect_api::variables::mentions_variables;
use connect_api::{ConfigMap, ConnectError, Connector, ConnectorContext, ConnectorPlugin, ConnectorType};
use futures::FutureExt;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use tracing::{error, warn};

use super::clients::{ClientKind, TopicCreation};
use super::executor::panic_text;
use super::listener::{StatusListener, Voice};
use super::metrics::{ConnectorFacts, Metrics};
use super::settings::parsed;
use super::{StopSignal, StopSwitch, Worker};
use crate::ids::InstanceId;
use crate::ids::TargetState;

/// Told when a connector asks for its work to be divided anew; with its name.
pub type Reconfigure = Arc<dyn Fn(&str) + Send + Sync>;

type Division = Result<Vec<ConfigMap>, ConnectError>;
type Request = (Limit, oneshot::Sender<Division>);

/// How many tasks a connector may have.
#[derive(Debug, Clone, Copy)]
struct Limit {
    /// `tasks.max`.
    max: usize,
    /// `tasks.max.enforce`.
    enforce: bool,
}

/// A connector as the worker holds it.
pub(super) struct ConnectorHandle {
    switch: StopSwitch,
    target: watch::Sender<TargetState>,
    requests: mpsc::UnboundedSender<Request>,
    running: Arc<AtomicBool>,
    ended: watch::Receiver<bool>,
    voice: Voice,
}

impl ConnectorHandle {
    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    pub(super) fn set_target(&self, state: TargetState) {
        self.target.send_replace(state);
    }
}

impl Worker {
    /// Starts a connector instance on a thread of its own and returns at once; `listener` hears what becomes of it.
    /// `reconfigure` is called with its name when it has started, and whenever it wants its work divided anew. Variables of
    /// its configuration are resolved here.
    ///
    /// # Errors
    /// What can be refused at once: it runs already, an unknown class, settings that cannot be used, no thread. The
    /// listener hears of those too.
    pub async fn start_connector(
        &self,
        name: &str,
        config: ConfigMap,
        target: TargetState,
        listener: Arc<dyn StatusListener>,
        reconfigure: Reconfigure,
    ) -> Result<(), ConnectError> {
        let voice = Voice::new(InstanceId::Connector(name.to_owned()), listener);
        let started = self.launch_connector(name, &config, target, voice.clone(), reconfigure);
        if let Err(error) = &started {
            self.metrics().connector_started(false);
            voice.failed(error);
        }
        started
    }

    fn launch_connector(
        &self,
        name: &str,
        config: &ConfigMap,
        target: TargetState,
        voice: Voice,
        reconfigure: Reconfigure,
    ) -> Result<(), ConnectError> {
        if self.lock_connectors().contains_key(name) {
            return Err(ConnectError::new(format!("Connector with name {name} already exists")));
        }
        let config = self.variables().resolve(config)?;
        let plugin = self.plugin(&config)?.clone();
        for kind in ClientKind::ALL {
            self.settings().override_policy.overrides(kind, &config)?;
        }
        if plugin.kind() == ConnectorType::Source && self.settings().topic_creation {
            TopicCreation::check(&config)?;
        }
        let facts = ConnectorFacts {
            kind: plugin.kind(),
            class: plugin.class().to_owned(),
            version: plugin.version().to_owned(),
            status: "unassigned",
        };
        self.0.metrics.connector(name, facts);
        let (switch, stop) = StopSwitch::new();
        let (target, targets) = watch::channel(target);
        let (requests, inbox) = mpsc::unbounded_channel();
        let (ending, ended) = watch::channel(false);
        let running = Arc::new(AtomicBool::new(false));
        let life = Life {
            name: name.to_owned(),
            plugin,
            config,
            voice: voice.clone(),
            reconfigure,
            metrics: self.0.metrics.clone(),
            running: running.clone(),
            stop,
            targets,
            inbox,
            state: State::Down,
        };
        let failed = (voice.clone(), running.clone(), self.0.metrics.clone(), name.to_owned());
        let done = move |outcome: Result<(), Box<dyn std::any::Any + Send>>| {
            let (voice, running, metrics, name) = failed;
            if let Err(panic) = outcome {
                running.store(false, Ordering::Release);
                metrics.connector_status(&name, "failed");
                voice.failed(&ConnectError::new(panic_text(&*panic)));
            }
            ending.send_replace(true);
        };
        let executor = &self.0.surroundings.executor;
        executor.run(format!("connector-{name}"), move || Box::pin(life.live()), done).map_err(|error| {
            ConnectError::new(format!("cannot start a thread for the connector: {error}"))
        })?;
        let handle = ConnectorHandle { switch, target, requests, running, ended, voice };
        self.lock_connectors().insert(name.to_owned(), handle);
        Ok(())
    }

    /// Stops a connector instance, in at most `task.shutdown.graceful.timeout.ms`; then it is left behind.
    pub async fn stop_connector(&self, name: &str) {
        let Some(handle) = self.lock_connectors().remove(name) else {
            warn!(connector = %name, "ignoring the request to stop a connector that does not run here");
            return;
        };
        let ConnectorHandle { switch, mut ended, voice, .. } = handle;
        let deadline = Instant::now() + self.settings().shutdown_timeout;
        switch.request(deadline);
        // An error means that its thread never began.
        if timeout_at(deadline, ended.wait_for(|ended| *ended)).await.is_err() {
            error!(connector = %name, "the connector did not stop in time and is left behind");
            voice.give_up();
        }
        self.0.metrics.forget_connector(name);
    }

    /// Has a connector that runs here divide its work: one configuration for each task, ready to be stored. `config` is
    /// its configuration as stored.
    ///
    /// # Errors
    /// The connector's, or that it does not run here, or that it made more tasks than `tasks.max` allows, which is its end.
    pub async fn connector_task_configs(
        &self,
        name: &str,
        config: &ConfigMap,
    ) -> Result<Vec<ConfigMap>, ConnectError> {
        let resolved = self.variables().resolve(config)?;
        let plugin = self.plugin(&resolved)?.clone();
        let limit = Limit {
            max: parsed(&resolved, "tasks.max", 1)?,
            enforce: parsed(&resolved, "tasks.max.enforce", true)?,
        };
        let gone = || ConnectError::new(format!("Connector {name} not found in this worker."));
        let (answer, answered) = oneshot::channel();
        let requests =
            self.lock_connectors().get(name).map(|handle| handle.requests.clone()).ok_or_else(gone)?;
        requests.send((limit, answer)).map_err(|_| gone())?;
        drop(requests);
        let configs = answered.await.map_err(|_| gone())??;
        let with_variables: Vec<_> = config.iter().filter(|(_, value)| mentions_variables(value)).collect();
        let finish = |mut task: ConfigMap| {
            for (key, value) in &with_variables {
                if let Some(resolved) = task.get_mut(*key) {
                    resolved.clone_from(value);
                }
            }
            task.insert("task.class".to_owned(), plugin.task_class().to_owned());
            if plugin.kind() == ConnectorType::Sink {
                for key in ["topics", "topics.regex"] {
                    if let Some(value) = config.get(key) {
                        task.insert(key.to_owned(), value.clone());
                    }
                }
            }
            task
        };
        Ok(configs.into_iter().map(finish).collect())
    }
}

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
struct Life {
    name: String,
    plugin: Arc<dyn ConnectorPlugin>,
    config: ConfigMap,
    voice: Voice,
    reconfigure: Reconfigure,
    metrics: Arc<Metrics>,
    running: Arc<AtomicBool>,
    stop: StopSignal,
    targets: watch::Receiver<TargetState>,
    inbox: mpsc::UnboundedReceiver<Request>,
    state: State,
}

enum State {
    Down,
    Up(Up),
    Failed,
}

/// A connector that has started.
struct Up {
    connector: Box<dyn Connector>,
    reconfigure: Arc<Notify>,
    errors: mpsc::UnboundedReceiver<ConnectError>,
}

impl Life {
    async fn live(mut self) {
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
        self.voice.shut_down();
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
                    self.voice.paused();
                } else {
                    self.metrics.connector_status(&self.name, "stopped");
                    self.voice.stopped();
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
        match first {
            true => self.voice.started(),
            false => self.voice.resumed(),
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
        self.voice.failed(error);
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

/// What a connector that is up says.
async fn news(up: Option<&mut Up>) -> News {
    let Some(up) = up else { return std::future::pending().await };
    tokio::select! {
        () = up.reconfigure.notified() => News::Reconfigure,
        Some(error) = up.errors.recv() => News::Failed(error),
    }
}
