//! What validation says of settings: the number of errors, and every setting that has one.

use serde_json::{Value, json};

use super::{BOTH, DISTRIBUTED, List};
use crate::http::Request;
use crate::transcript::{T, merged};

pub(super) fn list(list: &mut List) {
    list.add(BOTH, "whole_answer", |t| {
        for class in ["FileStreamSource", "FileStreamSink"] {
            let config = json!({"connector.class": class, "name": "n", "topic": "t", "topics": "t"});
            let request = Request::new("PUT", format!("/connector-plugins/{class}/config/validate"));
            let answer = t.quietly(&request.json(config.to_string()));
            let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            t.note(
                format!("{class} head"),
                format!("{} {} {}", body["name"], body["error_count"], body["groups"]),
            );
            for config in body["configs"].as_array().into_iter().flatten() {
                t.note(format!("{class} {}", config["value"]["name"]), config);
            }
        }
    });
    list.add(BOTH, "paths", |t| {
        let body = json!({"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector"});
        for name in [
            "FileStreamSource",
            "FileStreamSourceConnector",
            "org.apache.kafka.connect.file.FileStreamSourceConnector",
            "SourceConnector",
            "Connector",
            "FileStreamSink",
            "com.example.Nobody",
            "JsonConverter",
        ] {
            check(t, name, &body);
        }
        for class in ["FileStreamSource", "com.example.Nobody", ""] {
            check(t, "FileStreamSource", &json!({"connector.class": class}));
            check(t, "com.example.Nobody", &json!({"connector.class": class}));
        }
        check(t, "FileStreamSource", &json!({"topic": "t"}));
    });
    list.add(BOTH, "nulls", |t| {
        for (class, keys) in [
            (
                "FileStreamSource",
                &["name", "topic", "file", "batch.size", "tasks.max", "errors.tolerance"][..],
            ),
            (
                "FileStreamSource",
                &["key.converter", "transforms", "topic.creation.groups", "nobody", "errors.log.enable"],
            ),
            (
                "FileStreamSource",
                &["header.converter", "predicates", "config.action.reload", "tasks.max.enforce"],
            ),
            ("FileStreamSink", &["topics", "file", "errors.deadletterqueue.topic.replication.factor"]),
        ] {
            for key in keys {
                check_null(t, class, key);
            }
        }
    });
    list.add(BOTH, "transaction_interval", |t| {
        for interval in ["-1", "0", "1", "", "x"] {
            let config = json!({"connector.class": "FileStreamSource", "name": "n", "topic": "t", "transaction.boundary.interval.ms": interval});
            check(t, "FileStreamSource", &config);
        }
    });
    list.add(DISTRIBUTED, "overrides_described", |t| {
        let config = json!({
            "connector.class": "FileStreamSource", "name": "n", "topic": "t", "topic.creation.default.partitions": "1",
            "producer.override.linger.ms": " 5 ", "producer.override.acks": "1", "producer.override.own": "x",
            "producer.override.ssl.key.password": "x", "producer.override.interceptor.classes": "",
            "admin.override.client.id": "a", "admin.override.retries": "7",
        });
        let request = Request::new("PUT", "/connector-plugins/FileStreamSource/config/validate");
        let answer = t.quietly(&request.json(config.to_string()));
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        t.note("errors", format!("{} {}", answer.status, body["error_count"]));
        for config in body["configs"].as_array().into_iter().flatten() {
            let name = config["value"]["name"].as_str().unwrap_or_default();
            if name.contains(".override.") {
                t.note(name, config);
            }
        }
    });
    list.add(BOTH, "variables", |t| {
        for topic in ["${env:CONNECT_TEST_TOPIC}", "${env:HIDDEN_TEST}", "${unknown:x}", "${file:/nowhere/at/all:x}"] {
            let config = json!({"connector.class": "FileStreamSource", "name": "n", "topic": topic, "batch.size": topic});
            check(t, "FileStreamSource", &config);
        }
    });
    for (name, class, variants) in rows() {
        list.add(DISTRIBUTED, &name, move |t| {
            for more in variants.as_array().into_iter().flatten() {
                let base = json!({"connector.class": class, "name": "n"});
                let topic =
                    if class == "FileStreamSource" { json!({"topic": "t"}) } else { json!({"topics": "t"}) };
                check(t, class, &merged(merged(base, topic), more.clone()));
            }
        });
    }
}

