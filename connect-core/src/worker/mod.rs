//! Runs connectors and tasks in this process: everything between a task's configuration and Kafka. A herder decides which of
//! them run here and keeps their statuses; the [`Worker`] knows plugins, converters, clients, offsets and metrics, and
//! nothing of groups or REST.
//!
//! Guarantees: each connector and each task runs on a thread of its own; one that blocks or panics harms no other, nor the
//! worker. A panic is a failure. Stopping takes at most `task.shutdown.graceful.timeout.ms`; who is not done by then is left
//! behind, can no longer commit offsets and is no longer heard.

mod clients;
mod connectors;
mod exactly_once;
pub mod executor;
mod listener;
pub mod metrics;
mod offsets;
mod records;
mod report;
mod settings;
mod sink;
mod source;
mod stop;
mod tasks;
mod variables;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use connect_api::{ConfigMap, ConnectError, ConnectorPlugin};
use kafka_wire::cluster::Cluster;
use kafka_wire::produce::{Advice, ProduceSettings, SendGate};
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::TcpConnector;

pub use self::clients::{ClientKind, OverridePolicy};
pub use self::connectors::Reconfigure;
pub use self::exactly_once::ExactlyOnce;
pub use self::executor::{Executor, Job, Launcher};
pub use self::listener::StatusListener;
pub use self::metrics::Metrics;
pub use self::offsets::{OffsetBacking, TaskOffsets};
pub use self::report::{StopReport, TaskReport};
pub use self::settings::WorkerSettings;
pub use self::stop::{StopSignal, StopSwitch};
pub use self::variables::Variables;

use self::clients::Clients;
use self::connectors::ConnectorHandle;
use self::metrics::Windows;
use self::settings::text;
use self::tasks::TaskHandle;
use crate::ids::{TargetState, TaskId};
use crate::plugins::Plugins;

/// Bytes of one request of batches that pass through whole.
const RAW_REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// Makes a client for admin calls, offset topics and whole batches, from Java properties. The first argument is what
/// messages call its cluster.
pub type ClusterMaker = Arc<dyn Fn(&'static str, &ConfigMap) -> Result<Cluster, ConnectError> + Send + Sync>;

/// What the worker stands on. The default is the real world; a simulation gives its own.
#[derive(Clone)]
pub struct Surroundings {
    /// Where connectors and tasks run.
    pub executor: Executor,
    /// How clusters are reached. The producers and consumers of records are librdkafka's and always use real sockets.
    pub clusters: ClusterMaker,
    /// How batches that pass through whole are written.
    pub raw: ProduceSettings,
}

impl Default for Surroundings {
    fn default() -> Self {
        let raw = ProduceSettings {
            lanes_per_broker: 2,
            max_request_bytes: RAW_REQUEST_BYTES,
            timeout: Duration::from_secs(30),
            merge: None,
            advice: Advice::default(),
        };
        Self { executor: Executor::Threads, clusters: Arc::new(tcp), raw }
    }
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Surroundings({:?}, {:?})", self.executor, self.raw)
    }
}

fn tcp(role: &'static str, properties: &ConfigMap) -> Result<Cluster, ConnectError> {
    let settings = ClientSettings::from_properties(properties).map_err(ConnectError::config)?;
    let connector = TcpConnector::new(&settings).map_err(ConnectError::config)?;
    Ok(Cluster::new(role, settings, Arc::new(connector)))
}

/// Runs connectors and tasks. Clones are handles to the same worker.
#[derive(Clone)]
pub struct Worker(Arc<Inner>);

struct Inner {
    settings: WorkerSettings,
    plugins: Arc<Plugins>,
    variables: Variables,
    offsets: OffsetBacking,
    surroundings: Surroundings,
    metrics: Arc<Metrics>,
    connectors: Mutex<BTreeMap<String, ConnectorHandle>>,
    tasks: Mutex<BTreeMap<TaskId, TaskHandle>>,
    send_gate: OnceLock<SendGate>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Worker({})", self.id())
    }
}

impl Worker {
    /// A worker that runs nothing yet.
    ///
    /// # Errors
    /// Config providers that cannot be made.
    pub fn new(
        settings: WorkerSettings,
        plugins: Arc<Plugins>,
        offsets: OffsetBacking,
        surroundings: Surroundings,
    ) -> Result<Self, ConnectError> {
        let variables = Variables::from_properties(&settings.properties, &plugins)?;
        plugins.connectors().iter().for_each(|plugin| plugin.on_worker(&settings.properties));
        let windows = Windows { window: settings.metrics_window, samples: settings.metrics_samples };
        Ok(Self(Arc::new(Inner {
            settings,
            plugins,
            variables,
            offsets,
            surroundings,
            metrics: Arc::new(Metrics::new(windows)),
            connectors: Mutex::default(),
            tasks: Mutex::default(),
            send_gate: OnceLock::new(),
        })))
    }

