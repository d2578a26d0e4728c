//! From a topic to a file: converters, dead letters, tolerance, logs.

use serde_json::{Value, json};

use super::{BOTH, DISTRIBUTED, List, STANDALONE, flow};
use crate::kafka::Record;
use crate::transcript::{PATIENCE, T, merged};

const PACKAGE: &str = "org.apache.kafka.connect";

pub(super) fn list(list: &mut List) {
    for (name, config, values) in converters() {
        list.add(STANDALONE, &format!("read_{name}"), move |t| {
            let records: Vec<Record> =
                values.iter().map(|value| value.as_ref().map_or_else(Record::null, Record::value)).collect();
            let names: Vec<String> = values
                .iter()
                .enumerate()
                .map(|(number, value)| format!("{number} {}", crate::text::bytes(value.as_deref())))
                .collect();
            flow::sink(t, &config, &records, &names);
        });
    }
    list.add(STANDALONE, "read_keys_and_headers", |t| {
        let records = [
            Record::value("1").key("not json"),
            Record::value("2").key("{\"a\":1}").header("h", Some(b"{broken")),
            Record::value("3").header("h", Some(b"\xff\xfe")).header("h", None),
        ];
        let json = format!("{PACKAGE}.json.JsonConverter");
        let config = json!({
            "value.converter": format!("{PACKAGE}.storage.StringConverter"), "key.converter": json,
            "key.converter.schemas.enable": "false", "header.converter": json, "header.converter.schemas.enable": "false",
        });
        let names: Vec<String> = (0..records.len()).map(|number| format!("record {number}")).collect();
        flow::sink(t, &config, &records, &names);
    });
    list.add(BOTH, "dead_letters", |t| dead_letters(t, true));
    list.add(STANDALONE, "dead_letters_without_context", |t| dead_letters(t, false));
    list.add(BOTH, "tolerance_none", tolerance_none);
    list.add(STANDALONE, "tolerance_none_and_dead_letters", |t| {
        let dead = t.name("letters");
        let config = json!({
            "errors.tolerance": "none", "errors.deadletterqueue.topic.name": dead,
            "errors.deadletterqueue.topic.replication.factor": "1",
        });
        broken(t, &config);
        let found = t.lab.kafka.end(&dead);
        t.note("dead letters", found);
    });
    list.add(STANDALONE, "errors_logged", errors_logged);
    list.add(BOTH, "several_topics_and_partitions", several);
    list.add(DISTRIBUTED, "topics_regex", |t| {
        let topics = [t.topic("re-a", 1), t.topic("re-b", 1), t.topic("other", 1)];
        for topic in &topics {
            t.lab.kafka.write(topic, &[Record::value(format!("from {topic}"))]);
        }
        let name = t.name("sink");
        let mut config = plain(t);
        config["topics.regex"] = json!(format!("{}.*", t.name("re-")));
        t.configure(&name, &config);
        t.until(|t| lines(t).filter(|lines| lines.len() == 2));
        let mut found = lines(t).unwrap_or_default();
        found.sort();
        t.note("lines, sorted", found.join(", "));
        let answer = t.get_until(format!("/connectors/{name}/topics"), |answer| answer.body.contains("re-b"));
        assert_eq!(answer.status, 200);
        t.remove(&name);
    });
    list.add(DISTRIBUTED, "group_by_another_name", |t| {
        let topic = t.topic("in", 1);
        t.lab.kafka.write(&topic, &[Record::value("one")]);
        let (name, group) = (t.name("sink"), t.name("group"));
        let config = merged(plain(t), json!({"topics": topic, "consumer.override.group.id": group}));
        t.configure(&name, &config);
        flow::await_sink(t, &name, 1);
        let committed = t.lab.kafka.committed(&group, &topic);
        t.note("committed by the group", format!("{committed:?}"));
        t.get(format!("/connectors/{name}/offsets"));
        t.remove(&name);
    });
    list.add(BOTH, "stop_and_go_on", |t| {
        let topic = t.topic("in", 1);
        let name = t.name("sink");
        t.lab.kafka.write(&topic, &[Record::value("one")]);
        let config = merged(plain(t), json!({"topics": topic}));
        t.configure(&name, &config);
        flow::await_sink(t, &name, 1);
        for deed in ["pause", "stop"] {
            t.bare("PUT", format!("/connectors/{name}/{deed}"));
            let states: (_, &[&str]) =
                if deed == "pause" { ("PAUSED", &["PAUSED"]) } else { ("STOPPED", &[]) };
            t.await_state(&name, states.0, states.1);
            t.lab.kafka.write(&topic, &[Record::value(format!("while {deed}"))]);
            t.lines_of("out.txt", if deed == "pause" { 1 } else { 2 });
            t.bare("PUT", format!("/connectors/{name}/resume"));
            flow::await_sink(t, &name, if deed == "pause" { 2 } else { 3 });
        }
        t.lines_of("out.txt", 3);
        t.remove(&name);
    });
}

