//! Bytes of the status topic: keys `status-connector-<name>` and `status-task-<name>-<n>`, values plain JSON with
//! the fields `state`, `trace`, `worker_id`, `generation`, `version`, in this order.

use java::json as java_json;
use serde::{Deserialize, Serialize};

const TOPIC: &str = "status-topic-";

/// State of a connector or task, by Connect's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// No worker runs it.
    Unassigned,
    /// It runs.
    Running,
    /// It keeps its place but does nothing.
    Paused,
    /// It ended with an error.
    Failed,
    /// It is being started again.
    Restarting,
    /// Its tasks are given up (connectors only).
    Stopped,
    /// It is gone; only ever seen on its way to a tombstone.
    Destroyed,
}

/// Whose status.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatusId {
    /// A connector.
    Connector(String),
    /// A task of a connector.
    Task(String, usize),
}

/// A status with who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// State.
    pub state: State,
    /// Why, for FAILED, or what is wrong with a part of it.
    #[serde(default)]
    pub trace: Option<String>,
    /// `host:port` of the worker that runs it.
    pub worker_id: String,
    /// Counts assignments of work; a status of an older generation is out of date.
    pub generation: i32,
    /// Version of the connector or task, written and shown since Connect 4.1.
    #[serde(default)]
    pub version: Option<String>,
}

impl StatusId {
    /// The connector it belongs to.
    pub fn connector(&self) -> &str {
        match self {
            Self::Connector(name) | Self::Task(name, _) => name,
        }
    }

    /// The key in the status topic.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Connector(name) => format!("status-connector-{name}"),
            Self::Task(name, number) => format!("status-task-{name}-{number}"),
        }
    }

    /// Reads a key; `None` for what is not a status (topics in use have records here too).
    pub(super) fn from_key(key: &str) -> Option<Self> {
        if let Some(name) = key.strip_prefix("status-connector-") {
            return Some(Self::Connector(name.to_owned()));
        }
        let (name, number) = key.strip_prefix("status-task-")?.rsplit_once('-')?;
        Some(Self::Task(name.to_owned(), number.parse().ok()?))
    }
}

/// A topic that a connector has used (KIP-558).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TopicStatus {
    /// Topic name.
    #[serde(rename = "name")]
    pub topic: String,
    /// Connector name.
    pub connector: String,
    /// The task that used it first.
    pub task: usize,
    /// When, in milliseconds since the epoch.
    pub discover_timestamp: i64,
}

#[derive(Serialize, Deserialize)]
struct TopicValue {
    topic: TopicStatus,
}

impl TopicStatus {
    /// The key in the status topic.
    pub(super) fn key(topic: &str, connector: &str) -> String {
        format!("{TOPIC}{topic}:connector-{connector}")
    }

    /// Topic and connector of a key; `None` for what is not a topic's.
    pub(super) fn from_key(key: &str) -> Option<(String, String)> {
        // A topic's name holds no colon.
        let (topic, connector) = key.strip_prefix(TOPIC)?.split_once(":connector-")?;
        Some((topic.to_owned(), connector.to_owned()))
    }

    /// The value in the status topic.
    pub(super) fn value(&self) -> Vec<u8> {
        let json = java_json::text(&TopicValue { topic: self.clone() });
        json.expect("a struct of strings and numbers is always JSON").into_bytes()
    }

    /// Reads a value; the error says what is wrong with it.
    pub(super) fn from_value(value: &[u8]) -> Result<Self, String> {
        let value: TopicValue =
            serde_json::from_slice(value).map_err(|e| format!("the value is not a topic in use ({e})"))?;
        Ok(value.topic)
    }
}

impl std::fmt::Display for StatusId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connector(name) => f.write_str(name),
            Self::Task(name, number) => write!(f, "{name}-{number}"),
        }
    }
}

impl Status {
    /// The value in the status topic.
    pub(super) fn value(&self) -> Vec<u8> {
        java_json::text(self).expect("a struct of strings and numbers is always JSON").into_bytes()
    }

    /// Reads a value; the error says what is wrong with it.
    pub(super) fn from_value(value: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(value).map_err(|e| format!("the value is not a status ({e})"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_connects() {
        let status = Status {
            state: State::Failed,
            trace: Some("why\nwhere".to_owned()),
            worker_id: "h:8083".to_owned(),
            generation: 3,
            version: Some("1.0".to_owned()),
        };
        let failed =
            r#"{"state":"FAILED","trace":"why\nwhere","worker_id":"h:8083","generation":3,"version":"1.0"}"#;
        assert_eq!(String::from_utf8(status.value()).unwrap(), failed);
        let running = Status { state: State::Running, trace: None, version: None, ..status };
        let text = r#"{"state":"RUNNING","trace":null,"worker_id":"h:8083","generation":3,"version":null}"#;
        assert_eq!(String::from_utf8(running.value()).unwrap(), text);
        assert_eq!(Status::from_value(text.as_bytes()).unwrap(), running);
    }

    #[test]
    fn a_status_of_a_worker_before_4_1_is_read() {
        let old = br#"{"state":"UNASSIGNED","trace":null,"worker_id":"h:1","generation":0}"#;
        assert_eq!(Status::from_value(old).unwrap().state, State::Unassigned);
        assert!(Status::from_value(br#"{"state":"DANCING"}"#).is_err());
    }

    #[test]
    fn a_topic_in_use_has_connects_bytes() {
        let status =
            TopicStatus { topic: "t".to_owned(), connector: "c".to_owned(), task: 1, discover_timestamp: 5 };
        assert_eq!(TopicStatus::key("t", "c"), "status-topic-t:connector-c");
        assert_eq!(
            TopicStatus::from_key("status-topic-t:connector-c:x"),
            Some(("t".to_owned(), "c:x".to_owned()))
        );
        let text = r#"{"topic":{"name":"t","connector":"c","task":1,"discoverTimestamp":5}}"#;
        assert_eq!(String::from_utf8(status.value()).unwrap(), text);
        assert_eq!(TopicStatus::from_value(text.as_bytes()), Ok(status));
    }

    #[test]
    fn keys_are_connects() {
        let task = StatusId::Task("a-b".to_owned(), 12);
        assert_eq!(task.key(), "status-task-a-b-12");
        assert_eq!(StatusId::from_key("status-task-a-b-12"), Some(task));
        let connector = StatusId::Connector("c".to_owned());
        assert_eq!(connector.key(), "status-connector-c");
        assert_eq!(StatusId::from_key("status-connector-c"), Some(connector));
        assert_eq!(StatusId::from_key("status-topic-t:connector-c"), None);
        assert_eq!(StatusId::from_key("status-task-c"), None);
    }
}
