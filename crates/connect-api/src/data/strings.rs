//! `toString` and class names of the Java objects that values stand for.

use java::DateTime;
use java::numbers::{big_decimal_text, double_text, float_text};

use super::hash::hash_code;
use super::value::Value;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The text that Java's `toString` (null: `null`) gives for a value: what FileStreamSink writes, and StringConverter
/// makes of anything that is not a string. Dates are in UTC. Bytes give an object id, as in Java; ours depends on the
/// content only.
pub fn java_string(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int8(n) => out.push_str(&n.to_string()),
        Value::Int16(n) => out.push_str(&n.to_string()),
        Value::Int32(n) => out.push_str(&n.to_string()),
        Value::Int64(n) => out.push_str(&n.to_string()),
        Value::Float32(n) => out.push_str(&float_text(*n)),
        Value::Float64(n) => out.push_str(&double_text(*n)),
        Value::String(text) => out.push_str(text),
        Value::Bytes(_) => out.push_str(&format!("[B@{:x}", hash_code(value))),
        Value::Decimal(n) => out.push_str(&big_decimal_text(n)),
        Value::Date(millis) => out.push_str(&date(*millis)),
        Value::Array(items) => {
            joined(out, ["[", ", ", "]"], items.iter(), write);
        }
        Value::Map(map) => joined(out, ["{", ", ", "}"], map.iter(), |out, (key, value)| {
            write(out, key);
            out.push('=');
            write(out, value);
        }),
        Value::Struct(data) => {
            let set = data.schema.fields().iter().zip(&data.values).filter(|(_, v)| **v != Value::Null);
            joined(out, ["Struct{", ",", "}"], set, |out, (field, value)| {
                out.push_str(&field.name);
                out.push('=');
                write(out, value);
            });
        }
    }
}

fn joined<T>(
    out: &mut String,
    [open, between, close]: [&str; 3],
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut String, T),
) {
    out.push_str(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(between);
        }
        write(out, item);
    }
    out.push_str(close);
}

fn date(millis: i64) -> String {
    let d = DateTime::from_millis(millis);
    format!(
        "{} {} {:02} {:02}:{:02}:{:02} UTC {}",
        DAYS[d.weekday() as usize],
        MONTHS[d.month as usize - 1],
        d.day,
        d.hour,
        d.minute,
        d.second,
        d.year_of_era()
    )
}

/// Name of the Java class of a value, as `getClass().getName()` gives it; `null` for null.
pub fn class_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Boolean(_) => "java.lang.Boolean",
        Value::Int8(_) => "java.lang.Byte",
        Value::Int16(_) => "java.lang.Short",
        Value::Int32(_) => "java.lang.Integer",
        Value::Int64(_) => "java.lang.Long",
        Value::Float32(_) => "java.lang.Float",
        Value::Float64(_) => "java.lang.Double",
        Value::String(_) => "java.lang.String",
        Value::Bytes(_) => "[B",
        Value::Array(_) => "java.util.ArrayList",
        Value::Map(map) if map.is_linked() => "java.util.LinkedHashMap",
        Value::Map(_) => "java.util.HashMap",
        Value::Struct(_) => "org.apache.kafka.connect.data.Struct",
        Value::Decimal(_) => "java.math.BigDecimal",
        Value::Date(_) => "java.util.Date",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Map, Schema, SchemaBuilder, Struct, Type};
    use super::*;

    #[test]
    fn everything_prints_as_in_java() {
        let schema = SchemaBuilder::new(Type::Struct)
            .field("a", Schema::of(Type::Int32))
            .field("none", Schema::optional(Type::Int32))
            .field("b", Schema::of(Type::String))
            .build();
        let mut data = Struct::new(&schema).unwrap();
        data.put("a", Value::Int32(1)).unwrap();
        data.put("b", Value::from("x")).unwrap();
        let map: Map = [(Value::from("k"), Value::Float64(1e21)), (Value::from("a"), Value::Null)].into();
        for (value, text) in [
            (Value::from(data), "Struct{a=1,b=x}"),
            (Value::Map(map), "{a=null, k=1.0E21}"),
            (Value::Array(vec![Value::Boolean(true), Value::from("x")]), "[true, x]"),
            (Value::Date(1_577_934_245_000), "Thu Jan 02 03:04:05 UTC 2020"),
            (Value::Decimal("1E+3".parse().unwrap()), "1E+3"),
            (Value::Null, "null"),
        ] {
            assert_eq!(java_string(&value), text);
        }
        let id = java_string(&Value::Bytes(vec![1, 2].into()));
        assert!(id.starts_with("[B@") && id.len() > 3, "{id}");
    }

    #[test]
    fn deep_nesting_is_printed_hashed_and_compared() {
        let nested = |_| (0..1000).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        let [one, other] = [0, 1].map(nested);
        assert_eq!(java_string(&one).len(), 2004);
        assert_eq!((hash_code(&one), &one), (hash_code(&other), &other.clone()));
    }
}
