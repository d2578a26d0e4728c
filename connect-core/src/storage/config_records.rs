//! Bytes of the config topic: which keys there are, and what their values look like. Values are plain JSON objects.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use indexmap::IndexMap;
use java::json::escaped;
use java::order::{sort_as_copied_hash_map, sort_as_hash_map};
use serde_json::{Value, json};

use super::log::KeyedRecord;
use crate::ids::TargetState;

const RESTART: &str = "restart-connector-";
const FENCING: &str = "tasks-fencing-";
const LOGGER: &str = "logger-cluster-";
const SESSION_KEY: &str = "session-key";
const GROUP_PREFIXES: [&str; 3] = [RESTART, FENCING, LOGGER];

/// A stored configuration: Connect's flat map, in which a value may be null. Its order is what clients see: that of the
/// request until it has been stored, and of Java's hash maps when it is read back.
pub type Properties = IndexMap<String, Option<String>>;

/// A record of the config topic, read.
#[derive(Debug, PartialEq)]
pub(super) enum ConfigRecord {
    /// `connector-<name>`; `None` deletes the connector.
    Connector(String, Option<Properties>),
    /// `task-<name>-<n>`; counts only once a [`ConfigRecord::Commit`] follows.
    Task(String, usize, Properties),
    /// `commit-<name>`: the connector's tasks are 0 to this number less one.
    Commit(String, usize),
    /// `target-state-<name>`; `None` for a tombstone.
    Target(String, Option<TargetState>),
    /// `session-key`.
    SessionKey(SessionKey),
    /// `restart-connector-<name>`.
    Restart(RestartRequest),
    /// `tasks-fencing-<name>`: number of tasks whose producers were fenced before the newest set of tasks starts.
    Fencing(String, usize),
    /// `logger-cluster-<namespace>` with the level.
    Logger(String, String),
    /// A tombstone of a key that says nothing about connectors.
    Nothing,
}

/// The key with which workers sign internal requests (KIP-507).
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKey {
    /// Secret bytes.
    pub key: Vec<u8>,
    /// Algorithm that the key is for, such as `HmacSHA256`.
    pub algorithm: String,
    /// Milliseconds since the epoch.
    pub created: i64,
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionKey({} of {})", self.algorithm, self.created)
    }
}

/// A request to restart a connector and its tasks (KIP-745).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartRequest {
    /// Connector name.
    pub connector: String,
    /// Tasks too, not only the connector.
    pub include_tasks: bool,
    /// Only what has failed.
    pub only_failed: bool,
}

impl RestartRequest {
    /// True when only the connector instance is meant, whatever its state: the old kind of restart.
    pub fn is_connector_only(&self) -> bool {
        !self.only_failed && !self.include_tasks
    }
}

/// Reads a record; the error says what is wrong with it.
pub(super) fn parse(key: &[u8], value: Option<&[u8]>) -> Result<ConfigRecord, String> {
    let key = std::str::from_utf8(key).map_err(|_| "the key is not UTF-8".to_owned())?;
    let value: Option<Value> = match value {
        None => None,
        Some(bytes) => serde_json::from_slice(bytes).map_err(|e| format!("the value is not JSON ({e})"))?,
    };
    // The order matters: it is Connect's own, and one prefix may be the beginning of a connector's name.
    if let Some(name) = key.strip_prefix("target-state-") {
        Ok(ConfigRecord::Target(name.to_owned(), value.as_ref().map(target_state)))
    } else if let Some(name) = key.strip_prefix("connector-") {
        let properties = value.as_ref().map(properties).transpose()?;
        Ok(ConfigRecord::Connector(name.to_owned(), properties))
    } else if let Some(task) = key.strip_prefix("task-") {
        let (name, number) = task_id(task).ok_or("the key does not end in a task number")?;
        let value = value.ok_or("a task's configuration cannot be deleted")?;
        Ok(ConfigRecord::Task(name, number, properties(&value)?))
    } else if let Some(name) = key.strip_prefix("commit-") {
        let tasks = value.as_ref().and_then(|v| v.get("tasks")).and_then(Value::as_u64);
        let tasks = tasks.and_then(|n| usize::try_from(n).ok()).ok_or("the value has no number of tasks")?;
        Ok(ConfigRecord::Commit(name.to_owned(), tasks))
    } else {
        group_record(key, value.as_ref())
    }
}

