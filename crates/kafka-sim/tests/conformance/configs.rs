//! DescribeConfigs, AlterConfigs, IncrementalAlterConfigs.

use kafka_protocol::messages::alter_configs_request as whole;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol::messages::incremental_alter_configs_request as single;
use kafka_protocol::messages::{AlterConfigsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest};

use crate::support::{T, code, text};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

impl T<'_> {
    fn describe(&mut self, kind: i8, resource: &str, keys: Option<&[&str]>) -> DescribeConfigsResult {
        let keys = keys.map(|keys| keys.iter().map(|key| text(key)).collect());
        let resource = DescribeConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(resource))
            .with_configuration_keys(keys);
        let request =
            DescribeConfigsRequest::default().with_resources(vec![resource]).with_include_synonyms(true);
        self.client.call(4, &request).results.remove(0)
    }

    /// The value and source of one key.
    fn config(&mut self, kind: i8, resource: &str, key: &str) -> String {
        let result = self.describe(kind, resource, Some(&[key]));
        result.configs.first().map_or_else(|| code(result.error_code), short)
    }

    fn alter(&mut self, kind: i8, resource: &str, configs: &[(&str, Option<&str>)], dry: bool) -> String {
        let config = |(key, value): &(&str, Option<&str>)| {
            whole::AlterableConfig::default().with_name(text(key)).with_value(value.map(text))
        };
        let resource = whole::AlterConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(resource))
            .with_configs(configs.iter().map(config).collect());
        let request = AlterConfigsRequest::default().with_resources(vec![resource]).with_validate_only(dry);
        code(self.client.call(2, &request).responses.remove(0).error_code)
    }

    fn change(
        &mut self,
        kind: i8,
        resource: &str,
        changes: &[(i8, &str, Option<&str>)],
        dry: bool,
    ) -> String {
        let config = |(operation, key, value): &(i8, &str, Option<&str>)| {
            single::AlterableConfig::default()
                .with_name(text(key))
                .with_config_operation(*operation)
                .with_value(value.map(text))
        };
        let resource = single::AlterConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(resource))
            .with_configs(changes.iter().map(config).collect());
        let request =
            IncrementalAlterConfigsRequest::default().with_resources(vec![resource]).with_validate_only(dry);
        code(self.client.call(1, &request).responses.remove(0).error_code)
    }

    /// Waits until a broker has taken a change.
    fn settled(&mut self, kind: i8, resource: &str, key: &str, wanted: &str) -> String {
        let limit = std::time::Duration::from_secs(3);
        let found = self.within(limit, |t| {
            let found = t.config(kind, resource, key);
            found.starts_with(wanted).then_some(found)
        });
        found.unwrap_or_else(|| self.config(kind, resource, key))
    }
}

fn short(config: &DescribeConfigsResourceResult) -> String {
    let value = config.value.as_ref().map_or("null".to_owned(), |value| value.to_string());
    format!("{value} source {}", config.config_source)
}

fn long(config: &DescribeConfigsResourceResult) -> String {
    let synonyms: Vec<String> = config
        .synonyms
        .iter()
        .map(|s| format!("{}={} {}", &*s.name, s.value.as_ref().map_or("null", |v| v), s.source))
        .collect();
    format!(
        "{} type {} read only {} sensitive {} [{}]",
        short(config),
        config.config_type,
        config.read_only,
        config.is_sensitive,
        synonyms.join(", ")
    )
}

