//! From a file to a topic: lines, transforms, converters, headers, partitions, topics that are created.

use serde_json::{Value, json};

use super::{BOTH, DISTRIBUTED, List, STANDALONE, flow};
use crate::transcript::T;

const PACKAGE: &str = "org.apache.kafka.connect";
const LINES: &str = "one\ntwo\n\nthree and a bit\n";

pub(super) fn list(list: &mut List) {
    list.add(BOTH, "lines", |t| {
        let text = "plain\n\n tabs\tand spaces \nünïcode 日本 😀\ncarriage\r\nlone\rreturn\nno end";
        flow::source(t, &string(json!({})), text, 7, &[]);
    });
    list.add(STANDALONE, "lines_that_come_later", |t| {
        let (name, topic) = t.source("one\ntw", string(json!({})));
        flow::await_source(t, &name, &topic, 1);
        let mut file = std::fs::File::options().append(true).open(t.path("source.txt")).unwrap();
        std::io::Write::write_all(&mut file, b"o\nthree\n").unwrap();
        flow::await_source(t, &name, &topic, 3);
        t.get_until(format!("/connectors/{name}/offsets"), |answer| answer.body.contains("\"position\":14"));
        t.remove(&name);
    });
    list.add(DISTRIBUTED, "batch_size", |t| {
        // Java gives no more than a batch each time that the file has grown.
        let (name, topic) = t.source("a\nb\nc\nd\ne\n", string(json!({"batch.size": "2"})));
        let mut file = std::fs::File::options().append(true).open(t.path("source.txt")).unwrap();
        for (line, count) in [("f\n", 2), ("g\n", 4), ("h\n", 6)] {
            t.until(|t| (t.lab.kafka.end(&topic) >= count).then_some(()));
            std::io::Write::write_all(&mut file, line.as_bytes()).unwrap();
        }
        flow::await_source(t, &name, &topic, 8);
        t.remove(&name);
    });
    list.add(BOTH, "worker_converters", |t| flow::source(t, &json!({}), LINES, 4, &[]));
    for (name, more) in converters() {
        list.add(STANDALONE, &format!("converter_{name}"), move |t| {
            flow::source(t, &more, "text\n12\n\n3.5\n", 4, &[])
        });
    }
    for (name, chain, more) in chains() {
        list.add(STANDALONE, &format!("chain_{name}"), move |t| {
            let config = chained(&chain, &more);
            let text = "1577934245678\n42\nnot a number\n\n2020-01-02 03:04:05\ntrue\n";
            flow::source(t, &config, text, 6, &[]);
        });
    }
    for (name, literals) in literals() {
        list.add(STANDALONE, &format!("header_literals_{name}"), move |t| {
            let chain: Vec<(String, Value)> = literals
                .iter()
                .enumerate()
                .map(|(number, literal)| {
                    (
                        "InsertHeader".to_owned(),
                        json!({"header": format!("h{number}"), "value.literal": literal}),
                    )
                })
                .collect();
            let more = json!({"header.converter": format!("{PACKAGE}.json.JsonConverter")});
            flow::source(t, &chained(&chain, &more), "line\n", 1, &[]);
        });
    }
    list.add(STANDALONE, "header_converters", header_converters);
    list.add(BOTH, "routers", routers);
    list.add(DISTRIBUTED, "partitions_by_key", |t| {
        t.topic("lines", 6);
        let chain = [
            ("HoistField$Value".to_owned(), json!({"field": "line"})),
            ("ValueToKey".to_owned(), json!({"fields": "line"})),
        ];
        let text: String = (0..20).map(|number| format!("line {number}\n")).collect();
        let more = json!({"key.converter.schemas.enable": "false", "key.converter": format!("{PACKAGE}.json.JsonConverter")});
        flow::source(t, &chained(&chain, &more), &text, 20, &[]);
    });
    list.add(DISTRIBUTED, "topics_created", created);
    list.add(DISTRIBUTED, "topic_that_is_not_there", |t| {
        // Neither the worker nor the broker creates it; the producer waits for it.
        let file = t.file("in.txt", "one\n");
        let (name, topic) = (t.name("lonely"), t.name("absent"));
        let config = json!({
            "connector.class": "FileStreamSource", "file": file, "topic": topic, "producer.override.max.block.ms": "500",
            "producer.override.metadata.max.age.ms": "200",
        });
        t.configure(&name, &config);
        t.await_state(&name, "RUNNING", &["FAILED"]);
        flow::failure(t, &name);
        t.remove(&name);
    });
    list.add(DISTRIBUTED, "record_too_large", |t| {
        let text = format!("small\n{}\nsmall again\n", "x".repeat(3000));
        let config = string(json!({"producer.override.max.request.size": "1000"}));
        flow::source(t, &config, &text, 3, &[]);
    });
    list.add(DISTRIBUTED, "record_too_large_tolerated", |t| {
        let text = format!("small\n{}\nsmall again\n", "x".repeat(3000));
        let config = string(json!({"producer.override.max.request.size": "1000", "errors.tolerance": "all"}));
        flow::source(t, &config, &text, 2, &[]);
    });
}

