//! The Connect worker that the `replicator` executable is: storage topics at the destination, REST, and one connector
//! named `replicator`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use connect_core::api::ConnectError;
use connect_core::herder::{Executor, Herder, HerderError, HerderSettings, HerderView, StopReport};
use connect_core::plugins::Plugins;
use connect_core::rest::{RestServer, RunningRest, ServerInfo, advertised_address, router};
use connect_core::storage::{StorageError, Stores};
use connect_core::worker::{SourceSettings, TaskContext, TaskRunner, run};
use kafka_wire::WireError;
use kafka_wire::transport::TlsError;
use tokio::time::sleep;
use tracing::warn;

use crate::config::{CONNECTOR_NAME, ReplicatorConfig};
use crate::context::{Network, client, tcp};
use crate::monitoring::Monitor;
use crate::plugin::{ReplicatorPlugin, plugin};

/// Pause before a storage topic that does not answer is asked again.
const WAIT: Duration = Duration::from_secs(1);

/// Why the worker cannot start. Passing faults are not among them: those are waited out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Certificates or keys cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A cluster refuses us.
    #[error(transparent)]
    Cluster(#[from] WireError),
    /// The storage topics cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The REST listener cannot be opened.
    #[error("{0}")]
    Rest(String),
    /// The connector's configuration is refused by the worker.
    #[error(transparent)]
    Herder(#[from] HerderError),
    /// The connector itself does not start.
    #[error(transparent)]
    Connector(#[from] ConnectError),
}

/// What the worker stands on. The default is the real world; a simulation gives its own.
#[derive(Clone)]
pub struct Surroundings {
    /// How clusters are reached.
    pub network: Network,
    /// Where the connector and its tasks run.
    pub executor: Executor,
    /// False: no REST listener is opened.
    pub rest: bool,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { network: tcp(), executor: Executor::Threads, rest: true }
    }
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Surroundings({:?}, rest: {})", self.executor, self.rest)
    }
}

/// A running worker.
pub struct Worker {
    herder: Herder,
    rest: Option<RunningRest>,
    monitor: Arc<Monitor>,
    addresses: Vec<SocketAddr>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Worker({:?})", self.addresses)
    }
}

impl Worker {
    /// Starts everything and returns when the connector has found its topics. REST answers from early on.
    pub async fn start(config: ReplicatorConfig, version: &str) -> Result<Self, StartError> {
        Self::start_in(Surroundings::default(), config, version).await
    }

    /// As [`Worker::start`], in other surroundings than the real world.
    pub async fn start_in(
        surroundings: Surroundings,
        config: ReplicatorConfig,
        version: &str,
    ) -> Result<Self, StartError> {
        let Surroundings { network, executor, rest } = surroundings;
        // What can be refused at once is tried first: ports, certificates.
        let listeners = &config.worker.listeners;
        let server = match rest {
            true => Some(RestServer::bind(listeners).await.map_err(|e| StartError::Rest(e.to_string()))?),
            false => None,
        };
        let addresses = server.as_ref().map(|server| server.addresses().to_vec()).unwrap_or_default();
        client(&network, "origin", &config.origin.client)?;
        let destination = client(&network, "destination", &config.destination.client)?;
        let (plugin, monitors) = plugin(Some(config.local.clone()), network, version);
        let monitor = monitors.of(CONNECTOR_NAME);
        destination.connect().await?;
        let stores = outlast(async || Stores::open(&destination, &config.worker).await).await?;

        let settings = HerderSettings {
            worker_id: worker_id(&config, &addresses),
            shutdown_timeout: config.worker.shutdown_timeout,
            executor,
        };
        let plugins = Plugins::default().with_connector(plugin.clone());
        let runner = task_runner(plugin, config.offsets.flush_interval);
        let mut herder = Herder::new(settings, plugins, stores, runner);
        let info = ServerInfo {
            version: version.to_owned(),
            commit: option_env!("REPLICATOR_COMMIT").unwrap_or("unknown").to_owned(),
            kafka_cluster_id: destination.id(),
        };
        let rest = server.map(|server| server.serve(router(info, herder.view(), monitors.routes())));
        let connectors = BTreeMap::from([(CONNECTOR_NAME.to_owned(), config.connector_config())]);
        while let Err(error) = herder.start(connectors.clone()).await {
            match &error {
                HerderError::Storage(storage) if storage.is_passing() => {
                    warn!("waiting for the storage topics at the destination: {error}");
                    sleep(WAIT).await;
                }
                _ => return Err(error.into()),
            }
        }
        herder.started(CONNECTOR_NAME).await?;
        Ok(Self { herder, rest, monitor, addresses })
    }

    /// Figures of the copy.
    pub fn monitor(&self) -> Arc<Monitor> {
        self.monitor.clone()
    }

    /// Configurations and statuses of the connector and its tasks.
    pub fn view(&self) -> HerderView {
        self.herder.view()
    }

    /// Addresses on which REST listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops in bounded time: reads no more, delivers and commits what was read.
    pub async fn stop(self) -> StopReport {
        let report = self.herder.stop().await;
        if let Some(rest) = self.rest {
            rest.stop().await;
        }
        report
    }
}

/// Repeats `open` while a passing fault is in its way.
async fn outlast<T>(open: impl AsyncFn() -> Result<T, StorageError>) -> Result<T, StorageError> {
    loop {
        match open().await {
            Err(error) if error.is_passing() => {
                warn!("waiting for the storage topics at the destination: {error}");
                sleep(WAIT).await;
            }
            other => return other,
        }
    }
}

fn worker_id(config: &ReplicatorConfig, addresses: &[SocketAddr]) -> String {
    let worker = &config.worker;
    let mut listener = worker.listeners.first().cloned().unwrap_or_default();
    if let Some(bound) = addresses.first() {
        listener.1 = bound.port();
    }
    advertised_address(&listener, worker.advertised_host.as_deref(), worker.advertised_port)
}

/// Each task writes through a client of its own, so that its connections live on its own thread.
fn task_runner(plugin: Arc<ReplicatorPlugin>, flush_interval: Duration) -> TaskRunner {
    Arc::new(move |task: TaskContext| {
        let plugin = plugin.clone();
        Box::pin(async move {
            let writer = plugin.writer(&task.config)?;
            run(task, writer.destination, SourceSettings { produce: writer.produce, flush_interval }).await
        })
    })
}
