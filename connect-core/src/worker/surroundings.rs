//! The ground that a worker stands on: threads, network, and the settings for whole batches.

use std::sync::Arc;
use std::time::Duration;

use connect_api::{ConfigMap, ConnectError};
use kafka_wire::cluster::Cluster;
use kafka_wire::produce::{Advice, ProduceSettings};
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::TcpConnector;

use super::executor::Executor;

/// Bytes of one request of batches that pass through whole.
const RAW_REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// Makes a client for admin calls, offset topics and whole batches, from Java properties. The first argument is what
/// messages call its cluster.
pub type ClusterMaker = Arc<dyn Fn(&'static str, &ConfigMap) -> Result<Cluster, ConnectError> + Send + Sync>;

/// Ground that a worker stands on. The default is the real world; a simulation gives its own.
#[derive(Clone)]
pub struct Surroundings {
    /// Threads, or what else connectors and tasks run on.
    pub executor: Executor,
    /// The way to clusters. The producers and consumers of records are librdkafka's and always use real sockets.
    pub clusters: ClusterMaker,
    /// Settings for writing batches that pass through whole, where a task has none of its own.
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