/// With strings in the topic.
fn string(more: Value) -> Value {
    let converter = format!("{PACKAGE}.storage.StringConverter");
    crate::transcript::merged(json!({"key.converter": converter, "value.converter": converter}), more)
}

fn converters() -> Vec<(&'static str, Value)> {
    let of =
        |class: &str| json!({"value.converter": format!("{PACKAGE}.{class}"), "errors.tolerance": "none"});
    let with = |class: &str, key: &str, value: &str| {
        let mut config = of(class);
        config[format!("value.converter.{key}")] = json!(value);
        config
    };
    vec![
        ("json", of("json.JsonConverter")),
        ("json_without_schemas", with("json.JsonConverter", "schemas.enable", "false")),
        ("string", of("storage.StringConverter")),
        ("string_utf16", with("storage.StringConverter", "converter.encoding", "UTF-16")),
        ("string_latin1", with("storage.StringConverter", "converter.encoding", "ISO-8859-1")),
        ("bytes", of("converters.ByteArrayConverter")),
        ("integer", of("converters.IntegerConverter")),
        ("boolean", of("converters.BooleanConverter")),
        ("simple_header", of("storage.SimpleHeaderConverter")),
    ]
}

type Chain = Vec<(String, Value)>;

/// A chain of transforms; what fails is left out.
fn chained(chain: &[(String, Value)], more: &Value) -> Value {
    let mut config = json!({
        "key.converter": format!("{PACKAGE}.json.JsonConverter"),
        "value.converter": format!("{PACKAGE}.json.JsonConverter"),
    });
    let aliases: Vec<String> = (0..chain.len()).map(|number| format!("c{number}")).collect();
    config["transforms"] = json!(aliases.join(","));
    for (alias, (class, settings)) in aliases.iter().zip(chain) {
        config[format!("transforms.{alias}.type")] = json!(format!("{PACKAGE}.transforms.{class}"));
        for (key, value) in settings.as_object().into_iter().flatten() {
            config[format!("transforms.{alias}.{key}")] = value.clone();
        }
    }
    crate::transcript::merged(config, more.clone())
}

