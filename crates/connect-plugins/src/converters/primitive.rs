//! Converters for values of one type: text, bytes, booleans and numbers, in the formats of Kafka's serializers.

use bytes::Bytes;
use connect_api::data::{Headers, Schema, SchemaAndValue, Type, Value};
use connect_api::data::{class_name, java_string};
use connect_api::error::class;
use connect_api::{
    ConfigDef, ConfigKey, ConfigMap, ConnectError, Converter, ConverterPlugin, ConverterType,
    HeaderConverter, Importance, Type as ConfigType, Width,
};

use super::encoding::Encoding;

/// The entry of a converter without settings of its own.
macro_rules! entry {
    ($class:literal, $one:expr) => {
        ConverterPlugin::new(concat!("org.apache.kafka.connect.converters.", $class), super::config_def)
            .of_data(|_, _| Ok(Box::new($one)))
            .of_headers(|_| Ok(Box::new($one)))
    };
}

/// The registry entries.
pub(super) fn plugins() -> Vec<ConverterPlugin> {
    let string = ConverterPlugin::new("org.apache.kafka.connect.storage.StringConverter", string_config)
        .of_data(|config, kind| Ok(Box::new(StringConverter::new(config, kind)?)))
        .of_headers(|config| Ok(Box::new(StringConverter::new(config, ConverterType::Header)?)));
    vec![
        string,
        entry!("ByteArrayConverter", One::Bytes),
        entry!("BooleanConverter", One::Boolean),
        entry!("ShortConverter", One::Short),
        entry!("IntegerConverter", One::Integer),
        entry!("LongConverter", One::Long),
        entry!("FloatConverter", One::Float),
        entry!("DoubleConverter", One::Double),
    ]
}

/// Both directions of a converter that looks at bytes and values only.
trait Codec: Send + Sync {
    fn encode(&self, schema: Option<&Schema>, value: &Value) -> Result<Option<Bytes>, ConnectError>;
    fn decode(&self, bytes: Option<&[u8]>) -> Result<SchemaAndValue, ConnectError>;
}

macro_rules! converters {
    ($($codec:ty),*) => {$(
        impl Converter for $codec {
            fn from_connect_data(
                &self,
                _topic: &str,
                _headers: &Headers,
                schema: Option<&Schema>,
                value: &Value,
            ) -> Result<Option<Bytes>, ConnectError> {
                self.encode(schema, value)
            }

            fn to_connect_data(
                &self,
                _topic: &str,
                _headers: &Headers,
                bytes: Option<&[u8]>,
            ) -> Result<SchemaAndValue, ConnectError> {
                self.decode(bytes)
            }
        }

        impl HeaderConverter for $codec {
            fn from_connect_header(
                &self,
                _topic: &str,
                _key: &str,
                value: &SchemaAndValue,
            ) -> Result<Option<Bytes>, ConnectError> {
                self.encode(value.schema.as_ref(), &value.value)
            }

            fn to_connect_header(
                &self,
                _topic: &str,
                _key: &str,
                bytes: Option<&[u8]>,
            ) -> Result<SchemaAndValue, ConnectError> {
                self.decode(bytes)
            }
        }
    )*};
}

converters!(One, StringConverter);

/// A converter for one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum One {
    Bytes,
    Boolean,
    Short,
    Integer,
    Long,
    Float,
    Double,
}

impl One {
    /// Type, Connect's word for it, and the name of Kafka's deserializer in messages.
    fn names(self) -> (Type, &'static str, &'static str) {
        match self {
            Self::Bytes => (Type::Bytes, "bytes", ""),
            Self::Boolean => (Type::Boolean, "boolean", "BooleanDeserializer"),
            Self::Short => (Type::Int16, "short", "ShortDeserializer"),
            Self::Integer => (Type::Int32, "integer", "IntegerDeserializer"),
            Self::Long => (Type::Int64, "long", "LongDeserializer"),
            Self::Float => (Type::Float32, "float", "Deserializer"),
            Self::Double => (Type::Float64, "double", "Deserializer"),
        }
    }

    fn size_error(self, size: usize) -> ConnectError {
        let (_, name, deserializer) = self.names();
        let text = format!("Size of data received by {deserializer} is not {size}");
        let cause = ConnectError::of(class::SERIALIZATION, text);
        ConnectError::data(format!("Failed to deserialize {name}: ")).caused_by(cause)
    }

    fn wrong_class(self, value: &Value) -> ConnectError {
        let found = class_name(value);
        match self {
            Self::Bytes => ConnectError::data(format!(
                "ByteArrayConverter is not compatible with objects of type class {found}"
            )),
            Self::Boolean => ConnectError::data(format!(
                "BooleanConverter is not compatible with objects of type class {found}"
            )),
            _ => {
                let (_, name, _) = self.names();
                let cause =
                    ConnectError::of("java.lang.ClassCastException", format!("{found} is not a {name}"));
                ConnectError::data(format!("Failed to serialize to {name} (was class {found}): "))
                    .caused_by(cause)
            }
        }
    }

    fn value(self, bytes: &[u8]) -> Result<Value, ConnectError> {
        fn sized<const N: usize>(one: One, bytes: &[u8]) -> Result<[u8; N], ConnectError> {
            bytes.try_into().map_err(|_| one.size_error(N))
        }
        Ok(match self {
            Self::Bytes => Value::Bytes(Bytes::copy_from_slice(bytes)),
            Self::Boolean => match sized(self, bytes)? {
                [0] => Value::Boolean(false),
                [1] => Value::Boolean(true),
                [other] => {
                    let text = format!("Unexpected byte received by BooleanDeserializer: {}", other as i8);
                    let cause = ConnectError::of(class::SERIALIZATION, text);
                    return Err(ConnectError::data("Failed to deserialize boolean: ").caused_by(cause));
                }
            },
            Self::Short => Value::Int16(i16::from_be_bytes(sized(self, bytes)?)),
            Self::Integer => Value::Int32(i32::from_be_bytes(sized(self, bytes)?)),
            Self::Long => Value::Int64(i64::from_be_bytes(sized(self, bytes)?)),
            Self::Float => Value::Float32(f32::from_be_bytes(sized(self, bytes)?)),
            Self::Double => Value::Float64(f64::from_be_bytes(sized(self, bytes)?)),
        })
    }
}

