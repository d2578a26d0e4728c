//! The settings of the connector as Connect's REST interface shows and checks them: `connector-plugins/…/config` and
//! `validate`. Defaults and names come from the lists that the files are read by; a test holds the checks here against
//! those of [`super::posted`].

use connect_core::api::config_def::{ValidatedValue, Validator};
use connect_core::api::{ConfigDef, ConfigKey, Importance, Setting, Type, Width};
use kafka_wire::settings::{KnownProperty, consumer_properties, is_secret, producer_properties};

use super::keys::default_of;
use super::sources::{ConfigError, Problem};
use Importance::{High, Low, Medium};

/// What a value must be.
#[derive(Clone, Copy)]
enum Kind {
    Boolean,
    Text,
    List,
    Int(i64, i64),
    Long(i64, i64),
    Choice(&'static [&'static str]),
    Converter,
}

/// Name, kind, importance, group and documentation of a setting; `keys` has its default.
type Row = (&'static str, Kind, Importance, &'static str, &'static str);

const TOPICS: &str = "Source Topics";
const DESTINATION_TOPICS: &str = "Destination Topics";
const OFFSETS: &str = "Offset Management";
const COPY: &str = "Copying";
const CONVERTERS: &str = "Source Data Conversion";
const LATER: &str = "Without Effect";
const ORIGIN: &str = "Source Kafka";
const DESTINATION: &str = "Destination Kafka";

const INT: i64 = i32::MAX as i64;
const YEAR: i64 = 365 * 24 * 3_600_000;
const BYTE_CONVERTER: &str = "io.confluent.connect.replicator.util.ByteArrayConverter";

use Kind::{Boolean, Choice, Converter, Int, List, Long, Text};

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("topic.whitelist", List, High, TOPICS, "Topics to copy, by name. Each must exist at the origin when the connector starts."),
    ("topic.regex", Text, High, TOPICS, "Topics to copy: a Java regular expression that is compared with whole names."),
    ("topic.blacklist", List, High, TOPICS, "Topics that are never copied, by name; beats topic.whitelist and topic.regex."),
    ("topic.poll.interval.ms", Long(1, YEAR), Low, TOPICS, "How often the origin is asked for new topics and partitions, in milliseconds."),
    ("topic.rename.format", Text, High, DESTINATION_TOPICS, "Name of a topic at the destination; ${topic} stands for its name at the origin."),
    ("topic.auto.create", Boolean, Low, DESTINATION_TOPICS, "Create topics that are missing at the destination, with the origin's partition count and settings."),
    ("topic.preserve.partitions", Boolean, Low, DESTINATION_TOPICS, "Add partitions at the destination when the origin has more."),
    ("topic.create.backoff.ms", Long(0, YEAR), Low, DESTINATION_TOPICS, "Pause after a topic could not be created or expanded, in milliseconds."),
    ("topic.config.sync", Boolean, Low, DESTINATION_TOPICS, "Keep the settings of destination topics in step with the origin's."),
    ("topic.config.sync.interval.ms", Long(1, YEAR), Low, DESTINATION_TOPICS, "How often settings are compared, in milliseconds."),
    ("topic.timestamp.type", Choice(&["CreateTime", "LogAppendTime"]), Low, DESTINATION_TOPICS, "message.timestamp.type of topics that are created at the destination."),
    ("dest.topic.replication.factor", Int(0, 32767), Medium, DESTINATION_TOPICS, "Replication factor of topics that are created at the destination; 0: the origin topic's."),
    ("offset.start", Choice(&["connect", "consumer"]), Low, OFFSETS, "Where to look first for the position to start from: Connect's offsets, or the consumer group at the origin."),
    ("offset.topic.commit", Boolean, Low, OFFSETS, "Commit progress for the consumer group at the origin as well."),
    ("cluster.id", Text, Low, OFFSETS, "Stands in for src.consumer.group.id when that is not set; default: the name of the connector."),
    ("replicator.profile", Choice(&["default", "small-memory"]), Low, COPY, "Which defaults the sizes of buffers have."),
    ("replicator.batches", Choice(&["merge", "preserve"]), Low, COPY, "merge: small uncompressed batches that wait anyway are sent as one. preserve: each stays what it is."),
    ("replicator.lanes.per.broker", Int(1, 64), Low, COPY, "Connections for data to each broker."),
    ("replicator.inflight.bytes", Long(262_144, i64::MAX), Low, COPY, "Memory for data under way, over all tasks, in bytes."),
    ("replicator.fetch.max.bytes", Int(1, INT), Low, COPY, "Most bytes of one fetch response."),
    ("replicator.fetch.partition.max.bytes", Int(1, INT), Low, COPY, "Most bytes of one partition in one fetch response."),
    ("replicator.lane.buffer.bytes", Long(1, i64::MAX), Low, COPY, "A connection asks for more while it holds fewer bytes than this."),
    ("replicator.merge.max.bytes", Int(1, INT), Low, COPY, "Most bytes of a merged batch."),
    ("replicator.merge.below.bytes", Int(0, INT), Low, COPY, "Only batches below this many bytes start a merge."),
    ("src.key.converter", Converter, Low, CONVERTERS, "Keys are copied byte for byte."),
    ("src.value.converter", Converter, Low, CONVERTERS, "Values are copied byte for byte."),
    ("src.header.converter", Converter, Low, CONVERTERS, "Headers are copied byte for byte."),
    ("provenance.header.enable", Boolean, Low, LATER, "Accepted, and without effect yet."),
    ("provenance.header.filter.overrides", Text, Low, LATER, "Accepted, and without effect yet."),
    ("offset.timestamps.commit", Boolean, Low, LATER, "Accepted, and without effect yet."),
    ("offset.topic.commit.batch.period.ms", Text, Low, LATER, "Accepted, and without effect yet."),
    ("offset.translator.tasks.max", Text, Low, LATER, "Accepted, and without effect yet."),
    ("offset.translator.tasks.separate", Boolean, Low, LATER, "Accepted, and without effect yet."),
    ("offset.translator.batch.period.ms", Text, Low, LATER, "Accepted, and without effect yet."),
    ("offset.translator.batch.size", Text, Low, LATER, "Accepted, and without effect yet."),
    ("fetch.offset.expiry.ms", Text, Low, LATER, "Accepted, and without effect yet."),
    ("fetch.offset.retry.backoff.ms", Text, Low, LATER, "Accepted, and without effect yet."),
    ("consumer.poll.timeout.interval.ms", Text, Low, LATER, "Accepted, and without effect yet."),
    ("schema.registry.topic", Text, Low, LATER, "Accepted, and without effect yet."),
    ("schema.registry.url", Text, Low, LATER, "Accepted, and without effect yet."),
    ("schema.subject.translator.class", Text, Low, LATER, "Accepted, and without effect yet."),
    ("confluent.license", Text, Low, LATER, "Accepted, and without effect: no licence is needed."),
];

