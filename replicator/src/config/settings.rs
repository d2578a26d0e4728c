//! The typed configuration: a [`ReplicatorConfig`] holds checked values only.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use connect_core::config::StorageTopics;
use kafka_wire::settings::{ConsumerSettings, ProducerSettings};

use super::choices::{BatchMode, OffsetStart, Profile, TimestampType};
use super::local::Local;
use super::notice::{Notice, Source};
use crate::topics::filter::JavaRegex;

/// Everything the replicator was told, checked, with defaults filled in.
#[derive(Clone)]
pub struct ReplicatorConfig {
    /// `--cluster.id`: identity of this group of replicators; the worker's `group.id`.
    pub cluster_id: String,
    /// `--cluster.threads` = `tasks.max`: tasks over all workers together, at least 1.
    pub tasks_max: usize,
    /// The cluster that is read. `group_id` is always set: the file's, or the cluster id.
    pub origin: ConsumerSettings,
    /// The cluster that is written, which also keeps the worker's group and storage topics.
    pub destination: ProducerSettings,
    /// Which topics, and how they look at the destination.
    pub topics: TopicSettings,
    /// Start positions, and commits of progress.
    pub offsets: OffsetSettings,
    /// The topics of the Connect worker around the connector.
    pub storage: StorageTopics,
    /// The properties that this worker starts from. They hold secrets.
    pub worker_properties: BTreeMap<String, String>,
    /// The copy path's own settings (`replicator.*`).
    pub copy: CopySettings,
    /// Every effective value with its source, sorted by key; secrets are already masked.
    pub entries: Vec<ConfigEntry>,
    /// Notices for the user about what was read, in the order found.
    pub notices: Vec<Notice>,
    /// Command line and files of this process, for [`super::build::posted`].
    pub local: Local,
}

impl fmt::Debug for ReplicatorConfig {
    /// It holds secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplicatorConfig").field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// Topic selection and destination topics (`topic.*`, `dest.topic.replication.factor`).
#[derive(Clone, Debug)]
pub struct TopicSettings {
    /// `topic.whitelist`: exact names; each must exist at the origin.
    pub whitelist: Vec<String>,
    /// `topic.regex`: Java regular expression, compared with whole names.
    pub regex: Option<JavaRegex>,
    /// `topic.blacklist`: exact names that are never copied; beats the other two.
    pub blacklist: Vec<String>,
    /// `topic.rename.format`, checked: `${topic}` stands for the origin's name.
    pub rename_format: String,
    /// `topic.auto.create`.
    pub auto_create: bool,
    /// `topic.preserve.partitions`: grow the destination with the origin and keep partition numbers.
    pub preserve_partitions: bool,
    /// `topic.create.backoff.ms`: pause after a failed creation or expansion.
    pub create_backoff: Duration,
    /// `topic.config.sync`.
    pub config_sync: bool,
    /// `topic.config.sync.interval.ms`.
    pub config_sync_interval: Duration,
    /// `topic.poll.interval.ms`: how often the origin is asked for new topics and partitions.
    pub poll_interval: Duration,
    /// `topic.timestamp.type`: set on destination topics.
    pub timestamp_type: TimestampType,
    /// `dest.topic.replication.factor`; 0: the origin topic's.
    pub replication_factor: i16,
}

/// Start positions and commits (`offset.*`).
#[derive(Clone, Debug)]
pub struct OffsetSettings {
    /// `offset.start`: which store is believed first.
    pub start: OffsetStart,
    /// `offset.topic.commit`: progress is also committed for `group.id` at the origin.
    pub commit_to_origin: bool,
    /// `offset.flush.interval.ms`, default 5 s here.
    pub flush_interval: Duration,
}

/// The copy path's own settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopySettings {
    /// `replicator.profile`: which set of defaults applies to the sizes below.
    pub profile: Profile,
    /// `replicator.lanes.per.broker`: lanes for each destination broker, at least 1.
    pub lanes_per_broker: usize,
    /// `replicator.inflight.bytes`: memory for frames held, over all lanes of this worker.
    pub inflight_bytes: usize,
    /// `replicator.fetch.max.bytes`, else the consumer file's `fetch.max.bytes`: bytes of one fetch response.
    pub fetch_max_bytes: i32,
    /// `replicator.fetch.partition.max.bytes`, else the consumer file's `max.partition.fetch.bytes`.
    pub fetch_partition_max_bytes: i32,
    /// `replicator.lane.buffer.bytes`: a lane asks for more while it holds fewer bytes than this.
    pub lane_buffer_bytes: usize,
    /// `replicator.batches`.
    pub batches: BatchMode,
    /// `replicator.merge.max.bytes`: largest batch that merging makes.
    pub merge_max_bytes: usize,
    /// `replicator.merge.below.bytes`: only batches smaller than this start a merge.
    pub merge_below_bytes: usize,
}

/// One effective setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Its name as a connector or worker property, for example `src.kafka.bootstrap.servers`.
    pub key: String,
    /// The value that applies; `[hidden]` if `secret`.
    pub value: String,
    /// The place that set it.
    pub source: Source,
    /// True for passwords, keys and login lines.
    pub secret: bool,
}