impl Codec for One {
    fn encode(&self, schema: Option<&Schema>, value: &Value) -> Result<Option<Bytes>, ConnectError> {
        let (kind, ..) = self.names();
        if let Some(schema) = schema.filter(|schema| schema.kind() != kind)
            && let Self::Bytes | Self::Boolean = self
        {
            let converter = if *self == Self::Bytes { "ByteArrayConverter" } else { "BooleanConverter" };
            let found = schema.kind();
            return Err(ConnectError::data(format!("Invalid schema type for {converter}: {found}")));
        }
        Ok(match (self, value) {
            (_, Value::Null) => None,
            (Self::Bytes, Value::Bytes(bytes)) => Some(bytes.clone()),
            (Self::Boolean, Value::Boolean(b)) => Some(Bytes::copy_from_slice(&[u8::from(*b)])),
            (Self::Short, Value::Int16(n)) => Some(Bytes::copy_from_slice(&n.to_be_bytes())),
            (Self::Integer, Value::Int32(n)) => Some(Bytes::copy_from_slice(&n.to_be_bytes())),
            (Self::Long, Value::Int64(n)) => Some(Bytes::copy_from_slice(&n.to_be_bytes())),
            (Self::Float, Value::Float32(n)) => Some(Bytes::copy_from_slice(&n.to_be_bytes())),
            (Self::Double, Value::Float64(n)) => Some(Bytes::copy_from_slice(&n.to_be_bytes())),
            _ => return Err(self.wrong_class(value)),
        })
    }

    fn decode(&self, bytes: Option<&[u8]>) -> Result<SchemaAndValue, ConnectError> {
        let value = bytes.map_or(Ok(Value::Null), |bytes| self.value(bytes))?;
        Ok(SchemaAndValue::new(Schema::optional(self.names().0), value))
    }
}

const ENCODING: &str = "converter.encoding";

fn string_config() -> ConfigDef {
    let text = "Name of the character set in which strings are bytes.";
    let key = ConfigKey::new(ENCODING, ConfigType::String, Importance::High, text);
    super::config_def().define(key.default("UTF-8").display(Width::Medium, "Encoding"))
}

/// StringConverter: strings as they are, anything else as Java's `toString`.
#[derive(Debug, Clone, Copy)]
pub struct StringConverter(Encoding);

impl StringConverter {
    /// A converter with these settings.
    ///
    /// # Errors
    /// If a setting is wrong. Java notices an unknown encoding only with the first record.
    pub fn new(config: &ConfigMap, kind: ConverterType) -> Result<Self, ConnectError> {
        let config = super::parse_config(&string_config(), config, kind)?;
        let name = config.str(ENCODING).unwrap_or("UTF-8");
        Encoding::named(name).map(Self).ok_or_else(|| {
            ConnectError::config(format!(
                "Invalid value {name} for configuration {ENCODING}: String must be one of: UTF-8, ISO-8859-1, US-ASCII, \
                 UTF-16, UTF-16BE, UTF-16LE, windows-1252 and so on"
            ))
        })
    }
}

impl Codec for StringConverter {
    fn encode(&self, _schema: Option<&Schema>, value: &Value) -> Result<Option<Bytes>, ConnectError> {
        Ok(match value {
            Value::Null => None,
            value => Some(self.0.encode(java_string(value)).into()),
        })
    }

    fn decode(&self, bytes: Option<&[u8]>) -> Result<SchemaAndValue, ConnectError> {
        let value = bytes.map_or(Value::Null, |bytes| Value::from(self.0.decode(bytes)));
        Ok(SchemaAndValue::new(Schema::optional(Type::String), value))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn string(encoding: &str) -> Result<StringConverter, ConnectError> {
        let config = [(ENCODING.to_owned(), encoding.to_owned())].into();
        StringConverter::new(&config, ConverterType::Value)
    }

    #[test]
    fn anything_is_a_string() {
        assert!(string("EBCDIC").unwrap_err().message().contains("EBCDIC"));
        let one = Value::Array(vec![Value::Float64(1e21)]);
        assert_eq!(string("UTF-8").unwrap().encode(None, &one).unwrap().unwrap(), "[1.0E21]");
    }

    #[test]
    fn numbers_are_big_endian_and_of_their_size() {
        for (one, value, size) in [
            (One::Short, Value::Int16(-2), 2),
            (One::Integer, Value::Int32(70_000), 4),
            (One::Long, Value::Int64(-1), 8),
            (One::Float, Value::Float32(1.5), 4),
            (One::Double, Value::Float64(1.5), 8),
            (One::Boolean, Value::Boolean(true), 1),
        ] {
            let bytes = one.encode(None, &value).unwrap().unwrap();
            assert_eq!((bytes.len(), one.decode(Some(&bytes)).unwrap().value), (size, value));
            assert_eq!(one.decode(None).unwrap().value, Value::Null);
            let error = one.decode(Some(&[0; 3])).unwrap_err();
            assert!(error.cause().unwrap().message().ends_with(&format!("is not {size}")), "{error}");
            assert!(one.encode(None, &Value::from("x")).unwrap_err().message().contains("java.lang.String"));
        }
    }
}
