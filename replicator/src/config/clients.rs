//! The two clusters: properties of Kafka's clients become their settings, and entries of the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use connect_core::api::ConfigMap;
use kafka_wire::settings::{
    ConsumerSettings, HIDDEN, KnownProperty, ProducerSettings, SettingError, consumer_properties, is_secret,
    producer_properties,
};

use super::assigned::Assigned;
use super::notice::Source;
use super::settings::ConfigEntry;
use super::sources::Problem;
use super::values::Values;

/// The configuration with the worker's cluster as destination if it names none itself. A configuration that names one
/// in part takes nothing from the worker.
pub(crate) fn with_destination_of(worker: &ConfigMap, mut config: ConfigMap) -> ConfigMap {
    const WAY: [&str; 4] = ["bootstrap.servers", "security.", "ssl.", "sasl."];
    if !config.keys().any(|key| key.starts_with("dest.kafka.")) {
        let known = producer_properties().filter(|known| WAY.iter().any(|way| known.name.starts_with(way)));
        for known in known {
            if let Some(value) = worker.get(known.name) {
                config.insert(format!("dest.kafka.{}", known.name), value.clone());
            }
        }
    }
    config
}

/// The origin's settings. `file` is the consumer file, `posted` says that a connector's configuration is read.
pub(super) fn origin(
    values: &mut Values,
    file: Option<&PathBuf>,
    posted: bool,
    from: &BTreeMap<String, Assigned>,
    cluster_id: &str,
) -> Option<ConsumerSettings> {
    if file.is_none() && !from.contains_key("bootstrap.servers") {
        values.problems.push(if posted {
            missing("src.kafka.bootstrap.servers", "no origin: it names the brokers to read from")
        } else {
            let text =
                "no origin: give --consumer.config FILE, a consumer's properties with bootstrap.servers";
            Problem::Missing(text.to_owned())
        });
        return None;
    }
    let mut plain = plain(from);
    plain.entry("group.id".to_owned()).or_insert_with(|| cluster_id.to_owned());
    let read = ConsumerSettings::from_properties(&plain);
    client_result(values, read, from, file, "src.kafka.")
}

/// The destination's settings, as [`origin`] has the other side's.
pub(super) fn destination(
    values: &mut Values,
    file: Option<&PathBuf>,
    posted: bool,
    to: &BTreeMap<String, Assigned>,
) -> Option<ProducerSettings> {
    if file.is_none() && !to.contains_key("bootstrap.servers") {
        values.problems.push(if posted {
            missing("dest.kafka.bootstrap.servers", "no destination: it names the brokers to write to")
        } else {
            let text =
                "no destination: give --producer.config FILE, a producer's properties with bootstrap.servers";
            Problem::Missing(text.to_owned())
        });
        return None;
    }
    let read = ProducerSettings::from_properties(&plain(to));
    client_result(values, read, to, file, "dest.kafka.")
}

/// A key that must be set, and is not.
fn missing(key: &str, reason: &str) -> Problem {
    Problem::Value {
        source: Source::Default,
        key: key.to_owned(),
        value: String::new(),
        reason: reason.to_owned(),
    }
}

/// The values alone.
pub(super) fn plain(map: &BTreeMap<String, Assigned>) -> BTreeMap<String, String> {
    map.iter().map(|(key, assigned)| (key.clone(), assigned.value.clone())).collect()
}

/// Gives an error of the client settings the place of its key, or at least the file that lacks it. A file that could not
/// be read at all has already been reported.
fn client_result<T>(
    values: &mut Values,
    read: Result<T, SettingError>,
    map: &BTreeMap<String, Assigned>,
    file: Option<&PathBuf>,
    prefix: &str,
) -> Option<T> {
    let SettingError { key, value, reason } = match read {
        Ok(settings) => return Some(settings),
        Err(error) => error,
    };
    let problem = match (map.get(&key), file) {
        (Some(assigned), _) => {
            Problem::Value { source: assigned.source.clone(), key: assigned.written.clone(), value, reason }
        }
        (None, Some(path)) => Problem::Missing(format!("{}: {key}: {reason}", path.display())),
        (None, None) => missing(&format!("{prefix}{key}"), &reason),
    };
    let unread = values
        .problems
        .iter()
        .any(|known| matches!(known, Problem::File { file: unread, .. } if Some(&unread.path) == file));
    if !unread {
        values.problems.push(problem);
    }
    None
}

/// Name as a connector property, plain name, default.
pub(super) type ClientKey = (String, &'static str, String);

/// The properties of the origin's client that have an effect.
pub(super) fn origin_properties(cluster_id: &str) -> Vec<ClientKey> {
    let key = |property: &'static KnownProperty| {
        let kafka = producer_properties().any(|shared| shared.name == property.name);
        let prefix = if kafka { "src.kafka" } else { "src.consumer" };
        let default = if property.name == "group.id" { cluster_id } else { property.default };
        (format!("{prefix}.{}", property.name), property.name, default.to_owned())
    };
    consumer_properties().filter(|property| property.unused_because.is_none()).map(key).collect()
}

/// The properties of the destination's client that have an effect.
pub(super) fn destination_properties() -> Vec<ClientKey> {
    let key = |property: &'static KnownProperty| {
        let kafka = consumer_properties().any(|shared| shared.name == property.name);
        let prefix = if kafka { "dest.kafka" } else { "producer.override" };
        (format!("{prefix}.{}", property.name), property.name, property.default.to_owned())
    };
    producer_properties().filter(|property| property.unused_because.is_none()).map(key).collect()
}

/// Effective client settings. Without TLS or SASL the defaults of their settings are left out; so are those of socket
/// buffers, which the system chooses, and of the fetch sizes that `replicator.*` decides.
pub(super) fn client_entries(map: &BTreeMap<String, Assigned>, known: &[ClientKey]) -> Vec<ConfigEntry> {
    let silent = |plain: &str| {
        ["ssl.", "sasl."].iter().any(|prefix| plain.starts_with(prefix))
            || plain.ends_with(".buffer.bytes")
            || plain == "fetch.max.bytes"
            || plain == "max.partition.fetch.bytes"
    };
    known
        .iter()
        .filter_map(|(key, plain, default)| {
            let secret = is_secret(plain);
            let (value, source) = match map.get(*plain) {
                Some(assigned) => (assigned.value.clone(), assigned.source.clone()),
                None if default.is_empty() || silent(plain) => return None,
                None => (default.clone(), Source::Default),
            };
            let value = if secret { HIDDEN.to_owned() } else { value };
            Some(ConfigEntry { key: key.clone(), value, source, secret })
        })
        .collect()
}
