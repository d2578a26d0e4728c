//! Casts of single values, with the rules of Java's casts and `parse…` methods.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connect_api::ConnectError;
use connect_api::data::{Schema, Type, Value, logical};
use connect_api::data::{class_name, java_string};
use java::numbers::big_decimal_text;
use java::numbers::{low_bits, parse_double, parse_float};

use crate::converters::values::date_text;

/// Types that can be cast.
pub(super) const INPUTS: [Type; 9] = [
    Type::Int8,
    Type::Int16,
    Type::Int32,
    Type::Int64,
    Type::Float32,
    Type::Float64,
    Type::Boolean,
    Type::String,
    Type::Bytes,
];

/// A value of a type from one of another; `schema` is that of the value, if it has one.
pub(super) fn cast(schema: Option<&Schema>, value: &Value, target: Type) -> Result<Value, ConnectError> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let kind = schema.map(Schema::kind).or_else(|| Type::of(value)).ok_or_else(|| {
        let class = class_name(value);
        ConnectError::data(format!(
            "Cast transformation was passed a value of type class {class} which is not supported by Connect's data API"
        ))
    })?;
    if !INPUTS.contains(&kind) {
        return Err(ConnectError::data(format!(
            "Cast transformation does not support casting from {kind}; supported types are {}",
            names(&INPUTS)
        )));
    }
    if target == Type::String {
        return Ok(Value::String(text(value)));
    }
    let encoded = match schema.and_then(Schema::name) {
        Some(name) => encode_logical(name, value)?,
        None => None,
    };
    let value = encoded.as_ref().unwrap_or(value);
    Ok(match (target, value) {
        (Type::Int8, value) => {
            Value::Int8(integer(value, |text| text.parse::<i8>().ok().map(i64::from))? as i8)
        }
        (Type::Int16, value) => {
            Value::Int16(integer(value, |text| text.parse::<i16>().ok().map(i64::from))? as i16)
        }
        (Type::Int32, value) => {
            Value::Int32(integer(value, |text| text.parse::<i32>().ok().map(i64::from))? as i32)
        }
        (Type::Int64, Value::Float32(n)) => Value::Int64(*n as i64),
        (Type::Int64, Value::Float64(n)) => Value::Int64(*n as i64),
        (Type::Int64, value) => Value::Int64(integer(value, |text| text.parse().ok())?),
        (Type::Float32, value) => Value::Float32(float32(value)?),
        (Type::Float64, value) => Value::Float64(float64(value)?),
        (Type::Boolean, value) => Value::Boolean(boolean(value)?),
        (other, _) => {
            return Err(ConnectError::data(format!("{other} is not supported in the Cast transformation.")));
        }
    })
}

/// `[INT8, INT16]`.
pub(super) fn names(types: &[Type]) -> String {
    let names: Vec<&str> = types.iter().map(|kind| kind.name()).collect();
    format!("[{}]", names.join(", "))
}

/// The number behind a date.
fn encode_logical(name: &str, value: &Value) -> Result<Option<Value>, ConnectError> {
    let Value::Date(millis) = value else { return Ok(None) };
    Ok(Some(match name {
        logical::DATE => Value::Int32(logical::date_to_days(*millis)?),
        logical::TIME => Value::Int32(logical::time_to_millis(*millis)?),
        logical::TIMESTAMP => Value::Int64(*millis),
        _ => return Ok(None),
    }))
}

fn text(value: &Value) -> String {
    match value {
        Value::Date(millis) => date_text(*millis),
        Value::Bytes(bytes) => STANDARD.encode(bytes),
        value => java_string(value),
    }
}

fn unexpected(value: &Value) -> ConnectError {
    ConnectError::data(format!("Unexpected type in Cast transformation: class {}", class_name(value)))
}

fn out_of_range(text: &str) -> ConnectError {
    let cause = ConnectError::of("java.lang.NumberFormatException", format!("For input string: \"{text}\""));
    ConnectError::data(format!("Value ({text}) was out of range for requested data type")).caused_by(cause)
}

/// Bits of an integer; floats saturate at 32 bits first, as in Java.
fn integer(value: &Value, parse: impl Fn(&str) -> Option<i64>) -> Result<i64, ConnectError> {
    Ok(match value {
        Value::Int8(n) => i64::from(*n),
        Value::Int16(n) => i64::from(*n),
        Value::Int32(n) => i64::from(*n),
        Value::Int64(n) => *n,
        Value::Float32(n) => i64::from(*n as i32),
        Value::Float64(n) => i64::from(*n as i32),
        Value::Decimal(n) => low_bits(n),
        Value::Boolean(b) => i64::from(*b),
        Value::String(text) => parse(text).ok_or_else(|| out_of_range(text))?,
        _ => return Err(unexpected(value)),
    })
}

fn float32(value: &Value) -> Result<f32, ConnectError> {
    Ok(match value {
        Value::Int64(n) => *n as f32,
        Value::Float32(n) => *n,
        Value::Float64(n) => *n as f32,
        Value::Decimal(n) => big_decimal_text(n).parse().unwrap_or(f32::NAN),
        Value::String(text) => parse_float(text).ok_or_else(|| out_of_range(text))?,
        value => integer(value, |_| None)? as f32,
    })
}

fn float64(value: &Value) -> Result<f64, ConnectError> {
    Ok(match value {
        Value::Float32(n) => f64::from(*n),
        Value::Float64(n) => *n,
        Value::Decimal(n) => big_decimal_text(n).parse().unwrap_or(f64::NAN),
        Value::String(text) => parse_double(text).ok_or_else(|| out_of_range(text))?,
        value => integer(value, |_| None)? as f64,
    })
}

fn boolean(value: &Value) -> Result<bool, ConnectError> {
    Ok(match value {
        Value::Float32(n) => *n as i64 != 0,
        Value::Float64(n) => *n as i64 != 0,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        value => integer(value, |_| None)? != 0,
    })
}