/// All settings of the connector, without those of Connect's own. `complete`: the connector's configuration is all there
/// is, so that it must name the origin; the destination is the worker's cluster if it names no other.
pub(crate) fn definition(complete: bool) -> ConfigDef {
    let mut order = 0;
    let mut def = ConfigDef::new();
    for property in consumer_properties().filter(|property| property.unused_because.is_none()) {
        let shared = producer_properties().any(|other| other.name == property.name);
        let prefix = if shared { "src.kafka." } else { "src.consumer." };
        order += 1;
        def = def.define(client_key(prefix, property, complete).group(ORIGIN, order));
    }
    for property in producer_properties().filter(|property| property.unused_because.is_none()) {
        order += 1;
        def = def.define(client_key("dest.kafka.", property, false).group(DESTINATION, order));
    }
    for row in ROWS {
        order += 1;
        def = def.define(row_key(row).group(row.3, order));
    }
    def
}

fn row_key(&(name, kind, importance, _, text): &Row) -> ConfigKey {
    let (kind, validator) = match kind {
        Boolean => (Type::Boolean, None),
        Text if is_secret(name) => (Type::Password, None),
        Text => (Type::String, None),
        List => (Type::List, None),
        Int(low, high) => (Type::Int, Some(Validator::between(low, high))),
        Long(low, high) => (Type::Long, Some(Validator::between(low, high))),
        Choice(names) => (Type::String, Some(Validator::one_of_ignoring_case(names))),
        Converter => (Type::Class, None),
    };
    let default = if kind == Type::Class { BYTE_CONVERTER } else { default_of(name) };
    let key = with_default(ConfigKey::new(name, kind, importance, text), default);
    let key = key.display(Width::Medium, name);
    match validator {
        Some(validator) => key.validator(validator),
        None => key,
    }
}

/// A property of Kafka's clients. Its values are checked by those who read them.
fn client_key(prefix: &str, property: &KnownProperty, complete: bool) -> ConfigKey {
    let name = format!("{prefix}{}", property.name);
    let servers = property.name == "bootstrap.servers";
    let kind = match property.default {
        _ if servers => Type::List,
        _ if is_secret(property.name) => Type::Password,
        default if default.parse::<i32>().is_ok() => Type::Int,
        _ => Type::String,
    };
    let whose = if prefix.starts_with("src.") { "reads the origin" } else { "writes to the destination" };
    let text = match property.name {
        "group.id" => {
            "Consumer group at the origin for which progress is committed; default: cluster.id, or the \
                       name of the connector."
                .to_owned()
        }
        "bootstrap.servers" if prefix.starts_with("dest.") => {
            "Brokers of the destination to ask first, as host:port. Without any dest.kafka. setting the worker's cluster is \
             the destination."
                .to_owned()
        }
        "bootstrap.servers" => "Brokers of the origin to ask first, as host:port.".to_owned(),
        plain => format!("Kafka's client property {plain} for the client that {whose}."),
    };
    let importance = if servers { High } else { Low };
    let key = ConfigKey::new(&name, kind, importance, text).display(Width::Medium, &name);
    match servers && complete {
        true => key,
        false => with_default(key, property.default),
    }
}

