//! Committed source offsets of all connectors (`offset.storage.topic`).
//!
//! Guarantees: a commit that returned is stored with all acknowledgements; commits are written in the order they were
//! asked for; a source partition keeps the key bytes it has in the topic, whoever wrote them, so that compaction
//! never leaves two live keys of our making. Tasks on any thread may call it: the work is done on the runtime that
//! opened the store.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, oneshot};
use tracing::warn;

use super::StorageError;
use super::log::{KeyedRecord, LogRecord, RecordLog};
use super::offset_key::{self, ParsedKey};
use super::statuses::WriteGate;
use crate::api::{ConnectError, OffsetReader, SourceOffset, SourcePartition};

/// Pause before looking again whether transactions have ended.
const OPEN_PAUSE: Duration = Duration::from_millis(10);

/// The offset store of a worker. Clones are handles to the same store.
#[derive(Clone)]
pub struct OffsetStore {
    inner: Arc<Mutex<Inner>>,
    home: Handle,
    gate: Arc<OnceLock<WriteGate>>,
}

struct Inner {
    log: Box<dyn RecordLog>,
    known: Known,
}

impl OffsetStore {
    /// Opens the store and reads it to its end. The current runtime becomes the one that does its work, and must
    /// outlive every user. Errors are the log's.
    pub async fn open(mut log: Box<dyn RecordLog>) -> Result<Self, StorageError> {
        let mut known = Known::default();
        log.read_to_end(&mut |record| known.apply(record)).await?;
        let inner = Arc::new(Mutex::new(Inner { log, known }));
        Ok(Self { inner, home: Handle::current(), gate: Arc::default() })
    }

    /// From now on nothing is written while `gate` says no: a commit is [`StorageError::Fenced`] then. To be called at most
    /// once.
    pub fn set_gate(&self, gate: WriteGate) {
        // A second gate is a mistake that changes nothing.
        let _ = self.gate.set(gate);
    }

    /// A reader of one connector's offsets. Every answer includes what anybody committed before the question.
    pub fn reader(&self, connector: &str) -> Arc<dyn OffsetReader> {
        Arc::new(ConnectorOffsets { store: self.clone(), connector: connector.to_owned() })
    }

    /// Stores the offset of each partition and waits for all acknowledgements; passing faults are waited out without
    /// limit. A caller that stops waiting takes its commit back unless it is already on its way.
    pub async fn commit(
        &self,
        connector: &str,
        offsets: &[(SourcePartition, SourceOffset)],
    ) -> Result<(), StorageError> {
        let offsets = offsets.iter().map(|(partition, offset)| (partition.clone(), Some(offset.clone())));
        self.write(connector, offsets.collect()).await
    }

    /// Refuses what no offset store keeps: nested values.
    pub(crate) fn check(
        connector: &str,
        offsets: &[(SourcePartition, Option<SourceOffset>)],
    ) -> Result<(), StorageError> {
        for (partition, offset) in offsets {
            offset_key::check_flat(connector, "partition", &partition.0)?;
            if let Some(offset) = offset {
                offset_key::check_flat(connector, "offset", offset)?;
            }
        }
        Ok(())
    }

    /// As [`OffsetStore::commit`]; no offset resets a partition.
    pub async fn write(
        &self,
        connector: &str,
        offsets: Vec<(SourcePartition, Option<SourceOffset>)>,
    ) -> Result<(), StorageError> {
        Self::check(connector, &offsets)?;
        if offsets.is_empty() {
            return Ok(());
        }
        if self.gate.get().is_some_and(|gate| !gate()) {
            return Err(StorageError::Fenced { what: format!("offsets of connector '{connector}'") });
        }
        let connector = connector.to_owned();
        self.at_home(move |inner| Box::pin(inner.commit(connector, offsets))).await
    }