/// Messages of workers to each other through the topic, besides configurations.
fn group_record(key: &str, value: Option<&Value>) -> Result<ConfigRecord, String> {
    let known = GROUP_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) || key == SESSION_KEY;
    let Some(value) = value else {
        return if known { Ok(ConfigRecord::Nothing) } else { Err("no such kind of key".to_owned()) };
    };
    let flag =
        |name: &str| value.get(name).and_then(Value::as_bool).ok_or(format!("the value has no {name}"));
    if let Some(name) = key.strip_prefix(RESTART) {
        Ok(ConfigRecord::Restart(RestartRequest {
            connector: name.to_owned(),
            include_tasks: flag("include-tasks")?,
            only_failed: flag("only-failed")?,
        }))
    } else if let Some(name) = key.strip_prefix(FENCING) {
        let tasks = value.get("task-count").and_then(Value::as_u64).ok_or("the value has no task-count")?;
        Ok(ConfigRecord::Fencing(name.to_owned(), tasks as usize))
    } else if key == SESSION_KEY {
        session_key_of(value).map(ConfigRecord::SessionKey)
    } else if let Some(namespace) = key.strip_prefix(LOGGER) {
        let level = value.get("level").and_then(Value::as_str).ok_or("the value has no level")?;
        Ok(ConfigRecord::Logger(namespace.to_owned(), level.to_owned()))
    } else {
        Err("no such kind of key".to_owned())
    }
}

fn session_key_of(value: &Value) -> Result<SessionKey, String> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).ok_or(format!("the value has no {name}"));
    let key = BASE64.decode(text("key")?).map_err(|e| format!("the key is not base64 ({e})"))?;
    let created = value.get("creation-timestamp").and_then(Value::as_i64);
    let created = created.ok_or("the value has no creation-timestamp")?;
    Ok(SessionKey { key, algorithm: text("algorithm")?.to_owned(), created })
}

/// `connector-<name>`.
pub(super) fn connector(name: &str, config: &Properties) -> KeyedRecord {
    record(format!("connector-{name}"), &json!({ "properties": config }))
}

/// `task-<name>-<n>`.
pub(super) fn task(name: &str, number: usize, config: &Properties) -> KeyedRecord {
    let mut config: Vec<_> = config.iter().collect();
    // A hash map that the connector's was copied into, with one more key.
    let copied = config.len().saturating_sub(1);
    sort_as_copied_hash_map(&mut config, copied, |(key, _)| key);
    let config: IndexMap<_, _> = config.into_iter().collect();
    record(format!("task-{name}-{number}"), &json!({ "properties": config }))
}

/// `commit-<name>`.
pub(super) fn commit(name: &str, tasks: usize) -> KeyedRecord {
    record(format!("commit-{name}"), &json!({ "tasks": tasks }))
}

/// `target-state-<name>`: the first field is for readers that know no STOPPED.
pub(super) fn target(name: &str, state: TargetState) -> KeyedRecord {
    let old = if state == TargetState::Started { "STARTED" } else { "PAUSED" };
    record(format!("target-state-{name}"), &json!({ "state": old, "state.v2": state.name() }))
}

/// `session-key`.
pub(super) fn session_key(key: &SessionKey) -> KeyedRecord {
    let value = json!({
        "key": BASE64.encode(&key.key),
        "algorithm": key.algorithm,
        "creation-timestamp": key.created,
    });
    record(SESSION_KEY.to_owned(), &value)
}

/// `restart-connector-<name>`.
pub(super) fn restart(request: &RestartRequest) -> KeyedRecord {
    let value = json!({ "include-tasks": request.include_tasks, "only-failed": request.only_failed });
    record(format!("{RESTART}{}", request.connector), &value)
}

/// `tasks-fencing-<name>`.
pub(super) fn fencing(name: &str, tasks: usize) -> KeyedRecord {
    record(format!("{FENCING}{name}"), &json!({ "task-count": tasks }))
}

/// `logger-cluster-<namespace>`.
pub(super) fn logger(namespace: &str, level: &str) -> KeyedRecord {
    record(format!("{LOGGER}{namespace}"), &json!({ "level": level }))
}

/// Tombstones of a connector and its target state.
pub(super) fn deletion(name: &str) -> [KeyedRecord; 2] {
    let tombstone = |key: String| KeyedRecord { key: Bytes::from(key), value: None };
    [tombstone(format!("connector-{name}")), tombstone(format!("target-state-{name}"))]
}

fn record(key: String, value: &Value) -> KeyedRecord {
    KeyedRecord { key: Bytes::from(key), value: Some(Bytes::from(escaped(value.to_string()))) }
}

/// `<name>-<n>`; the name may itself contain "-".
fn task_id(text: &str) -> Option<(String, usize)> {
    let (name, number) = text.rsplit_once('-')?;
    Some((name.to_owned(), number.parse().ok()?))
}

fn properties(value: &Value) -> Result<Properties, String> {
    let map = value.get("properties").and_then(Value::as_object).ok_or("the value has no properties")?;
    let text = |value: &Value| match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        other => Err(format!("the property value {other} is not a string")),
    };
    let mut entries: Vec<_> = map.iter().collect();
    sort_as_hash_map(&mut entries, |(key, _)| key);
    entries.into_iter().map(|(key, value)| Ok((key.clone(), text(value)?))).collect()
}

