//! Schemas and values as the vectors write them.

use bigdecimal::BigDecimal;
use connect_api::data::{Map, Schema, SchemaAndValue, SchemaBuilder, Struct, Type, Value};
use serde_json::{Value as Json, json};

pub(crate) fn pair(node: &Json) -> SchemaAndValue {
    let schema = schema(&node[0]);
    let value = value(&node[1], schema.as_ref());
    SchemaAndValue { schema, value }
}

pub(crate) fn pair_node(data: &SchemaAndValue) -> Json {
    let mut node = value_node(&data.value);
    if let (Value::Struct(inner), Some(schema)) = (&data.value, &data.schema)
        && inner.schema == *schema
    {
        node["st"][0] = json!("=");
    }
    json!([schema_node(data.schema.as_ref()), node])
}

/// `outer`: the schema that `=` stands for.
pub(crate) fn value(node: &Json, outer: Option<&Schema>) -> Value {
    let Some((kind, v)) = node.as_object().and_then(|object| object.iter().next()) else {
        return Value::Null;
    };
    let integer = |v: &Json| v.as_i64().unwrap_or_else(|| v.as_str().unwrap().parse().unwrap());
    match kind.as_str() {
        "bool" => Value::Boolean(v.as_bool().unwrap()),
        "i8" => Value::Int8(integer(v) as i8),
        "i16" => Value::Int16(integer(v) as i16),
        "i32" => Value::Int32(integer(v) as i32),
        "i64" => Value::Int64(integer(v)),
        "f32" => Value::Float32(f32::from_bits(integer(v) as u32)),
        "f64" => Value::Float64(f64::from_bits(integer(v) as u64)),
        "s" => Value::from(v.as_str().unwrap()),
        "b" => Value::Bytes(hex(v.as_str().unwrap()).into()),
        "dec" => Value::Decimal(BigDecimal::new(v[0].as_str().unwrap().parse().unwrap(), integer(&v[1]))),
        "date" => Value::Date(integer(v)),
        "a" => Value::Array(v.as_array().unwrap().iter().map(|item| value(item, None)).collect()),
        "m" | "lm" => {
            let mut map = if kind == "m" { Map::new() } else { Map::linked() };
            for pair in v.as_array().unwrap() {
                map.put(value(&pair[0], None), value(&pair[1], None));
            }
            Value::Map(map)
        }
        "st" => {
            let schema = if v[0] == "=" { outer.unwrap().clone() } else { schema(&v[0]).unwrap() };
            let mut data = Struct::new(&schema).unwrap();
            data.values = v[1].as_array().unwrap().iter().map(|item| value(item, None)).collect();
            data.into()
        }
        other => panic!("{other}"),
    }
}

pub(crate) fn value_node(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(b) => json!({"bool": b}),
        Value::Int8(n) => json!({"i8": n}),
        Value::Int16(n) => json!({"i16": n}),
        Value::Int32(n) => json!({"i32": n}),
        Value::Int64(n) => json!({"i64": n.to_string()}),
        Value::Float32(n) => json!({"f32": if n.is_nan() { 0x7fc0_0000 } else { n.to_bits() as i32 }}),
        Value::Float64(n) => {
            json!({"f64": if n.is_nan() { 0x7ff8_0000_0000_0000 } else { n.to_bits() as i64 }.to_string()})
        }
        Value::String(text) => json!({"s": text}),
        Value::Bytes(bytes) => json!({"b": bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()}),
        Value::Decimal(n) => {
            let (unscaled, scale) = n.as_bigint_and_exponent();
            json!({"dec": [unscaled.to_string(), scale]})
        }
        Value::Date(millis) => json!({"date": millis.to_string()}),
        Value::Array(items) => json!({"a": items.iter().map(value_node).collect::<Vec<_>>()}),
        Value::Map(map) => {
            let pairs: Vec<Json> = map.iter().map(|(k, v)| json!([value_node(k), value_node(v)])).collect();
            if map.is_linked() { json!({"lm": pairs}) } else { json!({"m": pairs}) }
        }
        Value::Struct(data) => {
            let values: Vec<Json> = data.values.iter().map(value_node).collect();
            json!({"st": [schema_node(Some(&data.schema)), values]})
        }
    }
}

pub(crate) fn schema(node: &Json) -> Option<Schema> {
    let members = node.as_object()?;
    let kind = |name: &str| Type::ALL.into_iter().find(|kind| kind.name() == name).unwrap();
    let mut builder = match (kind(node["t"].as_str().unwrap()), schema(&node["k"]), schema(&node["e"])) {
        (Type::Array, _, Some(element)) => SchemaBuilder::array(element),
        (Type::Map, Some(key), Some(value)) => SchemaBuilder::map(key, value),
        (kind, ..) => SchemaBuilder::new(kind),
    };
    for field in node["f"].as_array().into_iter().flatten() {
        builder = builder.field(field[0].as_str().unwrap(), schema(&field[1]).unwrap());
    }
    if members.contains_key("o") {
        builder = builder.optional();
    }
    builder = builder.name(node["n"].as_str()).doc(node["doc"].as_str());
    builder = builder.version(node["v"].as_i64().map(|v| v as i32));
    for pair in node["p"].as_array().into_iter().flatten() {
        builder = builder.parameter(pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
    }
    match &node["d"] {
        Json::Null => {}
        // The default of a struct has the schema without default.
        Json::Array(values) => {
            let mut data = Struct::new(&builder.clone().build()).unwrap();
            data.values = values.iter().map(|v| value(v, None)).collect();
            builder = builder.default_value(Some(data.into()));
        }
        default => builder = builder.default_value(Some(value(default, None))),
    }
    Some(builder.build())
}

pub(crate) fn schema_node(schema: Option<&Schema>) -> Json {
    let Some(schema) = schema else { return Json::Null };
    let mut node = json!({"t": schema.kind().name()});
    let mut set = |name: &str, value: Json| node[name] = value;
    if schema.is_optional() {
        set("o", json!(true));
    }
    if let Some(name) = schema.name() {
        set("n", json!(name));
    }
    if let Some(version) = schema.version() {
        set("v", json!(version));
    }
    if let Some(doc) = schema.doc() {
        set("doc", json!(doc));
    }
    if !schema.parameters().is_empty() {
        set("p", json!(schema.parameters()));
    }
    if schema.kind() == Type::Struct {
        let fields = schema.fields().iter().map(|f| json!([f.name, schema_node(Some(&f.schema))]));
        set("f", fields.collect());
    }
    if schema.kind() == Type::Map {
        set("k", schema_node(schema.key_schema()));
    }
    if matches!(schema.kind(), Type::Map | Type::Array) {
        set("e", schema_node(schema.value_schema()));
    }
    match schema.default_value() {
        Some(Value::Struct(data)) => set("d", data.values.iter().map(value_node).collect()),
        Some(value) => set("d", value_node(value)),
        None => {}
    }
    node
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
