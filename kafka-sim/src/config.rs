//! The settings of topics and brokers that this cluster knows, with their defaults. A setting "has an effect" where
//! it says so; the others are stored and described only.

use std::collections::BTreeMap;

use crate::protocol::Release;

/// How a value must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Int,
    Long,
    Double,
    List,
    String,
}

/// A topic setting.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The broker property that is its default; empty: none.
    pub(crate) synonym: &'static str,
    pub(crate) default: &'static str,
}

const fn setting(name: &'static str, kind: Kind, synonym: &'static str, default: &'static str) -> Setting {
    Setting { name, kind, synonym, default }
}

const FOR_EVER: &str = "9223372036854775807";

/// Topic settings in the order of their names.
pub(crate) const TOPIC_SETTINGS: &[Setting] = &[
    setting("cleanup.policy", Kind::List, "log.cleanup.policy", "delete"),
    setting("compression.gzip.level", Kind::Int, "compression.gzip.level", "-1"),
    setting("compression.lz4.level", Kind::Int, "compression.lz4.level", "9"),
    setting("compression.type", Kind::String, "compression.type", "producer"),
    setting("compression.zstd.level", Kind::Int, "compression.zstd.level", "3"),
    setting("delete.retention.ms", Kind::Long, "log.cleaner.delete.retention.ms", "86400000"),
    setting("file.delete.delay.ms", Kind::Long, "log.segment.delete.delay.ms", "60000"),
    setting("flush.messages", Kind::Long, "log.flush.interval.messages", FOR_EVER),
    setting("flush.ms", Kind::Long, "log.flush.interval.ms", FOR_EVER),
    setting("follower.replication.throttled.replicas", Kind::List, "", ""),
    setting("index.interval.bytes", Kind::Int, "log.index.interval.bytes", "4096"),
    setting("leader.replication.throttled.replicas", Kind::List, "", ""),
    setting("local.retention.bytes", Kind::Long, "log.local.retention.bytes", "-2"),
    setting("local.retention.ms", Kind::Long, "log.local.retention.ms", "-2"),
    setting("max.compaction.lag.ms", Kind::Long, "log.cleaner.max.compaction.lag.ms", FOR_EVER),
    setting("max.message.bytes", Kind::Int, "message.max.bytes", "1048588"),
    setting("message.timestamp.after.max.ms", Kind::Long, "log.message.timestamp.after.max.ms", "3600000"),
    setting("message.timestamp.before.max.ms", Kind::Long, "log.message.timestamp.before.max.ms", FOR_EVER),
    setting("message.timestamp.type", Kind::String, "log.message.timestamp.type", "CreateTime"),
    setting("min.cleanable.dirty.ratio", Kind::Double, "log.cleaner.min.cleanable.ratio", "0.5"),
    setting("min.compaction.lag.ms", Kind::Long, "log.cleaner.min.compaction.lag.ms", "0"),
    setting("min.insync.replicas", Kind::Int, "min.insync.replicas", "1"),
    setting("preallocate", Kind::Boolean, "log.preallocate", "false"),
    setting("remote.storage.enable", Kind::Boolean, "", "false"),
    setting("retention.bytes", Kind::Long, "log.retention.bytes", "-1"),
    setting("retention.ms", Kind::Long, "log.retention.ms", "604800000"),
    setting("segment.bytes", Kind::Int, "log.segment.bytes", "1073741824"),
    setting("segment.index.bytes", Kind::Int, "log.index.size.max.bytes", "10485760"),
    setting("segment.jitter.ms", Kind::Long, "log.roll.jitter.ms", "0"),
    setting("segment.ms", Kind::Long, "log.roll.ms", "604800000"),
    setting("unclean.leader.election.enable", Kind::Boolean, "unclean.leader.election.enable", "false"),
];

/// Broker properties that have an effect, with their defaults.
pub(crate) const BROKER_SETTINGS: &[(&str, &str)] = &[
    ("auto.create.topics.enable", "true"),
    ("default.replication.factor", "1"),
    ("delete.topic.enable", "true"),
    ("group.initial.rebalance.delay.ms", "0"),
    ("group.max.size", "2147483647"),
    ("group.max.session.timeout.ms", "1800000"),
    ("group.min.session.timeout.ms", "6000"),
    ("max.incremental.fetch.session.cache.slots", "1000"),
    ("num.partitions", "1"),
    ("offset.metadata.max.bytes", "4096"),
    ("offsets.topic.num.partitions", "50"),
    ("offsets.topic.replication.factor", "3"),
    ("producer.id.expiration.ms", "86400000"),
    ("transaction.max.timeout.ms", "900000"),
    ("transaction.state.log.num.partitions", "50"),
    ("transaction.state.log.replication.factor", "3"),
    ("transaction.abort.timed.out.transaction.cleanup.interval.ms", "10000"),
];

/// A topic setting by its name.
pub(crate) fn topic_setting(name: &str) -> Option<&'static Setting> {
    TOPIC_SETTINGS.iter().find(|setting| setting.name == name)
}

/// The value in force for a topic with `own` settings.
pub(crate) fn topic_value<'a>(
    release: Release,
    properties: &'a BTreeMap<String, String>,
    own: &'a BTreeMap<String, String>,
    name: &str,
) -> &'a str {
    if let Some(value) = own.get(name) {
        return value;
    }
    let Some(setting) = topic_setting(name) else { return "" };
    match properties.get(setting.synonym) {
        Some(value) => value,
        None => topic_default(release, setting),
    }
}

/// The default of a release.
pub(crate) fn topic_default(release: Release, setting: &Setting) -> &'static str {
    match (setting.name, release) {
        // KIP-1030 came with 4.0.
        ("message.timestamp.after.max.ms", Release::V3_9) => FOR_EVER,
        _ => setting.default,
    }
}

/// The value of a broker property in force.
pub(crate) fn broker_value<'a>(properties: &'a BTreeMap<String, String>, name: &str) -> &'a str {
    if let Some(value) = properties.get(name) {
        return value;
    }
    BROKER_SETTINGS.iter().find(|(n, _)| *n == name).map_or("", |(_, default)| *default)
}

/// What is wrong with a topic setting.
pub(crate) fn validate(name: &str, value: &str) -> Result<(), String> {
    let setting = topic_setting(name).ok_or_else(|| format!("Unknown topic config name: {name}"))?;
    let fits = match setting.kind {
        Kind::Boolean => matches!(value.to_ascii_lowercase().as_str(), "true" | "false"),
        Kind::Int => value.trim().parse::<i32>().is_ok(),
        Kind::Long => value.trim().parse::<i64>().is_ok(),
        Kind::Double => value.trim().parse::<f64>().is_ok(),
        Kind::List | Kind::String => true,
    };
    match fits {
        true => Ok(()),
        false => Err(format!("Invalid value {value} for configuration {name}: not a {:?}", setting.kind)),
    }
}
