//! Settings of a Connect worker, already checked. The executables build them; the worker and its REST server read
//! them. Names, units and defaults are those of Connect's `DistributedConfig`, except where a field says otherwise.

use std::collections::BTreeMap;
use std::time::Duration;

/// What a worker needs to know about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerSettings {
    /// `group.id`: workers with the same id share the work. For the replicator it is `--cluster.id`.
    pub group_id: String,
    /// `listeners`: `(host, port)` pairs of the REST server; an empty host means every interface. Never empty.
    pub listeners: Vec<(String, u16)>,
    /// `rest.advertised.host.name`: how other workers reach this one; `None`: the first listener's host.
    pub advertised_host: Option<String>,
    /// `rest.advertised.port`; `None`: the first listener's port.
    pub advertised_port: Option<u16>,
    /// `rest.extension.classes`, in the order given.
    pub rest_extensions: Vec<String>,
    /// `offset.storage.*`.
    pub offset_storage: StorageTopic,
    /// `config.storage.*`; always one partition.
    pub config_storage: StorageTopic,
    /// `status.storage.*`.
    pub status_storage: StorageTopic,
    /// `offset.flush.interval.ms`: longest time between two commits of progress.
    pub offset_flush_interval: Duration,
    /// `task.shutdown.graceful.timeout.ms`: time that all tasks together get to finish.
    pub shutdown_timeout: Duration,
}

/// One of the three topics in which a worker keeps its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageTopic {
    /// Topic name.
    pub name: String,
    /// Number of partitions when the worker creates it; -1: the broker's default.
    pub partitions: i32,
    /// Replication factor when the worker creates it; -1: the broker's default.
    pub replication_factor: i16,
    /// Further settings of the topic when the worker creates it (`config.storage.*` and so on).
    pub configs: BTreeMap<String, String>,
}