pub(crate) fn configs_of_a_topic(t: &mut T<'_>) {
    let topic = t.topic_with("t", 1, &[("retention.ms", "123456"), ("cleanup.policy", "compact")]);
    let all = t.describe(TOPIC, &topic, None);
    let mut names: Vec<String> = all.configs.iter().map(|config| config.name.to_string()).collect();
    names.sort();
    t.note("keys", names.join(" "));
    for key in [
        "cleanup.policy",
        "compression.type",
        "delete.retention.ms",
        "max.message.bytes",
        "message.timestamp.after.max.ms",
        "message.timestamp.before.max.ms",
        "message.timestamp.type",
        "min.insync.replicas",
        "retention.bytes",
        "retention.ms",
        "segment.bytes",
        "segment.ms",
        "unclean.leader.election.enable",
    ] {
        let config = all.configs.iter().find(|config| *config.name == *key);
        t.note(key, config.map_or("nothing".to_owned(), long));
    }
    let some = t.describe(TOPIC, &topic, Some(&["retention.ms", "no.such.key"]));
    let line: Vec<String> = some.configs.iter().map(|c| format!("{}={}", &*c.name, short(c))).collect();
    t.note("two keys, one unknown", line.join(", "));
    let none = t.describe(TOPIC, &topic, Some(&[]));
    t.note("an empty list of keys, answers", none.configs.len() == all.configs.len());
    let unknown = t.unique("unknown");
    let unknown = t.describe(TOPIC, &unknown, None);
    t.expect("unknown topic", code(unknown.error_code), "3 UnknownTopicOrPartition");
    let bad = t.describe(TOPIC, "a b", None);
    t.note("impossible name", code(bad.error_code));
    let kind = t.describe(77, "x", None);
    t.note("unknown kind", code(kind.error_code));
}

pub(crate) fn configs_of_a_broker(t: &mut T<'_>) {
    for key in [
        "auto.create.topics.enable",
        "broker.id",
        "log.cleanup.policy",
        "log.retention.hours",
        "log.retention.ms",
        "log.segment.bytes",
        "message.max.bytes",
        "num.partitions",
        "default.replication.factor",
        "log.message.timestamp.after.max.ms",
        "transaction.max.timeout.ms",
    ] {
        let found = t.describe(BROKER, "1", Some(&[key]));
        let line = found.configs.first().map_or_else(|| code(found.error_code), short);
        t.note(key, line);
    }
    let other = t.describe(BROKER, "9", None);
    t.note("another broker", code(other.error_code));
    let word = t.describe(BROKER, "one", None);
    t.note("not a number", code(word.error_code));
    let whole = t.describe(BROKER, "", None);
    t.note("the cluster's default", code(whole.error_code));
}

pub(crate) fn configs_altered(t: &mut T<'_>) {
    let topic = t.topic_with("t", 1, &[("retention.ms", "1000"), ("segment.ms", "5000")]);
    let answer = t.alter(TOPIC, &topic, &[("retention.ms", Some("2000"))], false);
    t.expect("set", answer, "0");
    let found = t.settled(TOPIC, &topic, "retention.ms", "2000");
    t.expect("what was set", found, "2000 source 1");
    let found = t.config(TOPIC, &topic, "segment.ms");
    t.expect("what was not named goes back to its default", found, "604800000 source 5");
    let answer = t.alter(TOPIC, &topic, &[("retention.ms", Some("3000"))], true);
    t.expect("validate only", answer, "0");
    let found = t.config(TOPIC, &topic, "retention.ms");
    t.expect("validate only, afterwards", found, "2000 source 1");
    let answer = t.alter(TOPIC, &topic, &[("retention.ms", Some("x"))], false);
    t.expect("not a number", answer, "40 InvalidConfig");
    let answer = t.alter(TOPIC, &topic, &[("no.such.key", Some("x"))], false);
    t.expect("unknown key", answer, "40 InvalidConfig");
    let answer = t.alter(TOPIC, &topic, &[("retention.ms", None)], false);
    t.note("null", answer);
    let unknown = t.unique("unknown");
    let answer = t.alter(TOPIC, &unknown, &[("retention.ms", Some("1"))], false);
    t.expect("unknown topic", answer, "3 UnknownTopicOrPartition");
    let answer = t.alter(TOPIC, &topic, &[], false);
    t.expect("nothing named", answer, "0");
    let found = t.settled(TOPIC, &topic, "retention.ms", "604800000");
    t.note("nothing named, afterwards", found);
}

