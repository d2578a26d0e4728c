//! The configuration as people and the REST interface see it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::settings::{ReplicatorConfig, Source};

/// Name of the one connector inside the executable, whatever the cluster id is: stored offsets are found by it.
pub const CONNECTOR_NAME: &str = "replicator";

/// Class name under which the connector is stored and shown.
pub const CONNECTOR_CLASS: &str = "io.confluent.connect.replicator.ReplicatorSourceConnector";

/// Shown although nobody set them, because whoever looks at the connector looks for them.
const ALWAYS: [&str; 4] =
    ["src.kafka.bootstrap.servers", "dest.kafka.bootstrap.servers", "src.consumer.group.id", "tasks.max"];

/// Prefixes of the connector's properties; all others are the worker's.
const CONNECTOR_PREFIXES: [&str; 8] = [
    "topic.",
    "src.",
    "dest.",
    "offset.start",
    "offset.topic.",
    "producer.override.",
    "replicator.",
    "tasks.max",
];

impl ReplicatorConfig {
    /// The connector's configuration as Connect stores it and REST shows it: everything that was set, and of the
    /// defaults the `topic.*` and `offset.*` ones. Secrets are `[hidden]`.
    pub fn connector_config(&self) -> BTreeMap<String, String> {
        let of_connector = |key: &str| CONNECTOR_PREFIXES.iter().any(|prefix| key.starts_with(prefix));
        let shown = |key: &str, source: &Source| {
            *source != Source::Default
                || ALWAYS.contains(&key)
                || key.starts_with("topic.")
                || key.starts_with("offset.")
                || key == "dest.topic.replication.factor"
        };
        let mut config: BTreeMap<String, String> = self
            .entries
            .iter()
            .filter(|entry| of_connector(&entry.key) && shown(&entry.key, &entry.source))
            .filter(|entry| !entry.value.is_empty())
            .map(|entry| (entry.key.clone(), entry.value.clone()))
            .collect();
        config.insert("name".to_owned(), CONNECTOR_NAME.to_owned());
        config.insert("connector.class".to_owned(), CONNECTOR_CLASS.to_owned());
        config
    }

    /// Every effective setting with where it came from, one a line, for `--dry-run`.
    pub fn listing(&self) -> String {
        let width = self.entries.iter().map(|entry| entry.key.len() + entry.value.len() + 1).max();
        let width = width.unwrap_or(0).min(72);
        let mut text = String::new();
        for entry in &self.entries {
            let setting = format!("{}={}", entry.key, entry.value.escape_debug());
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{setting:width$}  # {}", entry.source);
        }
        text
    }
}
