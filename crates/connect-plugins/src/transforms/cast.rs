//! Cast: a whole key or value, or fields of it, to other types.

use connect_api::config_def::{Setting, Validator};
use connect_api::data::{Schema, SchemaAndValue, SchemaBuilder, Struct, Type, Value};
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Importance, Record, Transformation, Type as ConfigType,
};
use java::order::hash_order;

use super::cast_values::{INPUTS, cast, names};
use super::support::{
    REPLACE_NULL, SchemaCache, Side, copy_basics, def, field_value, replace_null_key, require_map,
    require_struct, required,
};

const PURPOSE: &str = "cast types";

pub(super) fn config_def() -> ConfigDef {
    let validator = Validator::with_messages(|value| match value {
        Setting::List(items) if !items.is_empty() => parse(items).map(|_| ()),
        _ => Err("Must specify at least one field to cast.".to_owned()),
    });
    let text = "Fields and the types to cast them to, as field1:type,field2:type; or one type for the whole key or \
                value. Types are int8, int16, int32, int64, float32, float64, boolean and string; bytes can be cast to \
                string only.";
    def([required("spec", ConfigType::List, Importance::High, text).validator(validator), replace_null_key()])
}

/// Target of a cast.
#[derive(Debug, PartialEq)]
enum Spec {
    Whole(Type),
    /// Field names and types, in the order of Java's map.
    Fields(Vec<(String, Type)>),
}

impl Spec {
    fn target(&self, field: &str) -> Option<Type> {
        match self {
            Self::Whole(_) => None,
            Self::Fields(fields) => fields.iter().find(|(name, _)| name == field).map(|(_, kind)| *kind),
        }
    }
}

fn parse(items: &[String]) -> Result<Spec, String> {
    let mut whole = None;
    let mut fields: Vec<(String, Type)> = Vec::new();
    for item in items {
        match super::replace_field::split(item)[..] {
            [kind] => whole = Some(target(kind)?),
            [field, kind] => {
                let (field, kind) = (field.trim(), target(kind)?);
                match fields.iter_mut().find(|(known, _)| known == field) {
                    Some((_, known)) => *known = kind,
                    None => fields.push((field.to_owned(), kind)),
                }
            }
            _ => {
                let all = items.join(", ");
                return Err(format!(
                    "Invalid value [{all}] for configuration renames: Invalid rename mapping: {item}"
                ));
            }
        }
    }
    match whole {
        Some(_) if items.len() > 1 => {
            Err("Cast transformations that specify a type to cast the entire value to may \
                                           only specify a single cast in their spec"
                .to_owned())
        }
        Some(kind) => Ok(Spec::Whole(kind)),
        None => {
            let order = hash_order(fields.iter().map(|(name, _)| name.as_str()));
            Ok(Spec::Fields(order.into_iter().map(|index| fields[index].clone()).collect()))
        }
    }
}

fn target(name: &str) -> Result<Type, String> {
    let upper = name.trim().to_uppercase();
    let Some(kind) = Type::ALL.into_iter().find(|kind| kind.name() == upper) else {
        return Err(format!(
            "Invalid value java.lang.IllegalArgumentException: No enum constant \
             org.apache.kafka.connect.data.Schema.Type.{upper} for configuration Invalid type found in casting spec: {}",
            name.trim()
        ));
    };
    let outputs = &INPUTS[..8];
    if !outputs.contains(&kind) {
        return Err(format!(
            "Cast transformation does not support casting to {kind}; supported types are {}",
            names(outputs)
        ));
    }
    Ok(kind)
}

/// The transformation.
#[derive(Debug)]
pub(super) struct Cast {
    side: Side,
    spec: Spec,
    replace_null: bool,
    schemas: SchemaCache,
}

impl Cast {
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self, ConnectError> {
        let config = config_def().parse(config)?;
        let spec = parse(config.list("spec")).map_err(ConnectError::config)?;
        Ok(Self { side, spec, replace_null: config.bool(REPLACE_NULL), schemas: SchemaCache::default() })
    }

    fn schemaless(&self, value: &Value) -> Result<Value, ConnectError> {
        let fields = match &self.spec {
            Spec::Whole(kind) => return cast(None, value, *kind),
            Spec::Fields(fields) => fields,
        };
        let map = require_map(value, PURPOSE)?;
        let mut updated = map.copied();
        for (field, kind) in fields {
            let value = cast(None, map.get_str(field).unwrap_or(&Value::Null), *kind)?;
            updated.put(field.as_str(), value);
        }
        Ok(Value::Map(updated))
    }

    fn with_schema(&self, schema: &Schema, value: &Value) -> Result<SchemaAndValue, ConnectError> {
        let updated_schema = self.schemas.get(schema, || self.updated(schema))?;
        if let Spec::Whole(kind) = self.spec {
            return Ok(SchemaAndValue::new(updated_schema, cast(Some(schema), value, kind)?));
        }
        let data = require_struct(value, PURPOSE)?;
        let mut updated = Struct::new(&updated_schema)?;
        for (index, field) in data.schema.fields().iter().enumerate() {
            let value = field_value(data, index, self.replace_null);
            let value = match self.spec.target(&field.name) {
                Some(kind) => cast(Some(&field.schema), &value, kind)?,
                None => value,
            };
            updated.put(&field.name, value)?;
        }
        Ok(SchemaAndValue::new(updated_schema, updated.into()))
    }

    fn updated(&self, schema: &Schema) -> Result<Schema, ConnectError> {
        let kind = match self.spec {
            Spec::Whole(kind) => kind,
            Spec::Fields(_) => Type::Struct,
        };
        let mut builder = copy_basics(schema, kind);
        if let Spec::Fields(_) = self.spec {
            for field in schema.fields_of_struct()? {
                builder =
                    builder.checked_field(&field.name, self.updated_field(&field.name, &field.schema)?)?;
            }
        }
        if schema.is_optional() {
            builder = builder.optional();
        }
        if let Some(default) = schema.default_value() {
            builder = builder.checked_default(cast(Some(schema), default, kind)?)?;
        }
        Ok(builder.build())
    }

    fn updated_field(&self, name: &str, schema: &Schema) -> Result<Schema, ConnectError> {
        let Some(kind) = self.spec.target(name) else { return Ok(schema.clone()) };
        let mut builder = SchemaBuilder::new(kind);
        if schema.is_optional() {
            builder = builder.optional();
        }
        if let Some(default) = schema.default_value() {
            builder = builder.checked_default(cast(Some(schema), default, kind)?)?;
        }
        Ok(builder.build())
    }
}

impl Transformation for Cast {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        let part = self.side.of(&mut record);
        if !part.value.is_null() {
            *part = match &part.schema {
                None => SchemaAndValue::schemaless(self.schemaless(&part.value)?),
                Some(schema) => self.with_schema(schema, &part.value)?,
            };
        }
        Ok(Some(record))
    }
}
