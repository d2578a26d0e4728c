//! What workers left in the internal topics, in the order of the topics (each has one partition).

use serde_json::Value;

use crate::tail::Pair;
use crate::workers::Fleet;

/// A record of an internal topic.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// `Null` for a tombstone.
    pub(crate) value: Value,
}

/// All records of `config`, `offset` or `status`.
pub(crate) fn entries(fleet: &Fleet, which: &str) -> Vec<Entry> {
    let entry = |(key, value): Pair| Entry { key, value: serde_json::from_str(&value).unwrap_or_default() };
    fleet.read(&fleet.topic(which)).into_iter().map(entry).collect()
}

/// A state that a worker wrote of a connector (`name`) or a task (`name-0`).
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) of: String,
    pub(crate) state: String,
    pub(crate) worker: String,
    pub(crate) generation: i64,
}

/// The states of connectors and tasks in the status topic; tombstones and topics are left out.
pub(crate) fn said(fleet: &Fleet) -> Vec<Said> {
    let of_entry = |entry: Entry| {
        let of = entry.key.strip_prefix("status-connector-").or(entry.key.strip_prefix("status-task-"))?;
        Some(Said {
            of: of.to_owned(),
            state: entry.value["state"].as_str()?.to_owned(),
            worker: entry.value["worker_id"].as_str()?.to_owned(),
            generation: entry.value["generation"].as_i64()?,
        })
    };
    entries(fleet, "status").into_iter().filter_map(of_entry).collect()
}

/// The positions that were stored for a file source, one after the other.
pub(crate) fn positions(fleet: &Fleet, connector: &str) -> Vec<i64> {
    let start = format!("[\"{connector}\",");
    let of_connector = entries(fleet, "offset").into_iter().filter(|entry| entry.key.starts_with(&start));
    of_connector.filter_map(|entry| entry.value["position"].as_i64()).collect()
}
