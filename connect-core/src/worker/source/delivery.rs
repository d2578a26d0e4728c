//! The seam between the loop of a source task and the two ways on which data travels: single records, which are converted,
//! and whole batches, which pass. The loop knows when; a [`Delivery`] knows the task and its producer.

use std::time::Duration;

use connect_api::{ConfigMap, ConnectError, SourceOffset, SourcePartition, SourceTaskContext, Trouble};
use futures::future::BoxFuture;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

use crate::ids::TaskId;
use crate::worker::stop::StopSignal;

/// Of the time that a stop may take, the part that is kept for committing.
pub(super) const COMMIT_RESERVE: Duration = Duration::from_secs(1);

/// Pause after a poll that failed for a passing fault.
const POLL_RETRY: Duration = Duration::from_millis(100);

/// Offsets as the offset store takes them.
pub(super) type Offsets = Vec<(SourcePartition, SourceOffset)>;

/// A source task with its way to Kafka. The loop calls one method after the other, on one thread.
pub(crate) trait Delivery {
    /// News of data: polled from the task, or acknowledged by Kafka.
    type News;

    /// Offsets taken for a commit, as this delivery needs them back when it is done.
    type Taken: Send + 'static;

    /// Starts the task.
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError>;

    /// Waits for news of what was sent and, if `polling`, for the task's next data. Cancel-safe.
    async fn next(&mut self, polling: bool) -> Self::News;

    /// Takes what [`Delivery::next`] gave. An error fails the task.
    async fn handle(&mut self, news: Self::News) -> Result<(), ConnectError>;

    /// Parts of the task that do not run; `None` when all is well.
    fn trouble(&self) -> Option<Trouble> {
        None
    }

    /// Tells the task of a pause, or of its end.
    fn paused(&mut self, paused: bool);

    /// Number of batches or records that are sent and not acknowledged.
    fn outstanding(&self) -> usize;

    /// Number of records that were acknowledged since the start.
    fn stored(&self) -> u64;

    /// True when [`Delivery::take_offsets`] would give something.
    fn is_dirty(&self) -> bool;

    /// Time of the last poll that brought data, while all of it is acknowledged: offsets may be committed soon after,
    /// ahead of the flush interval. `None`: not before.
    fn settled_since(&self) -> Option<Instant> {
        None
    }

    /// True when what is under way is another worker's to send by now: there is nothing left to do for this one.
    fn is_left_to_next(&self) -> bool {
        false
    }

    /// Offsets that may be committed and are not yet.
    fn take_offsets(&mut self) -> Self::Taken;

    /// Those offsets in the words of the offset store.
    fn offsets(taken: &Self::Taken) -> Offsets;

    /// They were committed.
    fn committed(&mut self, taken: Self::Taken);

    /// They were not: they are to be taken again.
    fn not_committed(&mut self, taken: Self::Taken);

    /// Has the task commit at the source.
    fn commit_source(&mut self) -> BoxFuture<'static, Result<(), ConnectError>>;

    /// Waits until everything polled is stored, at most until `deadline`.
    async fn drain(&mut self, deadline: Instant) -> Result<(), ConnectError>;

    /// After a failure: waits for acknowledgements of what is under way, at most until `deadline`.
    async fn rescue(&mut self, deadline: Instant);

    /// Closes the source.
    async fn stop(&mut self);

    /// Closes the producer, in what time there is.
    async fn close(&mut self, deadline: Instant);
}

/// After a failed poll: waits a little when the fault is passing, else gives the error back, which fails the task.
pub(super) async fn poll_failed(id: &TaskId, error: ConnectError) -> Result<(), ConnectError> {
    if !error.is_retriable() {
        return Err(error);
    }
    warn!("{id}: polling the source failed, trying again: {error}");
    sleep(POLL_RETRY).await;
    Ok(())
}

/// Waits until a stop is asked for and only the time to commit is left.
pub(super) async fn nearly_over(stop: &StopSignal) {
    stop.requested().await;
    let now = Instant::now();
    let deadline = stop.deadline().unwrap_or(now);
    sleep_until(deadline - COMMIT_RESERVE.min(deadline.saturating_duration_since(now) / 2)).await;
}
