//! The configuration as people and the REST interface see it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::notice::Source;
use super::settings::ReplicatorConfig;
use super::table::{DESTINATION_TOPICS, OFFSETS, SOURCE_TOPICS, find};

/// Name of the one connector inside the executable, whatever the cluster id is: stored offsets are found by it.
pub const CONNECTOR_NAME: &str = "replicator";

/// Class name under which the connector is stored and shown.
pub const CONNECTOR_CLASS: &str = "io.confluent.connect.replicator.ReplicatorSourceConnector";

/// Groups whose settings are shown although nobody set them, because whoever looks at the connector looks for them.
const SHOWN: [&str; 3] = [SOURCE_TOPICS, DESTINATION_TOPICS, OFFSETS];

/// Others that are.
const ALWAYS: [&str; 4] =
    ["src.kafka.bootstrap.servers", "dest.kafka.bootstrap.servers", "src.consumer.group.id", "tasks.max"];

/// Beginnings of Kafka's client properties in a connector's configuration.
const CLIENTS: [&str; 3] = ["src.", "dest.", "producer.override."];

/// The connector's share of all settings: the table says which, and the properties of its clients.
fn of_connector(key: &str) -> bool {
    match find(key) {
        Some(known) => known.reaches_connector(),
        None => CLIENTS.iter().any(|prefix| key.starts_with(prefix)),
    }
}

/// Whether a default is shown as well.
fn is_shown_unset(key: &str) -> bool {
    ALWAYS.contains(&key) || find(key).is_some_and(|known| SHOWN.contains(&known.group))
}

impl ReplicatorConfig {
    /// The connector's configuration as Connect stores it and REST shows it: everything that was set, and of the
    /// defaults those about topics and offsets. Secrets are `[hidden]`.
    pub fn connector_config(&self) -> BTreeMap<String, String> {
        let mut config: BTreeMap<String, String> = self
            .entries
            .iter()
            .filter(|entry| of_connector(&entry.key))
            .filter(|entry| entry.source != Source::Default || is_shown_unset(&entry.key))
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