fn chains() -> Vec<(&'static str, Chain, Value)> {
    let step = |class: &str, settings: Value| (class.to_owned(), settings);
    let hoist = || step("HoistField$Value", json!({"field": "f"}));
    let insert = |more: Value| step("InsertField$Value", more);
    let none = || json!({});
    let number = |kind: &str| json!({"value.converter": format!("{PACKAGE}.converters.{kind}Converter"), "errors.tolerance": "all"});
    let cast = |kind: &str| step("Cast$Value", json!({"spec": kind}));
    let boolean = || vec![cast("boolean")];
    vec![
        ("hoist", vec![hoist()], none()),
        ("hoist_key", vec![step("HoistField$Key", json!({"field": "k"}))], none()),
        (
            "hoist_twice_flatten",
            vec![
                hoist(),
                step("HoistField$Value", json!({"field": "g"})),
                step("Flatten$Value", json!({"delimiter": "-"})),
            ],
            none(),
        ),
        (
            "insert_all",
            vec![
                hoist(),
                insert(
                    json!({"topic.field": "t", "partition.field": "p", "timestamp.field": "ts?", "static.field": "s!", "static.value": "v"}),
                ),
            ],
            none(),
        ),
        ("value_to_key", vec![hoist(), step("ValueToKey", json!({"fields": "f"}))], none()),
        (
            "extract_key",
            vec![
                hoist(),
                step("ValueToKey", json!({"fields": "f"})),
                step("ExtractField$Key", json!({"field": "f"})),
            ],
            none(),
        ),
        ("cast_field", vec![hoist(), step("Cast$Value", json!({"spec": "f:boolean"}))], none()),
        ("cast_boolean", boolean(), number("Boolean")),
        ("mask", vec![hoist(), step("MaskField$Value", json!({"fields": "f"}))], none()),
        (
            "schema_metadata",
            vec![
                hoist(),
                step("SetSchemaMetadata$Value", json!({"schema.name": "n", "schema.version": "2"})),
            ],
            none(),
        ),
        (
            "replace",
            vec![
                hoist(),
                insert(json!({"static.field": "s", "static.value": "v"})),
                step("ReplaceField$Value", json!({"renames": "f:g", "exclude": "s"})),
            ],
            none(),
        ),
        (
            "header_from_move",
            vec![
                hoist(),
                step("HeaderFrom$Value", json!({"fields": "f", "headers": "h", "operation": "move"})),
            ],
            none(),
        ),
        (
            "header_from_copy",
            vec![
                hoist(),
                step("HeaderFrom$Value", json!({"fields": "f", "headers": "h", "operation": "copy"})),
                step("HeaderFrom$Value", json!({"fields": "f", "headers": "h", "operation": "copy"})),
            ],
            none(),
        ),
        (
            "drop_headers",
            vec![
                step("InsertHeader", json!({"header": "a", "value.literal": "1"})),
                step("InsertHeader", json!({"header": "b", "value.literal": "x"})),
                step("DropHeaders", json!({"headers": "a"})),
            ],
            none(),
        ),
        (
            "cast_key",
            vec![
                hoist(),
                step("ValueToKey", json!({"fields": "f"})),
                step("Cast$Key", json!({"spec": "f:boolean"})),
            ],
            none(),
        ),
        (
            "mask_key",
            vec![
                hoist(),
                step("ValueToKey", json!({"fields": "f"})),
                step("MaskField$Key", json!({"fields": "f", "replacement": "m"})),
            ],
            none(),
        ),
        (
            "insert_key",
            vec![
                hoist(),
                step("ValueToKey", json!({"fields": "f"})),
                step("InsertField$Key", json!({"topic.field": "t"})),
            ],
            none(),
        ),
        (
            "replace_key",
            vec![
                hoist(),
                step("ValueToKey", json!({"fields": "f"})),
                step("ReplaceField$Key", json!({"renames": "f:g"})),
            ],
            none(),
        ),
        (
            "flatten_key",
            vec![
                hoist(),
                step("HoistField$Value", json!({"field": "o"})),
                step("ValueToKey", json!({"fields": "o"})),
                step("Flatten$Key", none()),
            ],
            none(),
        ),
        (
            "header_from_key",
            vec![
                hoist(),
                step("ValueToKey", json!({"fields": "f"})),
                step("HeaderFrom$Key", json!({"fields": "f", "headers": "h", "operation": "move"})),
            ],
            none(),
        ),
        (
            "schema_metadata_key",
            vec![
                hoist(),
                step("ValueToKey", json!({"fields": "f"})),
                step("SetSchemaMetadata$Key", json!({"schema.name": "k"})),
            ],
            none(),
        ),
        (
            "insert_into_text",
            vec![step("InsertField$Value", json!({"static.field": "x", "static.value": "1"}))],
            none(),
        ),
        (
            "timestamp_converter",
            vec![
                hoist(),
                insert(json!({"timestamp.field": "ts"})),
                step(
                    "TimestampConverter$Value",
                    json!({"field": "ts", "target.type": "string", "format": "'at a time'"}),
                ),
            ],
            none(),
        ),
        (
            "cast_to_int32",
            vec![cast("int32")],
            json!({"errors.tolerance": "none", "errors.log.enable": "true"}),
        ),
    ]
}

