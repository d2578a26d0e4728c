//! The [`Worker`]: what it is made of and what it knows of its instances. Starting and stopping connectors and tasks, and
//! their offsets, are in `connectors`, `tasks` and `offsets`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use connect_api::{ConfigMap, ConnectError, ConnectorPlugin};
use kafka_wire::cluster::Cluster;
use kafka_wire::produce::SendGate;

use super::clients::{self, ClientKind, Clients};
use super::instances::{ConnectorHandle, TaskHandle};
use super::metrics::{Metrics, Windows};
use super::offsets::OffsetBacking;
use super::settings::{WorkerSettings, text};
use super::surroundings::Surroundings;
use super::variables::Variables;
use crate::ids::{TargetState, TaskId};
use crate::plugins::Plugins;

/// Runs connectors and tasks. Clones are handles to the same worker.
#[derive(Clone)]
pub struct Worker(pub(super) Arc<Inner>);

/// The parts of a worker.
pub(super) struct Inner {
    pub(super) settings: WorkerSettings,
    pub(super) plugins: Arc<Plugins>,
    pub(super) variables: Variables,
    pub(super) offsets: OffsetBacking,
    pub(super) surroundings: Surroundings,
    pub(super) metrics: Arc<Metrics>,
    pub(super) connectors: Mutex<BTreeMap<String, ConnectorHandle>>,
    pub(super) tasks: Mutex<BTreeMap<TaskId, TaskHandle>>,
    pub(super) send_gate: OnceLock<SendGate>,
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

    /// Its figures.
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
    pub(super) fn transactional_id(&self, id: &TaskId) -> String {
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

    /// The store of source offsets.
    pub(super) fn backing(&self) -> &OffsetBacking {
        &self.0.offsets
    }

    /// A client in the worker's surroundings; see [`super::ClusterMaker`].
    pub(super) fn cluster(
        &self,
        role: &'static str,
        properties: &ConfigMap,
    ) -> Result<Cluster, ConnectError> {
        (self.0.surroundings.clusters)(role, properties)
    }

    pub(super) fn lock_connectors(&self) -> MutexGuard<'_, BTreeMap<String, ConnectorHandle>> {
        self.0.connectors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lock_tasks(&self) -> MutexGuard<'_, BTreeMap<TaskId, TaskHandle>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
