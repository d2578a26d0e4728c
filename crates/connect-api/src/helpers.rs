//! Helpers that spare authors of connectors the same lines again: a connector that only divides its configuration, maps for
//! partitions and offsets, and a worker's side for tests that drive a task directly.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::future::BoxFuture;
use serde_json::{Map, Value};

use crate::ConfigMap;
use crate::connector::{Connector, ConnectorContext};
use crate::data::SchemaAndValue;
use crate::error::ConnectError;
use crate::record::{Record, SinkRecord, SourceRecord, TimestampType};
use crate::record::{SourceOffset, SourcePartition};
use crate::source::{OffsetReader, SourceTaskContext};

/// Divides a connector's configuration into those of at most so many tasks.
pub type Divide = fn(&ConfigMap, usize) -> Result<Vec<ConfigMap>, ConnectError>;

/// A connector that watches nothing outside: all it does is to divide its configuration.
#[derive(Debug)]
pub struct DividingConnector {
    divide: Divide,
    config: ConfigMap,
}

impl DividingConnector {
    /// For [`crate::ConnectorPlugin::connector`]: [`one_task`], [`same_tasks`], [`numbered_tasks`] or a function of
    /// one's own.
    pub fn boxed(divide: Divide) -> Box<dyn Connector> {
        Box::new(Self { divide, config: ConfigMap::new() })
    }
}

#[async_trait]
impl Connector for DividingConnector {
    /// Divides for one task, so that a configuration that cannot be divided fails the connector at once.
    async fn start(&mut self, _context: ConnectorContext, config: ConfigMap) -> Result<(), ConnectError> {
        (self.divide)(&config, 1)?;
        self.config = config;
        Ok(())
    }

    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>, ConnectError> {
        (self.divide)(&self.config, max_tasks)
    }
}

/// One task with the connector's configuration, whatever `tasks.max` says: for what cannot be divided.
pub fn one_task(config: &ConfigMap, _max_tasks: usize) -> Result<Vec<ConfigMap>, ConnectError> {
    Ok(vec![config.clone()])
}

/// As many tasks as allowed, all with the connector's configuration: for sinks, whose work Kafka divides.
pub fn same_tasks(config: &ConfigMap, max_tasks: usize) -> Result<Vec<ConfigMap>, ConnectError> {
    Ok(vec![config.clone(); max_tasks])
}

/// As many tasks as allowed; each finds its number, from 0, under `id`.
pub fn numbered_tasks(config: &ConfigMap, max_tasks: usize) -> Result<Vec<ConfigMap>, ConnectError> {
    let numbered = |id: usize| {
        let mut config = config.clone();
        config.insert("id".to_owned(), id.to_string());
        config
    };
    Ok((0..max_tasks).map(numbered).collect())
}

/// A map of these fields, in this order: a source partition or a source offset.
pub fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The offset committed for one partition.
///
/// # Errors
/// If the offset store cannot be read.
pub async fn committed_offset(
    context: &SourceTaskContext,
    partition: &SourcePartition,
) -> Result<Option<SourceOffset>, ConnectError> {
    let mut found = context.offsets.offsets(std::slice::from_ref(partition)).await?;
    Ok(found.pop().flatten())
}

/// An offset store in memory, for tests: clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryOffsets(Arc<Mutex<Vec<(SourcePartition, SourceOffset)>>>);

impl MemoryOffsets {
    /// Commits an offset.
    pub fn set(&self, partition: SourcePartition, offset: SourceOffset) {
        let mut offsets = self.lock();
        offsets.retain(|(known, _)| *known != partition);
        offsets.push((partition, offset));
    }

    /// Commits what a record brings, as a worker does when Kafka has stored it.
    pub fn commit(&self, record: &SourceRecord) {
        if let (Some(partition), Some(offset)) = (&record.source_partition, &record.source_offset) {
            self.set(partition.clone(), offset.clone());
        }
    }

    /// Context of a source task with these offsets at its start.
    pub fn context(&self) -> SourceTaskContext {
        SourceTaskContext { offsets: Arc::new(self.clone()), transaction: None }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(SourcePartition, SourceOffset)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OffsetReader for MemoryOffsets {
    fn offsets<'a>(
        &'a self,
        partitions: &'a [SourcePartition],
    ) -> BoxFuture<'a, Result<Vec<Option<SourceOffset>>, ConnectError>> {
        Box::pin(async move {
            let offsets = self.lock();
            let find = |wanted| offsets.iter().find(|(known, _)| known == wanted);
            Ok(partitions.iter().map(|wanted| find(wanted).map(|(_, offset)| offset.clone())).collect())
        })
    }
}

/// A record as a sink task gets it, for tests: no key, no time stamp, no transformation.
pub fn sink_record(topic: &str, partition: i32, offset: i64, value: SchemaAndValue) -> SinkRecord {
    let record = Record {
        partition: Some(partition),
        offset: Some(offset),
        ..Record::new(topic, SchemaAndValue::NULL, value)
    };
    SinkRecord {
        record,
        timestamp_type: TimestampType::None,
        original_topic: topic.to_owned(),
        original_partition: partition,
        original_offset: offset,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_divided() {
        let config = ConfigMap::from([("file".to_owned(), "x".to_owned())]);
        assert_eq!(one_task(&config, 3).unwrap(), std::slice::from_ref(&config));
        assert_eq!(same_tasks(&config, 2).unwrap(), [config.clone(), config.clone()]);
        let ids: Vec<String> =
            numbered_tasks(&config, 2).unwrap().iter().map(|task| task["id"].clone()).collect();
        assert_eq!(ids, ["0", "1"]);
    }

    #[tokio::test]
    async fn offsets_are_those_last_set() {
        let offsets = MemoryOffsets::default();
        let partition = |name: &str| SourcePartition(fields([("filename", name.into())]));
        for position in [1, 5] {
            offsets.set(partition("a"), fields([("position", position.into())]));
        }
        let context = offsets.context();
        let found = committed_offset(&context, &partition("a")).await.unwrap();
        assert_eq!(found, Some(fields([("position", 5.into())])));
        assert_eq!(committed_offset(&context, &partition("b")).await.unwrap(), None);
    }
}
