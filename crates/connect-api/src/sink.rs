//! Sink tasks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::ConfigMap;
use crate::error::ConnectError;
use crate::record::SinkRecord;

pub use kafka_wire::TopicPartition;

/// A task: writes to the sink. Calls come one after the other from one thread.
#[async_trait]
pub trait SinkTask: Send {
    /// Opens the sink; comes first and once.
    async fn start(&mut self, context: SinkTaskContext, config: ConfigMap) -> Result<(), ConnectError>;

    /// These partitions are this task's from now on.
    async fn open(&mut self, _partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        Ok(())
    }

    /// These partitions are no longer this task's.
    async fn close(&mut self, _partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        Ok(())
    }

    /// Writes records; also called without any. After a retriable error the same records come again.
    async fn put(&mut self, records: Vec<SinkRecord>) -> Result<(), ConnectError>;

    /// Makes what was put durable. `offsets` are those after the last record put of each partition.
    async fn flush(&mut self, _offsets: &BTreeMap<TopicPartition, i64>) -> Result<(), ConnectError> {
        Ok(())
    }

    /// The offsets that may be committed now. The default flushes and takes all.
    async fn pre_commit(
        &mut self,
        offsets: BTreeMap<TopicPartition, i64>,
    ) -> Result<BTreeMap<TopicPartition, i64>, ConnectError> {
        self.flush(&offsets).await?;
        Ok(offsets)
    }

    /// Closes the sink; comes last and once.
    async fn stop(&mut self) {}
}

/// The worker's services to a sink task. Requests made here take effect before the next `put`.
#[derive(Clone, Default)]
pub struct SinkTaskContext {
    /// The requests made since the worker last looked.
    pub requests: Arc<Mutex<SinkRequests>>,
    /// Receiver of records that the task cannot write; `None` unless errors are tolerated or dead letters are kept.
    pub reporter: Option<Arc<dyn ErrantRecordReporter>>,
}

/// A sink task's requests to its worker.
#[derive(Debug, Default)]
pub struct SinkRequests {
    /// Read on from here.
    pub offsets: BTreeMap<TopicPartition, i64>,
    /// Time until a batch that failed is delivered again.
    pub timeout: Option<Duration>,
    /// Stop reading these (true) or go on (false).
    pub paused: BTreeMap<TopicPartition, bool>,
    /// Commit soon.
    pub commit: bool,
    /// The partitions that the task has now, kept by the worker.
    pub assignment: Vec<TopicPartition>,
}

impl SinkTaskContext {
    /// Changes the requests.
    pub fn with<T>(&self, change: impl FnOnce(&mut SinkRequests) -> T) -> T {
        change(&mut self.requests.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl std::fmt::Debug for SinkTaskContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SinkTaskContext(reporter: {})", self.reporter.is_some())
    }
}

/// Takes records that a sink task cannot write (KIP-610).
pub trait ErrantRecordReporter: Send + Sync {
    /// Reports a record. The future ends when it is stored where dead letters go, or was logged; an error means that
    /// the task's error tolerance is exceeded. Offsets are not committed before it has ended, awaited or not.
    fn report(
        &self,
        record: &SinkRecord,
        error: &ConnectError,
    ) -> BoxFuture<'static, Result<(), ConnectError>>;
}
