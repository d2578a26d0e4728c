//! The settings of topics and brokers that this cluster knows, with their defaults. A setting "has an effect"
//! where it says so; the others are stored and described only.

use std::collections::BTreeMap;

use crate::protocol::Release;

/// Form of a value.
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
    setting("message.downconversion.enable", Kind::Boolean, "log.message.downconversion.enable", "true"),
    setting("message.format.version", Kind::String, "log.message.format.version", "3.0-IV1"),
    setting("message.timestamp.after.max.ms", Kind::Long, "log.message.timestamp.after.max.ms", "3600000"),
    setting("message.timestamp.before.max.ms", Kind::Long, "log.message.timestamp.before.max.ms", FOR_EVER),
    setting(
        "message.timestamp.difference.max.ms",
        Kind::Long,
        "log.message.timestamp.difference.max.ms",
        FOR_EVER,
    ),
    setting("message.timestamp.type", Kind::String, "log.message.timestamp.type", "CreateTime"),
    setting("min.cleanable.dirty.ratio", Kind::Double, "log.cleaner.min.cleanable.ratio", "0.5"),
    setting("min.compaction.lag.ms", Kind::Long, "log.cleaner.min.compaction.lag.ms", "0"),
    setting("min.insync.replicas", Kind::Int, "min.insync.replicas", "1"),
    setting("preallocate", Kind::Boolean, "log.preallocate", "false"),
    setting("remote.log.copy.disable", Kind::Boolean, "", "false"),
    setting("remote.log.delete.on.disable", Kind::Boolean, "", "false"),
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

/// Topic settings that went with 4.0.
const ONLY_OLD: &[&str] =
    &["message.downconversion.enable", "message.format.version", "message.timestamp.difference.max.ms"];

/// Topic settings of a release, in the order of their names.
pub(crate) fn topic_settings(release: Release) -> impl Iterator<Item = &'static Setting> {
    let known = move |s: &&Setting| release == Release::V3_9 || !ONLY_OLD.contains(&s.name);
    TOPIC_SETTINGS.iter().filter(known)
}

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

/// Values of a setting that is one word of several, or a list of such words.
fn words(name: &str) -> Option<&'static [&'static str]> {
    match name {
        "cleanup.policy" => Some(&["compact", "delete"]),
        "compression.type" => Some(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]),
        "message.timestamp.type" => Some(&["CreateTime", "LogAppendTime"]),
        _ => None,
    }
}

/// The least value of a number, and the largest where there is one.
fn range(release: Release, name: &str) -> (f64, Option<f64>) {
    match name {
        "compression.gzip.level" => (-1.0, Some(9.0)),
        "compression.lz4.level" => (1.0, Some(17.0)),
        "compression.zstd.level" => (-131_072.0, Some(22.0)),
        "local.retention.bytes" | "local.retention.ms" => (-2.0, None),
        "min.cleanable.dirty.ratio" => (0.0, Some(1.0)),
        "retention.ms" => (-1.0, None),
        "retention.bytes" => (f64::MIN, None),
        "segment.bytes" if release >= Release::V4_3 => (1_048_576.0, None),
        "segment.bytes" => (14.0, None),
        "segment.index.bytes" => (4.0, None),
        "flush.messages" | "max.compaction.lag.ms" | "min.insync.replicas" | "segment.ms" => (1.0, None),
        _ => (0.0, None),
    }
}

/// Kafka's complaint about a topic setting of a release, if it has one.
pub(crate) fn validate(release: Release, name: &str, value: &str) -> Result<(), String> {
    let setting = topic_settings(release).find(|s| s.name == name);
    let setting = setting.ok_or_else(|| format!("Unknown topic config name: {name}"))?;
    check(release, setting, value)
        .map_err(|wrong| format!("Invalid value {value} for configuration {name}: {wrong}"))
}

fn check(release: Release, setting: &Setting, value: &str) -> Result<(), String> {
    let value = value.trim();
    let number = match setting.kind {
        Kind::Boolean => {
            let known = value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false");
            return if known { Ok(()) } else { Err("Expected value to be either true or false".to_owned()) };
        }
        Kind::List | Kind::String => return check_words(setting, value),
        Kind::Int => value.parse::<i32>().map(f64::from).map_err(|_| "INT"),
        Kind::Long => value.parse::<i64>().map(|n| n as f64).map_err(|_| "LONG"),
        Kind::Double => value.parse::<f64>().map_err(|_| "DOUBLE"),
    };
    let number = number.map_err(|kind| format!("Not a number of type {kind}"))?;
    match range(release, setting.name) {
        (least, _) if number < least => Err(format!("Value must be at least {least}")),
        (_, Some(most)) if number > most => Err(format!("Value must be no more than {most}")),
        _ if setting.name == "compression.gzip.level" && number == 0.0 => {
            Err("Value must be between 1 and 9 or equal to -1".to_owned())
        }
        _ => Ok(()),
    }
}

fn check_words(setting: &Setting, value: &str) -> Result<(), String> {
    let Some(known) = words(setting.name) else { return Ok(()) };
    let said: Vec<&str> = match setting.kind {
        Kind::List => value.split(',').map(str::trim).filter(|word| !word.is_empty()).collect(),
        _ => vec![value],
    };
    if said.iter().all(|word| known.contains(word)) {
        Ok(())
    } else {
        Err(format!("String must be one of: {}", known.join(", ")))
    }
}

