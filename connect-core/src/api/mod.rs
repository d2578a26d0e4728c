//! What the author of a connector reads: the traits a connector implements and the values they exchange with
//! the worker.
//!
//! The worker guarantees: methods of one task are called from one task set on one thread, never at the same time;
//! `start` comes first and once; `stop` comes last and once; `poll` may be dropped at any await point and called
//! again, so an implementation keeps its state in `self`.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use kafka_wire::batch::OutgoingBatch;
use serde_json::{Map, Value};

/// Settings of a connector or a task: Connect's flat map of strings.
pub type ConfigMap = BTreeMap<String, String>;

/// An error of a connector or task. The text becomes the `trace` of its FAILED status.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConnectError(pub String);

impl ConnectError {
    /// An error from anything printable.
    pub fn new(message: impl std::fmt::Display) -> Self {
        Self(message.to_string())
    }
}

/// Where records come from, as the source names it: the map of Connect's offset key, for the replicator
/// `{"topic":"t","partition":0}`. Shared by every batch of that partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePartition(pub Map<String, Value>);

/// Position inside a source partition: the map of Connect's offset value.
pub type SourceOffset = Map<String, Value>;

/// A connector: decides how work is divided into tasks.
pub trait SourceConnector: Send {
    /// Checks the configuration and starts whatever watches the source. An error fails the connector.
    fn start<'a>(&'a mut self, context: ConnectorContext) -> BoxFuture<'a, Result<(), ConnectError>>;

    /// One configuration for each task, at most `max_tasks`. Called after `start`, and again after
    /// [`ConnectorContext::request_task_reconfiguration`].
    fn task_configs<'a>(
        &'a mut self,
        max_tasks: usize,
    ) -> BoxFuture<'a, Result<Vec<ConfigMap>, ConnectError>>;

    /// A task, not yet started.
    fn task(&self) -> Box<dyn SourceTask>;

    /// Releases what `start` took.
    fn stop<'a>(&'a mut self) -> BoxFuture<'a, ()>;
}

/// What the worker lends to a connector.
#[derive(Clone, Debug)]
pub struct ConnectorContext {
    /// Signals the worker to call `task_configs` again.
    pub reconfigure: Arc<tokio::sync::Notify>,
}

impl ConnectorContext {
    /// Asks the worker to divide the work anew, for example because topics appeared.
    pub fn request_task_reconfiguration(&self) {
        self.reconfigure.notify_one();
    }
}

/// A task: reads from the source.
pub trait SourceTask: Send {
    /// Opens the source. `offsets` answers what was committed before.
    fn start<'a>(
        &'a mut self,
        config: ConfigMap,
        offsets: Arc<dyn OffsetReader>,
    ) -> BoxFuture<'a, Result<(), ConnectError>>;

    /// Waits for the next data. Cancel-safe. An error fails the task.
    fn poll<'a>(&'a mut self) -> BoxFuture<'a, Result<Polled, ConnectError>>;

    /// The destination has acknowledged everything of `partition` up to and including `last_offset`.
    /// `destination_offset` is where the first record of that batch went.
    fn acknowledged(&mut self, ack: &Acknowledged);

    /// The destination refused a batch of this partition for good: it must not be read any further.
    /// `reason` says what was refused and which setting would cure it.
    fn stopped(&mut self, partition: usize, reason: &str);

    /// Everything of this partition up to `last_offset` is acknowledged or needed no copy: the position that is about
    /// to be committed. Unlike [`SourceTask::acknowledged`], it also passes control batches and other holes.
    fn moved(&mut self, partition: usize, last_offset: i64);

    /// The destination cannot take this partition now (`Some` with the reason): it should not be read until told
    /// otherwise (`None`).
    fn waiting(&mut self, partition: usize, reason: Option<&str>);

    /// Everything of this partition from `offset` on must be delivered again.
    fn rewind(&mut self, partition: usize, offset: i64);

    /// What of this task does not run now, for its status; `None` when all is well.
    fn trouble(&self) -> Option<Trouble>;

    /// Called after offsets were flushed to the offset store (Connect's `SourceTask.commit`): a place to commit
    /// them at the source too. The future runs beside the copy; an error is logged, never fatal.
    fn commit(&mut self) -> BoxFuture<'static, Result<(), ConnectError>>;

    /// Closes the source.
    fn stop<'a>(&'a mut self) -> BoxFuture<'a, ()>;
}

/// What does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which parts and why, for the `trace` of the task's status.
    pub text: String,
    /// True when nothing of the task runs: its status is FAILED.
    pub everything: bool,
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
#[non_exhaustive]
#[derive(Debug)]
pub enum Polled {
    /// Whole record batches, passed through to the destination without being decoded.
    Batches(Vec<RawBatch>),
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
