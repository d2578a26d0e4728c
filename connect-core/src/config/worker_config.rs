//! A worker's properties file, checked: what `connect-distributed` and `connect-standalone` start from. The runtime, the herders
//! and REST each take their own settings out of it.

use std::collections::BTreeMap;
use std::time::Duration;

use connect_api::{ConfigDef, ParsedConfig, Type};
use kafka_wire::settings::{consumer_properties, producer_properties};

use super::definition;
use super::keys::prefixed;
use super::rest::RestSettings;
use super::storage_topics::{StorageTopic, StorageTopics};
use crate::api::{ConfigMap, ConnectError};
use crate::rest::RestOptions;

/// Which kind of worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One of a group that shares its work.
    Distributed,
    /// Alone.
    Standalone,
}

/// Prefixes of keys that somebody else reads.
const PREFIXES: [&str; 16] = [
    "producer.",
    "consumer.",
    "admin.",
    "config.providers.",
    "listeners.https.",
    "admin.listeners.https.",
    "key.converter.",
    "value.converter.",
    "header.converter.",
    "config.storage.",
    "offset.storage.",
    "status.storage.",
    "metrics.context.",
    "ssl.",
    "sasl.",
    "connector.client.config.override.",
];

/// Keys of older versions that change nothing any more.
const FORMER: [&str; 4] =
    ["internal.key.converter", "internal.value.converter", "rest.host.name", "rest.port"];

/// A checked worker configuration.
#[derive(Debug, Clone)]
pub struct WorkerConfig {
    /// Which kind of worker it is for.
    pub mode: Mode,
    /// Every property as it stands in the file, variables of config providers replaced by the caller beforehand.
    pub properties: ConfigMap,
    /// Every defined key: parsed, defaulted and checked.
    pub parsed: ParsedConfig,
    /// The REST interface.
    pub rest: RestSettings,
}

impl WorkerConfig {
    /// Checks the properties of a worker.
    ///
    /// # Errors
    /// The first key that is missing or wrong, in Connect's words. Executables exit with 2.
    pub fn new(mode: Mode, properties: ConfigMap) -> Result<Self, ConnectError> {
        let parsed = definition_of(mode).parse(&properties)?;
        check_signatures(mode, &parsed)?;
        check_heartbeats(mode, &parsed)?;
        let rest = RestSettings::from_parsed(&parsed, &properties)?;
        Ok(Self { mode, properties, parsed, rest })
    }

    /// Keys that nobody reads, sorted: worth a warning, as they may be misspelt. And keys that had a meaning once.
    pub fn unused(&self) -> Vec<&str> {
        let def = definition_of(self.mode);
        let clients = || consumer_properties().chain(producer_properties());
        let known = |key: &str| {
            def.key(key).is_some()
                || PREFIXES.iter().any(|prefix| key.starts_with(prefix))
                || key == "java.security.auth.login.config"
                || clients().any(|property| property.name == key)
        };
        let former = |key: &str| FORMER.contains(&key);
        self.properties.keys().map(String::as_str).filter(|key| former(key) || !known(key)).collect()
    }

    /// A number of milliseconds.
    pub fn millis(&self, key: &str) -> Duration {
        let millis = self.parsed.integer(key).and_then(|millis| u64::try_from(millis).ok());
        Duration::from_millis(millis.unwrap_or_default())
    }

    /// A text; empty when it is null.
    pub fn text(&self, key: &str) -> &str {
        self.parsed.str(key).unwrap_or_default()
    }

    /// One of the three topics of a distributed worker: `config`, `offset` or `status`.
    pub fn storage_topic(&self, what: &str) -> StorageTopic {
        let number = |key: &str| self.parsed.integer(&format!("{what}.storage.{key}"));
        let mut configs = prefixed(&self.properties, &format!("{what}.storage."));
        for own in ["topic", "partitions", "replication.factor", "cleanup.policy"] {
            configs.remove(own);
        }
        StorageTopic {
            name: self.text(&format!("{what}.storage.topic")).to_owned(),
            partitions: number("partitions").and_then(|n| i32::try_from(n).ok()).unwrap_or(1),
            replication_factor: number("replication.factor").and_then(|n| i16::try_from(n).ok()).unwrap_or(3),
            configs,
        }
    }

    /// The topics of a distributed worker.
    pub fn storage_topics(&self) -> StorageTopics {
        StorageTopics {
            offsets: self.storage_topic("offset"),
            configs: self.storage_topic("config"),
            statuses: self.storage_topic("status"),
        }
    }

    /// Behaviour of REST, but for who the product is and its metrics.
    pub fn rest_options(&self) -> RestOptions {
        RestOptions {
            topic_tracking: self.parsed.bool("topic.tracking.enable"),
            topic_tracking_reset: self.parsed.bool("topic.tracking.allow.reset"),
            ..RestOptions::default()
        }
    }