fn literals() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![
        (
            "numbers",
            vec![
                "1",
                "-128",
                "128",
                "32768",
                "2147483648",
                "9223372036854775808",
                "1.5",
                "1e400",
                "3.4028236e38",
                "-0",
                "+5",
                "007",
                "1_000",
                "0x1F",
                "1.0",
                "1.",
                ".5",
                "NaN",
                "1d",
            ],
        ),
        (
            "words",
            vec![
                "true",
                "FALSE",
                "null",
                "text",
                "\"quoted\"",
                "\"a\\\"b\"",
                "two words",
                "",
                " padded ",
                "'single'",
            ],
        ),
        (
            "times",
            vec![
                "2020-01-02",
                "03:04:05.678Z",
                "2020-01-02T03:04:05.678Z",
                "2020-13-45",
                "03:04:05",
                "2020-01-02T03:04:05Z",
            ],
        ),
        (
            "arrays",
            vec![
                "[]",
                "[1,2,3]",
                "[1, 300, 70000]",
                "[1,\"a\"]",
                "[1,2.5]",
                "[true,false]",
                "[[1],[2]]",
                "[1,2",
                "[1,,2]",
                "[null,1]",
            ],
        ),
        ("maps", vec!["{}", "{\"a\":1}", "{a:1}", "{\"a\":[1,2]}", "{\"a\"", "{\"a\":1,}"]),
        ("maps_of_numbers", vec!["{\"a\":1,\"b\":2.5}"]),
        ("maps_of_all", vec!["{\"a\":\"x\",\"b\":1}"]),
    ]
}

fn header_converters(t: &mut T<'_>) {
    let step = |name: &str, literal: &str| {
        ("InsertHeader".to_owned(), json!({"header": name, "value.literal": literal}))
    };
    let chain = [
        step("int", "7"),
        step("text", "a \"b\" \\ c"),
        step("map", "{\"a\":1,\"b\":[1,2]}"),
        step("time", "2020-01-02T03:04:05.678Z"),
        step("dec", "1.5"),
        step("nul", "null"),
    ];
    for (number, class) in [
        "storage.SimpleHeaderConverter",
        "storage.StringConverter",
        "json.JsonConverter",
        "converters.IntegerConverter",
    ]
    .iter()
    .enumerate()
    {
        let topic = t.topic(&format!("to-{number}"), 1);
        let name = t.name(&format!("headed-{number}"));
        let file = t.file("one.txt", "line\n");
        let more = json!({
            "connector.class": "FileStreamSource", "file": file, "topic": topic,
            "header.converter": format!("{PACKAGE}.{class}"), "header.converter.schemas.enable": "false",
        });
        t.configure(&name, &chained(&chain, &more));
        flow::await_source(t, &name, &topic, 1);
        t.remove(&name);
    }
}

fn routers(t: &mut T<'_>) {
    let routed = t.topic("routed", 1);
    let step = |class: &str, settings: Value| (class.to_owned(), settings);
    let chain = [
        step("RegexRouter", json!({"regex": "(.*)-lines", "replacement": "$1-routed"})),
        step("RegexRouter", json!({"regex": "lines", "replacement": "never"})),
        step("HoistField$Value", json!({"field": "f"})),
        step("InsertField$Value", json!({"topic.field": "topic"})),
    ];
    flow::source(t, &chained(&chain, &json!({})), "line\n", 0, &[(&routed, 1)]);
}

/// Topics that the worker creates: the default, and the first group that fits.
fn created(t: &mut T<'_>) {
    let base = t.name("made");
    let config = json!({
        "topic.creation.groups": "second,first",
        "topic.creation.default.partitions": "2", "topic.creation.default.replication.factor": "1",
        "topic.creation.default.retention.ms": "123456",
        "topic.creation.first.include": format!("{base}-.*"), "topic.creation.first.partitions": "3",
        "topic.creation.first.compression.type": "gzip",
        "topic.creation.second.include": format!("{base}-b.*"), "topic.creation.second.exclude": ".*-bx",
        "topic.creation.second.replication.factor": "-1", "topic.creation.second.max.message.bytes": "2000",
    });
    for topic in ["plain", "made-a", "made-b", "made-bx"] {
        let (name, topic) = (t.name(&format!("creator-{topic}")), t.name(topic));
        let file = t.file("in.txt", "one\n");
        let own = json!({"connector.class": "FileStreamSource", "file": file, "topic": topic});
        t.configure(&name, &crate::transcript::merged(own, config.clone()));
        flow::await_source(t, &name, &topic, 1);
        let partitions = t.lab.kafka.partitions(&topic);
        let configs = t.lab.kafka.configs(&topic);
        t.note(format!("{topic} created"), format!("{partitions:?} partitions, {configs:?}"));
        t.get(format!("/connectors/{name}/topics"));
        t.remove(&name);
    }
}
