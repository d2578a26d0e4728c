//! The ground of a store: an append-only log of keyed records whose end can be read up to. A compacted Kafka topic
//! is one ([`kafka_wire::log::TopicLog`]); [`MemoryLog`] is another, for workers that keep their state to themselves.
//!
//! Reading to the end is how stores synchronise: whatever anybody had appended before the call has been seen after it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
pub use kafka_wire::log::{KeyedRecord, LogRecord};
use tokio::sync::watch;

use super::StorageError;

/// An append-only log of keyed records.
pub trait RecordLog: Send {
    /// Hands `sink` every record appended since the last call (the first call: since the beginning), in order per
    /// partition, up to the end as it was when the call was made. After an error the next call goes on where
    /// this one ended.
    fn read_to_end<'a>(
        &'a mut self,
        sink: &'a mut (dyn FnMut(LogRecord) + Send),
    ) -> BoxFuture<'a, Result<(), StorageError>>;

    /// Appends records and returns when all are stored. The order of records with the same key is kept. Passing
    /// faults are waited out, so that a caller with a limit of its own sets it around the call; after an error, or
    /// when the call is dropped, some records may have been stored.
    fn append<'a>(&'a mut self, records: Vec<KeyedRecord>) -> BoxFuture<'a, Result<(), StorageError>>;

    /// End of the log now, with the records of open transactions, which nobody can read yet: for
    /// [`RecordLog::has_read`]. Of no meaning otherwise.
    fn ends<'a>(&'a self) -> BoxFuture<'a, Result<Vec<i64>, StorageError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// True when everything before these ends has been read. Always so without transactions.
    fn has_read(&self, _ends: &[i64]) -> bool {
        true
    }

    /// A watcher that tells when something was appended after what this has read.
    fn tail(&self) -> Box<dyn LogTail>;
}

/// Tells when something was appended to a log, by whomever.
pub trait LogTail: Send {
    /// Waits for news since the last call; may also return without. Cancel-safe.
    fn changed<'a>(&'a mut self) -> BoxFuture<'a, ()>;
}

impl LogTail for kafka_wire::log::TopicTail {
    fn changed<'a>(&'a mut self) -> BoxFuture<'a, ()> {
        Box::pin(Self::changed(self))
    }
}

impl RecordLog for kafka_wire::log::TopicLog {
    fn read_to_end<'a>(
        &'a mut self,
        sink: &'a mut (dyn FnMut(LogRecord) + Send),
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move { Ok(Self::read_to_end(self, sink).await?) })
    }

    fn append<'a>(&'a mut self, records: Vec<KeyedRecord>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move { Ok(Self::append(self, records).await?) })
    }

    fn ends<'a>(&'a self) -> BoxFuture<'a, Result<Vec<i64>, StorageError>> {
        Box::pin(async move { Ok(Self::ends(self).await?) })
    }

    fn has_read(&self, ends: &[i64]) -> bool {
        Self::has_read(self, ends)
    }

    fn tail(&self) -> Box<dyn LogTail> {
        Box::new(Self::tail(self))
    }
}

/// A log in memory, gone with the process. Clones share the records and read from the beginning.
#[derive(Debug, Default)]
pub struct MemoryLog {
    records: Arc<Mutex<Vec<LogRecord>>>,
    length: Arc<watch::Sender<usize>>,
    read: usize,
}

impl LogTail for watch::Receiver<usize> {
    fn changed<'a>(&'a mut self) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if watch::Receiver::changed(self).await.is_err() {
                // Nobody is left who could append.
                std::future::pending::<()>().await;
            }
        })
    }
}

impl MemoryLog {
    /// Every record appended so far.
    pub fn records(&self) -> Vec<LogRecord> {
        self.lock().clone()
    }

    /// Appends at once: all in partition 0, offsets and timestamps counting from 0.
    pub fn push(&self, records: Vec<KeyedRecord>) {
        let mut log = self.lock();
        for KeyedRecord { key, value } in records {
            let offset = log.len() as i64;
            log.push(LogRecord { partition: 0, offset, timestamp: offset, key: Some(key), value });
        }
        self.length.send_replace(log.len());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<LogRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for MemoryLog {
    fn clone(&self) -> Self {
        Self { records: self.records.clone(), length: self.length.clone(), read: 0 }
    }
}

impl RecordLog for MemoryLog {
    fn read_to_end<'a>(
        &'a mut self,
        sink: &'a mut (dyn FnMut(LogRecord) + Send),
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            let unread = self.lock()[self.read..].to_vec();
            self.read += unread.len();
            unread.into_iter().for_each(sink);
            Ok(())
        })
    }

    fn append<'a>(&'a mut self, records: Vec<KeyedRecord>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            self.push(records);
            Ok(())
        })
    }

    fn tail(&self) -> Box<dyn LogTail> {
        Box::new(self.length.subscribe())
    }
}