    /// The properties without secrets, for the log: passwords and what lies under prefixes of clients and providers.
    pub fn shown(&self) -> BTreeMap<&str, &str> {
        let def = definition_of(self.mode);
        let secret = |key: &str| {
            def.key(key).is_some_and(|key| key.kind == Type::Password)
                || ["password", "secret", "jaas.config", "keystore.key", "token"]
                    .iter()
                    .any(|part| key.contains(part))
                || key.contains(".param.")
        };
        let hide = |(key, value)| (key, if secret(key) { "[hidden]" } else { value });
        self.properties.iter().map(|(key, value)| (key.as_str(), value.as_str())).map(hide).collect()
    }
}

fn definition_of(mode: Mode) -> ConfigDef {
    match mode {
        Mode::Distributed => definition::distributed(),
        Mode::Standalone => definition::standalone(),
    }
}

/// A worker must accept what it signs.
fn check_signatures(mode: Mode, parsed: &ParsedConfig) -> Result<(), ConnectError> {
    const LIST: &str = "inter.worker.verification.algorithms";
    const OWN: &str = "inter.worker.signature.algorithm";
    let own = parsed.str(OWN).unwrap_or_default();
    let accepted = parsed.list(LIST).iter().any(|known| known.eq_ignore_ascii_case(own));
    if mode == Mode::Standalone || accepted {
        Ok(())
    } else {
        Err(ConnectError::config(format!(
            "Invalid value {own} for configuration {OWN}: Signature algorithm must be present in {LIST} list"
        )))
    }
}

/// A member that is heard of only after its session is none.
fn check_heartbeats(mode: Mode, parsed: &ParsedConfig) -> Result<(), ConnectError> {
    let (heartbeat, session) = ("heartbeat.interval.ms", "session.timeout.ms");
    if mode == Mode::Standalone || parsed.integer(heartbeat) < parsed.integer(session) {
        Ok(())
    } else {
        Err(ConnectError::config(format!(
            "Heartbeat must be set lower than the session timeout: {heartbeat} must be less than {session}"
        )))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const BASE: [(&str, &str); 6] = [
        ("key.converter", "J"),
        ("value.converter", "J"),
        ("group.id", "g"),
        ("offset.storage.topic", "o"),
        ("config.storage.topic", "c"),
        ("status.storage.topic", "s"),
    ];

    fn read(mode: Mode, more: &[(&str, &str)]) -> Result<WorkerConfig, ConnectError> {
        let all = BASE.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        WorkerConfig::new(mode, all)
    }

    #[test]
    fn defaults_are_connects() {
        let config = read(Mode::Distributed, &[]).unwrap();
        assert_eq!(config.millis("offset.flush.interval.ms"), Duration::from_secs(60));
        assert_eq!(config.text("connect.protocol"), "sessioned");
        assert_eq!(config.storage_topic("offset").partitions, 25);
        assert_eq!(config.storage_topic("status").replication_factor, 3);
        assert_eq!(config.storage_topic("config").partitions, 1);
        assert!(config.rest_options().topic_tracking && config.unused().is_empty());
    }

    #[test]
    fn wrong_values_are_refused_in_connects_words() {
        for (key, value, says) in [
            ("offset.storage.partitions", "0", "Number of partitions must be positive"),
            ("status.storage.replication.factor", "-2", "Replication factor must be positive"),
            ("connect.protocol", "odd", "Invalid Connect protocol compatibility"),
            ("inter.worker.signature.algorithm", "HmacSHA1", "must be present in"),
            ("inter.worker.verification.algorithms", "HmacX", "not supported"),
            ("exactly.once.source.support", "maybe", "String must be one of"),
            ("listeners", "x", "right format"),
            ("session.timeout.ms", "soon", "Not a number of type INT"),
            ("session.timeout.ms", "3000", "Heartbeat must be set lower"),
        ] {
            let error = read(Mode::Distributed, &[(key, value)]).unwrap_err();
            assert!(error.message().contains(says), "{key}: {error}");
        }
        let missing = read(Mode::Standalone, &[]).unwrap_err();
        assert!(missing.message().contains("offset.storage.file.filename"), "{missing}");
    }

    #[test]
    fn keys_that_nobody_reads_are_told() {
        let more = [
            ("producer.acks", "1"),
            ("ssl.keystore.type", "PEM"),
            ("config.storage.retention.ms", "7"),
            ("offset.flush.intervall.ms", "1"),
            ("internal.key.converter", "J"),
        ];
        let config = read(Mode::Distributed, &more).unwrap();
        assert_eq!(config.unused(), ["internal.key.converter", "offset.flush.intervall.ms"]);
        assert_eq!(config.storage_topic("config").configs["retention.ms"], "7");
    }

    #[test]
    fn secrets_are_not_logged() {
        let config = read(Mode::Distributed, &[("producer.ssl.key.password", "hunter2")]).unwrap();
        assert_eq!(config.shown()["producer.ssl.key.password"], "[hidden]");
        assert_eq!(config.shown()["group.id"], "g");
    }
}
