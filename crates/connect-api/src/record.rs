//! Records on their way between a connector and Kafka.

use serde_json::{Map, Value};

use crate::data::{Headers, SchemaAndValue};

/// Part of a source that records come from, as the source names it: the map of Connect's offset key, for a file
/// `{"filename":"/var/log/x"}`. Shared by every batch of that partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePartition(pub Map<String, Value>);

/// Position inside a source partition: the map of Connect's offset value.
pub type SourceOffset = Map<String, Value>;

/// The part of a record that transformations and converters see, whichever way it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Kafka topic.
    pub topic: String,
    /// Kafka partition; `None`: the producer's partitioner decides.
    pub partition: Option<i32>,
    /// Key.
    pub key: SchemaAndValue,
    /// Value.
    pub value: SchemaAndValue,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
    /// Headers.
    pub headers: Headers,
    /// Kafka offset; `Some` only on the way to a sink.
    pub offset: Option<i64>,
}

impl Record {
    /// A record with nothing but topic, key and value.
    pub fn new(topic: impl Into<String>, key: SchemaAndValue, value: SchemaAndValue) -> Self {
        Self {
            topic: topic.into(),
            partition: None,
            key,
            value,
            timestamp: None,
            headers: Headers::default(),
            offset: None,
        }
    }
}

/// A record from a source.
#[derive(Debug, Clone)]
pub struct SourceRecord {
    /// The record.
    pub record: Record,
    /// Its origin; `None`: its offset is not kept.
    pub source_partition: Option<SourcePartition>,
    /// The position after it.
    pub source_offset: Option<SourceOffset>,
}

/// Origin of a record's timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    /// No time stamp.
    None,
    /// The producer.
    CreateTime,
    /// The broker.
    LogAppendTime,
}

/// A record for a sink.
#[derive(Debug, Clone)]
pub struct SinkRecord {
    /// The record as transformations left it.
    pub record: Record,
    /// Origin of the timestamp.
    pub timestamp_type: TimestampType,
    /// Topic before any transformation (KIP-793).
    pub original_topic: String,
    /// Partition before any transformation.
    pub original_partition: i32,
    /// Offset before any transformation.
    pub original_offset: i64,
}
