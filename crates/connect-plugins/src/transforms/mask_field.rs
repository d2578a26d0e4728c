//! MaskField: fields without their content: the empty value of their type, or a replacement.

use connect_api::config_def::Validator;
use connect_api::data::class_name;
use connect_api::data::{Map, Struct, Value};
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Importance, Record, Transformation, Type as ConfigType,
};
use java::numbers::parse_big_decimal;
use java::order::hash_order;

use super::support::{
    REPLACE_NULL, Side, def, field_value, replace_null_key, require_map, require_struct, required,
};
use crate::converters::values::{to_double, to_long};

const PURPOSE: &str = "mask fields";

pub(super) fn config_def() -> ConfigDef {
    let text = "What stands in place of the fields' values, which must be numbers or strings.";
    def([
        required("fields", ConfigType::List, Importance::High, "Names of the fields.")
            .validator(Validator::non_empty_list()),
        required("replacement", ConfigType::String, Importance::Low, text)
            .optional()
            .validator(Validator::non_empty()),
        replace_null_key(),
    ])
}

/// The transformation.
#[derive(Debug)]
pub(super) struct MaskField {
    side: Side,
    /// In the order of Java's set.
    fields: Vec<String>,
    replacement: Option<String>,
    replace_null: bool,
}

impl MaskField {
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self, ConnectError> {
        let config = config_def().parse(config)?;
        let mut fields: Vec<&String> = Vec::new();
        for field in config.list("fields") {
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        let order = hash_order(fields.iter().map(|field| field.as_str()));
        Ok(Self {
            side,
            fields: order.into_iter().map(|index| fields[index].clone()).collect(),
            replacement: config.str("replacement").map(str::to_owned),
            replace_null: config.bool(REPLACE_NULL),
        })
    }

    fn masked(&self, value: &Value) -> Result<Value, ConnectError> {
        match &self.replacement {
            _ if value.is_null() => Ok(Value::Null),
            None => empty(value),
            Some(replacement) => replaced(value, replacement),
        }
    }

    fn schemaless(&self, value: &Value) -> Result<Value, ConnectError> {
        let map = require_map(value, PURPOSE)?;
        let mut updated = map.copied();
        for field in &self.fields {
            let masked = self.masked(map.get_str(field).unwrap_or(&Value::Null))?;
            updated.put(field.as_str(), masked);
        }
        Ok(updated.into())
    }

    fn with_schema(&self, value: &Value) -> Result<Value, ConnectError> {
        let data = require_struct(value, PURPOSE)?;
        let mut updated = Struct::new(&data.schema)?;
        for (index, field) in data.schema.fields().iter().enumerate() {
            let value = field_value(data, index, self.replace_null);
            let value = if self.fields.contains(&field.name) { self.masked(&value)? } else { value };
            updated.put_at(index, value)?;
        }
        Ok(updated.into())
    }
}

/// Zero, false, the empty text.
fn empty(value: &Value) -> Result<Value, ConnectError> {
    Ok(match value {
        Value::Boolean(_) => Value::Boolean(false),
        Value::Int8(_) => Value::Int8(0),
        Value::Int16(_) => Value::Int16(0),
        Value::Int32(_) => Value::Int32(0),
        Value::Int64(_) => Value::Int64(0),
        Value::Float32(_) => Value::Float32(0.0),
        Value::Float64(_) => Value::Float64(0.0),
        Value::Decimal(_) => Value::Decimal(0.into()),
        Value::Date(_) => Value::Date(0),
        Value::String(_) => Value::from(""),
        Value::Array(_) => Value::Array(vec![]),
        Value::Map(_) => Value::Map(Map::new()),
        Value::Null => Value::Null,
        Value::Bytes(_) | Value::Struct(_) => {
            return Err(ConnectError::data(format!(
                "Cannot mask value of type: class {}",
                class_name(value)
            )));
        }
    })
}

/// The replacement as the type of the value.
fn replaced(value: &Value, replacement: &str) -> Result<Value, ConnectError> {
    let text = Value::from(replacement);
    Ok(match value {
        Value::Int8(_) => Value::Int8(to_long(&text)? as i8),
        Value::Int16(_) => Value::Int16(to_long(&text)? as i16),
        Value::Int32(_) => Value::Int32(to_long(&text)? as i32),
        Value::Int64(_) => Value::Int64(to_long(&text)?),
        Value::Float32(_) => Value::Float32(to_double(&text)? as f32),
        Value::Float64(_) => Value::Float64(to_double(&text)?),
        Value::String(_) => text,
        Value::Decimal(_) => Value::Decimal(parse_big_decimal(replacement).ok_or_else(|| {
            ConnectError::data(format!("Unable to convert {replacement} (class java.lang.String) to number"))
        })?),
        value => {
            return Err(ConnectError::data(format!(
                "Cannot mask value of type class {} with custom replacement.",
                class_name(value)
            )));
        }
    })
}

impl Transformation for MaskField {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        let part = self.side.of(&mut record);
        part.value = match part.schema {
            None => self.schemaless(&part.value)?,
            Some(_) => self.with_schema(&part.value)?,
        };
        Ok(Some(record))
    }
}
