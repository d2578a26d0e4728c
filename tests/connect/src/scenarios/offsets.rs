//! Offsets of sources and sinks, read and changed; topics that a connector used.

use serde_json::{Value, json};

use super::{BOTH, List, flow, start_idle};
use crate::kafka::Record;
use crate::transcript::{T, merged};

const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";

pub(super) fn list(list: &mut List) {
    list.add(BOTH, "offsets_of_a_source", source);
    list.add(BOTH, "offsets_of_a_source_with_odd_values", odd_source);
    list.add(BOTH, "offsets_of_a_sink", sink);
    list.add(BOTH, "offsets_of_a_sink_with_odd_values", odd_sink);
    list.add(BOTH, "offsets_while_not_stopped", |t| {
        let name = start_idle(t, json!({}));
        let body =
            json!({"offsets": [{"partition": {"filename": "x"}, "offset": {"position": 1}}]}).to_string();
        t.patch(format!("/connectors/{name}/offsets"), body.clone());
        t.delete(format!("/connectors/{name}/offsets"));
        t.bare("PUT", format!("/connectors/{name}/pause"));
        t.await_state(&name, "PAUSED", &["PAUSED"]);
        t.patch(format!("/connectors/{name}/offsets"), body);
        t.delete(format!("/connectors/{name}/offsets"));
        t.remove(&name);
    });
    list.add(BOTH, "topics_used", topics);
}

fn stop(t: &mut T<'_>, name: &str) {
    t.bare("PUT", format!("/connectors/{name}/stop"));
    t.await_state(name, "STOPPED", &[]);
}

fn source(t: &mut T<'_>) {
    let (name, topic) =
        t.source("one\ntwo\nthree\n", json!({"key.converter": STRING, "value.converter": STRING}));
    let path = format!("/connectors/{name}/offsets");
    flow::await_source(t, &name, &topic, 3);
    t.get_until(&path, |answer| answer.body.contains("\"position\":14"));
    stop(t, &name);
    let file = t.path("source.txt").display().to_string();
    let set =
        |offset: Value| json!({"offsets": [{"partition": {"filename": file}, "offset": offset}]}).to_string();
    t.patch(&path, set(json!({"position": 4})));
    t.get_until(&path, |answer| answer.body.contains("\"position\":4"));
    t.bare("PUT", format!("/connectors/{name}/resume"));
    t.await_state(&name, "RUNNING", &["RUNNING"]);
    flow::await_source(t, &name, &topic, 5);
    t.get_until(&path, |answer| answer.body.contains("\"position\":14"));
    stop(t, &name);
    t.patch(&path, set(Value::Null));
    t.get_until(&path, |answer| !answer.body.contains("position"));
    t.patch(&path, set(json!({"position": 8})));
    t.get_until(&path, |answer| answer.body.contains("\"position\":8"));
    t.delete(&path);
    t.get_until(&path, |answer| !answer.body.contains("position"));
    t.delete(&path);
    t.remove(&name);
}

fn odd_source(t: &mut T<'_>) {
    let name = start_idle(t, json!({}));
    stop(t, &name);
    let path = format!("/connectors/{name}/offsets");
    for (partition, offset) in [
        (json!({"filename": "f"}), json!({"position": "3"})),
        (json!({"filename": "f"}), json!({"position": -1})),
        (json!({"filename": "f"}), json!({"position": 1.5})),
        (json!({"filename": "f"}), json!({"position": null})),
        (json!({"filename": "f"}), json!({"position": true})),
        (json!({"filename": "f"}), json!({"other": 1})),
        (json!({"filename": "f"}), json!({})),
        (json!({"filename": null}), json!({"position": 1})),
        (json!({"file": "f"}), json!({"position": 1})),
        (json!({}), json!({"position": 1})),
        (json!({"filename": "f", "more": 1}), json!({"position": 1, "extra": "x"})),
        (json!({"filename": 5}), json!({"position": 2})),
        (json!({"filename": ["f"]}), json!({"position": 3})),
        (json!({"filename": "g"}), json!({"position": 9999999999i64})),
        (json!({"filename": "never"}), Value::Null),
    ] {
        t.patch(&path, json!({"offsets": [{"partition": partition, "offset": offset}]}).to_string());
    }
    let answer = t.quietly(&crate::http::Request::new("GET", &path));
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let mut rows: Vec<String> =
        body["offsets"].as_array().into_iter().flatten().map(Value::to_string).collect();
    rows.sort();
    t.note("offsets, sorted", rows.join(", "));
    let twice = json!({"offsets": [
        {"partition": {"filename": "h"}, "offset": {"position": 1}}, {"partition": {"filename": "h"}, "offset": {"position": 2}},
    ]});
    t.patch(&path, twice.to_string());
    t.remove(&name);
}

