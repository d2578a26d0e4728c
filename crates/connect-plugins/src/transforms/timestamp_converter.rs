//! TimestampConverter: points in time as text, Unix time, Date, Time or Timestamp.

use connect_api::config_def::Validator;
use connect_api::data::class_name;
use connect_api::data::{Schema, SchemaAndValue, SchemaBuilder, Struct, Type, Value, logical};
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Importance, Record, Transformation, Type as ConfigType,
};
use java::MILLIS_PER_DAY;
use java::date_format::SimpleDateFormat;

use super::support::{
    REPLACE_NULL, SchemaCache, Side, copy_basics, def, field_value, replace_null_key, require_map,
    require_struct_or_null, required,
};

const PURPOSE: &str = "converting timestamp formats";

pub(super) fn config_def() -> ConfigDef {
    let key = |name: &str, importance, text: &str| required(name, ConfigType::String, importance, text);
    let precision = "Unit of Unix times, both read and made. Parts below a millisecond are lost.";
    let format = "Format of times in texts, both read and made, as java.text.SimpleDateFormat has it; UTC.";
    def([
        key("field", Importance::High, "The field with the time; empty if the whole key or value is one.")
            .default(""),
        key("target.type", Importance::High, "What to make: string, unix, Date, Time or Timestamp.")
            .validator(Validator::one_of(&["string", "unix", "Date", "Time", "Timestamp"])),
        key("format", Importance::Medium, format).default(""),
        key("unix.precision", Importance::Low, precision)
            .default("milliseconds")
            .validator(Validator::one_of(&["nanoseconds", "microseconds", "milliseconds", "seconds"])),
        replace_null_key(),
    ])
}

/// A form that points in time have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    String,
    Unix,
    Date,
    Time,
    Timestamp,
}

impl Form {
    fn of_schema(schema: &Schema) -> Result<Self, ConnectError> {
        Ok(match (schema.name(), schema.kind()) {
            (Some(logical::TIMESTAMP), _) => Self::Timestamp,
            (Some(logical::DATE), _) => Self::Date,
            (Some(logical::TIME), _) => Self::Time,
            (_, Type::String) => Self::String,
            (_, Type::Int64) => Self::Unix,
            _ => {
                return Err(ConnectError::new(format!(
                    "Schema {schema} does not correspond to a known timestamp type format"
                )));
            }
        })
    }

    fn of_value(value: &Value) -> Result<Self, ConnectError> {
        Ok(match value {
            Value::Date(_) => Self::Timestamp,
            Value::Int64(_) => Self::Unix,
            Value::String(_) => Self::String,
            _ => {
                return Err(ConnectError::data(format!(
                    "TimestampConverter does not support class {} objects as timestamps",
                    class_name(value)
                )));
            }
        })
    }

    fn schema(self, optional: bool) -> Schema {
        let builder = match self {
            Self::String => SchemaBuilder::new(Type::String),
            Self::Unix => SchemaBuilder::new(Type::Int64),
            Self::Date => logical::date_builder(),
            Self::Time => logical::time_builder(),
            Self::Timestamp => logical::timestamp_builder(),
        };
        if optional { builder.optional().build() } else { builder.build() }
    }
}

/// The transformation.
#[derive(Debug)]
pub(super) struct TimestampConverter {
    side: Side,
    field: String,
    target: Form,
    format: Option<SimpleDateFormat>,
    /// Units of Unix time to a millisecond, and milliseconds to a unit.
    precision: (i64, i64),
    replace_null: bool,
    schemas: SchemaCache,
}

impl TimestampConverter {
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self, ConnectError> {
        let config = config_def().parse(config)?;
        let target = match config.str("target.type") {
            Some("string") => Form::String,
            Some("unix") => Form::Unix,
            Some("Date") => Form::Date,
            Some("Time") => Form::Time,
            _ => Form::Timestamp,
        };
        let pattern = config.str("format").filter(|pattern| !pattern.trim().is_empty());
        if target == Form::String && pattern.is_none() {
            return Err(ConnectError::config(
                "TimestampConverter requires format option to be specified when using string timestamps",
            ));
        }
        let format = pattern.map(|pattern| {
            SimpleDateFormat::new(pattern).map_err(|error| {
                ConnectError::config(format!(
                    "Invalid value java.lang.IllegalArgumentException: {error} for configuration TimestampConverter \
                     requires a SimpleDateFormat-compatible pattern for string timestamps: {pattern}"
                ))
            })
        });
        let precision = match config.str("unix.precision") {
            Some("seconds") => (1, 1000),
            Some("microseconds") => (1000, 1),
            Some("nanoseconds") => (1_000_000, 1),
            _ => (1, 1),
        };
        Ok(Self {
            side,
            field: config.str("field").unwrap_or_default().to_owned(),
            target,
            format: format.transpose()?,
            precision,
            replace_null: config.bool(REPLACE_NULL),
            schemas: SchemaCache::default(),
        })
    }

