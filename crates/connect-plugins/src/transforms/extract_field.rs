//! ExtractField: one field in place of the whole.

use connect_api::data::SchemaAndValue;
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Importance, Record, Transformation, Type as ConfigType,
};

use super::field_path::{FieldPath, SYNTAX, syntax_key};
use super::support::{
    REPLACE_NULL, Side, def, replace_null_key, require_map, require_struct_or_null, required,
};

const PURPOSE: &str = "field extraction";

pub(super) fn config_def() -> ConfigDef {
    let field = required("field", ConfigType::String, Importance::Medium, "The field, or its path.");
    def([field, replace_null_key(), syntax_key()])
}

/// The transformation.
#[derive(Debug)]
pub(super) struct ExtractField {
    side: Side,
    text: String,
    path: FieldPath,
    replace_null: bool,
}

impl ExtractField {
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self, ConnectError> {
        let config = config_def().parse(config)?;
        let text = config.str("field").unwrap_or_default().to_owned();
        let path = FieldPath::new(&text, config.str(SYNTAX).unwrap_or("V1"))?;
        Ok(Self { side, text, path, replace_null: config.bool(REPLACE_NULL) })
    }

    fn extracted(&self, part: &SchemaAndValue) -> Result<SchemaAndValue, ConnectError> {
        let Some(schema) = &part.schema else {
            return Ok(if part.value.is_null() {
                SchemaAndValue::NULL
            } else {
                SchemaAndValue::schemaless(self.path.in_map(require_map(&part.value, PURPOSE)?)?)
            });
        };
        let data = require_struct_or_null(&part.value, PURPOSE)?;
        let Some(field) = self.path.field(schema)? else {
            let text = format!("Unknown field: {}", self.text);
            return Err(ConnectError::of("java.lang.IllegalArgumentException", text));
        };
        let value = match data {
            Some(data) => self.path.in_struct(data, self.replace_null)?,
            None => connect_api::Value::Null,
        };
        Ok(SchemaAndValue::new(field.schema.clone(), value))
    }
}

impl Transformation for ExtractField {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        let part = self.side.of(&mut record);
        *part = self.extracted(part)?;
        Ok(Some(record))
    }
}
