//! Runs connectors and their tasks in this process: keeps their configurations and statuses in the stores, divides
//! the work when a connector asks for it, and stops everything in bounded time.
//!
//! Guarantees: a connector or task that blocks or panics harms no other, nor the REST answers; a status is FAILED
//! with the reason when something ended with an error; a task left behind at a stop can neither commit offsets nor
//! change statuses any more.

pub mod api;
pub mod common;
pub mod distributed;
pub mod error;
mod fixed;
mod host;
pub mod info;
mod reading;
pub mod standalone;
pub mod statuses;
mod supervisor;
mod tasks;
mod view;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::{info, warn};

pub use crate::worker::executor::{Executor, Job, Launcher};
pub use fixed::FixedHerder;
pub use view::{ConnectorView, HerderView};

use self::host::Instance;
use self::supervisor::{Phase, Supervisor};
use crate::api::{ConfigMap, ConnectError};
use crate::plugins::Plugins;
use crate::storage::{ConfigStore, OffsetStore, Properties, StatusStore, StorageError, Stores, TargetState};
use crate::worker::status::StatusAuthor;
use crate::worker::{StopSwitch, TaskId, TaskRunner};

/// Time for the last statuses to reach their topic.
const STATUS_FLUSH_LIMIT: Duration = Duration::from_secs(3);

/// Why a connector cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HerderError {
    /// A store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Nothing is known by this class name.
    #[error(
        "connector '{connector}': no connector class matches connector.class={class}; available: {available}"
    )]
    UnknownClass {
        /// Connector name.
        connector: String,
        /// `connector.class`, empty when it is missing.
        class: String,
        /// All class names.
        available: String,
    },
    /// `tasks.max` is not a number of at least 1.
    #[error("connector '{connector}': tasks.max={value} is not a whole number of at least 1")]
    TasksMax {
        /// Connector name.
        connector: String,
        /// The value.
        value: String,
    },
}

/// Who the worker is and how long it may take to stop.
#[derive(Debug, Clone)]
pub struct HerderSettings {
    /// `host:port` under which statuses name this worker.
    pub worker_id: String,
    /// `task.shutdown.graceful.timeout.ms`.
    pub shutdown_timeout: Duration,
    /// Where connectors and tasks run.
    pub executor: Executor,
}

/// How a stop went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StopReport {
    /// Records that were under way at the stop and were acknowledged and committed before the end.
    pub drained_records: u64,
    /// Tasks that did not stop in time.
    pub abandoned: Vec<TaskId>,
}

/// What supervisors share.
struct Shared {
    configs: Mutex<ConfigStore>,
    offsets: OffsetStore,
    statuses: StatusStore,
    runner: TaskRunner,
    shutdown_timeout: Duration,
    executor: Executor,
}

/// Runs the connectors given to it until it is stopped.
pub struct Herder {
    settings: HerderSettings,
    plugins: Arc<Plugins>,
    shared: Arc<Shared>,
    snapshots: watch::Receiver<Arc<crate::storage::ConfigState>>,
    generation: i32,
    ready: Arc<AtomicBool>,
    connectors: BTreeMap<String, Supervised>,
}

struct Supervised {
    switch: StopSwitch,
    phase: watch::Receiver<Phase>,
    supervisor: JoinHandle<StopReport>,
}

impl Herder {
    /// A herder without connectors. `runner` runs each task, where the settings' executor puts it.
    pub fn new(settings: HerderSettings, plugins: Plugins, stores: Stores, runner: TaskRunner) -> Self {
        let Stores { configs, offsets, statuses } = stores;
        // Every process start is an assignment of work of its own.
        let generation = statuses.newest_generation().saturating_add(1);
        let snapshots = configs.snapshots();
        let HerderSettings { shutdown_timeout, executor, .. } = settings.clone();
        let configs = Mutex::new(configs);
        Self {
            settings,
            plugins: Arc::new(plugins),
            shared: Arc::new(Shared { configs, offsets, statuses, runner, shutdown_timeout, executor }),
            snapshots,
            generation,
            ready: Arc::default(),
            connectors: BTreeMap::new(),
        }
    }

    /// What REST shows; stays valid and never blocks, whatever happens here.
    pub fn view(&self) -> HerderView {
        HerderView::new(
            self.snapshots.clone(),
            self.shared.statuses.clone(),
            self.plugins.clone(),
            self.ready.clone(),
        )
    }

