//! What passes between REST and herders, in Connect's JSON shapes: names, order of fields and what is left out are those of
//! Connect 3.9.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use crate::storage::RestartRequest;
use crate::storage::{Properties, State, Status};

/// Which way a connector's data goes, as `type` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorKind {
    /// Into Kafka.
    Source,
    /// Out of Kafka.
    Sink,
    /// Its class is not known here.
    Unknown,
}

/// A task by connector and number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConnectorTaskId {
    /// Connector name.
    pub connector: String,
    /// Number of the task, from 0.
    pub task: usize,
}

impl fmt::Display for ConnectorTaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.connector, self.task)
    }
}

/// A connector: `GET /connectors/{c}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorInfo {
    /// Connector name.
    pub name: String,
    /// Its configuration as stored.
    pub config: Properties,
    /// Its tasks, by number.
    pub tasks: Vec<ConnectorTaskId>,
    /// Source or sink.
    #[serde(rename = "type")]
    pub kind: ConnectorKind,
}

/// A result with whether it is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created<T> {
    /// True: there was none before.
    pub created: bool,
    /// The result.
    pub result: T,
}

/// A task: `GET /connectors/{c}/tasks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskInfo {
    /// Which.
    pub id: ConnectorTaskId,
    /// Its configuration as stored.
    pub config: Properties,
}

/// State of a connector or task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateInfo {
    /// What it does.
    pub state: State,
    /// `host:port` of the worker that says so.
    pub worker_id: String,
    /// Why it failed; left out when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Version of the plugin, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl From<Status> for StateInfo {
    fn from(status: Status) -> Self {
        let trace = status.trace.filter(|trace| !trace.is_empty());
        Self { state: status.state, worker_id: status.worker_id, trace, version: status.version }
    }
}

/// State of a task: `GET /connectors/{c}/tasks/{n}/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskStateInfo {
    /// Number of the task.
    pub id: usize,
    /// Its state.
    #[serde(flatten)]
    pub state: StateInfo,
}

/// A connector's state and its tasks': `GET /connectors/{c}/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorStateInfo {
    /// Connector name.
    pub name: String,
    /// State of the connector instance.
    pub connector: StateInfo,
    /// States of the tasks, by number.
    pub tasks: Vec<TaskStateInfo>,
    /// Source or sink.
    #[serde(rename = "type")]
    pub kind: ConnectorKind,
}

/// One offset; no offset: to be reset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OffsetEntry {
    /// Source partition, or `kafka_topic` and `kafka_partition`; null for what a connector without partitions stores.
    #[serde(default)]
    pub partition: Option<Map<String, Value>>,
    /// Source offset, or `kafka_offset`.
    #[serde(default)]
    pub offset: Option<Map<String, Value>>,
}

/// Offsets of a connector: `/connectors/{c}/offsets`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ConnectorOffsets {
    /// One for each partition.
    pub offsets: Vec<OffsetEntry>,
}

/// Topics that a connector has used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveTopics {
    /// Connector name.
    pub connector: String,
    /// Their names, sorted.
    pub topics: Vec<String>,
}

/// A plugin: `GET /connector-plugins`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginInfo {
    /// Full name of the Java class.
    pub class: String,
    /// `source`, `sink`, `transformation`, `predicate`, `converter` or `header_converter`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its version; left out when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Definition of a key: `GET /connector-plugins/{p}/config`, and in the answers of `validate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ConfigKeyInfo {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub required: bool,
    pub default_value: Option<String>,
    pub importance: String,
    pub documentation: String,
    pub group: Option<String>,
    pub width: String,
    pub display_name: String,
    pub dependents: Vec<String>,
    pub order: i32,
}

/// What validation found for a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ConfigValueInfo {
    pub name: String,
    pub value: Option<String>,
    pub recommended_values: Vec<String>,
    pub errors: Vec<String>,
    pub visible: bool,
}

/// A key and its value. A value without definition is a setting that nobody defines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigInfo {
    /// The key; null for a setting that nobody defines.
    pub definition: Option<ConfigKeyInfo>,
    /// The value.
    pub value: ConfigValueInfo,
}

/// Answer of `PUT /connector-plugins/{p}/config/validate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigInfos {
    /// `connector.class`, as it was given.
    pub name: String,
    /// Number of all errors.
    pub error_count: usize,
    /// Groups of the keys.
    pub groups: Vec<String>,
    /// Every key.
    pub configs: Vec<ConfigInfo>,
}

/// Level of a logger: `/admin/loggers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggerLevel {
    /// `TRACE` … `ERROR`, `OFF`.
    pub level: String,
    /// When REST last changed it, in ms since the epoch.
    pub last_modified: Option<i64>,
}

/// How a worker proves to another that it belongs to the group (KIP-507).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalRequestSignature {
    /// What was signed: the body as it was received.
    pub body: Bytes,
    /// `X-Connect-Request-Signature-Algorithm`.
    pub algorithm: String,
    /// `X-Connect-Authorization`, decoded.
    pub signature: Vec<u8>,
}

/// Something that the herder's thread does or has done, for people who wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What, to be read after "The worker is currently ".
    pub description: String,
    /// Since when.
    pub started: SystemTime,
    /// When it was done; `None`: it is still being done.
    pub completed: Option<SystemTime>,
}

/// Loggers by name.
pub type LoggerLevels = BTreeMap<String, LoggerLevel>;
