//! JsonConverter: JSON with or without an envelope of schema and payload. Bytes and errors are those of Connect's; only an
//! integer beyond 64 bits is an error instead of other digits.

mod deep;
mod node;
mod parse;
mod read;
mod write;

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use connect_api::config_def::Validator;
use connect_api::data::{Headers, Schema, SchemaAndValue, Type, Value};
use connect_api::{
    ConfigDef, ConfigKey, ConfigMap, ConnectError, Converter, ConverterPlugin, ConverterType,
    HeaderConverter, Importance, Type as ConfigType, Width,
};

use self::node::Node;

/// The registry entry.
pub(super) fn plugin() -> ConverterPlugin {
    ConverterPlugin::new("org.apache.kafka.connect.json.JsonConverter", config_def)
        .of_data(|config, kind| Ok(Box::new(JsonConverter::new(config, kind)?)))
        .of_headers(|config| Ok(Box::new(JsonConverter::new(config, ConverterType::Header)?)))
}

fn config_def() -> ConfigDef {
    let key = |name: &str, kind, importance, text: &str| ConfigKey::new(name, kind, importance, text);
    super::config_def()
        .define(
            key("schemas.enable", ConfigType::Boolean, Importance::High, "Whether keys and values carry their schema.")
                .default(true)
                .group("Schemas", 0)
                .display(Width::Medium, "Enable Schemas"),
        )
        .define(
            key("schemas.cache.size", ConfigType::Int, Importance::High, "How many schemas this converter remembers.")
                .default(1000)
                .group("Schemas", 1)
                .display(Width::Medium, "Schema Cache Size"),
        )
        .define(
            key(
                "schema.content",
                ConfigType::String,
                Importance::High,
                "With schemas.enable, the schema of every message, in place of a schema inside of each.",
            )
            .optional()
            .group("Schemas", 2)
            .display(Width::Medium, "Schema Content"),
        )
        .define(
            key(
                "decimal.format",
                ConfigType::String,
                Importance::Low,
                "How decimals are written: BASE64 or NUMERIC, in upper or lower case.",
            )
            .default("BASE64")
            .validator(Validator::one_of_ignoring_case(&["NUMERIC", "BASE64"]))
            .group("Serialization", 0)
            .display(Width::Medium, "Decimal Format"),
        )
        .define(
            key(
                "replace.null.with.default",
                ConfigType::Boolean,
                Importance::Low,
                "Whether null fields take the default of their schema, if it has one; otherwise they stay null.",
            )
            .default(true)
            .group("Serialization", 1)
            .display(Width::Medium, "Replace null with default"),
        )
}

/// Name of a type in JSON schemas.
fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Int8 => "int8",
        Type::Int16 => "int16",
        Type::Int32 => "int32",
        Type::Int64 => "int64",
        Type::Float32 => "float",
        Type::Float64 => "double",
        Type::Boolean => "boolean",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Array => "array",
        Type::Map => "map",
        Type::Struct => "struct",
    }
}

/// Its settings.
#[derive(Debug)]
struct Settings {
    schemas_enable: bool,
    numeric_decimals: bool,
    replace_null_with_default: bool,
}

/// The converter.
#[derive(Debug)]
pub struct JsonConverter {
    settings: Settings,
    /// From `schema.content`.
    fixed: Option<Schema>,
    /// The schema of the last message, since most messages of a topic have the same.
    last: Mutex<Option<(Node, Option<Schema>)>>,
    /// The text of the schema of the last data, for the same reason.
    last_text: Mutex<Option<(Schema, String)>>,
}

