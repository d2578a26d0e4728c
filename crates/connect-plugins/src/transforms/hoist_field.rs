//! HoistField: the whole as the only field of a struct or map.

use connect_api::data::{Map, SchemaAndValue, SchemaBuilder, Struct, Type, Value};
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Importance, Record, Transformation, Type as ConfigType,
};

use super::support::{SchemaCache, Side, def, required};

pub(super) fn config_def() -> ConfigDef {
    def([required("field", ConfigType::String, Importance::Medium, "Name of the field that is made.")])
}

/// The transformation.
#[derive(Debug)]
pub(super) struct HoistField {
    side: Side,
    field: String,
    schemas: SchemaCache,
}

impl HoistField {
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self, ConnectError> {
        let field = config_def().parse(config)?.str("field").unwrap_or_default().to_owned();
        Ok(Self { side, field, schemas: SchemaCache::default() })
    }
}

impl Transformation for HoistField {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        let part = self.side.of(&mut record);
        let value = std::mem::replace(&mut part.value, Value::Null);
        *part = match &part.schema {
            None => SchemaAndValue::schemaless(Map::from([(self.field.as_str(), value)]).into()),
            Some(schema) => {
                let hoisted = self.schemas.get(schema, || {
                    Ok(SchemaBuilder::new(Type::Struct).checked_field(&self.field, schema.clone())?.build())
                })?;
                let mut data = Struct::new(&hoisted)?;
                data.put_at(0, value)?;
                SchemaAndValue::new(hoisted, data.into())
            }
        };
        Ok(Some(record))
    }
}
