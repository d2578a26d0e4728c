//! Structs: one value for each field of a schema.

use super::schema::{Field, Schema, Type};
use super::value::Value;
use crate::error::ConnectError;

/// Stands for values that are not there.
static NULL: Value = Value::Null;

/// A struct: a value for each field of its schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Struct {
    /// Its schema, of type struct.
    pub schema: Schema,
    /// One value for each field, in the order of the schema's fields.
    pub values: Vec<Value>,
}

impl Struct {
    /// A struct without values.
    ///
    /// # Errors
    /// If the schema is not that of a struct.
    pub fn new(schema: &Schema) -> Result<Self, ConnectError> {
        if schema.kind() != Type::Struct {
            return Err(ConnectError::data(format!("Not a struct schema: {schema}")));
        }
        Ok(Self { schema: schema.clone(), values: vec![Value::Null; schema.fields().len()] })
    }

    /// The value of a field, or the default of its schema where it is null.
    ///
    /// # Errors
    /// If there is no such field.
    pub fn get(&self, name: &str) -> Result<&Value, ConnectError> {
        Ok(self.at(self.field(name)?.0))
    }

    /// The value of a field, null where none was put.
    ///
    /// # Errors
    /// If there is no such field.
    pub fn get_without_default(&self, name: &str) -> Result<&Value, ConnectError> {
        Ok(&self.values[self.field(name)?.0])
    }

    /// The value of the field at an index, with the default of its schema; null beyond the last.
    pub fn at(&self, index: usize) -> &Value {
        match (self.values.get(index), self.schema.fields().get(index)) {
            (Some(Value::Null), Some(field)) => field.schema.default_value().unwrap_or(&NULL),
            (Some(value), _) => value,
            (None, _) => &NULL,
        }
    }

    /// A field with its index.
    pub(super) fn field(&self, name: &str) -> Result<(usize, &Field), ConnectError> {
        let found = self.schema.field(name);
        found.ok_or_else(|| ConnectError::data(format!("{name} is not a valid field name")))
    }
}