/// `state.v2` where there is one, else `state`; what is neither known nor there counts as STARTED.
fn target_state(value: &Value) -> TargetState {
    let name = value.get("state.v2").and_then(Value::as_str).or_else(|| value.get("state")?.as_str());
    match name {
        Some("PAUSED") => TargetState::Paused,
        Some("STOPPED") => TargetState::Stopped,
        _ => TargetState::Started,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(record: KeyedRecord) -> (String, String) {
        let utf8 = |b: Bytes| String::from_utf8(b.to_vec()).unwrap();
        (utf8(record.key), utf8(record.value.unwrap()))
    }

    fn config() -> Properties {
        [("b".to_owned(), None), ("a".to_owned(), Some("1".to_owned()))].into()
    }

    #[test]
    fn bytes_are_connects() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let properties = r#"{"properties":{"a":"1","b":null}}"#;
        let as_given = r#"{"properties":{"b":null,"a":"1"}}"#;
        assert_eq!(text(connector("c", &config())), pair("connector-c", as_given));
        assert_eq!(text(task("c", 11, &config())), pair("task-c-11", properties));
        assert_eq!(text(commit("c", 2)), pair("commit-c", r#"{"tasks":2}"#));
        let stopped = r#"{"state":"PAUSED","state.v2":"STOPPED"}"#;
        assert_eq!(text(target("c", TargetState::Stopped)), pair("target-state-c", stopped));
        let started = r#"{"state":"STARTED","state.v2":"STARTED"}"#;
        assert_eq!(text(target("c", TargetState::Started)), pair("target-state-c", started));
    }

    #[test]
    fn group_records_are_connects_and_read_back() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let key = SessionKey { key: vec![1, 2, 255], algorithm: "HmacSHA256".to_owned(), created: 7 };
        let expected = r#"{"key":"AQL/","algorithm":"HmacSHA256","creation-timestamp":7}"#;
        assert_eq!(text(session_key(&key)), pair("session-key", expected));
        let request = RestartRequest { connector: "c".to_owned(), include_tasks: true, only_failed: false };
        let expected = r#"{"include-tasks":true,"only-failed":false}"#;
        assert_eq!(text(restart(&request)), pair("restart-connector-c", expected));
        assert_eq!(text(fencing("c", 3)), pair("tasks-fencing-c", r#"{"task-count":3}"#));
        assert_eq!(text(logger("org.x", "DEBUG")), pair("logger-cluster-org.x", r#"{"level":"DEBUG"}"#));
        let read = |r: KeyedRecord| parse(&r.key, r.value.as_deref()).unwrap();
        assert_eq!(read(session_key(&key)), ConfigRecord::SessionKey(key));
        assert_eq!(read(restart(&request)), ConfigRecord::Restart(request));
        assert_eq!(read(fencing("c", 3)), ConfigRecord::Fencing("c".to_owned(), 3));
        assert_eq!(read(logger("x", "INFO")), ConfigRecord::Logger("x".to_owned(), "INFO".to_owned()));
    }

    #[test]
    fn what_is_written_is_read() {
        let read = |r: KeyedRecord| parse(&r.key, r.value.as_deref()).unwrap();
        assert_eq!(read(connector("c", &config())), ConfigRecord::Connector("c".to_owned(), Some(config())));
        assert_eq!(read(task("a-b", 3, &config())), ConfigRecord::Task("a-b".to_owned(), 3, config()));
        assert_eq!(read(commit("c", 2)), ConfigRecord::Commit("c".to_owned(), 2));
        for state in [TargetState::Started, TargetState::Paused, TargetState::Stopped] {
            assert_eq!(read(target("c", state)), ConfigRecord::Target("c".to_owned(), Some(state)));
        }
    }

    #[test]
    fn old_and_strange_records() {
        let old = parse(b"target-state-c", Some(br#"{"state":"PAUSED"}"#)).unwrap();
        assert_eq!(old, ConfigRecord::Target("c".to_owned(), Some(TargetState::Paused)));
        let strange = parse(b"target-state-c", Some(br#"{"state.v2":"DANCING"}"#)).unwrap();
        assert_eq!(strange, ConfigRecord::Target("c".to_owned(), Some(TargetState::Started)));
        assert_eq!(parse(b"connector-c", None).unwrap(), ConfigRecord::Connector("c".to_owned(), None));
        assert_eq!(parse(b"session-key", None).unwrap(), ConfigRecord::Nothing);
        for (key, value) in [
            (&b"task-c"[..], Some(&b"{}"[..])),
            (b"task-c-0", None),
            (b"commit-c", Some(b"{}")),
            (b"connector-c", Some(b"{}")),
            (b"connector-c", Some(br#"{"properties":{"a":1}}"#)),
            (b"mystery", Some(b"{}")),
            (b"session-key", Some(b"{}")),
            (b"session-key", Some(br#"{"key":"%","algorithm":"a","creation-timestamp":1}"#)),
            (b"restart-connector-c", Some(br#"{"include-tasks":1}"#)),
            (b"tasks-fencing-c", Some(br#"{"task-count":-1}"#)),
            (b"logger-cluster-x", Some(b"[]")),
            (b"\xff", None),
        ] {
            assert!(parse(key, value).is_err(), "{key:?}");
        }
    }
}