/// A stopped sink that has read three records, and its topic.
fn stopped_sink(t: &mut T<'_>) -> (String, String) {
    let (topic, name) = (t.topic("in", 1), t.name("sink"));
    t.lab.kafka.write(&topic, &["one", "two", "three"].map(Record::value));
    let file = t.path("out.txt").display().to_string();
    let config = json!({"connector.class": "FileStreamSink", "file": file, "topics": topic, "key.converter": STRING, "value.converter": STRING});
    t.configure(&name, &merged(config, json!({})));
    flow::await_sink(t, &name, 3);
    t.get(format!("/connectors/{name}/offsets"));
    stop(t, &name);
    (name, topic)
}

fn sink(t: &mut T<'_>) {
    let (name, topic) = stopped_sink(t);
    let path = format!("/connectors/{name}/offsets");
    let set = |offset: Value| {
        json!({"offsets": [{"partition": {"kafka_topic": topic, "kafka_partition": 0}, "offset": offset}]})
            .to_string()
    };
    t.patch(&path, set(json!({"kafka_offset": 1})));
    t.get(&path);
    t.bare("PUT", format!("/connectors/{name}/resume"));
    flow::await_sink(t, &name, 3);
    t.lines_of("out.txt", 5);
    stop(t, &name);
    t.patch(&path, set(Value::Null));
    t.get(&path);
    t.patch(&path, set(json!({"kafka_offset": 2})));
    t.delete(&path);
    t.get(&path);
    t.delete(&path);
    t.bare("PUT", format!("/connectors/{name}/resume"));
    flow::await_sink(t, &name, 3);
    t.lines_of("out.txt", 8);
    t.remove(&name);
}

fn odd_sink(t: &mut T<'_>) {
    let (name, topic) = stopped_sink(t);
    let path = format!("/connectors/{name}/offsets");
    let partition = json!({"kafka_topic": topic, "kafka_partition": 0});
    for (partition, offset) in [
        (partition.clone(), json!({"kafka_offset": "2"})),
        (partition.clone(), json!({"kafka_offset": "x"})),
        (partition.clone(), json!({"kafka_offset": 1.5})),
        (partition.clone(), json!({"kafka_offset": null})),
        (partition.clone(), json!({"kafka_offset": -1})),
        (partition.clone(), json!({"kafka_offset": 100})),
        (partition.clone(), json!({"offset": 1})),
        (partition.clone(), json!({})),
        (partition, json!({"kafka_offset": 1, "more": 2})),
        (json!({"kafka_topic": topic, "kafka_partition": "0"}), json!({"kafka_offset": 0})),
        (json!({"kafka_topic": topic, "kafka_partition": "x"}), json!({"kafka_offset": 0})),
        (json!({"kafka_topic": topic, "kafka_partition": 7}), json!({"kafka_offset": 0})),
        (json!({"kafka_topic": topic, "kafka_partition": null}), json!({"kafka_offset": 0})),
        (json!({"kafka_topic": topic}), json!({"kafka_offset": 0})),
        (json!({"kafka_partition": 0}), json!({"kafka_offset": 0})),
        (json!({"kafka_topic": 5, "kafka_partition": 0}), json!({"kafka_offset": 0})),
        (json!({"kafka_topic": null, "kafka_partition": 0}), json!({"kafka_offset": 0})),
        (json!({"kafka_topic": topic, "kafka_partition": 0, "more": 1}), json!({"kafka_offset": 0})),
    ] {
        t.patch(&path, json!({"offsets": [{"partition": partition, "offset": offset}]}).to_string());
        t.get(&path);
    }
    t.patch(&path, r#"{"offsets":[{"partition":null,"offset":{"kafka_offset":0}}]}"#);
    t.patch(&path, r#"{"offsets":[{"offset":null}]}"#);
    t.remove(&name);
}

fn topics(t: &mut T<'_>) {
    let (name, topic) = t.source("one\n", json!({"key.converter": STRING, "value.converter": STRING}));
    let path = format!("/connectors/{name}/topics");
    t.get_until(&path, |answer| answer.body.contains(&topic));
    t.bare("PUT", format!("{path}/reset"));
    t.get_until(&path, |answer| !answer.body.contains(&topic));
    let mut file = std::fs::File::options().append(true).open(t.path("source.txt")).unwrap();
    std::io::Write::write_all(&mut file, b"two\n").unwrap();
    t.get_until(&path, |answer| answer.body.contains(&topic));
    t.get(format!("{path}/"));
    t.bare("GET", format!("{path}/reset"));
    t.remove(&name);
}