    fn convert(&self, value: &Value, form: Option<Form>) -> Result<Value, ConnectError> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        let form = form.map_or_else(|| Form::of_value(value), Ok)?;
        let millis = self.millis(value, form)?;
        let (per_milli, millis_per) = self.precision;
        Ok(match (self.target, &self.format) {
            (Form::String, Some(format)) => Value::String(format.format(millis)),
            (Form::Unix, _) => Value::Int64((millis / millis_per).saturating_mul(per_milli)),
            (Form::Date, _) => Value::Date(millis - millis.rem_euclid(MILLIS_PER_DAY)),
            (Form::Time, _) => Value::Date(millis.rem_euclid(MILLIS_PER_DAY)),
            _ => Value::Date(millis),
        })
    }

    /// Milliseconds since the epoch.
    fn millis(&self, value: &Value, form: Form) -> Result<i64, ConnectError> {
        let (per_milli, millis_per) = self.precision;
        let unlike = |expected: &str| {
            ConnectError::data(format!("Expected {expected}, but found class {}", class_name(value)))
        };
        match (form, value) {
            (Form::String, Value::String(text)) => self.parse(text),
            (Form::String, _) => Err(unlike("string timestamp to be a String")),
            (Form::Unix, Value::Int64(n)) => Ok((n / per_milli).saturating_mul(millis_per)),
            (Form::Unix, _) => Err(unlike("Unix timestamp to be a Long")),
            (_, Value::Date(millis)) => Ok(*millis),
            (Form::Date, _) => Err(unlike("Date to be a java.util.Date")),
            (Form::Time, _) => Err(unlike("Time to be a java.util.Date")),
            (Form::Timestamp, _) => Err(unlike("Timestamp to be a java.util.Date")),
        }
    }

    fn parse(&self, text: &str) -> Result<i64, ConnectError> {
        let Some(format) = &self.format else {
            let why = "TimestampConverter cannot read a text without the setting format";
            return Err(ConnectError::of("java.lang.NullPointerException", why));
        };
        format.parse(text).ok_or_else(|| {
            let cause = ConnectError::of("java.text.ParseException", format!("Unparseable date: \"{text}\""));
            let pattern = format.pattern();
            let message =
                format!("Could not parse timestamp: value ({text}) does not match pattern ({pattern})");
            ConnectError::data(message).caused_by(cause)
        })
    }

    fn schemaless(&self, value: &Value) -> Result<Value, ConnectError> {
        if value.is_null() || self.field.is_empty() {
            return self.convert(value, None);
        }
        let map = require_map(value, PURPOSE)?;
        let mut updated = map.copied();
        let converted = self.convert(map.get_str(&self.field).unwrap_or(&Value::Null), None)?;
        updated.put(self.field.as_str(), converted);
        Ok(updated.into())
    }

    fn with_schema(&self, schema: &Schema, value: &Value) -> Result<SchemaAndValue, ConnectError> {
        if self.field.is_empty() {
            let converted = self.convert(value, Some(Form::of_schema(schema)?))?;
            return Ok(SchemaAndValue::new(self.target.schema(schema.is_optional()), converted));
        }
        let data = require_struct_or_null(value, PURPOSE)?;
        let updated = self.schemas.get(schema, || self.updated(schema))?;
        let value = match data {
            Some(data) => self.updated_value(data, &updated)?,
            None => Value::Null,
        };
        Ok(SchemaAndValue::new(updated, value))
    }

    fn updated(&self, schema: &Schema) -> Result<Schema, ConnectError> {
        let mut builder = copy_basics(schema, Type::Struct);
        for field in schema.fields_of_struct()? {
            let schema = if field.name == self.field {
                self.target.schema(field.schema.is_optional())
            } else {
                field.schema.clone()
            };
            builder = builder.checked_field(&field.name, schema)?;
        }
        if schema.is_optional() {
            builder = builder.optional();
        }
        Ok(match schema.default_value() {
            Some(Value::Struct(default)) => {
                let default = self.updated_value(default, &builder.clone().build())?;
                builder.checked_default(default)?.build()
            }
            _ => builder.build(),
        })
    }

    fn updated_value(&self, data: &Struct, schema: &Schema) -> Result<Value, ConnectError> {
        let mut updated = Struct::new(schema)?;
        for (index, field) in data.schema.fields().iter().enumerate() {
            let value = field_value(data, index, self.replace_null);
            let value = if field.name == self.field {
                self.convert(&value, Some(Form::of_schema(&field.schema)?))?
            } else {
                value
            };
            updated.put(&field.name, value)?;
        }
        Ok(updated.into())
    }
}

impl Transformation for TimestampConverter {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        let part = self.side.of(&mut record);
        *part = match &part.schema {
            None => SchemaAndValue::schemaless(self.schemaless(&part.value)?),
            Some(schema) => self.with_schema(schema, &part.value)?,
        };
        Ok(Some(record))
    }
}
