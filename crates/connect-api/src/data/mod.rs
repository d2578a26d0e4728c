//! Connect's data: schemas, values, headers.

mod builder;
mod hash;
mod headers;
pub mod logical;
mod map;
mod names;
mod schema;
mod strings;
mod structs;
mod validate;
mod value;

pub use builder::SchemaBuilder;
pub use hash::hash_code;
pub use headers::{Header, Headers};
pub use map::Map;
pub use schema::{Field, Schema, Type};
pub use strings::{class_name, java_string};
pub use structs::Struct;
pub use validate::{validate_field, validate_value};
pub use value::Value;

/// A value with the schema that describes it; `None` for data without schema.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemaAndValue {
    /// The schema, if there is one.
    pub schema: Option<Schema>,
    /// The value.
    pub value: Value,
}

impl SchemaAndValue {
    /// Neither schema nor value.
    pub const NULL: Self = Self { schema: None, value: Value::Null };

    /// A value without schema.
    pub fn schemaless(value: Value) -> Self {
        Self { schema: None, value }
    }

    /// A value with its schema.
    pub fn new(schema: Schema, value: Value) -> Self {
        Self { schema: Some(schema), value }
    }
}
