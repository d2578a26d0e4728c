//! Settings of the worker that forbid or add something: CORS, headers, admin listeners, tracking of topics, override
//! policies, exactly-once sources, other default converters.

use serde_json::{Value, json};

use super::{GUARDED, List, OTHER, flow, idle, start_idle, validate};
use crate::http::Request;
use crate::kafka::Record;
use crate::transcript::{T, merged};

pub(super) fn list(list: &mut List) {
    list.add(GUARDED, "cross_origin", |t| {
        origins(
            t,
            &[
                "http://a.example",
                "http://x.b.example",
                "http://b.example",
                "http://other.example",
                "null",
                "*",
            ],
        );
    });
    list.add(OTHER, "cross_origin", |t| {
        origins(t, &["http://a.example", "null", "http://a.example http://b.example"])
    });
    list.add(GUARDED, "response_headers", |t| {
        for path in ["/", "/connectors", "/connectors/none", "/nothing"] {
            t.get(path);
        }
    });
    list.add(GUARDED, "admin_listeners", |t| {
        let admin = t.worker().admin.clone().unwrap();
        for address in [t.worker().address.clone(), admin] {
            t.note("ask", &address);
            for path in ["/admin/loggers/root", "/", "/connectors", "/health"] {
                t.send_to(&address, Request::new("GET", path));
            }
            t.send_to(&address, Request::new("PUT", "/admin/loggers/x.y").json(r#"{"level":"INFO"}"#));
        }
    });
    list.add(OTHER, "admin_listeners_off", |t| {
        t.get("/admin/loggers");
        t.put("/admin/loggers/x.y", r#"{"level":"INFO"}"#);
    });
    list.add(GUARDED, "topics_not_tracked", tracking);
    list.add(OTHER, "topics_not_reset", tracking);
    list.add(GUARDED, "override_policy_none", overrides);
    list.add(OTHER, "override_policy_principal", overrides);
    list.add(GUARDED, "topic_creation_off", |t| {
        let more = json!({"topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1"});
        let name = t.name("created");
        t.put(format!("/connectors/{name}/config"), merged(idle(t), more).to_string());
        t.remove(&name);
    });
    for on in [GUARDED, OTHER] {
        list.add(on, "worker_converters_of_a_source", |t| {
            flow::source(t, &json!({}), "one\n\ntwo\n", 3, &[])
        });
        list.add(on, "worker_converters_of_a_sink", |t| {
            let records = [
                Record::value("{\"a\":1}").key("{").header("h", Some(b"[1")),
                Record::value("no json").header("h", Some(b"\xff")),
                Record::null(),
            ];
            let names = ["a document", "a text", "null"].map(str::to_owned);
            flow::sink(t, &json!({}), &records, &names);
        });
    }
    list.add(GUARDED, "exactly_once_validated", |t| {
        for more in [
            json!({"exactly.once.support": "required"}),
            json!({"exactly.once.support": "required", "file": null}),
            json!({"exactly.once.support": "required", "transaction.boundary": "connector"}),
            json!({"transaction.boundary": "connector"}),
            json!({"exactly.once.support": "requested"}),
        ] {
            let base = json!({"connector.class": "FileStreamSource", "name": "n", "topic": "t", "file": "f"});
            validate::check(t, "FileStreamSource", &merged(base, more));
        }
    });
    list.add(GUARDED, "exactly_once_data", exactly_once);
    list.add(GUARDED, "offsets_in_a_topic_of_its_own", |t| {
        let offsets = t.name("own-offsets");
        let (name, topic) = t.source("one\ntwo\n", json!({"offsets.storage.topic": offsets}));
        flow::await_source(t, &name, &topic, 2);
        let path = format!("/connectors/{name}/offsets");
        t.get_until(&path, |answer| answer.body.contains("\"position\":8"));
        t.bare("PUT", format!("/connectors/{name}/stop"));
        t.await_state(&name, "STOPPED", &[]);
        let file = t.path("source.txt").display().to_string();
        let body = json!({"offsets": [{"partition": {"filename": file}, "offset": {"position": 4}}]});
        t.patch(&path, body.to_string());
        t.get_until(&path, |answer| answer.body.contains("\"position\":4"));
        // No reset: Java's worker does not end one of a topic of its own while sources are exactly-once.
        for topic in [offsets.as_str(), "guarded-offsets"] {
            super::internals::note_records(t, topic, &name);
        }
        let configs = t.lab.kafka.configs(&offsets);
        t.note("its topic", format!("{:?} partitions, {configs:?}", t.lab.kafka.partitions(&offsets)));
        t.remove(&name);
    });
}

fn origins(t: &mut T<'_>, origins: &[&str]) {
    for origin in origins {
        t.send(Request::new("GET", "/connectors/none").header("Origin", origin));
        let ask = Request::new("OPTIONS", "/connectors").header("Origin", origin);
        t.send(ask.clone());
        for method in ["PUT", "DELETE", "POST"] {
            let ask = ask.clone().header("Access-Control-Request-Method", method);
            t.send(ask.clone());
            t.send(ask.header("Access-Control-Request-Headers", "Content-Type"));
        }
    }
}

fn tracking(t: &mut T<'_>) {
    let name = start_idle(t, json!({}));
    t.get(format!("/connectors/{name}/topics"));
    t.bare("PUT", format!("/connectors/{name}/topics/reset"));
    t.get("/connectors/none/topics");
    t.bare("PUT", "/connectors/none/topics/reset");
    t.remove(&name);
}

fn overrides(t: &mut T<'_>) {
    let settings = [
        ("producer.override.acks", "1"),
        ("producer.override.sasl.jaas.config", "x"),
        ("producer.override.security.protocol", "PLAINTEXT"),
        ("producer.override.sasl.mechanism", "PLAIN"),
        ("producer.override.client.id", "c"),
        ("admin.override.retries", "2"),
        ("consumer.override.group.id", "g"),
    ];
    for (key, value) in settings {
        let name = t.name("overriding");
        let config = merged(idle(t), json!({key: value, "name": name}));
        validate::check(t, "FileStreamSource", &config);
        if key.ends_with("acks") {
            t.put(format!("/connectors/{name}/config"), config.to_string());
            t.remove(&name);
        }
        let sink = json!({"connector.class": "FileStreamSink", "topics": "t", "name": name, key: value});
        validate::check(t, "FileStreamSink", &sink);
    }
    let name = t.name("dead");
    let more: Value = json!({
        "connector.class": "FileStreamSink", "topics": "t", "name": name, "errors.deadletterqueue.topic.name": "d",
        "producer.override.acks": "1", "admin.override.retries": "1", "consumer.override.max.poll.records": "5",
    });
    validate::check(t, "FileStreamSink", &more);
}

/// Records, positions and the fencing of earlier tasks, with transactions.
fn exactly_once(t: &mut T<'_>) {
    let (name, topic) = t.source("one\ntwo\n", json!({"exactly.once.support": "required"}));
    flow::await_source(t, &name, &topic, 2);
    let path = format!("/connectors/{name}/offsets");
    t.get_until(&path, |answer| answer.body.contains("\"position\":8"));
    t.bare("PUT", format!("/connectors/{name}/stop"));
    t.await_state(&name, "STOPPED", &[]);
    let file = t.path("source.txt").display().to_string();
    let body = json!({"offsets": [{"partition": {"filename": file}, "offset": {"position": 4}}]});
    t.patch(&path, body.to_string());
    t.get_until(&path, |answer| answer.body.contains("\"position\":4"));
    t.bare("PUT", format!("/connectors/{name}/resume"));
    t.await_state(&name, "RUNNING", &["RUNNING"]);
    t.records(&topic, 3);
    t.patch(
        format!("/connectors/{name}/config"),
        r#"{"transaction.boundary":"interval","transaction.boundary.interval.ms":"100"}"#,
    );
    // The new task runs when its round of fencing is written.
    let fencing = format!("tasks-fencing-{name}");
    t.until(|t| (super::internals::count(t, "guarded-configs", &fencing) == 4).then_some(()));
    t.await_state(&name, "RUNNING", &["RUNNING"]);
    let mut more = std::fs::File::options().append(true).open(&file).unwrap();
    std::io::Write::write_all(&mut more, b"three\n").unwrap();
    t.get_until(&path, |answer| answer.body.contains("\"position\":14"));
    t.remove(&name);
    super::internals::note_records(t, "guarded-configs", &name);
}
