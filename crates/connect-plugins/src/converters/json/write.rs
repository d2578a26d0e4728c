//! Connect data to JSON text, byte for byte as Jackson writes it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connect_api::ConnectError;
use connect_api::data::class_name;
use connect_api::data::{Map, Schema, Struct, Type, Value, logical};
use java::numbers::{big_decimal_text, double_text, float_text};

use super::Settings;

/// A value.
pub(super) fn value(
    out: &mut String,
    settings: &Settings,
    schema: Option<&Schema>,
    data: &Value,
) -> Result<(), ConnectError> {
    if data.is_null() {
        return null(out, settings, schema);
    }
    if let Some(name) = schema.and_then(Schema::name)
        && let Some(written) = logical_value(out, settings, schema, name, data)
    {
        return written;
    }
    let kind = match schema {
        Some(schema) => schema.kind(),
        None => Type::of(data).ok_or_else(|| no_type(data))?,
    };
    match (kind, data) {
        (Type::Array, Value::Array(items)) => array(out, settings, schema, items),
        (Type::Map, Value::Map(entries)) => map(out, settings, schema, entries),
        (Type::Struct, Value::Struct(data)) => structure(out, settings, schema, data),
        _ => scalar(out, kind, data),
    }
}

/// Neither array nor map nor struct.
fn scalar(out: &mut String, kind: Type, data: &Value) -> Result<(), ConnectError> {
    match (kind, data) {
        (Type::Int8, Value::Int8(n)) => out.push_str(&n.to_string()),
        (Type::Int16, Value::Int16(n)) => out.push_str(&n.to_string()),
        (Type::Int32, Value::Int32(n)) => out.push_str(&n.to_string()),
        (Type::Int64, Value::Int64(n)) => out.push_str(&n.to_string()),
        (Type::Float32, Value::Float32(n)) => number(out, n.is_finite(), &float_text(*n)),
        (Type::Float64, Value::Float64(n)) => number(out, n.is_finite(), &double_text(*n)),
        (Type::Boolean, Value::Boolean(b)) => out.push_str(if *b { "true" } else { "false" }),
        (Type::String, Value::String(text)) => string(out, text),
        (Type::Bytes, Value::Bytes(bytes)) => binary(out, bytes),
        _ => {
            let kind = if kind == Type::Bytes { "bytes type" } else { kind.name() };
            return Err(ConnectError::data(format!("Invalid type for {kind}: class {}", class_name(data))));
        }
    }
    Ok(())
}

fn no_type(data: &Value) -> ConnectError {
    let class = class_name(data);
    ConnectError::data(format!("Java class class {class} does not have corresponding schema type."))
}

fn null(out: &mut String, settings: &Settings, schema: Option<&Schema>) -> Result<(), ConnectError> {
    match schema {
        Some(schema) if settings.replace_null_with_default && schema.default_value().is_some() => {
            value(out, settings, Some(schema), schema.default_value().unwrap_or(&Value::Null))
        }
        Some(schema) if !schema.is_optional() => Err(ConnectError::data(
            "Conversion error: null value for field that is required and has no default value",
        )),
        _ => {
            out.push_str("null");
            Ok(())
        }
    }
}

/// A value of a logical type; `None` if the name is not one of them.
fn logical_value(
    out: &mut String,
    settings: &Settings,
    schema: Option<&Schema>,
    name: &str,
    data: &Value,
) -> Option<Result<(), ConnectError>> {
    let schema = schema?;
    let wrong = |kind: &str, expected: &str| {
        let class = class_name(data);
        ConnectError::data(format!("Invalid type for {kind}, expected {expected} but was class {class}"))
    };
    Some(match (name, data) {
        (logical::DECIMAL, Value::Decimal(n)) if settings.numeric_decimals => {
            out.push_str(&big_decimal_text(n));
            Ok(())
        }
        (logical::DECIMAL, Value::Decimal(n)) => {
            logical::decimal_to_bytes(schema, n).map(|bytes| binary(out, &bytes))
        }
        (logical::DECIMAL, _) => Err(wrong("Decimal", "BigDecimal")),
        (logical::DATE, Value::Date(millis)) => {
            logical::date_to_days(*millis).map(|days| out.push_str(&days.to_string()))
        }
        (logical::DATE, _) => Err(wrong("Date", "Date")),
        (logical::TIME, Value::Date(millis)) => {
            logical::time_to_millis(*millis).map(|millis| out.push_str(&millis.to_string()))
        }
        (logical::TIME, _) => Err(wrong("Time", "Date")),
        (logical::TIMESTAMP, Value::Date(millis)) => {
            out.push_str(&millis.to_string());
            Ok(())
        }
        (logical::TIMESTAMP, _) => Err(wrong("Timestamp", "Date")),
        _ => return None,
    })
}

fn array(
    out: &mut String,
    settings: &Settings,
    schema: Option<&Schema>,
    items: &[Value],
) -> Result<(), ConnectError> {
    let element = schema.and_then(Schema::value_schema);
    sequence(out, ['[', ']'], items.iter(), |out, item| value(out, settings, element, item))
}

