//! Values, with or without schema.

use bigdecimal::BigDecimal;
use bytes::Bytes;

use super::map::Map;
use super::structs::Struct;

/// A value of Connect's data model. Compared as Java's `equals` does: numbers of different types are never equal, NaN
/// equals itself, 0.0 is not -0.0, decimals of different scale are not equal. Bytes are compared by content.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum Value {
    Null,
    Boolean(bool),
    Int8(i8),
    Int16(i16),
    Int32(i32),
    Int64(i64),
    Float32(f32),
    Float64(f64),
    String(String),
    Bytes(Bytes),
    Array(Vec<Value>),
    Map(Map),
    Struct(Box<Struct>),
    /// Logical type Decimal (`java.math.BigDecimal`).
    Decimal(BigDecimal),
    /// Logical types Date, Time and Timestamp (`java.util.Date`): milliseconds since the epoch, UTC.
    Date(i64),
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Int8(a), Self::Int8(b)) => a == b,
            (Self::Int16(a), Self::Int16(b)) => a == b,
            (Self::Int32(a), Self::Int32(b)) => a == b,
            (Self::Int64(a), Self::Int64(b)) | (Self::Date(a), Self::Date(b)) => a == b,
            (Self::Float32(a), Self::Float32(b)) => (a.is_nan() && b.is_nan()) || a.to_bits() == b.to_bits(),
            (Self::Float64(a), Self::Float64(b)) => (a.is_nan() && b.is_nan()) || a.to_bits() == b.to_bits(),
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Struct(a), Self::Struct(b)) => a == b,
            (Self::Decimal(a), Self::Decimal(b)) => a.as_bigint_and_exponent() == b.as_bigint_and_exponent(),
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Value {
    /// True for null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// A map.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// A struct.
    pub fn as_struct(&self) -> Option<&Struct> {
        match self {
            Self::Struct(data) => Some(data),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<Struct> for Value {
    fn from(data: Struct) -> Self {
        Self::Struct(Box::new(data))
    }
}
