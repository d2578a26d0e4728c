//! InsertField: topic, partition, offset, time or a fixed text as fields.

use connect_api::data::{Schema, SchemaAndValue, Struct, Type, Value, logical};
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Importance, ParsedConfig, Record, Transformation, Type as ConfigType,
};

use super::support::{
    REPLACE_NULL, SchemaCache, Side, copy_basics, def, field_value, replace_null_key, require_map,
    require_struct, required,
};

const PURPOSE: &str = "field insertion";

pub(super) fn config_def() -> ConfigDef {
    let key =
        |name: &str, text: &str| required(name, ConfigType::String, Importance::Medium, text).optional();
    let field = |name: &str, what: &str| {
        key(
            name,
            &format!(
                "Name of the field for {what}; with ! at its end a required field, with ? (or neither) an \
                            optional one."
            ),
        )
    };
    def([
        field("topic.field", "the topic"),
        field("partition.field", "the Kafka partition"),
        field("offset.field", "the Kafka offset, with sink connectors only"),
        field("timestamp.field", "the record's time"),
        field("static.field", "the fixed value"),
        key("static.value", "The fixed value."),
        replace_null_key(),
    ])
}

/// Content of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Static,
}

/// A field to insert.
#[derive(Debug)]
struct Insertion {
    content: Content,
    name: String,
    optional: bool,
}

impl Insertion {
    fn parse(content: Content, spec: &str) -> Self {
        let (name, optional) = match (spec.strip_suffix('?'), spec.strip_suffix('!')) {
            (Some(name), _) => (name, true),
            (_, Some(name)) => (name, false),
            _ => (spec, true),
        };
        Self { content, name: name.to_owned(), optional }
    }

    fn schema(&self) -> Schema {
        let builder = match self.content {
            Content::Topic | Content::Static => connect_api::data::SchemaBuilder::new(Type::String),
            Content::Partition => connect_api::data::SchemaBuilder::new(Type::Int32),
            Content::Offset => connect_api::data::SchemaBuilder::new(Type::Int64),
            Content::Timestamp => logical::timestamp_builder(),
        };
        if self.optional { builder.optional().build() } else { builder.build() }
    }
}

/// The transformation.
#[derive(Debug)]
pub(super) struct InsertField {
    side: Side,
    insertions: Vec<Insertion>,
    static_value: Option<String>,
    replace_null: bool,
    schemas: SchemaCache,
}

impl InsertField {
    pub(super) fn new(config: &ConfigMap, side: Side) -> Result<Self, ConnectError> {
        let config = config_def().parse(config)?;
        let insertions = insertions(&config);
        let static_value = config.str("static.value").map(str::to_owned);
        if insertions.is_empty() {
            return Err(ConnectError::config("No field insertion configured"));
        }
        if let Some(field) = insertions.iter().find(|i| i.content == Content::Static)
            && static_value.is_none()
        {
            return Err(ConnectError::config(format!(
                "Invalid value null for configuration static.value: No value specified for static field: {}",
                field.name
            )));
        }
        let replace_null = config.bool(REPLACE_NULL);
        Ok(Self { side, insertions, static_value, replace_null, schemas: SchemaCache::default() })
    }

    /// Values for a record; those that the record does not have are left out.
    fn values(&self, record: &Record, with_schema: bool) -> Result<Vec<(&str, Value)>, ConnectError> {
        let mut values = Vec::with_capacity(self.insertions.len());
        for insertion in &self.insertions {
            let value = match insertion.content {
                Content::Topic => Some(Value::from(record.topic.as_str())),
                Content::Partition => record.partition.map(Value::Int32),
                Content::Offset => Some(Value::Int64(record.offset.ok_or_else(|| {
                    ConnectError::data(format!(
                        "Only SinkRecord supported for [{PURPOSE}], found: \
                         org.apache.kafka.connect.source.SourceRecord"
                    ))
                })?)),
                Content::Timestamp if with_schema => record.timestamp.map(Value::Date),
                Content::Timestamp => record.timestamp.map(Value::Int64),
                Content::Static => self.static_value.as_deref().map(Value::from),
            };
            values.extend(value.map(|value| (insertion.name.as_str(), value)));
        }
        Ok(values)
    }

    fn updated_schema(&self, data: &Struct) -> Result<Schema, ConnectError> {
        self.schemas.get(&data.schema, || {
            let mut builder = copy_basics(&data.schema, Type::Struct);
            for field in data.schema.fields() {
                builder = builder.checked_field(&field.name, field.schema.clone())?;
            }
            for insertion in &self.insertions {
                builder = builder.checked_field(&insertion.name, insertion.schema())?;
            }
            Ok(builder.build())
        })
    }

    fn with_schema(
        &self,
        value: &Value,
        schema: Schema,
        values: Vec<(&str, Value)>,
    ) -> Result<SchemaAndValue, ConnectError> {
        let data = require_struct(value, PURPOSE)?;
        let mut updated = Struct::new(&schema)?;
        for index in 0..data.values.len() {
            updated.put_at(index, field_value(data, index, self.replace_null))?;
        }
        for (name, value) in values {
            updated.put(name, value)?;
        }
        Ok(SchemaAndValue::new(schema, updated.into()))
    }
}

fn insertions(config: &ParsedConfig) -> Vec<Insertion> {
    let fields = [
        (Content::Topic, "topic.field"),
        (Content::Partition, "partition.field"),
        (Content::Offset, "offset.field"),
        (Content::Timestamp, "timestamp.field"),
        (Content::Static, "static.field"),
    ];
    fields
        .into_iter()
        .filter_map(|(content, key)| Some(Insertion::parse(content, config.str(key)?)))
        .collect()
}

impl Transformation for InsertField {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        let with_schema = self.side.of(&mut record).schema.is_some();
        if self.side.of(&mut record).value.is_null() {
            return Ok(Some(record));
        }
        if !with_schema {
            // A value of another kind is refused before anything of the record is.
            require_map(&self.side.of(&mut record).value, PURPOSE)?;
        }
        let updated_schema = if with_schema {
            Some(self.updated_schema(require_struct(&self.side.of(&mut record).value, PURPOSE)?)?)
        } else {
            None
        };
        let values = self.values(&record, with_schema)?;
        let part = self.side.of(&mut record);
        *part = if let Some(schema) = updated_schema {
            self.with_schema(&part.value, schema, values)?
        } else {
            let mut updated = require_map(&part.value, PURPOSE)?.copied();
            for (name, value) in values {
                updated.put(name, value);
            }
            SchemaAndValue::schemaless(updated.into())
        };
        Ok(Some(record))
    }
}
