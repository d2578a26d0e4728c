//! Source tasks that yield records, and what the worker lends them. Tasks of whole batches are in [`crate::batches`].

use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::ConfigMap;
use crate::error::ConnectError;
use crate::record::{SourceOffset, SourcePartition, SourceRecord};

/// A task: reads from the source.
///
/// The worker guarantees: methods of one task are called one after the other from one thread; `start` comes first and once;
/// `stop` comes last and once; `poll` may be dropped at any await point and called again, so an implementation keeps its
/// state in `self`.
#[async_trait]
pub trait SourceTask: Send {
    /// Opens the source. `context.offsets` answers what was committed before.
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError>;

    /// Waits for the next records to transform, convert and produce; may be none. Cancel-safe. A retriable error is logged
    /// and polled again; any other fails the task.
    async fn poll(&mut self) -> Result<Vec<SourceRecord>, ConnectError>;

    /// Kafka has stored this record (`Some`), or it needed no storing: a transformation dropped it, or its failure was
    /// tolerated (`None`).
    fn commit_record(&mut self, _record: &SourceRecord, _metadata: Option<&RecordMetadata>) {}

    /// Called after offsets were flushed to the offset store: a place to commit
    /// them at the source too. The future runs beside the copy; an error is logged, never fatal.
    fn commit(&mut self) -> BoxFuture<'static, Result<(), ConnectError>> {
        Box::pin(async { Ok(()) })
    }

    /// The connector was paused, or goes on. A paused task is not polled; this is a place to say so in its own figures.
    fn paused(&mut self, _paused: bool) {}

    /// Closes the source.
    async fn stop(&mut self) {}
}

/// Loans of the worker to a source task.
#[derive(Clone)]
pub struct SourceTaskContext {
    /// Offsets committed before.
    pub offsets: Arc<dyn OffsetReader>,
    /// Receiver of the ends of transactions with `transaction.boundary=connector`; `None` otherwise.
    pub transaction: Option<TransactionContext>,
}

impl std::fmt::Debug for SourceTaskContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SourceTaskContext(transaction: {})", self.transaction.is_some())
    }
}

/// Ends of transactions, in the words of the task.
#[derive(Clone, Debug, Default)]
pub struct TransactionContext(Arc<Mutex<TransactionRequests>>);

/// Requests of a task since the worker last looked. Records are named by their index in the batch being returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionRequests {
    /// Commit after the batch.
    pub commit_batch: bool,
    /// Abort after the batch.
    pub abort_batch: bool,
    /// Commit after these records.
    pub commit_records: Vec<usize>,
    /// Abort after these records.
    pub abort_records: Vec<usize>,
}

impl TransactionContext {
    /// Ends the transaction after the batch that the current poll returns.
    pub fn commit_transaction(&self) {
        self.with(|requests| requests.commit_batch = true);
    }

    /// Ends it after the record at `index` of that batch.
    pub fn commit_transaction_after(&self, index: usize) {
        self.with(|requests| requests.commit_records.push(index));
    }

    /// Discards everything since the last end, and this batch.
    pub fn abort_transaction(&self) {
        self.with(|requests| requests.abort_batch = true);
    }

    /// Discards everything since the last end up to and including the record at `index` of that batch.
    pub fn abort_transaction_after(&self, index: usize) {
        self.with(|requests| requests.abort_records.push(index));
    }

    /// For the worker: the requests, taken.
    pub fn take(&self) -> TransactionRequests {
        self.with(std::mem::take)
    }

    fn with<T>(&self, change: impl FnOnce(&mut TransactionRequests) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// Reads committed offsets of one connector.
pub trait OffsetReader: Send + Sync {
    /// The committed offset of each partition asked for, `None` where there is none.
    fn offsets<'a>(
        &'a self,
        partitions: &'a [SourcePartition],
    ) -> BoxFuture<'a, Result<Vec<Option<SourceOffset>>, ConnectError>>;
}

/// Place at which Kafka stored a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordMetadata {
    /// Topic name.
    pub topic: String,
    /// Partition number.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}
