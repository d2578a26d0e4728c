//! The keys of a worker's properties file: names, types, defaults and checks of Connect's `WorkerConfig`, `DistributedConfig` and
//! `StandaloneConfig`.

use connect_api::config_def::Validator;
use connect_api::{ConfigDef, ConfigKey, Importance, Setting, Type};

use super::rest;

const HMACS: [&str; 6] = ["HmacMD5", "HmacSHA1", "HmacSHA224", "HmacSHA256", "HmacSHA384", "HmacSHA512"];

fn high(name: &str, kind: Type, text: &str) -> ConfigKey {
    ConfigKey::new(name, kind, Importance::High, text)
}

fn medium(name: &str, kind: Type, text: &str) -> ConfigKey {
    ConfigKey::new(name, kind, Importance::Medium, text)
}

fn low(name: &str, kind: Type, text: &str) -> ConfigKey {
    ConfigKey::new(name, kind, Importance::Low, text)
}

/// Settings of workers of both modes.
pub(super) fn common() -> ConfigDef {
    let def = ConfigDef::new()
        .define(
            high("bootstrap.servers", Type::List, "Brokers by which the cluster is found")
                .default(vec!["localhost:9092".to_owned()]),
        )
        .define(
            medium("client.dns.lookup", Type::String, "How host names are looked up")
                .default("use_all_dns_ips")
                .validator(Validator::one_of(&[
                    "use_all_dns_ips",
                    "resolve_canonical_bootstrap_servers_only",
                ])),
        )
        .define(high("key.converter", Type::Class, "Converter of keys"))
        .define(high("value.converter", Type::Class, "Converter of values"))
        .define(
            low("header.converter", Type::Class, "Converter of headers")
                .default(Setting::Class("org.apache.kafka.connect.storage.SimpleHeaderConverter".to_owned())),
        )
        .define(
            low("task.shutdown.graceful.timeout.ms", Type::Long, "Time for all tasks to end")
                .default(5_000i64),
        )
        .define(
            low("offset.flush.interval.ms", Type::Long, "Time between two commits of offsets")
                .default(60_000i64),
        )
        .define(low("offset.flush.timeout.ms", Type::Long, "Time for offsets to be stored").default(5_000i64))
        .define(low("plugin.path", Type::List, "Not used: plugins are part of this program").optional())
        .define(
            low("plugin.discovery", Type::String, "Not used: plugins are part of this program")
                .default("hybrid_warn")
                .validator(Validator::one_of_ignoring_case(&[
                    "ONLY_SCAN",
                    "HYBRID_WARN",
                    "HYBRID_FAIL",
                    "SERVICE_LOAD",
                ])),
        )
        .define(
            low("config.providers", Type::List, "Names of the config providers")
                .default(Vec::<String>::new()),
        )
        .define(
            medium(
                "connector.client.config.override.policy",
                Type::String,
                "Which client settings connectors may override: All, None, Principal or Allowlist",
            )
            .default("All"),
        )
        .define(
            low("topic.creation.enable", Type::Boolean, "Whether topics are created for sources")
                .default(true),
        )
        .define(
            low("topic.tracking.enable", Type::Boolean, "Whether used topics are remembered").default(true),
        )
        .define(
            low("topic.tracking.allow.reset", Type::Boolean, "Whether they can be forgotten by REST")
                .default(true),
        );
    rest::define(metrics(def))
}

fn metrics(def: ConfigDef) -> ConfigDef {
    def.define(
        low("metrics.sample.window.ms", Type::Long, "Length of a window of measurements")
            .default(30_000i64)
            .validator(Validator::at_least(0)),
    )
    .define(
        low("metrics.num.samples", Type::Int, "Number of windows")
            .default(2)
            .validator(Validator::at_least(1)),
    )
    .define(
        low("metrics.recording.level", Type::String, "How much is measured")
            .default("INFO")
            .validator(Validator::one_of(&["INFO", "DEBUG"])),
    )
    .define(
        low("metric.reporters", Type::List, "Not used: metrics are served as /metrics")
            .default(Vec::<String>::new()),
    )
    .define(low("auto.include.jmx.reporter", Type::Boolean, "Not used").default(true))
}

/// Settings of a standalone worker.
pub(super) fn standalone() -> ConfigDef {
    common().define(high("offset.storage.file.filename", Type::String, "File of the offsets of sources"))
}

/// Settings of a distributed worker.
pub(super) fn distributed() -> ConfigDef {
    security(clients(group(storage(common()))))
}