    /// The records that [`OffsetStore::write`] would append, for a caller who writes them in a transaction of his own.
    pub async fn encode(
        &self,
        connector: &str,
        offsets: Vec<(SourcePartition, Option<SourceOffset>)>,
    ) -> Result<Vec<KeyedRecord>, StorageError> {
        Self::check(connector, &offsets)?;
        let connector = connector.to_owned();
        self.at_home(move |inner| Box::pin(inner.encode(connector, offsets))).await
    }

    /// Every source partition of a connector that has an offset, in the order in which they were first written.
    pub async fn all(&self, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>, StorageError> {
        self.settle().await?;
        let connector = connector.to_owned();
        self.at_home(move |inner| Box::pin(async move { Ok(inner.known.all(&connector)) })).await
    }

    /// The stored offset of each partition, `None` where there is none or it was reset.
    pub async fn read(
        &self,
        connector: &str,
        partitions: &[SourcePartition],
    ) -> Result<Vec<Option<SourceOffset>>, StorageError> {
        self.settle().await?;
        let identities: Vec<_> = partitions.iter().map(|p| offset_key::identity(connector, &p.0)).collect();
        self.at_home(move |inner| {
            Box::pin(
                async move { Ok(identities.iter().map(|identity| inner.known.offset(identity)).collect()) },
            )
        })
        .await
    }

    /// Reads everything written so far, and waits for the transactions that are open now: while one is, nobody can read what
    /// another that has been committed wrote after it. A transaction that was left behind ends with its time-out.
    async fn settle(&self) -> Result<(), StorageError> {
        let ends = self.at_home(|inner| Box::pin(inner.log.ends())).await?;
        loop {
            let ends = ends.clone();
            let settled = self.at_home(move |inner| {
                Box::pin(async move {
                    inner.catch_up().await?;
                    Ok(inner.log.has_read(&ends))
                })
            });
            if settled.await? {
                return Ok(());
            }
            tokio::time::sleep(OPEN_PAUSE).await;
        }
    }

    async fn at_home<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: for<'a> FnOnce(&'a mut Inner) -> BoxFuture<'a, Result<T, StorageError>> + Send + 'static,
    {
        let inner = self.inner.clone();
        let (mut answer, answered) = oneshot::channel();
        self.home.spawn(async move {
            let mut guard = tokio::select! {
                guard = inner.lock() => guard,
                () = answer.closed() => return,
            };
            // Nobody left to hear the answer is no reason to stop half-way.
            let _ = answer.send(work(&mut guard).await);
        });
        answered.await.unwrap_or(Err(StorageError::Closed))
    }
}

impl std::fmt::Debug for OffsetStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OffsetStore")
    }
}

impl Inner {
    async fn commit(
        &mut self,
        connector: String,
        offsets: Vec<(SourcePartition, Option<SourceOffset>)>,
    ) -> Result<(), StorageError> {
        let records = self.encode(connector, offsets).await?;
        self.log.append(records).await
    }

    async fn encode(
        &mut self,
        connector: String,
        offsets: Vec<(SourcePartition, Option<SourceOffset>)>,
    ) -> Result<Vec<KeyedRecord>, StorageError> {
        let identities: Vec<_> =
            offsets.iter().map(|(p, _)| offset_key::identity(&connector, &p.0)).collect();
        if identities.iter().any(|identity| !self.known.keys.contains_key(identity)) {
            // Another worker may have given this partition its key bytes since the last reading.
            self.catch_up().await?;
        }
        let mut records = Vec::with_capacity(offsets.len());
        for (identity, (partition, offset)) in identities.into_iter().zip(offsets) {
            let value = offset.map(|offset| Bytes::from(offset_key::write_value(&offset)));
            for key in self.known.forms(identity, &connector, &partition.0) {
                records.push(KeyedRecord { key, value: value.clone() });
            }
        }
        Ok(records)
    }

    async fn catch_up(&mut self) -> Result<(), StorageError> {
        let known = &mut self.known;
        self.log.read_to_end(&mut |record| known.apply(record)).await
    }
}

