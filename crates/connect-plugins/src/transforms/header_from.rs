//! HeaderFrom: fields moved or copied to headers.

use connect_api::config_def::Validator;
use connect_api::data::{Headers, Schema, SchemaAndValue, Struct, Type, Value};
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Importance, Record, Transformation, Type as ConfigType,
};

use super::support::{
    REPLACE_NULL, SchemaCache, Side, copy_basics, def, field_value, replace_null_key, require_map,
    require_struct, required,
};

pub(super) fn config_def() -> ConfigDef {
    let list = |name: &str, text: &str| {
        required(name, ConfigType::List, Importance::High, text).validator(Validator::non_empty_list())
    };
    let text = "move: the fields leave the key or value; copy: they stay.";
    def([
        list("fields", "Names of the fields."),
        list("headers", "Names of the headers, in the order of the fields."),
        required("operation", ConfigType::String, Importance::High, text)
            .validator(Validator::one_of(&["move", "copy"])),
        replace_null_key(),
    ])
}

/// The transformation.
#[derive(Debug)]
pub(super) struct HeaderFrom {
    side: Side,
    fields: Vec<String>,
    headers: Vec<String>,
    operation: String,
    replace_null: bool,
    schemas: SchemaCache,
}

impl HeaderFrom {
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self, ConnectError> {
        let config = config_def().parse(config)?;
        let (fields, headers) = (config.list("fields").to_vec(), config.list("headers").to_vec());
        if fields.len() != headers.len() {
            return Err(ConnectError::config(
                "'fields' config must have the same number of elements as 'headers' config.",
            ));
        }
        Ok(Self {
            side,
            fields,
            headers,
            operation: config.str("operation").unwrap_or_default().to_owned(),
            replace_null: config.bool(REPLACE_NULL),
            schemas: SchemaCache::default(),
        })
    }

    fn moves(&self) -> bool {
        self.operation == "move"
    }

    fn purpose(&self) -> String {
        format!("header {}", self.operation)
    }

    fn schemaless(&self, value: &Value, headers: &mut Headers) -> Result<SchemaAndValue, ConnectError> {
        let map = require_map(value, &self.purpose())?;
        let mut updated = map.copied();
        for (field, header) in self.fields.iter().zip(&self.headers) {
            let value = map.get_str(field).cloned().unwrap_or(Value::Null);
            if self.moves() {
                updated.remove_str(field);
            }
            headers.add(header.as_str(), SchemaAndValue::schemaless(value));
        }
        Ok(SchemaAndValue::schemaless(updated.into()))
    }

    fn with_schema(
        &self,
        schema: &Schema,
        value: &Value,
        headers: &mut Headers,
    ) -> Result<SchemaAndValue, ConnectError> {
        let data = require_struct(value, &self.purpose())?;
        let updated = if self.moves() { Some(self.without_fields(schema, data)?) } else { None };
        for (field, header) in self.fields.iter().zip(&self.headers) {
            let Some((_, found)) = schema.field(field) else {
                let text = format!("The schema has no field {field} for header {header}");
                return Err(ConnectError::of("java.lang.NullPointerException", text));
            };
            let index = data.schema.field(field).map(|(index, _)| index);
            let value = index.map_or(Value::Null, |index| field_value(data, index, self.replace_null));
            headers.add(header.as_str(), SchemaAndValue::new(found.schema.clone(), value));
        }
        Ok(updated.unwrap_or_else(|| SchemaAndValue::new(schema.clone(), value.clone())))
    }

    fn without_fields(&self, schema: &Schema, data: &Struct) -> Result<SchemaAndValue, ConnectError> {
        let moved = self.schemas.get(schema, || {
            let mut builder = copy_basics(schema, Type::Struct);
            for field in schema.fields().iter().filter(|field| !self.fields.contains(&field.name)) {
                builder = builder.field(field.name.as_str(), field.schema.clone());
            }
            Ok(builder.build())
        })?;
        let mut updated = Struct::new(&moved)?;
        for (index, field) in moved.fields().iter().enumerate() {
            let value = if self.replace_null {
                data.get(&field.name)?
            } else {
                data.get_without_default(&field.name)?
            };
            updated.put_at(index, value.clone())?;
        }
        Ok(SchemaAndValue::new(moved, updated.into()))
    }
}

impl Transformation for HeaderFrom {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        let mut headers = std::mem::take(&mut record.headers);
        let part = self.side.of(&mut record);
        *part = match &part.schema {
            None => self.schemaless(&part.value, &mut headers)?,
            Some(schema) => self.with_schema(schema, &part.value, &mut headers)?,
        };
        record.headers = headers;
        Ok(Some(record))
    }
}
