//! Conversion of values to the type of a schema.

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, ToPrimitive, Zero};
use connect_api::ConnectError;
use connect_api::data::{Map, Schema, SchemaAndValue, Type, Value, class_name, java_string, logical};
use java::numbers::{big_decimal_text, double_text, low_bits, parse_big_decimal};

use super::print::to_text;

/// The reader of texts, which calls this file in its turn: `parse_string`.
pub(super) type Parse = fn(&str) -> Result<SchemaAndValue, ConnectError>;

/// Integer bits of a number or of a text that is one.
pub(crate) fn to_long(value: &Value) -> Result<i64, ConnectError> {
    Ok(match value {
        Value::Int8(n) => i64::from(*n),
        Value::Int16(n) => i64::from(*n),
        Value::Int32(n) => i64::from(*n),
        Value::Int64(n) => *n,
        Value::Float32(n) => *n as i64,
        Value::Float64(n) => *n as i64,
        Value::Decimal(n) => low_bits(n),
        Value::String(text) => low_bits(&parse_big_decimal(text).ok_or_else(|| no_number(value))?),
        _ => return Err(no_number(value)),
    })
}

/// The nearest double of a number or of a text that is one.
pub(crate) fn to_double(value: &Value) -> Result<f64, ConnectError> {
    Ok(match value {
        Value::Float32(n) => f64::from(*n),
        Value::Float64(n) => *n,
        Value::Decimal(n) => decimal_to_double(n),
        Value::String(text) => decimal_to_double(&parse_big_decimal(text).ok_or_else(|| no_number(value))?),
        _ => to_long(value)? as f64,
    })
}

fn decimal_to_double(n: &BigDecimal) -> f64 {
    big_decimal_text(n).parse().unwrap_or(f64::NAN)
}

fn no_number(value: &Value) -> ConnectError {
    let (text, class) = (java_string(value), class_name(value));
    let error = ConnectError::data(format!("Unable to convert {text} (class {class}) to a number"));
    match value {
        Value::String(_) => {
            error.caused_by(ConnectError::of("java.lang.NumberFormatException", "not a number"))
        }
        _ => error,
    }
}

/// `value` as `schema` has it, as far as elements of arrays and maps need it.
pub(super) fn to_schema(parse: Parse, schema: &Schema, value: Value) -> Result<Value, ConnectError> {
    if value.is_null() {
        return if schema.is_optional() {
            Ok(value)
        } else {
            Err(ConnectError::data("Unable to convert a null value to a schema that requires a value"))
        };
    }
    let unable = |value: &Value| {
        let (text, class) = (java_string(value), class_name(value));
        Err(ConnectError::data(format!("Unable to convert {text} (class {class}) to {schema}")))
    };
    Ok(match (schema.kind(), value) {
        (Type::Bytes, value) if schema.name() == Some(logical::DECIMAL) => match &value {
            Value::Decimal(_) => value,
            Value::Bytes(bytes) => Value::Decimal(logical::decimal_from_bytes(schema, bytes)?),
            Value::String(text) => match parse_big_decimal(text) {
                Some(n) => Value::Decimal(n),
                None => return unable(&value),
            },
            _ => match parse_big_decimal(&double_text(to_double(&value)?)) {
                Some(n) => Value::Decimal(n),
                None => return unable(&value),
            },
        },
        (Type::Bytes, value @ Value::Bytes(_)) => value,
        (Type::Bytes, Value::Decimal(n)) => Value::Bytes(logical::decimal_to_bytes(schema, &n)?.into()),
        (Type::String, value) => Value::String(to_text(&value)),
        (Type::Boolean, value) => Value::Boolean(boolean(parse, &value)?),
        (Type::Int8, value) => Value::Int8(to_long(&value)? as i8),
        (Type::Int16, value) => Value::Int16(to_long(&value)? as i16),
        (Type::Int32, value) => int32(parse, schema, value)?,
        (Type::Int64, value) if schema.name() == Some(logical::TIMESTAMP) => match parsed(parse, value)? {
            value @ Value::Date(_) => value,
            value => Value::Date(to_long(&value)?),
        },
        (Type::Int64, value) => Value::Int64(to_long(&value)?),
        (Type::Float32, Value::Float32(n)) => Value::Float32(n),
        (Type::Float32, value) => Value::Float32(to_double(&value)? as f32),
        (Type::Float64, value) => Value::Float64(to_double(&value)?),
        (Type::Array, value) => match parsed(parse, value)? {
            value @ Value::Array(_) => value,
            value => return unable(&value),
        },
        (Type::Map, value) => match parsed(parse, value)? {
            value @ Value::Map(_) => value,
            value => return unable(&value),
        },
        (Type::Struct, value @ Value::Struct(_)) => value,
        (_, value) => return unable(&value),
    })
}

