//! What a distributed herder needs of the worker's settings.

use std::time::Duration;

use kafka_wire::group::GroupSettings;

use super::keys;
use crate::api::config_def::Validator;
use crate::api::{ConfigDef, ConfigKey, ConfigMap, ConnectError, Importance, ParsedConfig, Setting, Type};
use crate::group::ConnectProtocol;

/// Names, units and defaults are those of Connect's `DistributedConfig`.
#[derive(Debug, Clone)]
pub struct DistributedSettings {
    /// `group.id`
    pub group_id: String,
    /// `config.storage.topic`
    pub config_topic: String,
    /// `host:port` of the advertised REST address: names this worker in statuses.
    pub worker_id: String,
    /// The advertised REST URL, with a slash at its end.
    pub url: String,
    /// `connect.protocol`
    pub protocol: ConnectProtocol,
    /// `scheduled.rebalance.max.delay.ms`
    pub rebalance_max_delay: Duration,
    /// `worker.sync.timeout.ms`
    pub sync_timeout: Duration,
    /// `worker.unsync.backoff.ms`
    pub unsync_backoff: Duration,
    /// `inter.worker.key.ttl.ms`; zero: a key is never renewed.
    pub key_ttl: Duration,
    /// `inter.worker.key.generation.algorithm`
    pub key_algorithm: String,
    /// `inter.worker.key.size` in bits
    pub key_size: Option<usize>,
    /// `inter.worker.signature.algorithm`
    pub signature_algorithm: String,
    /// `inter.worker.verification.algorithms`
    pub verification_algorithms: Vec<String>,
    /// `exactly.once.source.support`
    pub exactly_once: ExactlyOnceSource,
}

/// `exactly.once.source.support`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExactlyOnceSource {
    /// Not at all.
    Disabled,
    /// The leader already writes so that the others can be switched one by one.
    Preparing,
    /// Source tasks write in transactions.
    Enabled,
}

impl ExactlyOnceSource {
    /// True when the leader writes to the config topic in transactions.
    pub fn has_transactional_leader(self) -> bool {
        self != Self::Disabled
    }
}

impl DistributedSettings {
    /// Reads a worker's properties. `worker_id` and `url` are its advertised address.
    ///
    /// # Errors
    /// The first property that cannot be used.
    pub fn from_properties(properties: &ConfigMap, worker_id: &str, url: &str) -> Result<Self, ConnectError> {
        let parsed = definitions().parse(properties)?;
        let text = |key: &str| parsed.str(key).unwrap_or_default().to_owned();
        let settings = Self {
            group_id: text("group.id"),
            config_topic: text("config.storage.topic"),
            worker_id: worker_id.to_owned(),
            url: url.to_owned(),
            protocol: text("connect.protocol")
                .to_ascii_lowercase()
                .parse()
                .map_err(|e: crate::group::UnknownProtocol| ConnectError::config(e))?,
            rebalance_max_delay: millis(&parsed, "scheduled.rebalance.max.delay.ms"),
            sync_timeout: millis(&parsed, "worker.sync.timeout.ms"),
            unsync_backoff: millis(&parsed, "worker.unsync.backoff.ms"),
            key_ttl: millis(&parsed, "inter.worker.key.ttl.ms"),
            key_algorithm: text("inter.worker.key.generation.algorithm"),
            key_size: parsed.integer("inter.worker.key.size").and_then(|bits| usize::try_from(bits).ok()),
            signature_algorithm: text("inter.worker.signature.algorithm"),
            verification_algorithms: parsed.list("inter.worker.verification.algorithms").to_vec(),
            exactly_once: match text("exactly.once.source.support").to_ascii_lowercase().as_str() {
                "enabled" => ExactlyOnceSource::Enabled,
                "preparing" => ExactlyOnceSource::Preparing,
                _ => ExactlyOnceSource::Disabled,
            },
        };
        settings.check_algorithms()?;
        Ok(settings)
    }

    fn check_algorithms(&self) -> Result<(), ConnectError> {
        if !self.verification_algorithms.contains(&self.signature_algorithm) {
            return Err(ConnectError::config(format!(
                "Invalid value {} for configuration inter.worker.signature.algorithm: Signature algorithm must be present \
                 in inter.worker.verification.algorithms list",
                self.signature_algorithm
            )));
        }
        if self.protocol != ConnectProtocol::Sessioned {
            return Ok(());
        }
        let named = [("inter.worker.key.generation.algorithm", &self.key_algorithm)];
        let verified =
            self.verification_algorithms.iter().map(|a| ("inter.worker.verification.algorithms", a));
        match named.into_iter().chain(verified).find(|(_, name)| !keys::is_known_algorithm(name)) {
            None => Ok(()),
            Some((key, name)) => Err(ConnectError::config(format!(
                "Invalid value {name} for configuration {key}: the algorithm is not supported by this worker; known are \
                 HmacSHA1, HmacSHA224, HmacSHA256, HmacSHA384 and HmacSHA512"
            ))),
        }
    }
}

/// Session, rebalance and heartbeat times of a worker, and how long its figures look back.
///
/// # Errors
/// The first property that cannot be used.
pub fn group_settings(properties: &ConfigMap, worker_id: &str) -> Result<GroupSettings, ConnectError> {
    let parsed = definitions().parse(properties)?;
    let group = parsed.str("group.id").unwrap_or_default();
    let heartbeat_interval = millis(&parsed, "heartbeat.interval.ms");
    Ok(GroupSettings {
        session_timeout: millis(&parsed, "session.timeout.ms"),
        rebalance_timeout: millis(&parsed, "rebalance.timeout.ms"),
        heartbeat_interval,
        coordinator_timeout: heartbeat_interval,
        ..GroupSettings::new(group, "connect", &format!("connect-{worker_id}"))
    })
}