/// Contents of the log, by identity of the source partition.
#[derive(Default)]
struct Known {
    keys: HashMap<String, Vec<Form>>,
    seen: usize,
}

/// One way in which a source partition's key is written. Normally there is one; two live ones (two Java workers
/// with different map orders) are all kept up to date, so that each reader finds the truth under its own.
struct Form {
    key: Bytes,
    offset: Option<SourceOffset>,
    timestamp: i64,
    /// Counts forms in the order in which they appeared.
    first_seen: usize,
}

impl Known {
    fn apply(&mut self, record: LogRecord) {
        let parsed = match record.key.as_deref().map(offset_key::parse) {
            Some(Ok(parsed)) => parsed,
            Some(Err(reason)) => return skip(&record, &reason),
            None => return skip(&record, "it has no key"),
        };
        let ParsedKey::Partition(connector, partition) = parsed else { return };
        let offset = match record.value.as_deref().map(offset_key::parse_value) {
            None => None,
            Some(Ok(offset)) => offset,
            Some(Err(reason)) => return skip(&record, &reason),
        };
        self.seen += 1;
        let first_seen = self.seen;
        let forms = self.keys.entry(offset_key::identity(&connector, &partition)).or_default();
        let key = record.key.unwrap_or_default();
        match forms.iter_mut().find(|form| form.key == key) {
            Some(form) => (form.offset, form.timestamp) = (offset, record.timestamp),
            // A copy, because a record's bytes keep the whole fetched response alive.
            None => {
                let key = Bytes::copy_from_slice(&key);
                forms.push(Form { key, offset, timestamp: record.timestamp, first_seen });
            }
        }
    }

    fn offset(&self, identity: &str) -> Option<SourceOffset> {
        let newest = self.keys.get(identity)?.iter().max_by_key(|form| form.timestamp)?;
        newest.offset.clone()
    }

    fn all(&self, connector: &str) -> Vec<(SourcePartition, SourceOffset)> {
        let mut found: Vec<(&Form, &String)> = Vec::new();
        for (identity, forms) in &self.keys {
            found.extend(forms.iter().max_by_key(|form| form.timestamp).map(|form| (form, identity)));
        }
        found.sort_by_key(|(form, identity)| (form.first_seen, *identity));
        let of_connector = |(form, _): (&Form, &String)| match offset_key::parse(&form.key) {
            Ok(ParsedKey::Partition(name, partition)) if name == connector => {
                Some((SourcePartition(partition), form.offset.clone()?))
            }
            _ => None,
        };
        found.into_iter().filter_map(of_connector).collect()
    }

    /// The key bytes under which to write, made known if they are new.
    fn forms(&mut self, identity: String, connector: &str, partition: &Map<String, Value>) -> Vec<Bytes> {
        let forms = self.keys.entry(identity).or_default();
        if forms.is_empty() {
            let key = Bytes::from(offset_key::write(connector, partition));
            self.seen += 1;
            forms.push(Form { key, offset: None, timestamp: -1, first_seen: self.seen });
        }
        forms.iter().map(|form| form.key.clone()).collect()
    }
}

fn skip(record: &LogRecord, reason: &str) {
    warn!(
        partition = record.partition,
        offset = record.offset,
        "skipped a record of the offset topic that is not Connect's: {reason}"
    );
}

struct ConnectorOffsets {
    store: OffsetStore,
    connector: String,
}

impl OffsetReader for ConnectorOffsets {
    fn offsets<'a>(
        &'a self,
        partitions: &'a [SourcePartition],
    ) -> BoxFuture<'a, Result<Vec<Option<SourceOffset>>, ConnectError>> {
        Box::pin(async move {
            let read = self.store.read(&self.connector, partitions).await;
            read.map_err(|e| {
                ConnectError::new(format!("cannot read the offsets of connector '{}': {e}", self.connector))
            })
        })
    }
}

#[cfg(test)]
mod tests;
