//! Flatten: fields of nested structs and maps as fields of the outermost, their names joined.

use connect_api::data::class_name;
use connect_api::data::{Map, Schema, SchemaAndValue, SchemaBuilder, Struct, Type, Value};
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Importance, Record, Transformation, Type as ConfigType,
};

use super::support::{SchemaCache, Side, copy_basics, def, require_map, require_struct, required};

const PURPOSE: &str = "flattening";

pub(super) fn config_def() -> ConfigDef {
    let text = "What stands between the names of an outer and an inner field.";
    def([required("delimiter", ConfigType::String, Importance::Medium, text).default(".")])
}

/// The transformation.
#[derive(Debug)]
pub(super) struct Flatten {
    side: Side,
    delimiter: String,
    schemas: SchemaCache,
}

impl Flatten {
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self, ConnectError> {
        let delimiter = config_def().parse(config)?.str("delimiter").unwrap_or_default().to_owned();
        Ok(Self { side, delimiter, schemas: SchemaCache::default() })
    }

    fn name(&self, prefix: &str, name: &str) -> String {
        if prefix.is_empty() { name.to_owned() } else { [prefix, &self.delimiter, name].concat() }
    }

    fn schemaless(&self, map: &Map, prefix: &str, flat: &mut Map) -> Result<(), ConnectError> {
        for (key, value) in map.iter() {
            let Value::String(key) = key else {
                return Err(ConnectError::of(
                    "java.lang.ClassCastException",
                    "A key of the map is not a string",
                ));
            };
            let name = self.name(prefix, key);
            let class = class_name(value);
            match value {
                Value::Map(inner) => self.schemaless(inner, &name, flat)?,
                Value::Decimal(_) | Value::Date(_) => {
                    return Err(ConnectError::data(format!(
                        "Flatten transformation was passed a value of type class {class} which is not supported by \
                         Connect's data API"
                    )));
                }
                Value::Struct(_) => {
                    return Err(ConnectError::data(format!(
                        "Flatten transformation does not support class {class} for record without schemas \
                         (for field {name})."
                    )));
                }
                value => {
                    flat.put(name, value.clone());
                }
            }
        }
        Ok(())
    }

    fn with_schema(&self, schema: &Schema, value: &Value) -> Result<SchemaAndValue, ConnectError> {
        let data = require_struct(value, PURPOSE)?;
        let flat_schema = self.schemas.get(schema, || {
            let default = schema.default_value().and_then(Value::as_struct);
            let builder = copy_basics(schema, Type::Struct);
            Ok(self.schema(schema, "", builder, schema.is_optional(), default)?.build())
        })?;
        let mut flat = Struct::new(&flat_schema)?;
        self.fill(data, "", &mut flat)?;
        Ok(SchemaAndValue::new(flat_schema, flat.into()))
    }

    /// Fields of what is optional are optional, and have its default's values as defaults.
    fn schema(
        &self,
        schema: &Schema,
        prefix: &str,
        mut builder: SchemaBuilder,
        optional: bool,
        default: Option<&Struct>,
    ) -> Result<SchemaBuilder, ConnectError> {
        for (index, field) in schema.fields_of_struct()?.iter().enumerate() {
            let name = self.name(prefix, &field.name);
            let optional = optional || field.schema.is_optional();
            let own = field.schema.default_value();
            let default = own.or_else(|| default.map(|data| data.at(index)).filter(|value| !value.is_null()));
            builder = match field.schema.kind() {
                Type::Struct => {
                    let default = default.and_then(Value::as_struct);
                    self.schema(&field.schema, &name, builder, optional, default)?
                }
                Type::Map => return Err(unsupported(&name)),
                _ => builder.checked_field(&name, leaf(&field.schema, optional, default)?)?,
            };
        }
        Ok(builder)
    }

    fn fill(&self, data: &Struct, prefix: &str, flat: &mut Struct) -> Result<(), ConnectError> {
        for (index, field) in data.schema.fields().iter().enumerate() {
            let name = self.name(prefix, &field.name);
            match (field.schema.kind(), data.values.get(index)) {
                (Type::Struct, Some(Value::Struct(inner))) => self.fill(inner, &name, flat)?,
                (Type::Struct, _) => {}
                (Type::Map, _) => return Err(unsupported(&name)),
                _ => flat.put(&name, data.at(index).clone())?,
            }
        }
        Ok(())
    }
}

fn unsupported(name: &str) -> ConnectError {
    ConnectError::data(format!(
        "Flatten transformation does not support MAP for record with schemas (for field {name})."
    ))
}

fn leaf(schema: &Schema, optional: bool, default: Option<&Value>) -> Result<Schema, ConnectError> {
    let mut builder = match (schema.kind(), schema.value_schema()) {
        (Type::Array, Some(element)) => SchemaBuilder::array(element.clone()),
        (kind, _) => SchemaBuilder::new(kind),
    };
    builder = builder.name(schema.name()).version(schema.version()).doc(schema.doc());
    for (key, value) in schema.parameters() {
        builder = builder.parameter(key, value);
    }
    if optional {
        builder = builder.optional();
    }
    Ok(match default {
        Some(default) => builder.checked_default(default.clone())?.build(),
        None => builder.build(),
    })
}

impl Transformation for Flatten {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        let part = self.side.of(&mut record);
        if !part.value.is_null() {
            *part = match &part.schema {
                None => {
                    let mut flat = Map::linked();
                    self.schemaless(require_map(&part.value, PURPOSE)?, "", &mut flat)?;
                    SchemaAndValue::schemaless(flat.into())
                }
                Some(schema) => self.with_schema(schema, &part.value)?,
            };
        }
        Ok(Some(record))
    }
}