fn millis(parsed: &ParsedConfig, key: &str) -> Duration {
    Duration::from_millis(parsed.integer(key).unwrap_or_default().unsigned_abs())
}

/// The keys of distributed mode that are read here, with Connect's defaults.
pub fn definitions() -> ConfigDef {
    let required = |name: &str, what: &str| ConfigKey::new(name, Type::String, Importance::High, what);
    let time = |name: &str, default: i32, what: &str| {
        ConfigKey::new(name, Type::Int, Importance::Medium, what).default(default)
    };
    let positive =
        |name: &str, default: i32, what: &str| time(name, default, what).validator(Validator::at_least(1));
    let natural =
        |name: &str, default: i32, what: &str| time(name, default, what).validator(Validator::at_least(0));
    let text = |name: &str, default: &str, what: &str| {
        ConfigKey::new(name, Type::String, Importance::Low, what).default(default)
    };
    ConfigDef::new()
        .define(required("group.id", "Workers with the same id share connectors and tasks."))
        .define(required("config.storage.topic", "Topic for connector and task configurations."))
        .define(positive("session.timeout.ms", 10_000, "Without a sign of life for so long a worker is out."))
        .define(positive(
            "rebalance.timeout.ms",
            60_000,
            "How long the others wait for a worker to join again.",
        ))
        .define(positive("heartbeat.interval.ms", 3_000, "Time between signs of life."))
        .define(natural("worker.sync.timeout.ms", 3_000, "Time to catch up with the config topic."))
        .define(natural(
            "worker.unsync.backoff.ms",
            300_000,
            "Pause out of the group after failing to catch up.",
        ))
        .define(
            text("connect.protocol", "sessioned", "How work is divided.")
                .validator(Validator::one_of_ignoring_case(&["eager", "compatible", "sessioned"])),
        )
        .define(
            time(
                "scheduled.rebalance.max.delay.ms",
                300_000,
                "How long work of a worker that left waits for it.",
            )
            .validator(Validator::between(0, i64::from(i32::MAX))),
        )
        .define(
            positive(
                "inter.worker.key.ttl.ms",
                3_600_000,
                "Age at which the key for signatures is renewed; 0: never.",
            )
            .validator(Validator::between(0, i64::from(i32::MAX))),
        )
        .define(text(
            "inter.worker.key.generation.algorithm",
            "HmacSHA256",
            "Algorithm of the key for signatures.",
        ))
        .define(
            ConfigKey::new("inter.worker.key.size", Type::Int, Importance::Low, "Bits of that key.")
                .optional(),
        )
        .define(text(
            "inter.worker.signature.algorithm",
            "HmacSHA256",
            "Algorithm that signs internal requests.",
        ))
        .define(
            ConfigKey::new(
                "inter.worker.verification.algorithms",
                Type::List,
                Importance::Low,
                "Algorithms that signed requests may use.",
            )
            .default(vec!["HmacSHA256".to_owned()])
            .validator(Validator::new(|_, value| match value {
                Setting::List(names) if names.is_empty() => {
                    Err("At least one signature verification algorithm must be provided".to_owned())
                }
                _ => Ok(()),
            })),
        )
        .define(
            text("exactly.once.source.support", "disabled", "Whether source tasks write in transactions.")
                .validator(Validator::one_of_ignoring_case(&["disabled", "preparing", "enabled"])),
        )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<DistributedSettings, ConnectError> {
        let mut map: ConfigMap = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        map.entry("group.id".to_owned()).or_insert_with(|| "g".to_owned());
        map.entry("config.storage.topic".to_owned()).or_insert_with(|| "configs".to_owned());
        DistributedSettings::from_properties(&map, "h:1", "http://h:1/")
    }

    #[test]
    fn defaults_are_connects() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.protocol, ConnectProtocol::Sessioned);
        assert_eq!(settings.rebalance_max_delay, Duration::from_secs(300));
        assert_eq!((settings.key_ttl, settings.key_size), (Duration::from_secs(3600), None));
        assert_eq!(settings.exactly_once, ExactlyOnceSource::Disabled);
        let group = group_settings(
            &[("group.id", "g"), ("config.storage.topic", "c")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into(),
            "h:1",
        )
        .unwrap();
        assert_eq!(
            (group.session_timeout, group.client_id.as_str()),
            (Duration::from_secs(10), "connect-h:1")
        );
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        let error = |pairs: &[(&str, &str)]| read(pairs).unwrap_err().message().to_owned();
        assert!(error(&[("connect.protocol", "lazy")]).contains("connect.protocol"));
        assert!(error(&[("inter.worker.signature.algorithm", "HmacSHA1")]).contains("must be present"));
        let unknown = [("inter.worker.verification.algorithms", "HmacSHA256,Rot13")];
        assert!(error(&unknown).contains("Rot13"));
        assert!(error(&[("exactly.once.source.support", "maybe")]).contains("exactly.once.source.support"));
        assert!(error(&[("session.timeout.ms", "0")]).contains("session.timeout.ms"));
        assert_eq!(
            read(&[("exactly.once.source.support", "ENABLED")]).unwrap().exactly_once,
            ExactlyOnceSource::Enabled
        );
    }
}
