//! The interface for authors of Kafka Connect plugins: connectors and their tasks, converters, transformations, predicates,
//! the data they exchange, and the definitions of their settings. The worker (`connect-core`) calls what is defined here;
//! names are those of Connect's Java API.

pub mod batches;
pub mod config_def;
pub mod connector;
pub mod convert;
pub mod data;
pub mod error;
pub mod helpers;
pub mod plugin;
pub mod provider;
pub mod record;
pub mod sink;
pub mod source;
pub mod transform;
pub mod variables;

pub use async_trait::async_trait;
pub use batches::{
    BatchEvent, BatchPayload, BatchTask, BatchWriter, Destination, RawBatch, RefusedBatch, StoredBatch,
    Trouble,
};
pub use config_def::{ConfigDef, ConfigKey, Importance, ParsedConfig, Setting, Type, Width};
pub use connector::{
    Connector, ConnectorContext, ConnectorOffset, ConnectorTransactionBoundaries, ExactlyOnceSupport,
};
pub use convert::{Converter, HeaderConverter};
pub use data::{Headers, Schema, SchemaAndValue, Value};
pub use error::ConnectError;
pub use plugin::{
    ConfigProviderPlugin, ConnectorPlugin, ConnectorType, ConverterPlugin, ConverterType, PluginSet,
    PredicatePlugin, Task, TransformationPlugin,
};
pub use provider::{ConfigProvider, Provided};
pub use record::{Record, SinkRecord, SourceOffset, SourcePartition, SourceRecord, TimestampType};
pub use sink::{ErrantRecordReporter, SinkTask, SinkTaskContext, TopicPartition};
pub use source::{OffsetReader, RecordMetadata, SourceTask, SourceTaskContext, TransactionContext};
pub use transform::{Predicate, Transformation};

use std::collections::BTreeMap;

/// Settings of a connector, a task or another plugin: Connect's flat map of strings.
pub type ConfigMap = BTreeMap<String, String>;
