//! Checks that a value fits a schema, with the words of `ConnectSchema.validateValue`.

use super::strings::class_name;
use super::{Schema, Type, Value, logical};
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
    match fits(schema, value) {
        true => Ok(()),
        false => validate(schema, value, &format!("field: \"{name}\"")),
    }
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
        return match schema.is_optional() {
            true => Ok(()),
            false => Err(ConnectError::data(format!(
                "Invalid value: null used for required {place}, schema type: {}",
                schema.kind()
            ))),
        };
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
        Some(logical::DECIMAL) => return matches!(value, Value::Decimal(_)),
        Some(logical::DATE | logical::TIME | logical::TIMESTAMP) => return matches!(value, Value::Date(_)),
        _ => {}
    }
    Type::of(value) == Some(schema.kind())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Map, SchemaBuilder};
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
}