    /// The plugins that it can run.
    pub fn plugins(&self) -> &Arc<Plugins> {
        &self.0.plugins
    }

    /// `host:port` under which statuses name it.
    pub fn id(&self) -> &str {
        &self.0.settings.worker_id
    }

    /// From now on tasks send whole batches only while `gate` says yes. To be called at most once, before the first task.
    pub(crate) fn set_send_gate(&self, gate: SendGate) {
        // A second gate is a mistake that changes nothing.
        let _ = self.0.send_gate.set(gate);
    }

    /// Its settings.
    pub fn settings(&self) -> &WorkerSettings {
        &self.0.settings
    }

    /// What it counts.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Its config providers, for who shows or checks configurations.
    pub fn variables(&self) -> &Variables {
        &self.0.variables
    }

    /// Names of the connectors that it runs, failed ones included.
    pub fn connectors(&self) -> Vec<String> {
        self.lock_connectors().keys().cloned().collect()
    }

    /// The tasks that it runs, failed ones included.
    pub fn tasks(&self) -> Vec<TaskId> {
        self.lock_tasks().keys().cloned().collect()
    }

    /// True when the connector is started here and has neither failed nor been paused or stopped.
    pub fn is_running(&self, connector: &str) -> bool {
        self.lock_connectors().get(connector).is_some_and(ConnectorHandle::is_running)
    }

    /// Has a connector and its tasks here pause or go on. STOPPED stops the connector instance, which keeps its place; its
    /// tasks are the herder's to stop.
    pub fn set_target_state(&self, connector: &str, state: TargetState) {
        if let Some(handle) = self.lock_connectors().get(connector) {
            handle.set_target(state);
        }
        if state != TargetState::Stopped {
            let tasks = self.lock_tasks();
            tasks
                .iter()
                .filter(|(id, _)| id.connector == connector)
                .for_each(|(_, task)| task.set_target(state));
        }
    }

    /// Fences out the producers of tasks 0 to `task_count` of a connector: each loses its open transaction and can write
    /// no more. For the leader, before a new generation of tasks starts.
    ///
    /// # Errors
    /// When a coordinator cannot be reached or refuses.
    pub async fn fence_zombies(
        &self,
        connector: &str,
        task_count: usize,
        config: &ConfigMap,
    ) -> Result<(), ConnectError> {
        let config = self.variables().resolve(config)?;
        let clients = Clients { worker: self.settings(), connector: &config };
        let fence = |task| {
            let id = TaskId { connector: connector.to_owned(), task };
            let properties = clients.producer(&id, Some(&self.transactional_id(&id)));
            async move { clients::fence(&properties?).await }
        };
        futures::future::try_join_all((0..task_count).map(fence)).await.map(drop)
    }

    /// Settings of a producer of the worker's own with this transactional id.
    ///
    /// # Errors
    /// Properties of the worker that librdkafka cannot use.
    pub(crate) fn transactional_client(&self, id: &str) -> Result<rdkafka::ClientConfig, ConnectError> {
        let none = ConfigMap::new();
        let clients = Clients { worker: self.settings(), connector: &none };
        clients::client_config(ClientKind::Producer, &clients.own_producer(id))
    }

    /// `<group.id>-<connector>-<task>`.
    fn transactional_id(&self, id: &TaskId) -> String {
        format!("{}-{id}", self.0.settings.group_id.as_deref().unwrap_or_default())
    }

    /// The plugin that a configuration names.
    pub(crate) fn plugin(&self, config: &ConfigMap) -> Result<&Arc<dyn ConnectorPlugin>, ConnectError> {
        const KEY: &str = "connector.class";
        let class = text(config, KEY).ok_or_else(|| {
            ConnectError::config(format!(
                "Missing required configuration \"{KEY}\" which has no default value."
            ))
        })?;
        self.0.plugins.connector(class)
    }

    fn backing(&self) -> &OffsetBacking {
        &self.0.offsets
    }

    fn cluster(&self, role: &'static str, properties: &ConfigMap) -> Result<Cluster, ConnectError> {
        (self.0.surroundings.clusters)(role, properties)
    }

    fn lock_connectors(&self) -> MutexGuard<'_, BTreeMap<String, ConnectorHandle>> {
        self.0.connectors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_tasks(&self) -> MutexGuard<'_, BTreeMap<TaskId, TaskHandle>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
