//! Real Kafka clusters on this machine, from the artifacts that Maven has: brokers for tests and benches, the
//! detached pair of `scripts/clusters`, and Kafka's own tools for `scripts/kafka`.
//!
//! ```no_run
//! use kafka_clusters::{Cluster, Version};
//!
//! let cluster = Cluster::builder().version(Version::V39Zk).start()?;
//! cluster.tool("kafka-topics", &["--create", "--topic", "test-topic", "--partitions", "1"])?;
//! cluster.broker(1).kill()?;
//! cluster.broker(1).start()?; // same port, same data
//! # Ok::<(), kafka_clusters::Error>(())
//! ```
//!
//! The interface blocks: a start takes seconds of waiting for Java. [`Cluster`] is `Send + Sync`; code on a Tokio runtime
//! wraps calls in `spawn_blocking`. Everything stops when the [`Cluster`] is dropped and when the process dies, however it dies.
//!
//! Environment: `KAFKA_CLUSTERS_HOME` (where jars are kept, default `.clusters` in the project), `JAVA_HOME`,
//! `KAFKA_CLUSTERS_KEEP=1` (keep the temporary folders with logs and data).

mod broker;
mod cluster;
pub mod detached;
mod distribution;
mod error;
mod ports;
mod probe;
mod process;
mod security;
mod settings;
mod stores;
pub mod tools;

pub use broker::Broker;
pub use cluster::{Cluster, ClusterBuilder};
pub use distribution::{Distribution, Jvm, Release, home};
pub use error::{Error, Result};
pub use ports::Port;
pub use probe::{Answer, metadata};
pub use process::Server;
pub use security::Security;
pub use settings::{Listener, Version};
pub use stores::{JavaStores, StoreKind};
