//! ValueToKey: a key made of fields of the value.

use connect_api::config_def::Validator;
use connect_api::data::{Map, SchemaAndValue, SchemaBuilder, Struct, Type, Value};
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Importance, Record, Transformation, Type as ConfigType,
};

use super::support::{
    REPLACE_NULL, SchemaCache, def, replace_null_key, require_map, require_struct, required,
};

const PURPOSE: &str = "copying fields from value to key";

pub(super) fn config_def() -> ConfigDef {
    let fields =
        required("fields", ConfigType::List, Importance::High, "Fields of the value that make the key.");
    def([fields.validator(Validator::non_empty_list()), replace_null_key()])
}

/// The transformation.
#[derive(Debug)]
pub(super) struct ValueToKey {
    fields: Vec<String>,
    replace_null: bool,
    schemas: SchemaCache,
}

impl ValueToKey {
    pub(super) fn new(config: &ConfigMap) -> Result<Self, ConnectError> {
        let config = config_def().parse(config)?;
        let fields = config.list("fields").to_vec();
        Ok(Self { fields, replace_null: config.bool(REPLACE_NULL), schemas: SchemaCache::default() })
    }

    fn schemaless(&self, value: &Value) -> Result<Value, ConnectError> {
        let map = require_map(value, PURPOSE)?;
        let mut key = Map::with_capacity(self.fields.len());
        for field in &self.fields {
            key.put(field.as_str(), map.get_str(field).cloned().unwrap_or(Value::Null));
        }
        Ok(key.into())
    }

    fn with_schema(&self, value: &Value) -> Result<SchemaAndValue, ConnectError> {
        let data = require_struct(value, PURPOSE)?;
        let schema = self.schemas.get(&data.schema, || {
            let mut builder = SchemaBuilder::new(Type::Struct);
            for name in &self.fields {
                let (_, field) = data
                    .schema
                    .field(name)
                    .ok_or_else(|| ConnectError::data(format!("Field does not exist: {name}")))?;
                builder = builder.checked_field(name, field.schema.clone())?;
            }
            Ok(builder.build())
        })?;
        let mut key = Struct::new(&schema)?;
        for (index, name) in self.fields.iter().enumerate() {
            let value = if self.replace_null { data.get(name)? } else { data.get_without_default(name)? };
            key.put_at(index, value.clone())?;
        }
        Ok(SchemaAndValue::new(schema, key.into()))
    }
}

impl Transformation for ValueToKey {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        record.key = match record.value.schema {
            None => SchemaAndValue::schemaless(self.schemaless(&record.value.value)?),
            Some(_) => self.with_schema(&record.value.value)?,
        };
        Ok(Some(record))
    }
}