/// Name, connector, and what each request adds to a good configuration.
fn rows() -> Vec<(String, &'static str, Value)> {
    let (source, sink) = ("FileStreamSource", "FileStreamSink");
    let missing = "com.example.Nobody";
    let json_converter = "org.apache.kafka.connect.json.JsonConverter";
    let mut rows = vec![
        (
            "basics",
            source,
            json!([{}, {"name": null}, {"name": ""}, {"name": "a\u{1}b"}, {"topic": null}, {"topic": ""}]),
        ),
        (
            "tasks_max",
            source,
            json!([{"tasks.max": "0"}, {"tasks.max": "-1"}, {"tasks.max": "x"}, {"tasks.max": "2147483648"}, {"tasks.max": " 3 "}, {"tasks.max": null}, {"tasks.max": "1.5"}, {"tasks.max.enforce": "x"}]),
        ),
        (
            "batch_size",
            source,
            json!([{"batch.size": "0"}, {"batch.size": "x"}, {"batch.size": "5"}, {"unknown.setting": "x"}]),
        ),
        (
            "errors_settings",
            source,
            json!([{"errors.tolerance": "some"}, {"errors.tolerance": "ALL"}, {"errors.retry.timeout": "x"}, {"errors.retry.timeout": "-2"}, {"errors.retry.delay.max.ms": "-1"}, {"errors.log.enable": "perhaps"}, {"errors.log.include.messages": "1"}, {"config.action.reload": "later"}]),
        ),
        (
            "exactly_once",
            source,
            json!([{"exactly.once.support": "required"}, {"exactly.once.support": "REQUESTED"}, {"exactly.once.support": "perhaps"}, {"transaction.boundary": "connector"}, {"transaction.boundary": "never"}, {"transaction.boundary.interval.ms": "0"}, {"transaction.boundary": "interval", "transaction.boundary.interval.ms": "x"}, {"offsets.storage.topic": " "}]),
        ),
        (
            "topic_creation",
            source,
            json!([{"topic.creation.default.partitions": "1"}, {"topic.creation.default.partitions": "0", "topic.creation.default.replication.factor": "0"}, {"topic.creation.default.partitions": "-2", "topic.creation.default.replication.factor": "x"}, {"topic.creation.groups": "a,b"}, {"topic.creation.groups": "a,a", "topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1"}, {"topic.creation.groups": "a", "topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1", "topic.creation.a.include": "(", "topic.creation.a.partitions": "0"}, {"topic.creation.groups": "a", "topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1", "topic.creation.a.include": "x.*", "topic.creation.a.cleanup.policy": "compact"}, {"topic.creation.groups": "default", "topic.creation.default.partitions": "1", "topic.creation.default.replication.factor": "1"}]),
        ),
        (
            "sink_topics",
            sink,
            json!([{}, {"topics": null}, {"topics": "", "topics.regex": ""}, {"topics": "a", "topics.regex": "b"}, {"topics": null, "topics.regex": "a.*"}, {"topics": null, "topics.regex": "("}, {"topics": "a,,b"}, {"topics": "a,a"}, {"topics": " a , b "}]),
        ),
        (
            "sink_dead_letters",
            sink,
            json!([{"errors.deadletterqueue.topic.name": "t"}, {"topics": "a,b", "errors.deadletterqueue.topic.name": "b"}, {"topics": null, "topics.regex": "t.*", "errors.deadletterqueue.topic.name": "tt"}, {"errors.deadletterqueue.topic.name": "dead"}, {"errors.deadletterqueue.topic.replication.factor": "x"}, {"errors.deadletterqueue.context.headers.enable": "x"}]),
        ),
        (
            "sink_groups",
            sink,
            json!([{"consumer.override.group.id": "distributed-group"}, {"consumer.override.group.id": "fine"}, {"name": "distributed-group"}]),
        ),
        (
            "predicates",
            sink,
            json!([{"predicates": "p"}, {"predicates": "p", "predicates.p.type": missing}, {"predicates": "p", "predicates.p.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches"}, {"predicates": "p", "predicates.p.type": "TopicNameMatches", "predicates.p.pattern": "("}, {"predicates": "p", "predicates.p.type": "RecordIsTombstone"}, {"predicates": "p,p", "predicates.p.type": "RecordIsTombstone"}, {"predicates": "p", "predicates.p.type": json_converter}]),
        ),
        (
            "predicates_of_transforms",
            sink,
            json!([{"transforms": "a", "transforms.a.type": "org.apache.kafka.connect.transforms.Filter", "transforms.a.predicate": "p"}, {"transforms": "a", "transforms.a.type": "org.apache.kafka.connect.transforms.Filter", "transforms.a.negate": "true"}, {"transforms": "a", "transforms.a.type": "org.apache.kafka.connect.transforms.Filter", "transforms.a.predicate": "p", "transforms.a.negate": "x", "predicates": "p", "predicates.p.type": "RecordIsTombstone"}, {"transforms": "a", "transforms.a.type": "Filter", "transforms.a.predicate": "p", "predicates": "p", "predicates.p.type": "RecordIsTombstone"}]),
        ),
        (
            "transforms",
            source,
            json!([{"transforms": "a"}, {"transforms": "a,b,a"}, {"transforms": "a", "transforms.a.type": ""}, {"transforms": "a", "transforms.a.type": missing}, {"transforms": "a", "transforms.a.type": json_converter}, {"transforms": "a", "transforms.a.type": "org.apache.kafka.connect.transforms.HoistField$Value"}, {"transforms": "a", "transforms.a.type": "org.apache.kafka.connect.transforms.HoistField$Value", "transforms.a.field": "f"}, {"transforms": "a", "transforms.a.type": "org.apache.kafka.connect.transforms.HoistField", "transforms.a.field": "f"}, {"transforms": "a", "transforms.a.type": "HoistField$Value", "transforms.a.field": "f"}, {"transforms": " a , ", "transforms.a.type": "org.apache.kafka.connect.transforms.Filter"}]),
        ),
        (
            "override_policy_all",
            source,
            json!([{"producer.override.acks": "7"}, {"producer.override.bootstrap.servers": "x:1"}, {"producer.override.max.request.size": "x"}, {"consumer.override.max.poll.records": "5"}, {"admin.override.retries": "5"}]),
        ),
    ];
    rows.push(("transform_settings", source, transform_settings()));
    let mut all: Vec<(String, &'static str, Value)> =
        rows.into_iter().map(|(name, class, variants)| (name.to_owned(), class, variants)).collect();
    for kind in ["key", "value", "header"] {
        let key = format!("{kind}.converter");
        let variants = json!([
            {&key: ""}, {&key: missing}, {&key: "org.apache.kafka.connect.file.FileStreamSourceConnector"},
            {&key: "java.lang.String"}, {&key: "org.apache.kafka.connect.storage.Converter"},
            {&key: json_converter}, {&key: json_converter, format!("{key}.schemas.enable"): "perhaps"},
            {&key: json_converter, format!("{key}.schemas.cache.size"): "-1"},
            {&key: json_converter, format!("{key}.decimal.format"): "roman"},
            {&key: "JsonConverter"}, {&key: "Json"}, {&key: "Json", format!("{key}.schemas.enable"): "perhaps"},
            {&key: "org.apache.kafka.connect.storage.StringConverter", format!("{key}.converter.encoding"): "none-such"},
            {&key: "org.apache.kafka.connect.storage.SimpleHeaderConverter"},
        ]);
        all.push((format!("{kind}_converter"), source, variants));
    }
    all
}

/// A bad setting of each transform.
fn transform_settings() -> Value {
    let rows: [(&str, Value); 26] = [
        ("Cast$Value", json!({})),
        ("Cast$Value", json!({"spec": ""})),
        ("Cast$Value", json!({"spec": "a:nonsense"})),
        ("Cast$Value", json!({"spec": "int8,int16"})),
        ("Cast$Value", json!({"spec": "a:b:c"})),
        ("Cast$Value", json!({"spec": "a:int8", "replace.null.with.default": "x"})),
        ("DropHeaders", json!({})),
        ("ExtractField$Value", json!({})),
        ("ExtractField$Value", json!({"field": "a.`b", "field.syntax.version": "V2"})),
        ("ExtractField$Value", json!({"field": "a", "field.syntax.version": "V3"})),
        ("HeaderFrom$Value", json!({})),
        ("HeaderFrom$Value", json!({"fields": "a", "headers": "b", "operation": "swap"})),
        ("HeaderFrom$Value", json!({"fields": "a,b", "headers": "b", "operation": "move"})),
        ("InsertField$Value", json!({})),
        ("InsertField$Value", json!({"static.field": "a"})),
        ("InsertHeader", json!({"header": "h"})),
        ("MaskField$Value", json!({"fields": ""})),
        ("RegexRouter", json!({"regex": "(", "replacement": "x"})),
        ("ReplaceField$Value", json!({"renames": "a"})),
        ("ReplaceField$Value", json!({"whitelist": "a", "blacklist": "b"})),
        ("SetSchemaMetadata$Value", json!({"schema.version": "x"})),
        ("TimestampConverter$Value", json!({})),
        ("TimestampConverter$Value", json!({"target.type": "Calendar"})),
        (
            "TimestampConverter$Value",
            json!({"target.type": "string", "format": "bbb", "unix.precision": "hours"}),
        ),
        ("TimestampRouter", json!({"timestamp.format": "bbb"})),
        ("ValueToKey", json!({"fields": ""})),
    ];
    rows.into_iter()
        .map(|(class, more)| {
            let mut config = json!({"transforms": "a"});
            config["transforms.a.type"] = json!(format!("org.apache.kafka.connect.transforms.{class}"));
            for (key, value) in more.as_object().cloned().unwrap_or_default() {
                config[format!("transforms.a.{key}")] = value;
            }
            config
        })
        .collect()
}

/// Validates with a setting that is null; its value is noted, too.
fn check_null(t: &mut T<'_>, plugin: &str, key: &str) {
    let mut config = json!({"connector.class": plugin, "name": "n", "topic": "t", "topics": "t"});
    config[key] = Value::Null;
    check(t, plugin, &config);
    let request = Request::new("PUT", format!("/connector-plugins/{plugin}/config/validate"));
    let answer = t.quietly(&request.json(config.to_string()));
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let values = body["configs"].as_array().into_iter().flatten().map(|config| &config["value"]);
    let value = values.into_iter().find(|value| value["name"] == key).map(|value| value["value"].clone());
    t.note(format!("{plugin} {key}"), value.map_or("not there".to_owned(), |value| value.to_string()));
}

/// Validates and notes the number of errors and each setting that has some.
pub(super) fn check(t: &mut T<'_>, plugin: &str, config: &Value) {
    let request = Request::new("PUT", format!("/connector-plugins/{plugin}/config/validate"));
    let answer = t.quietly(&request.json(config.to_string()));
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let label = format!("{plugin} {config}");
    let Some(configs) = body["configs"].as_array() else {
        let text = answer.body.split("available connectors").next().unwrap_or_default();
        t.note(label, format!("{} {text}", answer.status));
        return;
    };
    let mut line = format!("{} {} {} errors", answer.status, body["name"], body["error_count"]);
    for value in configs.iter().map(|config| &config["value"]) {
        if value["errors"] != json!([]) {
            line += &format!(" | {}={} {}", value["name"], value["value"], value["errors"]);
        }
    }
    t.note(label, line);
}