    /// Stores the connectors' configurations where they changed and starts them. Returns when all are on their way;
    /// [`Herder::started`] tells how each fared. On an error those before it in the map are running.
    pub async fn start(&mut self, connectors: BTreeMap<String, ConfigMap>) -> Result<(), HerderError> {
        for (name, config) in connectors {
            self.start_connector(name, config).await?;
        }
        for name in self.snapshots.borrow().connectors().filter(|name| !self.connectors.contains_key(*name)) {
            warn!(connector = %name, "the config topic holds a connector that this process does not run");
        }
        self.ready.store(true, Ordering::Release);
        Ok(())
    }

    async fn start_connector(&mut self, name: String, mut config: ConfigMap) -> Result<(), HerderError> {
        config.insert("name".to_owned(), name.clone());
        let instance = self.instance(&name, &config)?;
        let properties: Properties = config.into_iter().map(|(key, value)| (key, Some(value))).collect();
        {
            let mut store = self.shared.configs.lock().await;
            if store.state().connector(&name) != Some(&properties) {
                store.put_connector(&name, &properties, None).await?;
            }
            let target = store.state().target(&name);
            if target != TargetState::Started {
                warn!(connector = %name, "its target state is {}, but this process starts it", target.name());
            }
        }
        info!(connector = %name, "starting the connector");
        self.supervise(name, instance);
        Ok(())
    }

    fn instance(&self, name: &str, config: &ConfigMap) -> Result<Instance, HerderError> {
        let class = config.get("connector.class").map(String::as_str).unwrap_or_default();
        let plugin = self.plugins.connector(class).map_err(|_| HerderError::UnknownClass {
            connector: name.to_owned(),
            class: class.to_owned(),
            available: self.plugins.connectors().iter().map(|p| p.class()).collect::<Vec<_>>().join(", "),
        })?;
        let value = config.get("tasks.max").map_or("1", |value| value.trim());
        let max_tasks = value
            .parse()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| HerderError::TasksMax { connector: name.to_owned(), value: value.to_owned() })?;
        Ok(Instance {
            name: name.to_owned(),
            connector: plugin.connector(),
            plugin: plugin.clone(),
            config: config.clone(),
            max_tasks,
        })
    }

    fn supervise(&mut self, name: String, instance: Instance) {
        let (switch, stop) = StopSwitch::new();
        let (phase, phases) = watch::channel(Phase::Starting);
        let author = StatusAuthor {
            worker_id: self.settings.worker_id.clone(),
            generation: self.generation,
            version: Some(instance.plugin.version().to_owned()),
        };
        let supervisor = Supervisor { shared: self.shared.clone(), name: name.clone(), author, phase, stop };
        let supervisor = tokio::spawn(supervisor.run(instance));
        self.connectors.insert(name, Supervised { switch, phase: phases, supervisor });
    }

    /// Waits until the tasks of a connector have been started, or until the connector has failed.
    pub async fn started(&self, connector: &str) -> Result<(), ConnectError> {
        let Some(supervised) = self.connectors.get(connector) else {
            return Err(ConnectError::new(format!("this process does not run connector '{connector}'")));
        };
        let mut phase = supervised.phase.clone();
        let reached = phase.wait_for(|phase| *phase != Phase::Starting).await;
        match reached.as_deref() {
            Ok(Phase::Failed(reason)) => Err(ConnectError::new(reason)),
            Ok(_) => Ok(()),
            Err(_) => Err(ConnectError::new(format!("connector '{connector}' was stopped"))),
        }
    }

    /// Stops all tasks, then the connectors, then writes the last statuses. Takes at most
    /// `task.shutdown.graceful.timeout.ms` for the tasks and a few seconds for the rest.
    pub async fn stop(self) -> StopReport {
        let deadline = Instant::now() + self.settings.shutdown_timeout;
        for supervised in self.connectors.values() {
            supervised.switch.request(deadline);
        }
        let mut total = StopReport::default();
        for report in join_all(self.connectors.into_values().map(|s| s.supervisor)).await {
            match report {
                Ok(report) => {
                    total.drained_records += report.drained_records;
                    total.abandoned.extend(report.abandoned);
                }
                Err(reason) => warn!("a connector's supervisor ended badly: {reason}"),
            }
        }
        if !self.shared.statuses.flush(STATUS_FLUSH_LIMIT).await {
            warn!("the last statuses did not reach the status topic (status.storage.topic)");
        }
        total
    }
}

impl std::fmt::Debug for Herder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Herder")
            .field("settings", &self.settings)
            .field("connectors", &self.connectors.keys())
            .finish_non_exhaustive()
    }
}
