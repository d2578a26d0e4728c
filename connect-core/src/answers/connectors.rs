//! Connectors, tasks and their states, as `/connectors` shows them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::storage::{Properties, State, Status};

/// Direction of a connector's data, as `type` shows it.
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
    /// State.
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

/// Topics that a connector has used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveTopics {
    /// Connector name.
    pub connector: String,
    /// Their names, sorted.
    pub topics: Vec<String>,
}