/// A sink of strings into the file of the scenario, without topics.
fn plain(t: &T<'_>) -> Value {
    let string = format!("{PACKAGE}.storage.StringConverter");
    let file = t.path("out.txt").display().to_string();
    json!({"connector.class": "FileStreamSink", "file": file, "key.converter": string, "value.converter": string})
}

fn lines(t: &T<'_>) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(t.path("out.txt")).ok()?;
    Some(text.lines().map(str::to_owned).collect())
}

type Converter = (&'static str, Value, Vec<Option<Vec<u8>>>);

fn converters() -> Vec<Converter> {
    let of = |class: &str, more: Value| {
        let mut config = json!({"value.converter": format!("{PACKAGE}.{class}")});
        for (key, value) in more.as_object().into_iter().flatten() {
            config[format!("value.converter.{key}")] = value.clone();
        }
        config
    };
    let texts = |texts: &[&str]| {
        texts.iter().map(|text| Some(text.as_bytes().to_vec())).chain([None]).collect::<Vec<_>>()
    };
    let numbers = || -> Vec<Option<Vec<u8>>> {
        let all: [&[u8]; 9] = [
            &[],
            &[0],
            &[1],
            &[255, 254],
            &[0, 0, 1, 44],
            &[127, 127, 255, 255],
            &[64, 9, 33, 251, 84, 68, 45, 24],
            &[255; 8],
            &[1, 2, 3],
        ];
        all.iter().map(|bytes| Some(bytes.to_vec())).chain([None]).collect()
    };
    let mut all = vec![
        ("json", of("json.JsonConverter", json!({})), texts(ENVELOPES)),
        (
            "json_number_decimals",
            of("json.JsonConverter", json!({"decimal.format": "NUMERIC"})),
            texts(ENVELOPES),
        ),
        (
            "json_keep_nulls",
            of("json.JsonConverter", json!({"replace.null.with.default": "false"})),
            texts(ENVELOPES),
        ),
        (
            "json_without_schemas",
            of("json.JsonConverter", json!({"schemas.enable": "false"})),
            texts(DOCUMENTS),
        ),
        ("string", of("storage.StringConverter", json!({})), {
            let mut values = texts(&["", "text", "ünï 😀", " padded "]);
            values.push(Some(vec![0xff, b'a', 0xc3]));
            values
        }),
        (
            "string_utf16",
            of("storage.StringConverter", json!({"converter.encoding": "UTF-16"})),
            vec![Some(vec![0, 97, 0, 98]), Some(vec![0xfe, 0xff, 0, 99]), Some(vec![0xff, 0xfe, 99, 0])],
        ),
        ("simple_header", of("storage.SimpleHeaderConverter", json!({})), texts(HEADERS)),
    ];
    for kind in ["Boolean", "Short", "Integer", "Long", "Float", "Double"] {
        let name: &'static str = match kind {
            "Boolean" => "boolean",
            "Short" => "short",
            "Integer" => "integer",
            "Long" => "long",
            "Float" => "float",
            _ => "double",
        };
        all.push((name, of(&format!("converters.{kind}Converter"), json!({})), numbers()));
    }
    all
}

