//! Stores of everything that must outlive a worker: configurations, offsets and statuses, each in a log of keyed records
//! (normally a compacted topic) with exactly the layout of Java's Connect, so that either can go on where the other
//! stopped. The herder opens the stores; tasks reach the offset store through [`crate::worker`].

mod config_records;
mod config_state;
mod configs;
mod file_offsets;
mod log;
mod offset_key;
mod offsets;
mod status_records;
mod statuses;
mod stores;
mod topics;
mod transactional;

pub use config_records::{Properties, RestartRequest, SessionKey};
pub use config_state::{ConfigState, ConfigUpdate};
pub use configs::{ConfigStore, PrivilegedWriter};
pub use file_offsets::FileLog;
pub use log::{KeyedRecord, LogRecord, LogTail, MemoryLog, RecordLog};
pub use offsets::OffsetStore;
pub use status_records::{State, Status, StatusId, TopicStatus};
pub use statuses::{StatusStore, WriteGate};
pub use stores::Stores;
pub use topics::{InternalTopic, Purpose, ensure_topic};
pub use transactional::TransactionalWriter;

/// Why a store cannot be opened, read or written.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The cluster said no, or something that the client could not wait out.
    #[error(transparent)]
    Kafka(#[from] kafka_wire::WireError),
    /// The topic would lose its records.
    #[error(
        "topic '{topic}' has cleanup.policy={policy}, but must have exactly cleanup.policy=compact because \
         Connect keeps its {purpose} in it and old records must not be deleted by age. Set it with: \
         kafka-configs --alter --entity-type topics --entity-name {topic} --add-config cleanup.policy=compact, \
         or name another topic in {setting}"
    )]
    CleanupPolicy {
        /// Topic name.
        topic: String,
        /// Its `cleanup.policy`.
        policy: String,
        /// Purpose.
        purpose: &'static str,
        /// The worker setting that names the topic.
        setting: &'static str,
    },
    /// The config topic's records need one order.
    #[error(
        "topic '{topic}' has {partitions} partitions, but must have exactly 1 because the order of configurations \
         matters. Name another topic in config.storage.topic, or delete this one to have it created anew"
    )]
    PartitionCount {
        /// Topic name.
        topic: String,
        /// Its number of partitions.
        partitions: usize,
    },
    /// More copies wanted than there are brokers.
    #[error(
        "cannot create topic '{topic}' with {wanted} replicas: {detail}. Lower {setting} to the number of brokers \
         of this cluster, or to -1 for the broker's default"
    )]
    ReplicationFactor {
        /// Topic name.
        topic: String,
        /// Replication factor asked for.
        wanted: i16,
        /// The broker's words.
        detail: String,
        /// The worker setting to lower.
        setting: &'static str,
    },
    /// The topic is not there, as far as this user may see, and could not be created.
    #[error("topic '{topic}' ({setting}) {found} and could not be created: {reason}")]
    MissingTopic {
        /// Topic name.
        topic: String,
        /// The worker setting that names the topic.
        setting: &'static str,
        /// The fault: it does not exist, or may not be seen.
        found: &'static str,
        /// Why creating it failed.
        reason: String,
    },
    /// Connect's offsets are flat.
    #[error("Offsets may only contain primitive types as values, but field {field} contains {found}")]
    NotFlat {
        /// Connector name.
        connector: String,
        /// Field of the map.
        field: String,
        /// `partition` or `offset`.
        what: &'static str,
        /// Connect's name of the type found.
        found: &'static str,
    },
    /// The file of a standalone worker cannot be used.
    #[error("{path} ({setting}): {reason}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// The worker setting that names it.
        setting: &'static str,
        /// The fault.
        reason: String,
    },
    /// It took too long.
    #[error("{what} not stored within {seconds} s; the cluster of {setting} may be unreachable")]
    Timeout {
        /// The thing that was being written.
        what: String,
        /// The limit.
        seconds: u64,
        /// The setting of the topic being written.
        setting: &'static str,
    },
    /// Another worker has taken over.
    #[error(
        "not written: {what}; this worker's session in the group may be over, and another may have taken over"
    )]
    Fenced {
        /// The thing that was to be written.
        what: String,
    },
    /// A transaction on the config topic failed.
    #[error("cannot write {what} in a transaction (exactly.once.source.support): {reason}")]
    Transaction {
        /// The thing that was to be written.
        what: String,
        /// The client's words.
        reason: String,
    },
    /// The worker is stopping.
    #[error("the store is closed because the worker is stopping")]
    Closed,
}

impl StorageError {
    /// True when the same may succeed later with nothing changed.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Kafka(error) => error.is_retriable(),
            Self::Timeout { .. } | Self::Fenced { .. } | Self::Transaction { .. } => true,
            _ => false,
        }
    }
}