pub(crate) fn configs_changed_one_by_one(t: &mut T<'_>) {
    let topic = t.topic_with("t", 1, &[("retention.ms", "1000"), ("segment.ms", "5000")]);
    let answer = t.change(TOPIC, &topic, &[(SET, "retention.ms", Some("2000"))], false);
    t.expect("set", answer, "0");
    let found = t.settled(TOPIC, &topic, "retention.ms", "2000");
    t.expect("what was set", found, "2000 source 1");
    let found = t.config(TOPIC, &topic, "segment.ms");
    t.expect("what was not named stays", found, "5000 source 1");
    let answer = t.change(TOPIC, &topic, &[(DELETE, "retention.ms", None)], false);
    t.expect("delete", answer, "0");
    let found = t.settled(TOPIC, &topic, "retention.ms", "604800000");
    t.note("deleted", found);
    let answer = t.change(TOPIC, &topic, &[(DELETE, "retention.ms", None)], false);
    t.note("delete what is not set", answer);
    let answer = t.change(TOPIC, &topic, &[(APPEND, "cleanup.policy", Some("compact"))], false);
    t.expect("append", answer, "0");
    let found = t.settled(TOPIC, &topic, "cleanup.policy", "delete,compact");
    t.note("appended", found);
    let answer = t.change(TOPIC, &topic, &[(SUBTRACT, "cleanup.policy", Some("delete"))], false);
    t.expect("subtract", answer, "0");
    let found = t.settled(TOPIC, &topic, "cleanup.policy", "compact");
    t.note("subtracted", found);
    for (label, changes) in [
        ("append to a number", vec![(APPEND, "retention.ms", Some("1"))]),
        ("a value out of range", vec![(SET, "max.message.bytes", Some("-1"))]),
        ("not in the list", vec![(SET, "cleanup.policy", Some("shred"))]),
        ("unknown key", vec![(SET, "no.such.key", Some("1"))]),
        ("set to null", vec![(SET, "retention.ms", None)]),
        ("the same key twice", vec![(SET, "retention.ms", Some("1")), (SET, "retention.ms", Some("2"))]),
        ("unknown operation", vec![(9, "retention.ms", Some("1"))]),
    ] {
        let answer = t.change(TOPIC, &topic, &changes, false);
        t.note(label, answer);
    }
    let answer = t.change(TOPIC, &topic, &[(SET, "retention.ms", Some("9"))], true);
    t.expect("validate only", answer, "0");
    let unknown = t.unique("unknown");
    let answer = t.change(TOPIC, &unknown, &[(SET, "retention.ms", Some("9"))], false);
    t.expect("unknown topic", answer, "3 UnknownTopicOrPartition");
    let answer = t.change(BROKER, "9", &[(SET, "log.cleaner.threads", Some("2"))], false);
    t.note("another broker", answer);
    let answer = t.change(BROKER, "1", &[(SET, "broker.id", Some("2"))], false);
    t.note("a broker's fixed setting", answer);
}

pub(crate) fn configs_take_effect(t: &mut T<'_>) {
    let topic = t.topic("t");
    let batch = crate::support::Batch::of(t.base, &[&"x".repeat(500)]);
    let answer = t.change(TOPIC, &topic, &[(SET, "max.message.bytes", Some("300"))], false);
    t.expect("a smaller limit", answer, "0");
    t.until("the smaller limit", |t| (t.produce(&topic, &batch).0.error_code == 10).then_some(()));
    let answer = t.change(TOPIC, &topic, &[(DELETE, "max.message.bytes", None)], false);
    t.expect("no limit of its own", answer, "0");
    t.until("the usual limit", |t| (t.produce(&topic, &batch).0.error_code == 0).then_some(()));
    let answer = t.change(TOPIC, &topic, &[(SET, "message.timestamp.type", Some("LogAppendTime"))], false);
    t.expect("LogAppendTime", answer, "0");
    t.until("times of appending", |t| (t.produce(&topic, &batch).0.log_append_time_ms > 0).then_some(()));
}
