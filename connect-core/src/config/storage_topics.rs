//! The three topics in which a distributed worker keeps its state, as its properties describe them.

use std::collections::BTreeMap;

/// The topics of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageTopics {
    /// `offset.storage.*`.
    pub offsets: StorageTopic,
    /// `config.storage.*`; always one partition.
    pub configs: StorageTopic,
    /// `status.storage.*`.
    pub statuses: StorageTopic,
}

/// One of the three topics.
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