impl JsonConverter {
    /// A converter with these settings.
    ///
    /// # Errors
    /// If a setting is wrong.
    pub fn new(config: &ConfigMap, kind: ConverterType) -> Result<Self, ConnectError> {
        let config = super::parse_config(&config_def(), config, kind)?;
        let settings = Settings {
            schemas_enable: config.bool("schemas.enable"),
            numeric_decimals: config.str("decimal.format").is_some_and(|f| f.eq_ignore_ascii_case("NUMERIC")),
            replace_null_with_default: config.bool("replace.null.with.default"),
        };
        let fixed = match config.str("schema.content") {
            None | Some("") => None,
            Some(content) => {
                let problem = "Failed to parse schema in converter config due to serialization error: ";
                let node = parse::parse(content.as_bytes());
                let node = node.map_err(|e| ConnectError::data(problem).caused_by(e))?;
                read::schema(&settings, &node)?
            }
        };
        Ok(Self { settings, fixed, last: Mutex::default(), last_text: Mutex::default() })
    }

    /// The JSON of data; `None` for null without schema.
    ///
    /// # Errors
    /// If the data do not fit the schema.
    pub fn to_json(&self, schema: Option<&Schema>, value: &Value) -> Result<Option<String>, ConnectError> {
        if schema.is_none() && value.is_null() {
            return Ok(None);
        }
        deep::run(deep::of_value(value), || self.write(schema, value)).map(Some)
    }

    fn write(&self, schema: Option<&Schema>, value: &Value) -> Result<String, ConnectError> {
        let mut out = String::new();
        if self.settings.schemas_enable {
            out.push_str("{\"schema\":");
            self.write_schema(&mut out, schema)?;
            out.push_str(",\"payload\":");
            write::value(&mut out, &self.settings, schema, value)?;
            out.push('}');
        } else {
            write::value(&mut out, &self.settings, schema, value)?;
        }
        Ok(out)
    }

    /// The data that JSON is.
    ///
    /// # Errors
    /// If it is not JSON, or not what the settings say.
    pub fn from_json(&self, bytes: Option<&[u8]>) -> Result<SchemaAndValue, ConnectError> {
        match bytes {
            Some(bytes) => deep::run(deep::of_text(bytes), || self.read(bytes)),
            None => Ok(SchemaAndValue::NULL),
        }
    }

    fn read(&self, bytes: &[u8]) -> Result<SchemaAndValue, ConnectError> {
        let problem = "Converting byte[] to Kafka Connect data failed due to serialization error: ";
        let node = parse::parse(bytes).map_err(|e| ConnectError::data(problem).caused_by(e))?;
        let settings = &self.settings;
        if !settings.schemas_enable {
            return Ok(SchemaAndValue::schemaless(read::value(settings, None, Some(&node))?));
        }
        if let Some(schema) = &self.fixed {
            let value = read::value(settings, Some(schema), Some(&node))?;
            return Ok(SchemaAndValue { schema: Some(schema.clone()), value });
        }
        let (Node::Object(members), Some(schema), Some(payload)) =
            (&node, node.get("schema"), node.get("payload"))
        else {
            return Err(no_envelope());
        };
        if members.len() != 2 {
            return Err(no_envelope());
        }
        let schema = self.schema(schema)?;
        let value = read::value(settings, schema.as_ref(), Some(payload))?;
        Ok(SchemaAndValue { schema, value })
    }

    fn write_schema(&self, out: &mut String, schema: Option<&Schema>) -> Result<(), ConnectError> {
        let Some(known) = schema else { return write::schema(out, &self.settings, None) };
        let mut last = self.last_text.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, text)) = last.as_ref().filter(|(last, _)| last == known) {
            out.push_str(text);
            return Ok(());
        }
        let mut text = String::new();
        write::schema(&mut text, &self.settings, schema)?;
        out.push_str(&text);
        *last = Some((known.clone(), text));
        Ok(())
    }

    fn schema(&self, node: &Node) -> Result<Option<Schema>, ConnectError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, schema)) = &*last
            && known == node
        {
            return Ok(schema.clone());
        }
        let schema = read::schema(&self.settings, node)?;
        *last = Some((node.clone(), schema.clone()));
        Ok(schema)
    }
}

fn no_envelope() -> ConnectError {
    ConnectError::data(
        "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain additional \
         fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter \
         configuration.",
    )
}

