//! A connector's converters: its own where it names them, else the worker's, each with the settings under the same prefix.

use bytes::Bytes;
use connect_api::convert::{Converter, HeaderConverter};
use connect_api::{ConfigMap, ConnectError, ConverterType, Headers, Record, SinkRecord};

use super::Consumed;
use super::errors::{ErrorHandling, Origin, Stage};
use crate::plugins::Plugins;
use crate::worker::settings::{text, with_prefix};

const SIMPLE: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

struct Named<T: ?Sized> {
    class: String,
    converter: Box<T>,
}

/// The three converters of a task.
pub(crate) struct Converters {
    key: Named<dyn Converter>,
    value: Named<dyn Converter>,
    header: Named<dyn HeaderConverter>,
}

/// A record in Kafka's form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KafkaRecord {
    pub(crate) topic: String,
    pub(crate) partition: Option<i32>,
    pub(crate) timestamp: Option<i64>,
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
}

impl Converters {
    /// The converters that a connector's configuration names, or the worker's.
    ///
    /// # Errors
    /// Unknown classes, and converters that refuse their settings.
    pub(crate) fn new(
        plugins: &Plugins,
        connector: &ConfigMap,
        worker: &ConfigMap,
    ) -> Result<Self, ConnectError> {
        Ok(Self {
            key: converter(plugins, connector, worker, "key.converter", ConverterType::Key)?,
            value: converter(plugins, connector, worker, "value.converter", ConverterType::Value)?,
            header: header_converter(plugins, connector, worker)?,
        })
    }

    /// A record for Kafka; `None` when it cannot be converted and that is tolerated.
    pub(crate) async fn to_kafka(
        &self,
        record: Record,
        origin: Origin<'_>,
        errors: &ErrorHandling,
    ) -> Result<Option<KafkaRecord>, ConnectError> {
        let topic = &record.topic;
        let headers = errors.attempt(Stage::HeaderConverter, &self.header.class, origin, || {
            let convert = |header: &connect_api::data::Header| {
                let bytes = self.header.converter.from_connect_header(topic, &header.key, &header.value)?;
                Ok((header.key.clone(), bytes))
            };
            record.headers.iter().map(convert).collect::<Result<Vec<_>, ConnectError>>()
        });
        let Some(headers) = headers.await? else { return Ok(None) };
        let key = errors.attempt(Stage::KeyConverter, &self.key.class, origin, || {
            let (schema, value) = (record.key.schema.as_ref(), &record.key.value);
            self.key.converter.from_connect_data(topic, &record.headers, schema, value)
        });
        let Some(key) = key.await? else { return Ok(None) };
        let value = errors.attempt(Stage::ValueConverter, &self.value.class, origin, || {
            let (schema, value) = (record.value.schema.as_ref(), &record.value.value);
            self.value.converter.from_connect_data(topic, &record.headers, schema, value)
        });
        let Some(value) = value.await? else { return Ok(None) };
        let Record { topic, partition, timestamp, .. } = record;
        Ok(Some(KafkaRecord { topic, partition, timestamp, key, value, headers }))
    }

    /// A record from Kafka, transformations not yet applied; `None` when it cannot be converted and that is tolerated.
    pub(crate) async fn to_connect(
        &self,
        consumed: &Consumed,
        errors: &ErrorHandling,
    ) -> Result<Option<Record>, ConnectError> {
        let origin = Origin::Consumed(consumed);
        let topic = &consumed.topic;
        // What key and value converters see of headers: their bytes, as the header converter makes of them.
        let headers = errors.attempt(Stage::HeaderConverter, &self.header.class, origin, || {
            let mut headers = Headers::default();
            for (key, bytes) in &consumed.headers {
                headers.add(key, self.header.converter.to_connect_header(topic, key, bytes.as_deref())?);
            }
            Ok(headers)
        });
        let Some(headers) = headers.await? else { return Ok(None) };
        let key = errors.attempt(Stage::KeyConverter, &self.key.class, origin, || {
            self.key.converter.to_connect_data(topic, &headers, consumed.key.as_deref())
        });
        let Some(key) = key.await? else { return Ok(None) };
        let value = errors.attempt(Stage::ValueConverter, &self.value.class, origin, || {
            self.value.converter.to_connect_data(topic, &headers, consumed.value.as_deref())
        });
        let Some(value) = value.await? else { return Ok(None) };
        Ok(Some(Record {
            topic: topic.clone(),
            partition: Some(consumed.partition),
            key,
            value,
            timestamp: consumed.timestamp,
            headers,
            offset: Some(consumed.offset),
        }))
    }

    /// The bytes of a sink record whose original bytes are gone, for a dead letter.
    pub(crate) fn original(&self, record: &SinkRecord) -> Result<Consumed, ConnectError> {
        let (topic, headers) = (&record.original_topic, &record.record.headers);
        let convert = |converter: &dyn Converter, data: &connect_api::SchemaAndValue| {
            converter.from_connect_data(topic, headers, data.schema.as_ref(), &data.value)
        };
        let header = |header: &connect_api::data::Header| {
            let bytes = self.header.converter.from_connect_header(topic, &header.key, &header.value)?;
            Ok((header.key.clone(), bytes))
        };
        Ok(Consumed {
            topic: topic.clone(),
            partition: record.original_partition,
            offset: record.original_offset,
            timestamp: record.record.timestamp,
            timestamp_type: record.timestamp_type,
            key: convert(&*self.key.converter, &record.record.key)?,
            value: convert(&*self.value.converter, &record.record.value)?,
            headers: headers.iter().map(header).collect::<Result<_, ConnectError>>()?,
        })
    }
}

/// The class and the settings under `key`, from the connector's configuration or else the worker's.
fn choice<'a>(connector: &'a ConfigMap, worker: &'a ConfigMap, key: &str) -> Option<(&'a str, ConfigMap)> {
    [connector, worker].into_iter().find_map(|config| {
        let mut settings = with_prefix(config, &format!("{key}."));
        settings.remove("plugin.version");
        Some((text(config, key)?, settings))
    })
}

fn converter(
    plugins: &Plugins,
    connector: &ConfigMap,
    worker: &ConfigMap,
    key: &str,
    kind: ConverterType,
) -> Result<Named<dyn Converter>, ConnectError> {
    let (class, settings) = choice(connector, worker, key).ok_or_else(|| {
        ConnectError::config(format!("Missing required configuration \"{key}\" which has no default value."))
    })?;
    let plugin = plugins.converter(class).ok_or_else(|| unknown(key, class))?;
    let make = plugin.converter.as_ref().ok_or_else(|| unknown(key, class))?;
    Ok(Named { class: plugin.class.clone(), converter: make(&settings, kind)? })
}

fn header_converter(
    plugins: &Plugins,
    connector: &ConfigMap,
    worker: &ConfigMap,
) -> Result<Named<dyn HeaderConverter>, ConnectError> {
    const KEY: &str = "header.converter";
    let (class, settings) = choice(connector, worker, KEY).unwrap_or((SIMPLE, ConfigMap::new()));
    let plugin = plugins.header_converter(class).ok_or_else(|| unknown(KEY, class))?;
    let make = plugin.header_converter.as_ref().ok_or_else(|| unknown(KEY, class))?;
    Ok(Named { class: plugin.class.clone(), converter: make(&settings)? })
}

fn unknown(key: &str, class: &str) -> ConnectError {
    ConnectError::config(format!(
        "Invalid value {class} for configuration {key}: Class {class} could not be found."
    ))
}