/// The value that a text says; anything else as it is.
fn parsed(parse: Parse, value: Value) -> Result<Value, ConnectError> {
    match value {
        Value::String(text) => Ok(parse(&text)?.value),
        value => Ok(value),
    }
}

fn boolean(parse: Parse, value: &Value) -> Result<bool, ConnectError> {
    match value {
        Value::Boolean(b) => Ok(*b),
        Value::String(text) => match parse(text)?.value {
            Value::Boolean(b) => Ok(b),
            _ => Ok(to_long(value)? != 0),
        },
        _ => Ok(to_long(value)? != 0),
    }
}

fn int32(parse: Parse, schema: &Schema, value: Value) -> Result<Value, ConnectError> {
    let is_date = match schema.name() {
        Some(logical::DATE) => true,
        Some(logical::TIME) => false,
        _ => return Ok(Value::Int32(to_long(&value)? as i32)),
    };
    match parsed(parse, value)? {
        value @ Value::Date(_) => Ok(value),
        value if is_date => Ok(Value::Date(logical::date_from_days(to_long(&value)? as i32))),
        value => logical::time_from_millis(to_long(&value)? as i32).map(Value::Date),
    }
}

/// Every element of an array converted.
pub(super) fn array(parse: Parse, element: &Schema, items: Vec<Value>) -> Result<Vec<Value>, ConnectError> {
    items.into_iter().map(|item| to_schema(parse, element, item)).collect()
}

/// Keys and, with a schema for them, values converted; the order stays.
pub(super) fn map(
    parse: Parse,
    keys: &Schema,
    values: Option<&Schema>,
    map: Map,
) -> Result<Map, ConnectError> {
    let mut converted = Map::linked();
    for (key, value) in map {
        let value = match values {
            Some(schema) => to_schema(parse, schema, value)?,
            None => value,
        };
        converted.put(to_schema(parse, keys, key)?, value);
    }
    Ok(converted)
}

/// A whole number of 64 bits.
pub(super) fn exact_long(n: &BigDecimal) -> Option<i64> {
    let (unscaled, scale) = n.clone().into_bigint_and_exponent();
    if unscaled.is_zero() {
        return Some(0);
    }
    // A power of ten as large as the number, or less, is never too large to compute.
    let magnitude = unscaled.to_string().trim_start_matches('-').len() as i64 - 1 - scale;
    if !(0..=19).contains(&magnitude) {
        return None;
    }
    let power = BigInt::from(10).pow(u32::try_from(scale.unsigned_abs()).ok()?);
    if scale <= 0 {
        return (&unscaled * power).to_i64();
    }
    if !(&unscaled % &power).is_zero() {
        return None;
    }
    (&unscaled / power).to_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_of_64_bits_are_exact() {
        for (text, long) in [
            ("1.0", Some(1)),
            ("1e3", Some(1000)),
            ("1.5", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("0e-2147483647", Some(0)),
            ("1e2147483647", None),
            ("0.5", None),
        ] {
            assert_eq!(parse_big_decimal(text).and_then(|n| exact_long(&n)), long, "{text}");
        }
    }
}
