//! Settings of `topic.creation.*` that cannot be used: when they are refused, and what fails.

use serde_json::{Value, json};

use super::{DISTRIBUTED, List, STANDALONE};
use crate::http::Request;
use crate::transcript::{T, merged};

/// Prefix of all settings below.
const PREFIX: &str = "topic.creation.";

pub(super) fn list(list: &mut List) {
    for (name, settings) in cases() {
        list.add(STANDALONE, name, move |t| refused(t, &settings));
    }
    for (name, settings) in cases().into_iter().filter(|(name, _)| name.ends_with("_zero")) {
        list.add(DISTRIBUTED, name, move |t| refused(t, &settings));
    }
}

fn cases() -> Vec<(&'static str, Value)> {
    let with =
        |more: Value| merged(json!({"default.partitions": "1", "default.replication.factor": "1"}), more);
    let of_group = |more: Value| merged(with(json!({"groups": "a"})), more);
    vec![
        ("replication_zero", with(json!({"default.replication.factor": "0"}))),
        ("replication_below", with(json!({"default.replication.factor": "-2"}))),
        ("replication_no_number", with(json!({"default.replication.factor": "many"}))),
        ("replication_above_range", with(json!({"default.replication.factor": "32768"}))),
        ("replication_missing", json!({"default.partitions": "1"})),
        ("partitions_zero", with(json!({"default.partitions": "0"}))),
        ("partitions_missing", json!({"default.replication.factor": "1"})),
        ("partitions_empty", with(json!({"default.partitions": ""}))),
        ("only_a_setting", json!({"default.retention.ms": "5"})),
        ("groups_without_default", json!({"groups": "a", "a.include": ".*"})),
        ("group_without_settings", of_group(json!({}))),
        ("group_without_include", of_group(json!({"a.partitions": "2"}))),
        ("group_with_empty_include", of_group(json!({"a.include": ""}))),
        ("group_of_settings_only", with(json!({"b.include": "(", "b.partitions": "0"}))),
        ("group_partitions", of_group(json!({"a.include": ".*", "a.partitions": "0"}))),
        ("group_replication", of_group(json!({"a.include": ".*", "a.replication.factor": "x"}))),
        ("group_include", of_group(json!({"a.include": "(", "a.exclude": "["}))),
        ("group_exclude", of_group(json!({"a.include": ".*", "a.exclude": "x,*"}))),
        ("group_twice", with(json!({"groups": "a,b,a", "a.include": "x", "b.include": "x"}))),
        ("group_called_default", with(json!({"groups": "default"}))),
        ("groups_empty", with(json!({"groups": ""}))),
        ("groups_of_nothing", with(json!({"groups": "a,,"}))),
        ("default_include", with(json!({"default.include": "("}))),
        ("default_include_of_others", with(json!({"default.include": "nothing"}))),
        ("topic_setting_no_number", with(json!({"default.retention.ms": "long"}))),
        ("topic_setting_unknown", with(json!({"default.no.such.setting": "1"}))),
        ("replication_above_brokers", with(json!({"default.replication.factor": "3"}))),
    ]
}

/// Creates a source that has a line to send, and notes what its configuration and its states say.
fn refused(t: &mut T<'_>, settings: &Value) {
    let settings = settings.as_object().cloned().unwrap_or_default();
    let settings: Value =
        settings.into_iter().map(|(key, value)| (format!("{PREFIX}{key}"), value)).collect();
    let (name, topic) = (t.name("source"), t.name("lines"));
    let file = t.file("lines.txt", "one\n");
    let config =
        json!({"connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": topic});
    let answer = t.put(format!("/connectors/{name}/config"), merged(config, settings).to_string());
    if answer.status == 201 {
        let status = format!("/connectors/{name}/status");
        let settled = |t: &T<'_>| {
            let body = t.quietly(&Request::new("GET", &*status)).body;
            let over = body.contains("FAILED") || t.lab.kafka.partitions(&topic).is_some();
            (over && !body.contains("UNASSIGNED")).then_some(())
        };
        t.until(settled);
        t.get(status);
        let partitions = t.lab.kafka.partitions(&topic);
        t.note("partitions", format!("{partitions:?}"));
        t.remove(&name);
    }
}
