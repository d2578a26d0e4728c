//! Values, with or without schema.

use bigdecimal::BigDecimal;
use bytes::Bytes;

use super::Schema;

/// A value of Connect's data model.
#[derive(Debug, Clone, PartialEq)]
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

/// A map; keys of any type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map(pub Vec<(Value, Value)>);

/// A struct: a value for each field of its schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Struct {
    /// Its schema, of type struct.
    pub schema: Schema,
    /// One value for each field, in the order of the schema's fields.
    pub values: Vec<Value>,
}