/// The default from its text; nothing at all is null, for a list no entries.
fn with_default(mut key: ConfigKey, text: &str) -> ConfigKey {
    let nothing = text.is_empty() && key.kind != Type::List;
    let parsed = if nothing { Some(Setting::Null) } else { key.parse(text).ok() };
    key.default = Some(parsed.unwrap_or(Setting::Null));
    key
}

/// Adds what [`super::posted`] found to the answer of `validate`: to the key that it is about, unless that has an error
/// already.
pub(crate) fn add_problems(values: &mut Vec<ValidatedValue>, error: &ConfigError) {
    for problem in &error.problems {
        let (key, text) = match problem {
            Problem::Value { key, value, reason, .. } if value.is_empty() => (key.as_str(), reason.clone()),
            Problem::Value { key, value, reason, .. } => {
                (key.as_str(), format!("Invalid value {value} for configuration {key}: {reason}"))
            }
            // What concerns files of this worker, and no setting of the connector.
            other => ("connector.class", other.to_string()),
        };
        match values.iter_mut().find(|value| value.name == key) {
            Some(value) if value.errors.is_empty() => value.errors.push(text),
            Some(_) => {}
            None => values.push(ValidatedValue {
                name: key.to_owned(),
                value: Setting::Null,
                recommended: vec![],
                errors: vec![text],
                visible: true,
            }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use connect_core::api::ConfigMap;

    use super::super::keys::{self, Effect};
    use super::super::posted;
    use super::*;

    fn config(extra: &[(&str, &str)]) -> ConfigMap {
        let least = [("src.kafka.bootstrap.servers", "o:1"), ("dest.kafka.bootstrap.servers", "d:1")];
        least.iter().chain(extra).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_setting_of_the_connector_is_defined() {
        let def = definition(true);
        let known: BTreeSet<&str> = keys::of_connector().filter(|name| *name != "tasks.max").collect();
        let defined: BTreeSet<&str> = ROWS
            .iter()
            .map(|row| row.0)
            .filter(|name| keys::find(name).unwrap().effect == Effect::Connector)
            .collect();
        assert_eq!(defined, known);
        for key in def.keys() {
            assert!(!key.documentation.is_empty() && key.group.is_some(), "{}", key.name);
            let required = key.name == "src.kafka.bootstrap.servers";
            assert_eq!(key.is_required(), required, "{}", key.name);
        }
        assert!(definition(false).keys().iter().all(|key| !key.is_required()));
        assert!(def.validate(&config(&[])).iter().all(|value| value.errors.is_empty()));
    }

    /// Bounds and choices stand here and where settings are read: both must say the same.
    #[test]
    fn definition_and_reader_accept_and_refuse_the_same() {
        let def = definition(true);
        for (name, kind, ..) in ROWS.iter().filter(|row| row.3 != LATER) {
            let values: Vec<String> = match kind {
                Boolean => ["true", "FALSE", "yes"].map(str::to_owned).into(),
                Int(low, high) | Long(low, high) => {
                    let numbers =
                        [i128::from(*low) - 1, (*low).into(), (*high).into(), i128::from(*high) + 1];
                    numbers.iter().map(ToString::to_string).chain(["many".to_owned()]).collect()
                }
                Choice(names) => names.iter().copied().chain(["neither"]).map(str::to_owned).collect(),
                Text | List | Converter => continue,
            };
            for value in values {
                let here = def.key(name).unwrap().value(Some(&value)).is_ok();
                let there = posted(None, "c", &config(&[(name, &value)]));
                assert_eq!(here, there.is_ok(), "{name}={value}: {there:?}");
            }
        }
    }

    #[test]
    fn problems_are_told_at_their_keys_once() {
        let config = config(&[
            ("topic.regex", "("),
            ("topic.poll.interval.ms", "never"),
            ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ]);
        let mut values = definition(true).validate(&config);
        add_problems(&mut values, &posted(None, "c", &config).unwrap_err());
        let wrong: Vec<_> = values.iter().filter(|value| !value.errors.is_empty()).collect();
        let names: Vec<&str> = wrong.iter().map(|value| value.name.as_str()).collect();
        assert_eq!(names, ["topic.regex", "topic.poll.interval.ms", "key.converter"]);
        assert!(wrong.iter().all(|value| value.errors.len() == 1), "{wrong:?}");
        assert!(wrong[0].errors[0].starts_with("Invalid value ( for configuration topic.regex"), "{wrong:?}");
    }
}