/// With `schemas.enable`.
const ENVELOPES: &[&str] = &[
    r#"{"schema":{"type":"int32","optional":false},"payload":5}"#,
    r#"{"schema":{"type":"int32"},"payload":"five"}"#,
    r#"{"schema":{"type":"int32"},"payload":null}"#,
    r#"{"schema":{"type":"int32","optional":true},"payload":null}"#,
    r#"{"schema":{"type":"int32","optional":true,"default":7},"payload":null}"#,
    r#"{"schema":{"type":"int8"},"payload":300}"#,
    r#"{"schema":{"type":"int64"},"payload":12345678901234567890}"#,
    r#"{"schema":{"type":"double"},"payload":1e21}"#,
    r#"{"schema":{"type":"float"},"payload":0.1}"#,
    r#"{"schema":{"type":"double"},"payload":0.001}"#,
    r#"{"schema":{"type":"string"},"payload":"text"}"#,
    r#"{"schema":{"type":"string"},"payload":5}"#,
    r#"{"schema":{"type":"array","items":{"type":"int32"}},"payload":[1,2,3]}"#,
    r#"{"schema":{"type":"array"},"payload":[1]}"#,
    r#"{"schema":{"type":"map","keys":{"type":"string"},"values":{"type":"int32"}},"payload":{"z":1,"a":2,"mm":3}}"#,
    r#"{"schema":{"type":"map","keys":{"type":"int32"},"values":{"type":"string"}},"payload":[[1,"x"],[2,"y"]]}"#,
    r#"{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},"payload":"MDk="}"#,
    r#"{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"}},"payload":12.345}"#,
    r#"{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1},"payload":"MDk="}"#,
    r#"{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Date","version":1},"payload":18263}"#,
    r#"{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Time","version":1},"payload":11045678}"#,
    r#"{"schema":{"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1},"payload":1577934245678}"#,
    r#"{"schema":{"type":"int64","name":"org.apache.kafka.connect.data.Timestamp","version":1},"payload":-62135596800001}"#,
    r#"{"schema":{"type":"int32","name":"org.apache.kafka.connect.data.Timestamp","version":1},"payload":5}"#,
    r#"{"schema":{"type":"struct","fields":[{"field":"a","type":"int32"},{"field":"b","type":"string","optional":true}]},"payload":{"a":1}}"#,
    r#"{"schema":{"type":"struct","fields":[{"field":"a","type":"int32"}]},"payload":{"b":1}}"#,
    r#"{"schema":{"type":"struct","fields":[{"field":"a","type":"int32"}]},"payload":{"a":1,"extra":2}}"#,
    r#"{"schema":{"type":"struct","fields":[{"type":"int32"}]},"payload":{"a":1}}"#,
    r#"{"schema":{"type":"struct","fields":[{"field":"s","type":"string","default":"d","optional":true}]},"payload":{"s":null}}"#,
    r#"{"schema":{"type":"struct"},"payload":{}}"#,
    r#"{"schema":{"type":"strange"},"payload":1}"#,
    r#"{"schema":{},"payload":1}"#,
    r#"{"schema":null,"payload":{"a":[1,2.5,"x",null,true]}}"#,
    r#"{"schema":null,"payload":null}"#,
    r#"{"schema":"int32","payload":1}"#,
    r#"{"payload":1}"#,
    r#"{"schema":{"type":"int32"},"payload":1,"more":2}"#,
    r#"{"a":1}"#,
    "5",
    "null",
    "",
    "{",
    "not json",
    "[1]",
];

/// Without schemas.
const DOCUMENTS: &[&str] = &[
    "5",
    "-0",
    "007",
    "1.50",
    "1e21",
    "1E-7",
    "0.001",
    "123456789.125",
    "12345678901234567890",
    "1e400",
    "\"text\"",
    r#""\u00fc \ud83d\ude00 \/ \\ ""#,
    "true",
    "null",
    "[]",
    "{}",
    r#"[1,2.5,"x",null,true,{"a":[]}]"#,
    r#"{"b":1,"a":{"z":1,"y":[1,2]},"c":null}"#,
    r#"{"one":1,"two":2,"three":3,"four":4,"five":5,"six":6,"seven":7,"eight":8,"nine":9,"ten":10,"eleven":11,"twelve":12,"thirteen":13}"#,
    r#"{"Aa":1,"BB":2,"AaAa":3,"BBBB":4,"AaBB":5}"#,
    r#"{"ü":1,"日本":2,"😀":3,"":4," ":5}"#,
    r#"{"a":1,"a":2}"#,
    r#"{"schema":{"type":"int32"},"payload":5}"#,
    "1 2",
    "{} x",
    "{a:1}",
    "'x'",
    "NaN",
    "// comment",
    "[1,]",
    "\u{feff}5",
    "",
    " ",
];

/// As the texts of headers.
const HEADERS: &[&str] = &[
    "5",
    "128",
    "40000",
    "3000000000",
    "99999999999999999999",
    "1.5",
    "1e300",
    "1e400",
    "true",
    "TRUE",
    "null",
    "text",
    "\"quoted\"",
    "\"esc\\\"aped\"",
    "",
    " ",
    "2020-01-02",
    "2020-01-02T03:04:05.678Z",
    "03:04:05.678Z",
    "[1,2]",
    "[1,\"a\"]",
    "[]",
    "{}",
    "{\"a\":1,\"b\":2}",
    "{\"a\":[1,{\"b\":2}]}",
    "[1,2",
    "{\"a\":",
    "[1 2]",
    "a,b",
    "0x10",
    "1f",
    "NaN",
    "Infinity",
];

