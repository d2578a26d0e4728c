//! Common ground of the transformations: the side of a record that they work on, checks of data with Connect's words,
//! derived schemas.

use std::sync::{Mutex, PoisonError};

use connect_api::data::class_name;
use connect_api::data::{Map, Schema, SchemaAndValue, SchemaBuilder, Struct, Type, Value};
use connect_api::{ConfigDef, ConfigKey, ConnectError, Importance, Record, Type as ConfigType};

/// The part of a record that a transformation works on: `$Key` or `$Value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Key,
    Value,
}

impl Side {
    pub(super) fn of(self, record: &mut Record) -> &mut SchemaAndValue {
        match self {
            Self::Key => &mut record.key,
            Self::Value => &mut record.value,
        }
    }
}

/// Number of schemas that Connect's transformations remember.
const REMEMBERED: usize = 16;

/// Schemas made from others, so that records of one schema share one result.
#[derive(Debug, Default)]
pub(super) struct SchemaCache(Mutex<Vec<(Schema, Schema)>>);

impl SchemaCache {
    pub(super) fn get(
        &self,
        schema: &Schema,
        make: impl FnOnce() -> Result<Schema, ConnectError>,
    ) -> Result<Schema, ConnectError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, made)) = known.iter().find(|(from, _)| from == schema) {
            return Ok(made.clone());
        }
        let made = make()?;
        if known.len() == REMEMBERED {
            known.remove(0);
        }
        known.push((schema.clone(), made.clone()));
        Ok(made)
    }
}

/// The map that data without schema must be.
pub(super) fn require_map<'a>(value: &'a Value, purpose: &str) -> Result<&'a Map, ConnectError> {
    value.as_map().ok_or_else(|| {
        ConnectError::data(format!(
            "Only Map objects supported in absence of schema for [{purpose}], found: {}",
            class_name(value)
        ))
    })
}

/// The struct that data with schema must be.
pub(super) fn require_struct<'a>(value: &'a Value, purpose: &str) -> Result<&'a Struct, ConnectError> {
    value.as_struct().ok_or_else(|| {
        ConnectError::data(format!(
            "Only Struct objects supported for [{purpose}], found: {}",
            class_name(value)
        ))
    })
}

/// The same, or nothing for null.
pub(super) fn require_struct_or_null<'a>(
    value: &'a Value,
    purpose: &str,
) -> Result<Option<&'a Struct>, ConnectError> {
    if value.is_null() { Ok(None) } else { require_struct(value, purpose).map(Some) }
}

/// A builder of `kind` with name, version, documentation and parameters of a schema.
pub(super) fn copy_basics(schema: &Schema, kind: Type) -> SchemaBuilder {
    let mut builder =
        SchemaBuilder::new(kind).name(schema.name()).version(schema.version()).doc(schema.doc());
    for (key, value) in schema.parameters() {
        builder = builder.parameter(key, value);
    }
    builder
}

/// The value of a struct's field; null becomes the schema's default if `with_default`.
pub(super) fn field_value(data: &Struct, index: usize, with_default: bool) -> Value {
    if with_default { data.at(index).clone() } else { data.values.get(index).cloned().unwrap_or(Value::Null) }
}

/// Name of the setting in [`replace_null_key`].
pub(super) const REPLACE_NULL: &str = "replace.null.with.default";

/// The setting that most transformations have.
pub(super) fn replace_null_key() -> ConfigKey {
    let text =
        "Whether null fields take the default of their schema, if it has one; otherwise they stay null.";
    ConfigKey::new(REPLACE_NULL, ConfigType::Boolean, Importance::Medium, text).default(true)
}

/// A required setting.
pub(super) fn required(name: &str, kind: ConfigType, importance: Importance, text: &str) -> ConfigKey {
    ConfigKey::new(name, kind, importance, text)
}

/// A definition of these keys.
pub(super) fn def(keys: impl IntoIterator<Item = ConfigKey>) -> ConfigDef {
    keys.into_iter().fold(ConfigDef::new(), ConfigDef::define)
}