impl Converter for JsonConverter {
    fn from_connect_data(
        &self,
        _topic: &str,
        _headers: &Headers,
        schema: Option<&Schema>,
        value: &Value,
    ) -> Result<Option<Bytes>, ConnectError> {
        Ok(self.to_json(schema, value)?.map(Bytes::from))
    }

    fn to_connect_data(
        &self,
        _topic: &str,
        _headers: &Headers,
        bytes: Option<&[u8]>,
    ) -> Result<SchemaAndValue, ConnectError> {
        self.from_json(bytes)
    }
}

impl HeaderConverter for JsonConverter {
    fn from_connect_header(
        &self,
        _topic: &str,
        _key: &str,
        value: &SchemaAndValue,
    ) -> Result<Option<Bytes>, ConnectError> {
        Ok(self.to_json(value.schema.as_ref(), &value.value)?.map(Bytes::from))
    }

    fn to_connect_header(
        &self,
        _topic: &str,
        _key: &str,
        bytes: Option<&[u8]>,
    ) -> Result<SchemaAndValue, ConnectError> {
        self.from_json(bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn converter(settings: &[(&str, &str)]) -> JsonConverter {
        let config = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        JsonConverter::new(&config, ConverterType::Value).unwrap()
    }

    fn round_trip(converter: &JsonConverter, json: &str) -> String {
        let data = converter.from_json(Some(json.as_bytes())).unwrap();
        converter.to_json(data.schema.as_ref(), &data.value).unwrap().unwrap()
    }

    #[test]
    fn plain_json_comes_back_in_hash_order() {
        let plain = converter(&[("schemas.enable", "false")]);
        assert_eq!(
            round_trip(&plain, r#"{"version":1,"name":"x\u001f","id":1.50,"list":[true,null,1e22]}"#),
            r#"{"name":"x\u001F","id":1.5,"list":[true,null,1.0E22],"version":1}"#
        );
        assert_eq!(plain.from_json(Some(b"")).unwrap(), SchemaAndValue::NULL);
        let error = plain.from_json(Some(b"12345678901234567890")).unwrap_err();
        assert_eq!(error.class(), connect_api::error::class::DATA);
    }

    #[test]
    fn an_envelope_comes_back_as_it_was() {
        let json = concat!(
            r#"{"schema":{"type":"struct","fields":[{"type":"int32","optional":true,"default":7,"field":"a"},"#,
            r#"{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"#,
            r#""parameters":{"scale":"2"},"field":"d"},{"type":"map","keys":{"type":"int64","optional":false},"#,
            r#""values":{"type":"string","optional":true},"optional":false,"field":"m"}],"optional":false,"name":"n"},"#,
            r#""payload":{"a":1,"d":"AJw=","m":[[1,"x"],[2,null]]}}"#
        );
        assert_eq!(round_trip(&converter(&[]), json), json);
        let numeric = converter(&[("decimal.format", "numeric")]);
        assert_eq!(round_trip(&numeric, json), json.replace("\"AJw=\"", "1.56"));
    }

    #[test]
    fn deep_nesting_goes_there_and_back() {
        let plain = converter(&[("schemas.enable", "false")]);
        // A quarter of the stack that a thread of tokio has.
        let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(move || {
            for (open, close, depth) in [("[", "]", 1000), ("{\"a\":[", "]}", 500)] {
                let json = format!("{}{}", open.repeat(depth), close.repeat(depth));
                assert_eq!(round_trip(&plain, &json), json);
            }
        });
        thread.unwrap().join().unwrap();
    }

    #[test]
    fn a_fixed_schema_stands_for_all_messages() {
        let fixed = converter(&[("schema.content", r#"{"type":"int8"}"#)]);
        let data = fixed.from_json(Some(b"5")).unwrap();
        assert_eq!(data, SchemaAndValue::new(Schema::of(Type::Int8), Value::Int8(5)));
    }
}