/// Bytes, headers and time of dead letters.
fn dead_letters(t: &mut T<'_>, context: bool) {
    let (topic, dead, name) = (t.topic("in", 1), t.name("letters"), t.name("sink"));
    let records = [
        Record::value("{broken")
            .key("key")
            .header("own", Some(b"kept"))
            .header("__connect.errors.topic", Some(b"forged")),
        Record::value("{\"fine\":1}"),
        Record::value([0xff, 0x00, 0x80]),
    ];
    t.lab.kafka.write(&topic, &records);
    let config = json!({
        "topics": topic, "value.converter": format!("{PACKAGE}.json.JsonConverter"), "value.converter.schemas.enable": "false",
        "errors.tolerance": "all", "errors.deadletterqueue.topic.name": dead,
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": context.to_string(),
    });
    t.configure(&name, &merged(plain(t), config));
    flow::await_sink(t, &name, records.len());
    for (number, letter) in t.lab.kafka.read(&dead, 2, PATIENCE).into_iter().enumerate() {
        t.note(format!("letter {number}"), t.record_line(&letter, true));
        for (key, value) in &letter.headers {
            let text = String::from_utf8_lossy(value.as_deref().unwrap_or_default()).into_owned();
            let first =
                if key.ends_with("stacktrace") { text.lines().next().unwrap_or_default() } else { &text };
            t.note(format!("letter {number} header {key}"), first);
        }
    }
    let (partitions, configs) = (t.lab.kafka.partitions(&dead), t.lab.kafka.configs(&dead));
    t.note("the topic of dead letters", format!("{partitions:?} partitions, {configs:?}"));
    t.lines_of("out.txt", 1);
    t.get(format!("/connectors/{name}/topics"));
    t.remove(&name);
}

/// A sink that meets a value it cannot read.
fn broken(t: &mut T<'_>, more: &Value) -> String {
    let (topic, name) = (t.topic("in", 1), t.name("sink"));
    let records = [Record::value("1"), Record::value("{broken"), Record::value("3")];
    t.lab.kafka.write(&topic, &records);
    let config = json!({"topics": topic, "value.converter": format!("{PACKAGE}.json.JsonConverter"), "value.converter.schemas.enable": "false"});
    t.configure(&name, &merged(merged(plain(t), config), more.clone()));
    flow::await_sink(t, &name, records.len());
    name
}

fn tolerance_none(t: &mut T<'_>) {
    let name = broken(t, &json!({}));
    t.note("file", format!("{:?}", lines(t)));
    t.get(format!("/connectors/{name}/offsets"));
    t.remove(&name);
}

fn errors_logged(t: &mut T<'_>) {
    let more = json!({"errors.tolerance": "all", "errors.log.enable": "true", "errors.log.include.messages": "true"});
    let name = broken(t, &more);
    t.note("file", format!("{:?}", lines(t)));
    let (worker, marker) = (t.worker(), format!("Error encountered in task {name}-0. "));
    t.until(|_| worker.log().contains(&marker).then_some(()));
    t.note_logged("log", &worker.log(), &marker);
    t.remove(&name);
}

fn several(t: &mut T<'_>) {
    let (first, second) = (t.topic("a", 3), t.topic("b", 1));
    let of = |partition: i32, text: &str| Record { partition, ..Record::value(text) };
    t.lab.kafka.write(&first, &[of(0, "a0"), of(1, "a1"), of(2, "a2"), of(2, "a2b")]);
    t.lab.kafka.write(&second, &[of(0, "b0")]);
    let name = t.name("sink");
    let config = merged(plain(t), json!({"topics": format!("{second},{first}"), "tasks.max": "2"}));
    t.configure(&name, &config);
    t.until(|t| lines(t).filter(|lines| lines.len() == 5));
    let mut found = lines(t).unwrap_or_default();
    found.sort();
    t.note("lines, sorted", found.join(", "));
    t.get(format!("/connectors/{name}/tasks"));
    let all = t.until(|t| {
        let answer = t.quietly(&crate::http::Request::new("GET", format!("/connectors/{name}/offsets")));
        let at = |offset: i32| answer.body.matches(&format!("\"kafka_offset\":{offset}}}")).count();
        ((at(1), at(2)) == (3, 1)).then_some(answer)
    });
    let body: Value =
        serde_json::from_str(&all.map_or(String::new(), |answer| answer.body)).unwrap_or_default();
    let mut rows: Vec<String> =
        body["offsets"].as_array().into_iter().flatten().map(Value::to_string).collect();
    rows.sort();
    t.note("offsets, sorted", rows.join(", "));
    t.remove(&name);
}