/// An object if the schema has string keys or, without schema, all keys are strings; else an array of pairs.
fn map(
    out: &mut String,
    settings: &Settings,
    schema: Option<&Schema>,
    map: &Map,
) -> Result<(), ConnectError> {
    let (keys, values) = (schema.and_then(Schema::key_schema), schema.and_then(Schema::value_schema));
    let object = match (schema, keys) {
        (None, _) => map.iter().all(|(key, _)| matches!(key, Value::String(_))),
        (Some(_), Some(keys)) => keys.kind() == Type::String,
        (Some(schema), None) => {
            let text = format!("The map's schema {schema} does not say what its keys are");
            return Err(ConnectError::of("java.lang.NullPointerException", text));
        }
    };
    if !object {
        return sequence(out, ['[', ']'], map.iter(), |out, (key, data)| {
            out.push('[');
            value(out, settings, keys, key)?;
            out.push(',');
            value(out, settings, values, data)?;
            out.push(']');
            Ok(())
        });
    }
    sequence(out, ['{', '}'], map.iter(), |out, (key, data)| {
        object_key(out, settings, keys, key)?;
        out.push(':');
        value(out, settings, values, data)
    })
}

fn object_key(
    out: &mut String,
    settings: &Settings,
    schema: Option<&Schema>,
    key: &Value,
) -> Result<(), ConnectError> {
    let start = out.len();
    value(out, settings, schema, key)?;
    // Everything that is not a string by now is the text `null`.
    if !out[start..].starts_with('"') {
        out.insert(start, '"');
        out.push('"');
    }
    Ok(())
}

fn structure(
    out: &mut String,
    settings: &Settings,
    schema: Option<&Schema>,
    data: &Struct,
) -> Result<(), ConnectError> {
    // Without schema, Java fails on the comparison as well.
    if schema != Some(&data.schema) {
        return Err(ConnectError::data("Mismatching schema."));
    }
    let fields = data.schema.fields().iter().zip(&data.values);
    sequence(out, ['{', '}'], fields, |out, (field, data)| {
        string(out, &field.name);
        out.push(':');
        value(out, settings, Some(&field.schema), data)
    })
}

fn sequence<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut String, T) -> Result<(), ConnectError>,
) -> Result<(), ConnectError> {
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item)?;
    }
    out.push(close);
    Ok(())
}

/// The JSON of a schema.
pub(super) fn schema(
    out: &mut String,
    settings: &Settings,
    schema: Option<&Schema>,
) -> Result<(), ConnectError> {
    schema_with_field(out, settings, schema, None)
}

fn schema_with_field(
    out: &mut String,
    settings: &Settings,
    schema: Option<&Schema>,
    field: Option<&str>,
) -> Result<(), ConnectError> {
    let Some(s) = schema else {
        out.push_str("null");
        return Ok(());
    };
    out.push_str("{\"type\":\"");
    out.push_str(super::type_name(s.kind()));
    out.push('"');
    match s.kind() {
        Type::Array => member(out, settings, "items", s.value_schema())?,
        Type::Map => {
            member(out, settings, "keys", s.key_schema())?;
            member(out, settings, "values", s.value_schema())?;
        }
        Type::Struct => {
            out.push_str(",\"fields\":");
            sequence(out, ['[', ']'], s.fields().iter(), |out, field| {
                schema_with_field(out, settings, Some(&field.schema), Some(&field.name))
            })?;
        }
        _ => {}
    }
    properties(out, s);
    if let Some(default) = s.default_value() {
        out.push_str(",\"default\":");
        value(out, settings, schema, default)?;
    }
    text_member(out, "field", field);
    out.push('}');
    Ok(())
}

fn member(
    out: &mut String,
    settings: &Settings,
    name: &str,
    of: Option<&Schema>,
) -> Result<(), ConnectError> {
    out.push_str(&format!(",\"{name}\":"));
    schema(out, settings, of)
}

fn properties(out: &mut String, s: &Schema) {
    out.push_str(&format!(",\"optional\":{}", s.is_optional()));
    text_member(out, "name", s.name());
    if let Some(version) = s.version() {
        out.push_str(&format!(",\"version\":{version}"));
    }
    text_member(out, "doc", s.doc());
    if s.parameters().is_empty() {
        return;
    }
    out.push_str(",\"parameters\":{");
    for (index, (key, text)) in s.parameters().iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        string(out, key);
        out.push(':');
        string(out, text);
    }
    out.push('}');
}

fn text_member(out: &mut String, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        out.push_str(&format!(",\"{name}\":"));
        string(out, text);
    }
}

/// NaN and the infinities are no JSON numbers; Jackson quotes them.
fn number(out: &mut String, finite: bool, text: &str) {
    let quote = if finite { "" } else { "\"" };
    out.push_str(&format!("{quote}{text}{quote}"));
}

fn binary(out: &mut String, bytes: &[u8]) {
    out.push('"');
    STANDARD.encode_string(bytes, out);
    out.push('"');
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            // Jackson escapes what Java has as two characters.
            '\u{10000}'.. => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04X}"));
                }
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}
