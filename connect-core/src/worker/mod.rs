//! What the worker lends to the code that runs one task, and what it wants back. The herder makes a
//! [`TaskContext`] for each task and hands it to a [`TaskRunner`] on a thread of the task's own.

pub mod source;
pub mod status;
mod stop;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::LocalBoxFuture;

pub use status::TaskStatusHandle;
pub use stop::{StopSignal, StopSwitch};

use crate::api::{ConfigMap, ConnectError, OffsetReader, SourceOffset, SourcePartition, SourceTask};
use crate::storage::{OffsetStore, StorageError};

/// A task of a connector, by number from 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    /// Connector name.
    pub connector: String,
    /// Number of the task.
    pub task: usize,
}

impl std::fmt::Display for TaskId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.connector, self.task)
    }
}

/// Runs a task from start to stop: everything between `SourceTask::start` and `SourceTask::stop`, both included. It
/// returns soon after [`StopSignal::requested`], before [`StopSignal::deadline`], with what it drained, or earlier
/// with the error that becomes the task's FAILED trace. The future stays on the task's thread and may block it.
pub type TaskRunner =
    Arc<dyn Fn(TaskContext) -> LocalBoxFuture<'static, Result<TaskReport, ConnectError>> + Send + Sync>;

/// One task with what it may use.
pub struct TaskContext {
    /// Which task.
    pub id: TaskId,
    /// The task, not yet started.
    pub task: Box<dyn SourceTask>,
    /// Its configuration.
    pub config: ConfigMap,
    /// Its connector's offsets.
    pub offsets: TaskOffsets,
    /// Where it says how it is doing.
    pub status: TaskStatusHandle,
    /// When it is to stop.
    pub stop: StopSignal,
}

impl std::fmt::Debug for TaskContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TaskContext({})", self.id)
    }
}

/// What a task did after it was asked to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskReport {
    /// Records that were read before the stop and acknowledged and committed after it.
    pub drained_records: u64,
}

/// The offset store as one task sees it. A task that was given up on can no longer commit: another may have taken
/// its place.
#[derive(Clone, Debug)]
pub struct TaskOffsets {
    store: OffsetStore,
    connector: String,
    current: Arc<AtomicBool>,
}

impl TaskOffsets {
    /// `current` turns false when the task is given up on.
    pub fn new(store: OffsetStore, connector: &str, current: Arc<AtomicBool>) -> Self {
        Self { store, connector: connector.to_owned(), current }
    }

    /// Reads what was committed before.
    pub fn reader(&self) -> Arc<dyn OffsetReader> {
        self.store.reader(&self.connector)
    }

    /// Stores offsets and waits for all acknowledgements; see [`OffsetStore::commit`]. Fails with
    /// [`StorageError::Closed`] when the worker has given up on this task.
    pub async fn commit(&self, offsets: &[(SourcePartition, SourceOffset)]) -> Result<(), StorageError> {
        if !self.current.load(Ordering::Acquire) {
            return Err(StorageError::Closed);
        }
        self.store.commit(&self.connector, offsets).await
    }
}
