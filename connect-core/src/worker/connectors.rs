//! Starting and stopping connector instances, and having them divide their work. Their lives are in `connector_life`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use connect_api::variables::mentions_variables;
use connect_api::{ConfigMap, ConnectError, ConnectorType};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use tracing::{error, warn};

use super::clients::{ClientKind, TopicCreation};
use super::connector_life::{Life, Reconfigure, State};
use super::executor::panic_text;
use super::handle::Worker;
use super::instances::{ConnectorHandle, Limit};
use super::listener::{StatusListener, StatusReporter};
use super::metrics::ConnectorFacts;
use super::settings::parsed;
use super::stop::StopSwitch;

use crate::ids::{InstanceId, TargetState};

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
        let status = StatusReporter::new(InstanceId::Connector(name.to_owned()), listener);
        let started = self.launch_connector(name, &config, target, status.clone(), reconfigure);
        if let Err(error) = &started {
            self.metrics().connector_started(false);
            status.failed(error);
        }
        started
    }

    fn launch_connector(
        &self,
        name: &str,
        config: &ConfigMap,
        target: TargetState,
        status: StatusReporter,
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
            status: status.clone(),
            reconfigure,
            metrics: self.0.metrics.clone(),
            running: running.clone(),
            stop,
            targets,
            inbox,
            state: State::Down,
        };
        let failed = (status.clone(), running.clone(), self.0.metrics.clone(), name.to_owned());
        let done = move |outcome: Result<(), Box<dyn std::any::Any + Send>>| {
            let (status, running, metrics, name) = failed;
            if let Err(panic) = outcome {
                running.store(false, Ordering::Release);
                metrics.connector_status(&name, "failed");
                status.failed(&ConnectError::new(panic_text(&*panic)));
            }
            ending.send_replace(true);
        };
        let executor = &self.0.surroundings.executor;
        executor.run(format!("connector-{name}"), move || Box::pin(life.live()), done).map_err(|error| {
            ConnectError::new(format!("cannot start a thread for the connector: {error}"))
        })?;
        let handle = ConnectorHandle { switch, target, requests, running, ended, status };
        self.lock_connectors().insert(name.to_owned(), handle);
        Ok(())
    }

    /// Stops a connector instance, in at most `task.shutdown.graceful.timeout.ms`; then it is left behind.
    pub async fn stop_connector(&self, name: &str) {
        let Some(handle) = self.lock_connectors().remove(name) else {
            warn!(connector = %name, "ignoring the request to stop a connector that does not run here");
            return;
        };
        let ConnectorHandle { switch, mut ended, status, .. } = handle;
        let deadline = Instant::now() + self.settings().shutdown_timeout;
        switch.request(deadline);
        // An error means that its thread never began.
        if timeout_at(deadline, ended.wait_for(|ended| *ended)).await.is_err() {
            error!(connector = %name, "the connector did not stop in time and is left behind");
            status.give_up();
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