fn group(def: ConfigDef) -> ConfigDef {
    def.define(high("group.id", Type::String, "Name of the group: its workers share the work"))
        .define(
            high("session.timeout.ms", Type::Int, "After which a silent worker is given up").default(10_000),
        )
        .define(high("rebalance.timeout.ms", Type::Int, "Time to join a rebalance").default(60_000))
        .define(high("heartbeat.interval.ms", Type::Int, "Time between two heartbeats").default(3_000))
        .define(
            high("exactly.once.source.support", Type::String, "disabled, preparing or enabled")
                .default("disabled")
                .validator(Validator::one_of_ignoring_case(&["DISABLED", "ENABLED", "PREPARING"])),
        )
        .define(
            medium("worker.sync.timeout.ms", Type::Int, "Time to catch up with configurations")
                .default(3_000),
        )
        .define(
            medium("worker.unsync.backoff.ms", Type::Int, "Time away from the group after that")
                .default(300_000),
        )
        .define(
            low("connect.protocol", Type::String, "eager, compatible or sessioned")
                .default("sessioned")
                .validator(Validator::new(|_, value| {
                    let text = value.as_str().unwrap_or_default().to_ascii_lowercase();
                    if ["eager", "compatible", "sessioned"].contains(&text.as_str()) {
                        Ok(())
                    } else {
                        Err("Invalid Connect protocol compatibility".to_owned())
                    }
                })),
        )
        .define(
            low(
                "graceful.handover.enabled",
                Type::Boolean,
                "Whether others get the work of a worker at once that was stopped in good order",
            )
            .default(false),
        )
        .define(
            low("scheduled.rebalance.max.delay.ms", Type::Int, "Time to wait for a worker that left")
                .default(300_000)
                .validator(Validator::between(0, i64::from(i32::MAX))),
        )
        .define(
            low("inter.worker.key.ttl.ms", Type::Int, "Time after which the session key is renewed")
                .default(3_600_000)
                .validator(Validator::between(0, i64::from(i32::MAX))),
        )
        .define(
            low("inter.worker.key.generation.algorithm", Type::String, "Algorithm of the session key")
                .default("HmacSHA256")
                .validator(hmac()),
        )
        .define(low("inter.worker.key.size", Type::Int, "Bits of the session key").optional())
        .define(
            low("inter.worker.signature.algorithm", Type::String, "Algorithm of signatures")
                .default("HmacSHA256")
                .validator(hmac()),
        )
        .define(
            low("inter.worker.verification.algorithms", Type::List, "Algorithms that are accepted")
                .default(vec!["HmacSHA256".to_owned()])
                .validator(Validator::new(|_, value| match value {
                    Setting::List(items) if items.is_empty() => {
                        Err("At least one signature verification algorithm must be provided".to_owned())
                    }
                    Setting::List(items) => items.iter().try_for_each(|item| known_hmac(item)),
                    _ => Ok(()),
                })),
        )
}

fn hmac() -> Validator {
    Validator::new(|_, value| known_hmac(value.as_str().unwrap_or_default()))
}

fn known_hmac(name: &str) -> Result<(), String> {
    if HMACS.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        Ok(())
    } else {
        Err(format!(
            "the algorithm is not supported by this worker; the supported algorithms are: {}",
            HMACS.join(", ")
        ))
    }
}

fn storage(def: ConfigDef) -> ConfigDef {
    let topic = |what: &str| {
        high(&format!("{what}.storage.topic"), Type::String, "Name of the topic")
            .validator(Validator::non_empty())
    };
    let replicas = |what: &str| {
        low(&format!("{what}.storage.replication.factor"), Type::Short, "Replication factor of a new topic")
            .default(Setting::Short(3))
            .validator(positive(
                "Replication factor must be positive and not larger than the number of brokers in the Kafka cluster, or -1 \
                 to use the broker's default",
            ))
    };
    let partitions = |what: &str, default: i32| {
        low(&format!("{what}.storage.partitions"), Type::Int, "Partitions of a new topic")
            .default(default)
            .validator(positive("Number of partitions must be positive, or -1 to use the broker's default"))
    };
    def.define(topic("offset"))
        .define(partitions("offset", 25))
        .define(replicas("offset"))
        .define(topic("config"))
        .define(replicas("config"))
        .define(topic("status"))
        .define(partitions("status", 5))
        .define(replicas("status"))
}

/// A positive number or -1.
fn positive(message: &'static str) -> Validator {
    Validator::new(move |_, value| match value.as_f64() {
        Some(n) if n < -1.0 || n == 0.0 => Err(message.to_owned()),
        _ => Ok(()),
    })
}

fn clients(def: ConfigDef) -> ConfigDef {
    let at_least_0 = |key: ConfigKey| key.validator(Validator::at_least(0));
    let from_system = |key: ConfigKey| key.validator(Validator::at_least(-1));
    def.define(at_least_0(
        low("metadata.max.age.ms", Type::Long, "Age at which metadata is renewed").default(300_000i64),
    ))
    .define(low("client.id", Type::String, "Name of this client").default(""))
    .define(from_system(medium("send.buffer.bytes", Type::Int, "Socket buffer").default(131_072)))
    .define(from_system(medium("receive.buffer.bytes", Type::Int, "Socket buffer").default(32_768)))
    .define(at_least_0(low("reconnect.backoff.ms", Type::Long, "First pause").default(50i64)))
    .define(at_least_0(low("reconnect.backoff.max.ms", Type::Long, "Longest pause").default(1_000i64)))
    .define(low("socket.connection.setup.timeout.ms", Type::Long, "Time to connect").default(10_000i64))
    .define(low("socket.connection.setup.timeout.max.ms", Type::Long, "Longest time").default(30_000i64))
    .define(at_least_0(low("retry.backoff.ms", Type::Long, "First pause").default(100i64)))
    .define(at_least_0(low("retry.backoff.max.ms", Type::Long, "Longest pause").default(1_000i64)))
    .define(at_least_0(medium("request.timeout.ms", Type::Int, "Time for an answer").default(40_000)))
    .define(medium("connections.max.idle.ms", Type::Long, "Idle connections end").default(540_000i64))
    .define(
        low("metadata.recovery.strategy", Type::String, "none or rebootstrap")
            .default("none")
            .validator(Validator::one_of_ignoring_case(&["NONE", "REBOOTSTRAP"])),
    )
    .define(low("metadata.recovery.rebootstrap.trigger.ms", Type::Long, "Time before").default(300_000i64))
}

fn security(def: ConfigDef) -> ConfigDef {
    def.define(
        medium("security.protocol", Type::String, "How brokers are spoken to")
            .default("PLAINTEXT")
            .validator(Validator::one_of_ignoring_case(&["SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT"])),
    )
}
