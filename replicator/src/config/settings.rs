//! The typed configuration. Whoever holds a [`ReplicatorConfig`] holds checked values.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use connect_core::config::StorageTopics;
use kafka_wire::settings::{ConsumerSettings, ProducerSettings};

use super::build::Local;
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
    /// Where to start, and where progress is committed.
    pub offsets: OffsetSettings,
    /// The topics of the Connect worker around the connector.
    pub storage: StorageTopics,
    /// The properties that this worker starts from. They hold secrets.
    pub worker_properties: BTreeMap<String, String>,
    /// The copy path's own settings (`replicator.*`).
    pub copy: CopySettings,
    /// Every effective value with its source, sorted by key; secrets are already masked.
    pub entries: Vec<ConfigEntry>,
    /// What the user should know about what was read, in the order found.
    pub notices: Vec<Notice>,
    /// What command line and files of this process say, for [`super::posted`].
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

/// Kafka's `message.timestamp.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// Records keep the timestamp their producer gave.
    CreateTime,
    /// The broker stamps records when it appends them.
    LogAppendTime,
}

impl fmt::Display for TimestampType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateTime => "CreateTime",
            Self::LogAppendTime => "LogAppendTime",
        })
    }
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

/// Which store of offsets is believed first; without an answer from either, the start is the earliest offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetStart {
    /// Connect's offsets topic, then the consumer group at the origin.
    Connect,
    /// The consumer group at the origin, then Connect's offsets topic: takes over a MirrorMaker 1 group.
    Consumer,
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

/// `replicator.profile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// For throughput: tens of MiB of buffers.
    Default,
    /// For small machines: a few MiB of buffers.
    SmallMemory,
}

/// `replicator.batches`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchMode {
    /// Small uncompressed batches that wait for the link anyway are sent as one.
    Merge,
    /// Each batch of the origin stays one batch at the destination.
    Preserve,
}

/// One effective setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Its name as a connector or worker property, for example `src.kafka.bootstrap.servers`.
    pub key: String,
    /// The value that applies; `[hidden]` if `secret`.
    pub value: String,
    /// Who said so.
    pub source: Source,
    /// True for passwords, keys and login lines.
    pub secret: bool,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A command line parameter, with its name without dashes.
    Flag(String),
    /// An environment variable.
    Env(String),
    /// A line of a file.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// Line of the key, from 1.
        line: usize,
    },
    /// The configuration that Connect holds of the connector.
    Connector,
    /// Nobody set it.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Env(name) => write!(f, "${name}"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Connector => f.write_str("the connector's configuration"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Something worth saying about the configuration, to be logged once at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How loud.
    pub level: NoticeLevel,
    /// Where, if it is about one place.
    pub source: Option<Source>,
    /// What, naming the key.
    pub text: String,
}

/// How loud a [`Notice`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeLevel {
    /// The user probably wants something that does not happen.
    Warning,
    /// Accepted, and of no consequence.
    Info,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{source}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}
