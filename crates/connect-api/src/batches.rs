//! Source tasks that yield whole record batches, which pass through the worker unread. The worker guarantees that batches
//! of one source partition are stored in the order in which they were yielded, and tells a task everything that becomes of
//! them in one vocabulary, [`BatchEvent`]. Only here does the author of a plugin meet `kafka-wire`.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use kafka_wire::batch::OutgoingBatch;
use kafka_wire::cluster::Cluster;
use kafka_wire::produce::{ProduceSettings, Refusal};

use crate::ConfigMap;
use crate::error::ConnectError;
use crate::record::SourcePartition;
use crate::source::SourceTaskContext;

/// A task that reads whole batches from the source. Its calls follow the rules of [`crate::SourceTask`].
#[async_trait]
pub trait BatchTask: Send {
    /// Opens the source. `context.offsets` answers what was committed before.
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError>;

    /// Waits for the next batches; none is an answer too, after which [`BatchTask::trouble`] is looked at. Cancel-safe. A
    /// retriable error is logged and polled again; any other fails the task.
    async fn poll(&mut self) -> Result<Vec<RawBatch>, ConnectError>;

    /// Client and settings with which its batches are written. Asked once, on the task's thread, when the first poll is
    /// answered; `None`: to the worker's cluster, as the worker does it.
    ///
    /// # Errors
    /// Settings that make no client: they fail the task.
    fn batch_writer(&self) -> Result<Option<BatchWriter>, ConnectError> {
        Ok(None)
    }

    /// Takes the news of a source partition, as numbered by [`RawBatch::partition`]. Told in order for each partition.
    fn told(&mut self, partition: usize, event: BatchEvent);

    /// Parts of this task that do not run now, for its status; `None` when all is well.
    fn trouble(&self) -> Option<Trouble> {
        None
    }

    /// Called after offsets were flushed to the offset store: a place to commit them at the source too. The future runs
    /// beside the copy; an error is logged, never fatal.
    fn commit(&mut self) -> BoxFuture<'static, Result<(), ConnectError>> {
        Box::pin(async { Ok(()) })
    }

    /// The connector was paused, or goes on. A paused task is not polled; this is a place to say so in its own figures.
    fn paused(&mut self, _paused: bool) {}

    /// Closes the source.
    async fn stop(&mut self) {}
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
    pub payload: Option<BatchPayload>,
}

/// The batch of a [`RawBatch`].
#[derive(Debug)]
pub struct BatchPayload {
    /// The partition to write it to.
    pub destination: Arc<Destination>,
    /// The batch, ready to be produced.
    pub batch: OutgoingBatch,
    /// Source offset of its first record: at or above [`RawBatch::first_offset`].
    pub first_record: i64,
    /// True when its records have successive offsets at the source, from `first_record` on.
    pub dense: bool,
}

/// A partition at the destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Destination {
    /// Topic name.
    pub topic: String,
    /// Partition number.
    pub partition: i32,
}

/// Client and settings for writing whole batches.
#[derive(Debug)]
pub struct BatchWriter {
    /// A client of the destination, with connections of its own.
    pub destination: Cluster,
    /// Settings of its producer.
    pub produce: ProduceSettings,
}

/// News of one source partition, told by the worker to its task. Offsets are the source's.
#[derive(Debug, Clone)]
pub enum BatchEvent {
    /// The destination has acknowledged a batch.
    Stored(StoredBatch),
    /// The destination cannot take this partition now: it should not be read until [`BatchEvent::Resumed`].
    Waiting {
        /// The broker's answer, or what else stands in the way.
        reason: Refusal,
    },
    /// The wait is over.
    Resumed,
    /// Everything from `offset` on was dropped and must be yielded again.
    Rewind {
        /// Offset to read from.
        offset: i64,
    },
    /// The destination refuses a batch for good: the partition must not be read any further.
    Refused(RefusedBatch),
    /// Everything up to `last_offset` is stored or needed no copy: the position that is about to be committed. Unlike
    /// [`BatchEvent::Stored`], it also passes control batches and other holes.
    Moved {
        /// Last offset with which nothing is left to do.
        last_offset: i64,
    },
}

/// An acknowledged batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBatch {
    /// Source offset of its first record, as in [`BatchPayload::first_record`].
    pub first_record: i64,
    /// Last source offset covered, as in [`RawBatch::last_offset`].
    pub last_offset: i64,
    /// Offset of its first record at the destination; `None` where the broker only knows that it has it.
    pub destination_offset: Option<i64>,
    /// True when record `n` is at `first_record + n` at the source, as in [`BatchPayload::dense`]. At the destination it is
    /// always at `destination_offset + n`.
    pub dense: bool,
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

/// A batch that the destination does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedBatch {
    /// First source offset that it covers; `None` when the worker no longer knows.
    pub first_offset: Option<i64>,
    /// Last source offset that it covers.
    pub last_offset: i64,
    /// The broker's answer: its code, its words, and the setting that would cure it.
    pub reason: Refusal,
}

impl std::fmt::Display for RefusedBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (last, reason) = (self.last_offset, &self.reason);
        match self.first_offset {
            Some(first) => {
                write!(f, "the destination refused the batch at offsets {first} to {last}: {reason}")
            }
            None => write!(f, "the destination refused a batch: {reason}"),
        }
    }
}

/// Parts of a task that do not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which parts and why, for the `trace` of the task's status.
    pub text: String,
    /// True when nothing of the task runs: its status is FAILED.
    pub everything: bool,
}
