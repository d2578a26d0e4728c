//! Structs: one value for each field of a schema.

use super::{Field, Schema, Type, Value, validate};
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

    /// Puts the value of a field.
    ///
    /// # Errors
    /// If there is no such field, or the value does not fit its schema (a null fits only optional ones).
    pub fn put(&mut self, name: &str, value: Value) -> Result<(), ConnectError> {
        let index = self.field(name)?.0;
        self.put_at(index, value)
    }

    /// Puts the value of the field at an index, which must exist.
    ///
    /// # Errors
    /// If the value does not fit the field's schema.
    pub fn put_at(&mut self, index: usize, value: Value) -> Result<(), ConnectError> {
        let field = &self.schema.fields()[index];
        validate::validate_field(&field.name, &field.schema, &value)?;
        self.values[index] = value;
        Ok(())
    }

    /// Checks that every field that needs a value has one that fits.
    ///
    /// # Errors
    /// For the first field that is wrong.
    pub fn validate(&self) -> Result<(), ConnectError> {
        for (field, value) in self.schema.fields().iter().zip(&self.values) {
            let schema = &field.schema;
            if value.is_null() && (schema.is_optional() || schema.default_value().is_some()) {
                continue;
            }
            validate::validate_field(&field.name, schema, value)?;
        }
        Ok(())
    }

    fn field(&self, name: &str) -> Result<(usize, &Field), ConnectError> {
        let found = self.schema.field(name);
        found.ok_or_else(|| ConnectError::data(format!("{name} is not a valid field name")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::SchemaBuilder;
    use super::*;

    #[test]
    fn fields_are_checked_and_defaulted() {
        let seven = SchemaBuilder::new(Type::Int32).default_value(Some(Value::Int32(7))).build();
        let schema = SchemaBuilder::new(Type::Struct)
            .field("a", seven)
            .field("b", Schema::optional(Type::String))
            .field("c", Schema::of(Type::Int64))
            .build();
        let mut data = Struct::new(&schema).unwrap();
        assert_eq!(data.get("a").unwrap(), &Value::Int32(7));
        assert_eq!(data.get_without_default("a").unwrap(), &Value::Null);
        assert_eq!(data.get("x").unwrap_err().message(), "x is not a valid field name");
        assert_eq!(
            data.put("b", Value::Int32(1)).unwrap_err().message(),
            "Invalid Java object for schema with type STRING: class java.lang.Integer for field: \"b\""
        );
        assert_eq!(
            data.validate().unwrap_err().message(),
            "Invalid value: null used for required field: \"c\", schema type: INT64"
        );
        data.put("c", Value::Int64(1)).unwrap();
        data.validate().unwrap();
        assert_eq!(
            Struct::new(&Schema::of(Type::Int8)).unwrap_err().message(),
            "Not a struct schema: Schema{INT8}"
        );
    }
}
