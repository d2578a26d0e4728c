//! Checks that a value fits a schema, with the words of `ConnectSchema.validateValue`.

use super::names::{DATE, DECIMAL, TIME, TIMESTAMP};
use super::schema::{Schema, Type};
use super::strings::class_name;
use super::structs::Struct;
use super::value::Value;
use crate::error::ConnectError;

/// Checks a value of its own.
///
/// # Errors
/// A `DataException` that says what does not fit.
pub fn validate_value(schema: &Schema, value: &Value) -> Result<(), ConnectError> {
    validate(schema, value, "value")
}

/// Checks the value of a struct's field.
///
/// # Errors
/// As [`validate_value`].
pub fn validate_field(name: &str, schema: &Schema, value: &Value) -> Result<(), ConnectError> {
    // Most values fit, and a text for each place would be in vain.
    if fits(schema, value) {
        return Ok(());
    }
    validate(schema, value, &format!("field: \"{name}\""))
}

/// True for scalars that fit for sure.
fn fits(schema: &Schema, value: &Value) -> bool {
    match value {
        Value::Null => schema.is_optional(),
        Value::Array(_) | Value::Map(_) | Value::Struct(_) => false,
        _ => is_expected(schema, value),
    }
}

fn validate(schema: &Schema, value: &Value, place: &str) -> Result<(), ConnectError> {
    if value.is_null() {
        if schema.is_optional() {
            return Ok(());
        }
        let kind = schema.kind();
        return Err(ConnectError::data(format!(
            "Invalid value: null used for required {place}, schema type: {kind}"
        )));
    }
    if !is_expected(schema, value) {
        let name = schema.name().map(|name| format!(" \"{name}\"")).unwrap_or_default();
        return Err(ConnectError::data(format!(
            "Invalid Java object for schema{name} with type {}: class {} for {place}",
            schema.kind(),
            class_name(value)
        )));
    }
    match value {
        Value::Struct(data) if data.schema != *schema => {
            Err(ConnectError::data("Struct schemas do not match."))
        }
        Value::Struct(data) => data.validate(),
        Value::Array(items) => {
            let place = format!("element of array {place}");
            let element = defined(schema.value_schema(), &place)?;
            items.iter().try_for_each(|item| validate(element, item, &place))
        }
        Value::Map(map) => {
            let (key_place, value_place) = (format!("key of map {place}"), format!("value of map {place}"));
            let key_schema = defined(schema.key_schema(), &key_place)?;
            let value_schema = defined(schema.value_schema(), &value_place)?;
            map.iter().try_for_each(|(key, value)| {
                validate(key_schema, key, &key_place)?;
                validate(value_schema, value, &value_place)
            })
        }
        _ => Ok(()),
    }
}

fn defined<'a>(schema: Option<&'a Schema>, place: &str) -> Result<&'a Schema, ConnectError> {
    schema.ok_or_else(|| ConnectError::data(format!("No schema defined for {place}")))
}

/// Whether the Java class of a value is one for this schema; logical types are known by name.
fn is_expected(schema: &Schema, value: &Value) -> bool {
    match schema.name() {
        Some(DECIMAL) => return matches!(value, Value::Decimal(_)),
        Some(DATE | TIME | TIMESTAMP) => return matches!(value, Value::Date(_)),
        _ => {}
    }
    Type::of(value) == Some(schema.kind())
}

/// Values go into a struct only where they fit.
impl Struct {
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
        validate_field(&field.name, &field.schema, &value)?;
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
            validate_field(&field.name, schema, value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Map, SchemaBuilder, logical};
    use super::*;

    #[test]
    fn what_does_not_fit_is_said_in_connects_words() {
        let ints = SchemaBuilder::array(Schema::of(Type::Int32)).build();
        let map = SchemaBuilder::map(Schema::of(Type::String), Schema::of(Type::Int8)).build();
        let wrong = Value::Map(Map::from([("a", Value::Int16(1))]));
        for (schema, value, message) in [
            (
                &ints,
                Value::Array(vec![Value::Null]),
                "Invalid value: null used for required element of array value, schema type: INT32",
            ),
            (
                &map,
                wrong,
                "Invalid Java object for schema with type INT8: class java.lang.Short for value of map value",
            ),
            (
                &logical::date(),
                Value::Int32(1),
                "Invalid Java object for schema \"org.apache.kafka.connect.data.Date\" with type INT32: \
                 class java.lang.Integer for value",
            ),
        ] {
            assert_eq!(validate_value(schema, &value).unwrap_err().message(), message);
        }
        validate_value(&logical::decimal(2), &Value::Decimal("1.2".parse().unwrap())).unwrap();
        validate_value(&ints, &Value::Array(vec![Value::Int32(1)])).unwrap();
    }

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