/// Settings of brokers that were changed while they run, each with what it would be without that. What is in
/// force is in the cluster's properties; a setting of one broker is in force for all here.
#[derive(Debug, Default)]
pub(crate) struct Dynamic {
    /// By broker; -1: the default of all.
    changed: BTreeMap<i32, BTreeMap<String, String>>,
    fixed: BTreeMap<String, Option<String>>,
}

/// Stands for all brokers in [`Dynamic`].
pub(crate) const ALL_BROKERS: i32 = -1;

impl Dynamic {
    /// As a cluster begins: what 4.3 turns into a dynamic setting when its storage is formatted.
    pub(crate) fn of(release: Release, properties: &mut BTreeMap<String, String>) -> Self {
        let mut dynamic = Self::default();
        if release >= Release::V4_3 {
            let name = "min.insync.replicas";
            let value = properties.get(name).cloned().unwrap_or_else(|| "1".to_owned());
            dynamic.change(properties, ALL_BROKERS, name, Some(value));
        }
        dynamic
    }

    /// A broker's own setting, or that of all.
    pub(crate) fn get(&self, broker: i32, name: &str) -> Option<&str> {
        self.changed.get(&broker)?.get(name).map(String::as_str)
    }

    /// All settings of a broker, or of all.
    pub(crate) fn all(&self, broker: i32) -> BTreeMap<String, String> {
        self.changed.get(&broker).cloned().unwrap_or_default()
    }

    /// The value from `server.properties`.
    pub(crate) fn fixed<'a>(
        &'a self,
        properties: &'a BTreeMap<String, String>,
        name: &str,
    ) -> Option<&'a str> {
        match self.fixed.get(name) {
            Some(fixed) => fixed.as_deref(),
            None => properties.get(name).map(String::as_str),
        }
    }

    /// Changes a setting, or takes the change back.
    pub(crate) fn change(
        &mut self,
        properties: &mut BTreeMap<String, String>,
        broker: i32,
        name: &str,
        value: Option<String>,
    ) {
        let fixed =
            self.fixed.entry(name.to_owned()).or_insert_with(|| properties.get(name).cloned()).clone();
        let own = self.changed.entry(broker).or_default();
        match value {
            Some(value) => own.insert(name.to_owned(), value),
            None => own.remove(name),
        };
        let brokers = self.changed.iter().filter(|(id, _)| **id != ALL_BROKERS);
        let one = brokers.filter_map(|(_, own)| own.get(name)).next().cloned();
        let all = self.changed.get(&ALL_BROKERS).and_then(|all| all.get(name)).cloned();
        match one.or(all).or(fixed) {
            Some(value) => properties.insert(name.to_owned(), value),
            None => properties.remove(name),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_judged_as_kafka_does() {
        let fits = |name, value| validate(Release::V4_3, name, value).is_ok();
        for (name, value) in [
            ("retention.ms", "-1"),
            ("cleanup.policy", "compact, delete"),
            ("min.cleanable.dirty.ratio", "0.25"),
            ("preallocate", "TRUE"),
            ("compression.gzip.level", "-1"),
            ("segment.bytes", "1048576"),
            ("follower.replication.throttled.replicas", "*"),
        ] {
            assert!(fits(name, value), "{name}={value}");
        }
        for (name, value) in [
            ("retention.ms", "-2"),
            ("retention.ms", "x"),
            ("max.message.bytes", "2147483648"),
            ("cleanup.policy", "shred"),
            ("min.cleanable.dirty.ratio", "1.5"),
            ("preallocate", "yes"),
            ("compression.gzip.level", "0"),
            ("segment.bytes", "14"),
            ("message.format.version", "3.0"),
            ("no.such.key", "1"),
        ] {
            assert!(!fits(name, value), "{name}={value}");
        }
        assert!(validate(Release::V3_9, "segment.bytes", "14").is_ok());
        assert!(validate(Release::V3_9, "message.format.version", "3.0").is_ok());
        let message = validate(Release::V4_3, "retention.ms", "-5").err();
        let wanted = "Invalid value -5 for configuration retention.ms: Value must be at least -1";
        assert_eq!(message.as_deref(), Some(wanted));
    }

    #[test]
    fn a_change_of_a_broker_can_be_taken_back() {
        let mut properties = BTreeMap::from([("x".to_owned(), "fixed".to_owned())]);
        let mut dynamic = Dynamic::default();
        dynamic.change(&mut properties, ALL_BROKERS, "x", Some("all".to_owned()));
        dynamic.change(&mut properties, 1, "x", Some("one".to_owned()));
        assert_eq!(properties["x"], "one");
        assert_eq!((dynamic.get(1, "x"), dynamic.get(2, "x")), (Some("one"), None));
        assert_eq!(dynamic.fixed(&properties, "x"), Some("fixed"));
        dynamic.change(&mut properties, 1, "x", None);
        assert_eq!(properties["x"], "all");
        dynamic.change(&mut properties, ALL_BROKERS, "x", None);
        assert_eq!(properties["x"], "fixed");
    }
}
