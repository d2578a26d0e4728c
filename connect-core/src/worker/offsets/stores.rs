//! The stores of one connector's source offsets: in the worker's offset topic, or in one of its own
//! (`offsets.storage.topic`) with the worker's as a second copy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use connect_api::{ConnectError, OffsetReader, SourceOffset, SourcePartition};
use futures::future::BoxFuture;
use serde_json::Value;
use tracing::warn;

use crate::storage::{KeyedRecord, OffsetStore, StorageError};

/// Offsets to write; none resets a partition.
pub(crate) type Offsets = Vec<(SourcePartition, Option<SourceOffset>)>;

/// Store of a worker for source offsets.
#[derive(Debug, Clone)]
pub struct OffsetBacking {
    /// The store.
    pub store: OffsetStore,
    /// The topic it stands on; `None`: a file or memory.
    pub topic: Option<String>,
}

/// The stores of one connector. Clones are handles to the same.
#[derive(Clone, Debug)]
pub(crate) struct OffsetStores {
    connector: String,
    primary: OffsetStore,
    secondary: Option<OffsetStore>,
}

impl OffsetStores {
    pub(crate) fn new(connector: &str, primary: OffsetStore, secondary: Option<OffsetStore>) -> Self {
        Self { connector: connector.to_owned(), primary, secondary }
    }

    /// Stores offsets; resets reach the second copy first, so that it never brings back what was reset (KAFKA-15018).
    pub(crate) async fn write(&self, offsets: Offsets) -> Result<(), StorageError> {
        self.reset_secondary(offsets.iter().filter(|(_, offset)| offset.is_none()).cloned().collect())
            .await?;
        self.primary.write(&self.connector, offsets.clone()).await?;
        self.mirror(
            offsets.into_iter().filter_map(|(partition, offset)| Some((partition, offset?))).collect(),
        );
        Ok(())
    }

    /// Resets partitions in the second copy, if there is one.
    pub(crate) async fn reset_secondary(&self, resets: Offsets) -> Result<(), StorageError> {
        match &self.secondary {
            Some(secondary) => secondary.write(&self.connector, resets).await,
            None => Ok(()),
        }
    }

    /// The records by which the caller writes offsets into the first store's topic.
    pub(crate) async fn encode(&self, offsets: Offsets) -> Result<Vec<KeyedRecord>, StorageError> {
        self.primary.encode(&self.connector, offsets).await
    }

    /// Copies what is in the first store into the second, as well as it can; nobody waits.
    pub(crate) fn mirror(&self, offsets: Vec<(SourcePartition, SourceOffset)>) {
        let Some(secondary) = self.secondary.clone().filter(|_| !offsets.is_empty()) else { return };
        let connector = self.connector.clone();
        tokio::spawn(async move {
            if let Err(error) = secondary.commit(&connector, &offsets).await {
                warn!(%connector, "offsets are stored in offsets.storage.topic, but not in the worker's offset topic: {error}");
            }
        });
    }

    /// The offsets of some partitions; what the first store does not have, the second may.
    pub(crate) async fn read(
        &self,
        partitions: &[SourcePartition],
    ) -> Result<Vec<Option<SourceOffset>>, StorageError> {
        let mut found = self.primary.read(&self.connector, partitions).await?;
        if let Some(secondary) = self.secondary.as_ref().filter(|_| found.iter().any(Option::is_none)) {
            let second = secondary.read(&self.connector, partitions).await?;
            for (first, second) in found.iter_mut().zip(second) {
                *first = first.take().or(second);
            }
        }
        Ok(found)
    }

    /// Every partition that has an offset.
    pub(crate) async fn all(&self) -> Result<Vec<(SourcePartition, SourceOffset)>, StorageError> {
        let mut all = self.primary.all(&self.connector).await?;
        if let Some(secondary) = &self.secondary {
            let key = |partition: &SourcePartition| -> BTreeMap<String, String> {
                partition.0.iter().map(|(k, v): (&String, &Value)| (k.clone(), v.to_string())).collect()
            };
            let known: Vec<_> = all.iter().map(|(partition, _)| key(partition)).collect();
            let second = secondary.all(&self.connector).await?;
            all.extend(second.into_iter().filter(|(partition, _)| !known.contains(&key(partition))));
        }
        Ok(all)
    }

    pub(crate) fn reader(&self) -> Arc<dyn OffsetReader> {
        Arc::new(self.clone())
    }
}

impl OffsetReader for OffsetStores {
    fn offsets<'a>(
        &'a self,
        partitions: &'a [SourcePartition],
    ) -> BoxFuture<'a, Result<Vec<Option<SourceOffset>>, ConnectError>> {
        Box::pin(async move {
            self.read(partitions).await.map_err(|e| {
                ConnectError::new(format!("cannot read the offsets of connector '{}': {e}", self.connector))
            })
        })
    }
}

/// The offsets as one task sees them. A task that was given up on can no longer commit: another may have taken its
/// place.
#[derive(Clone, Debug)]
pub struct TaskOffsets {
    stores: OffsetStores,
    current: Arc<AtomicBool>,
}

impl TaskOffsets {
    /// `current` turns false when the task is given up on.
    pub fn new(store: OffsetStore, connector: &str, current: Arc<AtomicBool>) -> Self {
        Self::on(OffsetStores::new(connector, store, None), current)
    }

    pub(crate) fn on(stores: OffsetStores, current: Arc<AtomicBool>) -> Self {
        Self { stores, current }
    }

    /// Reads what was committed before.
    pub fn reader(&self) -> Arc<dyn OffsetReader> {
        self.stores.reader()
    }

    /// Stores offsets and waits for all acknowledgements; see [`OffsetStore::commit`]. Fails with
    /// [`StorageError::Closed`] when the worker has given up on this task.
    pub async fn commit(&self, offsets: &[(SourcePartition, SourceOffset)]) -> Result<(), StorageError> {
        if !self.current.load(Ordering::Acquire) {
            return Err(StorageError::Closed);
        }
        let offsets = offsets.iter().map(|(partition, offset)| (partition.clone(), Some(offset.clone())));
        self.stores.write(offsets.collect()).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::storage::MemoryLog;
    use serde_json::{Map, json};

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[tokio::test]
    async fn the_first_store_wins_and_resets_reach_both() {
        let (first_log, second_log) = (MemoryLog::default(), MemoryLog::default());
        let first = OffsetStore::open(Box::new(first_log.clone())).await.unwrap();
        let second = OffsetStore::open(Box::new(second_log.clone())).await.unwrap();
        let [a, b] = ["a", "b"].map(|name| SourcePartition(map(json!({"f": name}))));
        let offset = |n: i64| map(json!({"o": n}));
        second.commit("c", &[(a.clone(), offset(1)), (b.clone(), offset(2))]).await.unwrap();
        let stores = OffsetStores::new("c", first, Some(second));
        stores.write(vec![(a.clone(), Some(offset(5)))]).await.unwrap();
        let partitions = [a.clone(), b.clone()];
        assert_eq!(stores.read(&partitions).await.unwrap(), [Some(offset(5)), Some(offset(2))]);
        assert_eq!(stores.all().await.unwrap(), [(a.clone(), offset(5)), (b.clone(), offset(2))]);
        stores.write(vec![(a, None), (b, None)]).await.unwrap();
        assert!(stores.all().await.unwrap().is_empty());
        assert_eq!(stores.read(&partitions).await.unwrap(), [None, None]);
        assert!(second_log.records().iter().filter(|record| record.value.is_none()).count() == 2);
    }
}
