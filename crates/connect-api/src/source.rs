//! Source tasks, and the record batches that pass through them unread.

use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;
use futures::future::BoxFuture;
use kafka_wire::batch::OutgoingBatch;
use kafka_wire::cluster::Cluster;
use kafka_wire::produce::ProduceSettings;
use serde_json::{Map, Value};

use crate::ConfigMap;
use crate::error::ConnectError;
use crate::record::SourceRecord;

/// Where records come from, as the source names it: the map of Connect's offset key, for a file
/// `{"filename":"/var/log/x"}`. Shared by every batch of that partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePartition(pub Map<String, Value>);

/// Position inside a source partition: the map of Connect's offset value.
pub type SourceOffset = Map<String, Value>;

/// A task: reads from the source.
///
/// The worker guarantees: methods of one task are called one after the other from one thread; `start` comes first and once;
/// `stop` comes last and once; `poll` may be dropped at any await point and called again, so an implementation keeps its
/// state in `self`.
#[async_trait]
pub trait SourceTask: Send {
    /// Opens the source. `context.offsets` answers what was committed before.
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError>;

    /// Waits for the next data. Cancel-safe. A retriable error is logged and polled again; any other fails the task.
    async fn poll(&mut self) -> Result<Polled, ConnectError>;

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

    // What follows concerns only tasks that yield `Polled::Batches`.

    /// How its batches are written. Asked once, on the task's thread, when the first batches come; `None`: to the worker's
    /// cluster, as the worker does it.
    fn batch_writer(&self) -> Result<Option<BatchWriter>, ConnectError> {
        Ok(None)
    }

    /// The destination has acknowledged a batch.
    fn acknowledged(&mut self, _ack: &Acknowledged) {}

    /// The destination refused a batch of this partition for good: it must not be read any further.
    /// `reason` says what was refused and which setting would cure it.
    fn stopped(&mut self, _partition: usize, _reason: &str) {}

    /// Everything of this partition up to `last_offset` is acknowledged or needed no copy: the position that is about
    /// to be committed. Unlike [`SourceTask::acknowledged`], it also passes control batches and other holes.
    fn moved(&mut self, _partition: usize, _last_offset: i64) {}

    /// The destination cannot take this partition now (`Some` with the reason): it should not be read until told
    /// otherwise (`None`).
    fn waiting(&mut self, _partition: usize, _reason: Option<&str>) {}

    /// Everything of this partition from `offset` on must be delivered again.
    fn rewind(&mut self, _partition: usize, _offset: i64) {}

    /// What of this task does not run now, for its status; `None` when all is well.
    fn trouble(&self) -> Option<Trouble> {
        None
    }
}

/// What the worker lends to a source task.
#[derive(Clone)]
pub struct SourceTaskContext {
    /// Offsets committed before.
    pub offsets: Arc<dyn OffsetReader>,
    /// Where a task with `transaction.boundary=connector` says where transactions end; `None` otherwise.
    pub transaction: Option<TransactionContext>,
}

impl std::fmt::Debug for SourceTaskContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SourceTaskContext(transaction: {})", self.transaction.is_some())
    }
}

/// Where transactions end, in the words of the task.
#[derive(Clone, Debug, Default)]
pub struct TransactionContext(Arc<Mutex<TransactionRequests>>);

/// What a task asked for since the worker last looked. Records are named by their index in the batch being returned.
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

/// What one `poll` brings.
#[derive(Debug)]
pub enum Polled {
    /// Records to transform, convert and produce; may be empty.
    Records(Vec<SourceRecord>),
    /// Whole record batches, passed through to the destination without being decoded.
    Batches(Vec<RawBatch>),
}

/// Where Kafka stored a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordMetadata {
    /// Topic name.
    pub topic: String,
    /// Partition number.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

/// What does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which parts and why, for the `trace` of the task's status.
    pub text: String,
    /// True when nothing of the task runs: its status is FAILED.
    pub everything: bool,
}

/// How whole batches are written.
#[derive(Debug)]
pub struct BatchWriter {
    /// A client of the destination, with connections of its own.
    pub destination: Cluster,
    /// Settings of its producer.
    pub produce: ProduceSettings,
}

/// A whole record batch on its way, or the news that a range of the source needs no copy.
#[derive(Debug)]
pub struct RawBatch {
    /// The source partition: an index that the task chose, stable for its life; [`RawBatch::source`] names it.
    pub partition: usize,
    /// The source partition as the offset store knows it.
    pub source: Arc<SourcePartition>,
    /// First offset that this covers at the source: where to read again should it be lost.
    pub first_offset: i64,
    /// Offset of the last record (or hole, or marker) that this covers at the source.
    pub last_offset: i64,
    /// The batch and where it goes; `None` when the range holds nothing to copy (control batches, aborted data,
    /// emptied batches): it only moves the position.
    pub payload: Option<(Arc<Destination>, OutgoingBatch)>,
}

/// A partition at the destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Destination {
    /// Topic name.
    pub topic: String,
    /// Partition number.
    pub partition: i32,
}

/// An acknowledged batch.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    /// Source partition index, as in [`RawBatch::partition`].
    pub partition: usize,
    /// Last source offset covered.
    pub last_offset: i64,
    /// Where the batch's first record went at the destination.
    pub destination_offset: i64,
    /// Number of records.
    pub records: u64,
    /// Bytes on the wire at the destination.
    pub bytes: u64,
    /// True when the broker recognised the batch as a duplicate of one it already had.
    pub duplicate: bool,
    /// True when this batch went together with others in one merged batch.
    pub merged: bool,
    /// Largest record timestamp of the batch in ms, -1 if none.
    pub max_timestamp: i64,
}
