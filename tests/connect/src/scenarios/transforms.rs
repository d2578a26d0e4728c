//! Every transform and predicate, on values without and with a schema: topic bytes, converter, transform, lines of a file.
//!
//! All variants of a transform run in one sink: a header tells which of them a record is for.

use serde_json::{Value, json};

use super::{DISTRIBUTED, List, STANDALONE, flow};
use crate::kafka::Record;
use crate::transcript::T;

const PACKAGE: &str = "org.apache.kafka.connect.transforms";
const CONVERTER: &str = "org.apache.kafka.connect.json.JsonConverter";

/// Values without a schema.
const PLAIN: &[&str] = &[
    r#"{"i":1,"f":2.5,"s":"text","b":true,"n":null,"d":{"x":7,"y":{"z":"deep"}},"a":[1,"two",null],"t":1577934245678,"date":"2020-01-02 03:04:05","num":"42","a.b":"dotted"}"#,
    r#"{"i":-300,"f":1e21,"s":"","b":false,"t":0,"date":"not a date","num":"4x2","s2":"TRUE"}"#,
    r#"{"other":1}"#,
    r#"{}"#,
    r#""just text""#,
    "1577934245678",
    "3.75",
    "true",
    "[1,2]",
];

/// A transform's class and its variants.
type Row = (&'static str, Value);

pub(super) fn list(list: &mut List) {
    for (class, variants) in rows() {
        let same = variants.clone();
        list.add(STANDALONE, &format!("smt_{class}"), move |t| run(t, class, &variants, false));
        list.add(DISTRIBUTED, &format!("smt_{class}_with_schema"), move |t| run(t, class, &same, true));
    }
    list.add(STANDALONE, "predicates", predicates);
}

fn run(t: &mut T<'_>, class: &str, variants: &Value, schema: bool) {
    let mut config = json!({
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": CONVERTER,
        "value.converter.schemas.enable": schema.to_string(),
        "transforms": "", "predicates": "",
    });
    let values: Vec<Option<String>> = if schema { with_schema() } else { plain() };
    let (mut records, mut names, mut aliases) = (Vec::new(), Vec::new(), Vec::new());
    for (number, variant) in variants.as_array().into_iter().flatten().enumerate() {
        let (alias, flag) = (format!("t{number}"), format!("v{number}"));
        config[format!("predicates.{flag}.type")] = json!(format!("{PACKAGE}.predicates.HasHeaderKey"));
        config[format!("predicates.{flag}.name")] = json!(flag);
        config[format!("transforms.{alias}.type")] = json!(format!("{PACKAGE}.{class}"));
        config[format!("transforms.{alias}.predicate")] = json!(flag);
        for (key, value) in variant.as_object().into_iter().flatten() {
            config[format!("transforms.{alias}.{key}")] = value.clone();
        }
        for (index, value) in values.iter().enumerate() {
            let record = value.as_ref().map_or_else(Record::null, Record::value);
            records.push(record.key("k").header(&flag, Some(b"1")));
            names.push(format!("{variant} of value {index}"));
        }
        aliases.push((alias, flag));
    }
    let join = |of: fn(&(String, String)) -> &str| aliases.iter().map(of).collect::<Vec<_>>().join(",");
    config["transforms"] = json!(join(|both| &both.0));
    config["predicates"] = json!(join(|both| &both.1));
    flow::sink(t, &config, &records, &names);
}

fn plain() -> Vec<Option<String>> {
    PLAIN.iter().map(|value| Some((*value).to_owned())).chain([None]).collect()
}

/// A struct of every type with all fields, one of optional fields that are null, and values that are no structs.
fn with_schema() -> Vec<Option<String>> {
    let field = |name: &str, kind: &str| json!({"field": name, "type": kind});
    let optional = |name: &str, kind: &str| json!({"field": name, "type": kind, "optional": true});
    let logical = |name: &str, kind: &str, class: &str| json!({"field": name, "type": kind, "name": format!("org.apache.kafka.connect.data.{class}"), "version": 1, "optional": true});
    let mut decimal = logical("dec", "bytes", "Decimal");
    decimal["parameters"] = json!({"scale": "2"});
    let nested = json!({"field": "d", "type": "struct", "optional": true, "fields": [field("x", "int32"), optional("y", "string")]});
    let defaulted = json!({"field": "def", "type": "string", "optional": true, "default": "fallback"});
    let array = json!({"field": "a", "type": "array", "items": {"type": "int32"}, "optional": true});
    let map = json!({"field": "m", "type": "map", "keys": {"type": "string"}, "values": {"type": "int64"}, "optional": true});
    let schema = json!({"type": "struct", "name": "com.example.Row", "version": 3, "optional": true, "fields": [
        optional("i8", "int8"), optional("i16", "int16"), optional("i", "int32"), optional("t", "int64"),
        optional("f32", "float"), optional("f", "double"), optional("b", "boolean"), optional("s", "string"),
        optional("num", "string"), optional("date", "string"), optional("raw", "bytes"), nested, array, map, decimal, logical("day", "int32", "Date"),
        logical("time", "int32", "Time"), logical("ts", "int64", "Timestamp"), defaulted,
    ]});
    let full = json!({
        "i8": 8, "i16": 16, "i": 300, "t": 1577934245678i64, "f32": 1.5, "f": 2.75, "b": true, "s": "text", "num": "42",
        "date": "2020-01-02 03:04:05", "raw": "AQID", "d": {"x": 7, "y": "deep"}, "a": [1, 2], "m": {"one": 1},
        "dec": "MDk=", "day": 18263, "time": 11045678, "ts": 1577934245678i64, "def": "given",
    });
    let mut nothing = full.clone();
    for (_, value) in nothing.as_object_mut().expect("an object").iter_mut() {
        *value = Value::Null;
    }
    let text =
        |schema: &Value, payload: &Value| Some(json!({"schema": schema, "payload": payload}).to_string());
    vec![
        text(&schema, &full),
        text(&schema, &nothing),
        text(&schema, &Value::Null),
        text(&json!({"type": "string"}), &json!("just text")),
        text(&json!({"type": "int64"}), &json!(1577934245678i64)),
        text(&json!({"type": "double", "optional": true}), &json!(3.75)),
        text(&json!({"type": "boolean", "optional": true, "default": true}), &Value::Null),
        text(
            &json!({"type": "int64", "name": "org.apache.kafka.connect.data.Timestamp", "version": 1}),
            &json!(1577934245678i64),
        ),
        None,
    ]
}

fn rows() -> Vec<Row> {
    let mut rows = shaping_rows();
    rows.extend(value_rows());
    rows
}

/// Transforms that move and rename.
fn shaping_rows() -> Vec<Row> {
    vec![
        (
            "ExtractField$Value",
            json!([
                {"field": "i"}, {"field": "d"}, {"field": "absent"}, {"field": "d.x"}, {"field": "d.x", "field.syntax.version": "V2"},
                {"field": "d.y.z", "field.syntax.version": "V2"}, {"field": "`a.b`", "field.syntax.version": "V2"},
                {"field": "def", "replace.null.with.default": "false"}, {"field": "def"}, {"field": "day"}, {"field": "dec"},
                {"field": "raw"}, {"field": "a"}, {"field": "m"}, {"field": "n"},
            ]),
        ),
        ("HoistField$Value", json!([{"field": "outer"}, {"field": "a.b"}])),
        ("Flatten$Value", json!([{}, {"delimiter": "_"}, {"delimiter": ""}])),
        (
            "ReplaceField$Value",
            json!([
                {"exclude": "i,s,absent"}, {"include": "i,s"}, {"renames": "i:int,s:str"}, {"include": "i,t", "renames": "i:int"},
                {"exclude": "i", "include": "i,s"}, {"blacklist": "i"}, {"whitelist": "i,d"}, {"renames": "i:s"},
                {"include": "def", "replace.null.with.default": "false"},
            ]),
        ),
        (
            "InsertField$Value",
            json!([
                {"topic.field": "topic"}, {"partition.field": "p!", "offset.field": "o?"}, {"timestamp.field": "when"},
                {"static.field": "st", "static.value": "x"}, {"static.field": "i", "static.value": "replaced"},
                {"static.field": "st!", "static.value": "x"},
            ]),
        ),
        (
            "HeaderFrom$Value",
            json!([
                {"fields": "i,s", "headers": "hi,hs", "operation": "move"}, {"fields": "i", "headers": "hi", "operation": "copy"},
                {"fields": "absent", "headers": "h", "operation": "copy"}, {"fields": "absent", "headers": "h", "operation": "move"},
            ]),
        ),
        ("ValueToKey", json!([{"fields": "i"}, {"fields": "i,s"}, {"fields": "absent"}])),
        (
            "SetSchemaMetadata$Value",
            json!([{"schema.name": "com.example.New"}, {"schema.version": "9"}, {"schema.name": "n", "schema.version": "1"}, {"replace.null.with.default": "false", "schema.name": "m"}]),
        ),
        ("Filter", json!([{}])),
        ("DropHeaders", json!([{"headers": "v0"}, {"headers": "absent,x"}])),
        ("InsertHeader", json!([{"header": "h", "value.literal": "1"}])),
    ]
}

/// Transforms that change values.
fn value_rows() -> Vec<Row> {
    vec![
        (
            "Cast$Value",
            json!([
                {"spec": "i:string,f:string,b:string"}, {"spec": "i:int8,f:int32"}, {"spec": "i:float32,f:float64,b:int16"},
                {"spec": "s:boolean,s2:boolean"}, {"spec": "num:int64"}, {"spec": "num:float32"}, {"spec": "d:string,a:string"},
                {"spec": "t:int32"}, {"spec": "string"}, {"spec": "int32"}, {"spec": "float64"}, {"spec": "boolean"}, {"spec": "int8"},
                {"spec": "raw:string,day:string,time:string,ts:string,dec:string"}, {"spec": "day:int64,ts:int64,time:int32"},
                {"spec": "def:string", "replace.null.with.default": "false"}, {"spec": "absent:int8"}, {"spec": "s:int32"},
                {"spec": "f32:string,f:int8,i8:string"}, {"spec": "dec:float64"}, {"spec": "f:boolean,i:boolean"},
            ]),
        ),
        (
            "MaskField$Value",
            json!([
                {"fields": "i,s,b"}, {"fields": "f,t,num"}, {"fields": "s", "replacement": "***"}, {"fields": "i", "replacement": "7"},
                {"fields": "i", "replacement": "x"}, {"fields": "i", "replacement": "99999999999"}, {"fields": "b", "replacement": "true"},
                {"fields": "f", "replacement": "1.25"}, {"fields": "d"}, {"fields": "a"}, {"fields": "m"}, {"fields": "dec,day,time,ts"},
                {"fields": "absent"}, {"fields": "def", "replace.null.with.default": "false"}, {"fields": "n"}, {"fields": "raw"},
                {"fields": "day", "replacement": "x"}, {"fields": "s", "replacement": ""},
            ]),
        ),
        (
            "TimestampConverter$Value",
            json!([
                {"target.type": "string", "format": "yyyy-MM-dd HH:mm:ss.SSS", "field": "t"},
                {"target.type": "string", "format": "EEE, d MMM yyyy HH:mm:ss Z", "field": "t"},
                {"target.type": "string", "format": "yy/M/d h:mm a zzz", "field": "t"},
                {"target.type": "string", "format": "yyyy'T'DDD 'week' w", "field": "t"},
                {"target.type": "Date", "field": "t"}, {"target.type": "Time", "field": "t"}, {"target.type": "Timestamp", "field": "t"},
                {"target.type": "unix", "field": "t"}, {"target.type": "unix", "field": "t", "unix.precision": "seconds"},
                {"target.type": "unix", "field": "t", "unix.precision": "microseconds"},
                {"target.type": "Timestamp", "field": "t", "unix.precision": "nanoseconds"},
                {"target.type": "Timestamp", "field": "date", "format": "yyyy-MM-dd HH:mm:ss"},
                {"target.type": "unix", "field": "date", "format": "yyyy-MM-dd HH:mm:ss"},
                {"target.type": "unix", "field": "date"}, {"target.type": "Timestamp", "field": "date", "format": "yyyy-MM-dd"},
                {"target.type": "string", "format": "yyyy-MM-dd", "field": "day"}, {"target.type": "unix", "field": "ts"},
                {"target.type": "string", "format": "HH:mm", "field": "time"}, {"target.type": "Timestamp", "field": "absent"},
                {"target.type": "Timestamp"}, {"target.type": "string", "format": "yyyy"}, {"target.type": "Date"},
                {"target.type": "Timestamp", "field": "s", "format": "yyyy"}, {"target.type": "unix", "field": "b"},
            ]),
        ),
        (
            "RegexRouter",
            json!([{"regex": "(.*)-in", "replacement": "$1-routed"}, {"regex": "in", "replacement": "x"}]),
        ),
        ("TimestampRouter", json!([{"topic.format": "${topic}-${timestamp}"}])),
    ]
}

/// Which records a predicate holds for is seen by which are filtered; the routed topic by a field with its name.
fn predicates(t: &mut T<'_>) {
    let config = json!({
        "value.converter": CONVERTER, "value.converter.schemas.enable": "false",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "transforms": "topic,tomb,other,head,kept", "predicates": "isTomb,named,other,header",
        "predicates.isTomb.type": format!("{PACKAGE}.predicates.RecordIsTombstone"),
        "predicates.named.type": format!("{PACKAGE}.predicates.TopicNameMatches"),
        "predicates.named.pattern": "routed-.*",
        "predicates.other.type": format!("{PACKAGE}.predicates.TopicNameMatches"),
        "predicates.other.pattern": "routed",
        "predicates.header.type": format!("{PACKAGE}.predicates.HasHeaderKey"),
        "predicates.header.name": "drop",
        "transforms.topic.type": format!("{PACKAGE}.RegexRouter"),
        "transforms.topic.regex": ".*-(predicates)-(.*)",
        "transforms.topic.replacement": "routed-$2-$1",
        "transforms.tomb.type": format!("{PACKAGE}.Filter"), "transforms.tomb.predicate": "isTomb",
        "transforms.other.type": format!("{PACKAGE}.Filter"), "transforms.other.predicate": "other",
        "transforms.head.type": format!("{PACKAGE}.Filter"), "transforms.head.predicate": "header",
        "transforms.kept.type": format!("{PACKAGE}.InsertField$Value"), "transforms.kept.predicate": "named",
        "transforms.kept.negate": "false", "transforms.kept.topic.field": "topic",
    });
    let records = [
        Record::value(r#"{"n":1}"#),
        Record::null(),
        Record::value("null"),
        Record::value(r#"{"n":2}"#).header("drop", None),
        Record::value(r#"{"n":3}"#).header("Drop", Some(b"x")),
        Record::value(r#"{"n":4}"#).header("a", None).header("drop", Some(b"1")).header("drop", Some(b"2")),
        Record::value(r#"{"n":5}"#),
    ];
    let names: Vec<String> = (0..records.len()).map(|number| format!("left {number}")).collect();
    flow::sink(t, &config, &records, &names);
}
