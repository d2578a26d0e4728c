//! SimpleHeaderConverter, the default of header converters: texts of values, whose types are guessed when read.

use bytes::Bytes;
use connect_api::data::{Schema, SchemaAndValue, Type, Value};
use connect_api::{ConfigDef, ConnectError, ConverterPlugin, HeaderConverter};
use java::utf8::utf8_text;

use super::values;

/// The registry entry.
pub(super) fn plugin() -> ConverterPlugin {
    ConverterPlugin::new("org.apache.kafka.connect.storage.SimpleHeaderConverter", ConfigDef::new)
        .of_headers(|_| Ok(Box::new(SimpleHeaderConverter)))
}

/// The converter.
#[derive(Debug, Clone, Copy, Default)]
pub struct SimpleHeaderConverter;

impl HeaderConverter for SimpleHeaderConverter {
    fn from_connect_header(
        &self,
        _topic: &str,
        _key: &str,
        value: &SchemaAndValue,
    ) -> Result<Option<Bytes>, ConnectError> {
        Ok(match &value.value {
            Value::Null => None,
            value => Some(values::to_text(value).into()),
        })
    }

    fn to_connect_header(
        &self,
        topic: &str,
        key: &str,
        bytes: Option<&[u8]>,
    ) -> Result<SchemaAndValue, ConnectError> {
        let Some(bytes) = bytes else { return Ok(SchemaAndValue::NULL) };
        Ok(values::parse_string(&utf8_text(bytes)).unwrap_or_else(|error| {
            tracing::warn!(topic, header = key, %error, "this header's value cannot be parsed, so it stays bytes");
            SchemaAndValue::new(Schema::of(Type::Bytes), Value::Bytes(Bytes::copy_from_slice(bytes)))
        }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use connect_api::data::{Map, SchemaBuilder, logical};

    use super::*;

    fn read(text: &str) -> SchemaAndValue {
        SimpleHeaderConverter.to_connect_header("t", "h", Some(text.as_bytes())).unwrap()
    }

    fn of(kind: Type, value: Value) -> SchemaAndValue {
        SchemaAndValue::new(Schema::of(kind), value)
    }

    #[test]
    fn types_are_guessed() {
        for (text, expected) in [
            ("null", SchemaAndValue::NULL),
            ("true", of(Type::Boolean, Value::Boolean(true))),
            ("true}", of(Type::String, Value::from("true}"))),
            ("127", of(Type::Int8, Value::Int8(127))),
            ("1e3", of(Type::Int16, Value::Int16(1000))),
            ("-70000", of(Type::Int32, Value::Int32(-70_000))),
            ("0.5", of(Type::Float32, Value::Float32(0.5))),
            ("1e300", of(Type::Float64, Value::Float64(1e300))),
            ("2020-01-02", SchemaAndValue::new(logical::date(), Value::Date(1_577_923_200_000))),
            ("03:04:05.006Z", SchemaAndValue::new(logical::time(), Value::Date(11_045_006))),
            (
                "2020-01-02T03:04:05.006Z",
                SchemaAndValue::new(logical::timestamp(), Value::Date(1_577_934_245_006)),
            ),
            ("[a", of(Type::String, Value::from("[a"))),
            ("[\"a\",\"b\"]", {
                let schema = SchemaBuilder::array(Schema::of(Type::String)).build();
                SchemaAndValue::new(schema, Value::Array(vec![Value::from("a"), Value::from("b")]))
            }),
            ("{\"a\":1,\"b\":300}", {
                let schema = SchemaBuilder::map(Schema::of(Type::String), Schema::of(Type::Int16)).build();
                let map = Map::from([("a", Value::Int16(1)), ("b", Value::Int16(300))]);
                SchemaAndValue::new(schema, Value::Map(map))
            }),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(read(&"[".repeat(300)).schema.unwrap().kind(), Type::Bytes);
    }

    #[test]
    fn values_are_texts() {
        let list =
            Value::Array(vec![Value::from("a\"\\b"), Value::Null, Value::Float64(1.0), Value::Date(0)]);
        let text = SimpleHeaderConverter.from_connect_header("t", "h", &SchemaAndValue::schemaless(list));
        assert_eq!(text.unwrap().unwrap(), r#"["a\"\\b",null,1.0,00:00:00.000Z]"#);
    }
}
