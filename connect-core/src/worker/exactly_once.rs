//! The hook of exactly-once delivery: work of a herder that a source task waits for when it starts.

use async_trait::async_trait;
use connect_api::ConnectError;

use crate::ids::TaskId;

/// Work that exactly-once delivery asks of a herder when a source task starts.
#[async_trait]
pub trait ExactlyOnce: Send + Sync {
    /// Has the leader fence out the producers of older generations of this connector's tasks. Comes before the task's
    /// producer is made.
    async fn fence(&self, id: &TaskId) -> Result<(), ConnectError>;

    /// Checks, after `initTransactions`, that this task is still the one that should run: its configurations are the
    /// newest, and so is the round of fencing.
    async fn verify(&self, id: &TaskId) -> Result<(), ConnectError>;
}
