//! SetSchemaMetadata: another name or version for a schema.

use connect_api::data::{Schema, Struct, Type as SchemaType, Value};
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Importance, Record, Transformation, Type as ConfigType,
};

use super::support::{REPLACE_NULL, SchemaCache, Side, def, field_value, replace_null_key, required};

pub(super) fn config_def() -> ConfigDef {
    def([
        required("schema.name", ConfigType::String, Importance::High, "The schema's new name.").optional(),
        required("schema.version", ConfigType::Int, Importance::High, "The schema's new version.").optional(),
        replace_null_key(),
    ])
}

/// The transformation.
#[derive(Debug)]
pub(super) struct SetSchemaMetadata {
    side: Side,
    name: Option<String>,
    version: Option<i32>,
    replace_null: bool,
    schemas: SchemaCache,
}

impl SetSchemaMetadata {
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self, ConnectError> {
        let config = config_def().parse(config)?;
        let name = config.str("schema.name").map(str::to_owned);
        let version = config.integer("schema.version").and_then(|version| i32::try_from(version).ok());
        if name.is_none() && version.is_none() {
            return Err(ConnectError::config("Neither schema name nor version configured"));
        }
        Ok(Self {
            side,
            name,
            version,
            replace_null: config.bool(REPLACE_NULL),
            schemas: SchemaCache::default(),
        })
    }

    /// The schema with its new name and version. Only structs can have them: Java's asks every schema for its fields.
    fn updated(&self, schema: &Schema) -> Result<Schema, ConnectError> {
        if schema.kind() != SchemaType::Struct {
            return Err(ConnectError::data("Cannot list fields on non-struct type"));
        }
        let name = self.name.as_deref().or(schema.name());
        Ok(schema.to_builder().name(name).version(self.version.or(schema.version())).build())
    }

    fn updated_value(&self, schema: &Schema, value: &Value) -> Result<Option<Value>, ConnectError> {
        let Value::Struct(data) = value else { return Ok(None) };
        let mut updated = Struct::new(schema)?;
        for (index, field) in schema.fields().iter().enumerate() {
            let from = data.schema.field(&field.name).map(|(index, _)| index);
            let value = from.map_or(Value::Null, |index| field_value(data, index, self.replace_null));
            updated.put_at(index, value)?;
        }
        Ok(Some(updated.into()))
    }
}

impl Transformation for SetSchemaMetadata {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        let part = self.side.of(&mut record);
        match &part.schema {
            None if part.value.is_null() => {}
            None => return Err(ConnectError::data("Schema required for [updating schema metadata]")),
            Some(schema) => {
                let updated = self.schemas.get(schema, || self.updated(schema))?;
                if let Some(value) = self.updated_value(&updated, &part.value)? {
                    part.value = value;
                }
                part.schema = Some(updated);
            }
        }
        Ok(Some(record))
    }
}
