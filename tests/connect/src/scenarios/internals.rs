//! What a distributed worker leaves in its topics for configurations, offsets and statuses: keys and values, byte for byte.

use std::collections::BTreeMap;

use serde_json::json;

use super::{DISTRIBUTED, List, idle};
use crate::text;
use crate::transcript::{T, merged};

pub(super) fn list(list: &mut List) {
    list.add(DISTRIBUTED, "topics_of_the_worker", |t| {
        // Started, it has created them.
        t.worker();
        for topic in ["distributed-configs", "distributed-offsets", "distributed-statuss"] {
            let configs = t.lab.kafka.configs(topic);
            let partitions = t.lab.kafka.partitions(topic);
            t.note(topic, format!("{partitions:?} partitions, {configs:?}"));
        }
        note_keys(t, "distributed-configs", "session-key");
    });
    list.add(DISTRIBUTED, "records_of_a_life", |t| {
        let name = t.name("life");
        let config = json!({"name": name, "config": idle(t)});
        t.post("/connectors", config.to_string());
        t.await_state(&name, "RUNNING", &["RUNNING"]);
        for (deed, connector, tasks) in [
            ("pause", "PAUSED", &["PAUSED"] as &[&str]),
            ("resume", "RUNNING", &["RUNNING"]),
            ("stop", "STOPPED", &[]),
            ("resume", "RUNNING", &["RUNNING"]),
        ] {
            t.bare("PUT", format!("/connectors/{name}/{deed}"));
            t.await_state(&name, connector, tasks);
        }
        t.patch(format!("/connectors/{name}/config"), r#"{"batch.size":"9","odd \"key\"":"ünï / \\ 😀"}"#);
        t.get_until(format!("/connectors/{name}/tasks"), |answer| answer.body.contains("odd"));
        t.delete(format!("/connectors/{name}"));
        t.until(|t| (t.states(&name) == "404").then_some(()));
        note_records(t, "distributed-configs", &name);
        note_last(t, &name);
    });
    list.add(DISTRIBUTED, "records_of_an_initial_state", |t| {
        for state in ["PAUSED", "STOPPED", "RUNNING"] {
            let name = t.name(&format!("born-{state}"));
            t.post(
                "/connectors",
                json!({"name": name, "config": idle(t), "initial_state": state}).to_string(),
            );
            t.await_state(&name, state, if state == "RUNNING" { &["RUNNING"] } else { &[] });
            note_records(t, "distributed-configs", &name);
            t.remove(&name);
        }
    });
    list.add(DISTRIBUTED, "records_of_a_restart", |t| {
        let name = t.name("again");
        let config = idle(t);
        t.configure(&name, &config);
        t.await_state(&name, "RUNNING", &["RUNNING"]);
        for query in ["?includeTasks=true", "?includeTasks=true&onlyFailed=true", "?onlyFailed=true"] {
            t.bare("POST", format!("/connectors/{name}/restart{query}"));
            t.await_state(&name, "RUNNING", &["RUNNING"]);
        }
        note_records(t, "distributed-configs", &name);
        t.remove(&name);
    });
    list.add(DISTRIBUTED, "records_of_loggers", |t| {
        let logger = t.name("logger");
        t.put(format!("/admin/loggers/{logger}?scope=cluster"), r#"{"level":"Debug"}"#);
        t.get_until(format!("/admin/loggers/{logger}"), |answer| answer.status == 200);
        note_records(t, "distributed-configs", &logger);
    });
    list.add(DISTRIBUTED, "records_of_offsets", |t| {
        let string = "org.apache.kafka.connect.storage.StringConverter";
        let (name, topic) = t.source("one\ntwo\n", json!({"key.converter": string, "value.converter": string}));
        let path = format!("/connectors/{name}/offsets");
        t.get_until(&path, |answer| answer.body.contains("\"position\":8"));
        t.bare("PUT", format!("/connectors/{name}/stop"));
        t.await_state(&name, "STOPPED", &[]);
        let body = json!({"offsets": [
            {"partition": {"filename": "ünï \"x\"/y"}, "offset": {"position": 3, "text": "t", "none": null, "yes": true, "real": 1.50}},
            {"partition": {"filename": "f", "z": 1, "a": "x", "m": null}, "offset": {"position": 4}},
        ]});
        t.patch(&path, body.to_string());
        t.delete(&path);
        note_records(t, "distributed-offsets", &name);
        t.note("records", t.lab.kafka.end(&topic));
        t.remove(&name);
    });
    list.add(DISTRIBUTED, "records_of_statuses", |t| {
        let name = t.name("failing");
        let file = t.file("in.txt", "one\n");
        let more =
            json!({"file": file, "value.converter": "org.apache.kafka.connect.converters.LongConverter"});
        let config = merged(idle(t), more);
        t.configure(&name, &config);
        t.await_state(&name, "RUNNING", &["FAILED"]);
        note_last(t, &name);
        t.remove(&name);
    });
}

/// Notes each record whose key has `part` in it, and for configurations also in which order they came.
pub(super) fn note_records(t: &mut T<'_>, topic: &str, part: &str) {
    let mut order = Vec::new();
    for record in t.lab.kafka.read(topic, 0, crate::transcript::PATIENCE) {
        let key = text::bytes(record.key.as_deref());
        if key.contains(part) {
            order.push(key.replace(part, "…"));
            t.note(format!("{topic} {key}"), text::bytes(record.value.as_deref()));
        }
    }
    if topic.ends_with("configs") {
        t.note(format!("{topic} order for {part}"), order.join(", "));
    }
}

/// How many records have `part` in their keys.
pub(super) fn count(t: &T<'_>, topic: &str, part: &str) -> usize {
    let records = t.lab.kafka.read(topic, 0, crate::transcript::PATIENCE);
    records.iter().filter(|record| text::bytes(record.key.as_deref()).contains(part)).count()
}

/// Notes the keys and how their values begin, for values that are secret.
fn note_keys(t: &mut T<'_>, topic: &str, part: &str) {
    for record in t.lab.kafka.read(topic, 0, crate::transcript::PATIENCE) {
        let key = text::bytes(record.key.as_deref());
        if key.contains(part) {
            let value: serde_json::Value =
                serde_json::from_slice(&record.value.unwrap_or_default()).unwrap_or_default();
            let fields: Vec<&String> =
                value.as_object().into_iter().flat_map(|fields| fields.keys()).collect();
            t.note(format!("{topic} {key}"), format!("{fields:?} {}", value["algorithm"]));
        }
    }
}

/// Notes the last status of each key and its partition; how many there were before depends on rebalances.
fn note_last(t: &mut T<'_>, name: &str) {
    let mut last = BTreeMap::new();
    for record in t.lab.kafka.read("distributed-statuss", 0, crate::transcript::PATIENCE) {
        let key = text::bytes(record.key.as_deref());
        if key.contains(name) {
            last.insert(key, (record.partition, text::bytes(record.value.as_deref())));
        }
    }
    for (key, (partition, value)) in last {
        let value = without_generation(&value);
        t.note(format!("{key} in partition {partition}"), value);
    }
}

/// Generations count the rebalances of all scenarios.
fn without_generation(value: &str) -> String {
    const FIELD: &str = "\"generation\":";
    let Some((before, after)) = value.split_once(FIELD) else { return value.to_owned() };
    format!("{before}{FIELD}<generation>{}", after.trim_start_matches(|letter: char| letter.is_ascii_digit()))
}
