//! The loop around a source task, whatever it yields: start, pause, poll, commit, drain. One task, one thread.
//!
//! Guarantees: an offset is committed only when everything before it is stored; on a stop, what was read is delivered and
//! committed within the time allowed, and what was not is reported.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use connect_api::{ConfigMap, ConnectError, SourceTaskContext, TransactionContext};
use futures::FutureExt;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::{error, info, warn};

use super::commits::{Commits, Outcome};
use super::delivery::{COMMIT_RESERVE, Delivery};
use crate::ids::{TargetState, TaskId};
use crate::worker::listener::StatusReporter;
use crate::worker::metrics::{TaskMetrics, TaskState};
use crate::worker::offsets::TaskOffsets;
use crate::worker::report::TaskReport;
use crate::worker::stop::StopSignal;

/// Silence of the source after which what is acknowledged is committed ahead of the flush interval: soon after the last
/// batch, without a commit for every batch of a trickle.
const IDLE_COMMIT_PAUSE: Duration = Duration::from_millis(200);

/// Needs of the loop beside the task's [`Delivery`].
pub(crate) struct SourceRun {
    pub(crate) id: TaskId,
    pub(crate) config: ConfigMap,
    pub(crate) offsets: TaskOffsets,
    pub(crate) status: StatusReporter,
    pub(crate) stop: StopSignal,
    pub(crate) target: watch::Receiver<TargetState>,
    pub(crate) metrics: Arc<TaskMetrics>,
    /// Boundaries that the task sets itself.
    pub(crate) transaction: Option<TransactionContext>,
    /// Transactions are begun before the task starts, and commit offsets themselves.
    pub(crate) transactional: bool,
    pub(crate) flush_interval: Duration,
    /// `None`: a commit may take as long as it needs.
    pub(crate) flush_timeout: Option<Duration>,
}

struct SourceLoop<D: Delivery> {
    run: SourceRun,
    delivery: D,
    commits: Commits<D::Taken>,
    paused: bool,
    /// The status tells of trouble.
    failing: bool,
}

/// Runs a source task from start to stop. An error is the task's failure.
pub(crate) async fn run_source<D: Delivery>(run: SourceRun, delivery: D) -> Result<TaskReport, ConnectError> {
    let commits = Commits::new(run.id.clone(), run.offsets.clone(), run.flush_timeout);
    let mut source = SourceLoop { run, delivery, commits, paused: false, failing: false };
    let result = AssertUnwindSafe(source.live()).catch_unwind().await;
    if !matches!(result, Ok(Ok(_))) && AssertUnwindSafe(source.rescue()).catch_unwind().await.is_err() {
        warn!("{}: the task panicked once more while its offsets were committed", source.run.id);
    }
    if AssertUnwindSafe(source.delivery.stop()).catch_unwind().await.is_err() {
        warn!("{}: the task panicked in its stop", source.run.id);
    }
    let end = source.end();
    source.delivery.close(end).await;
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

impl<D: Delivery> SourceLoop<D> {
    async fn live(&mut self) -> Result<TaskReport, ConnectError> {
        let stop = self.run.stop.clone();
        tokio::select! {
            started = self.start() => started?,
            () = stop.requested() => return Ok(TaskReport::default()),
        }
        self.run.status.started();
        self.run.metrics.set_state(TaskState::Running);
        let stopping = stop.requested();
        tokio::pin!(stopping);
        loop {
            self.apply_target_state();
            self.report();
            let commit_at = self.commit_at();
            tokio::select! {
                biased;
                () = &mut stopping => break,
                news = self.delivery.next(!self.paused) => self.delivery.handle(news).await?,
                Ok(()) = self.run.target.changed() => {}
                done = self.commits.next() => self.commit_done(done),
                () = sleep_until(commit_at.unwrap_or_else(Instant::now)), if commit_at.is_some() => {
                    self.start_commit();
                }
            }
        }
        self.drain(self.end()).await
    }

    /// Starts the task, when it is not or no longer paused.
    async fn start(&mut self) -> Result<(), ConnectError> {
        if *self.run.target.borrow_and_update() != TargetState::Started {
            self.run.status.paused();
            self.run.metrics.set_state(TaskState::Paused);
            let resumed = self.run.target.wait_for(|state| *state == TargetState::Started).await.is_ok();
            if !resumed {
                std::future::pending::<()>().await;
            }
        }
        let context = SourceTaskContext {
            offsets: self.run.offsets.reader(),
            transaction: self.run.transaction.clone(),
        };
        self.delivery.start(context, self.run.config.clone()).await
    }

    fn apply_target_state(&mut self) {
        let paused = *self.run.target.borrow() != TargetState::Started;
        if paused == self.paused {
            return;
        }
        self.paused = paused;
        self.delivery.paused(paused);
        let metrics = &self.run.metrics;
        if paused {
            self.run.status.paused();
            metrics.set_state(TaskState::Paused);
        } else {
            self.run.status.resumed();
            metrics.set_state(TaskState::Running);
            // What is in trouble is told anew.
            self.failing = false;
        }
    }

    /// Puts the task's trouble, or its end, into the status.
    fn report(&mut self) {
        match self.delivery.trouble() {
            None if self.failing => {
                self.failing = false;
                if !self.paused {
                    self.run.status.running(None);
                }
            }
            None => {}
            Some(_) if self.paused => {}
            Some(trouble) => {
                self.failing = true;
                if trouble.everything {
                    self.run.status.failed(&ConnectError::new(trouble.text));
                } else {
                    self.run.status.running(Some(&trouble.text));
                }
            }
        }
    }

    /// Time of the next commit: each flush interval, and soon after all is acknowledged where the delivery tells so.
    fn commit_at(&self) -> Option<Instant> {
        if self.commits.is_under_way() || !self.delivery.is_dirty() {
            return None;
        }
        let last = self.commits.last();
        let due = last + self.run.flush_interval;
        let idle = self.delivery.settled_since().map(|since| since.max(last) + IDLE_COMMIT_PAUSE);
        Some(idle.map_or(due, |idle| due.min(idle)))
    }

    fn start_commit(&mut self) {
        let taken = self.delivery.take_offsets();
        let values = D::offsets(&taken);
        self.commits.start(taken, values);
    }

    fn commit_done(&mut self, Outcome { taken, begun, result }: Outcome<D::Taken>) {
        self.run.metrics.committed(begun.elapsed(), result.is_ok());
        match result {
            Ok(()) => {
                self.delivery.committed(taken);
                if !self.commits.is_under_way_at_source() {
                    self.commits.start_at_source(self.delivery.commit_source());
                }
            }
            Err(error) => {
                warn!("{}: offsets were not committed, trying again: {error}", self.run.id);
                self.delivery.not_committed(taken);
            }
        }
    }

    /// Time at which everything must be done, with a little left to tell.
    fn end(&self) -> Instant {
        let now = Instant::now();
        let deadline = self.run.stop.deadline().unwrap_or(now);
        deadline - deadline.saturating_duration_since(now) / 20
    }

    /// Delivers and commits what was read, and ends before `deadline`, after which nobody listens.
    async fn drain(&mut self, deadline: Instant) -> Result<TaskReport, ConnectError> {
        if self.delivery.is_left_to_next() {
            let left = self.delivery.outstanding();
            info!("{}: {left} batches are left to the task's next worker", self.run.id);
            return Ok(TaskReport::default());
        }
        let before = self.delivery.stored();
        let time = deadline.saturating_duration_since(Instant::now());
        // One partition that is stuck must not take the time in which the others' positions are committed.
        let delivered_by = deadline - COMMIT_RESERVE.min(time / 4);
        self.delivery.drain(delivered_by).await?;
        self.commit_all(deadline).await;
        // The source comes last: it may be down, and nothing depends on it. Its commit under way may be an older one.
        self.commits.finish_at_source(deadline).await;
        if !self.run.transactional && !self.delivery.is_dirty() {
            self.commits.start_at_source(self.delivery.commit_source());
            self.commits.finish_at_source(deadline).await;
        }
        let drained_records = self.delivery.stored() - before;
        match (self.delivery.outstanding(), self.delivery.is_dirty()) {
            (0, false) => {
                info!("{}: drained {drained_records} records, all offsets committed", self.run.id)
            }
            (left, _) => error!(
                "{}: gave up draining after task.shutdown.graceful.timeout.ms with {left} batches or records not \
                 acknowledged; they will be copied again after the next start",
                self.run.id
            ),
        }
        Ok(TaskReport { drained_records })
    }

    /// A task that fails, or panics, leaves the offsets of what it sent: its next life does not read that again. Like a commit,
    /// the wait for it has a limit. The account of what is stored is the worker's own: a panic of the task leaves it whole.
    async fn rescue(&mut self) {
        if self.run.transactional {
            return;
        }
        let limit = Instant::now() + self.run.flush_timeout.unwrap_or(COMMIT_RESERVE);
        let deadline = self.run.stop.deadline().map_or(limit, |stop| stop.min(limit));
        self.delivery.rescue(deadline).await;
        if self.commits.is_under_way() || self.delivery.is_dirty() {
            self.commit_all(Instant::now() + COMMIT_RESERVE).await;
        }
    }

    async fn commit_all(&mut self, deadline: Instant) {
        self.finish_commit(deadline).await;
        if self.delivery.is_dirty() {
            self.start_commit();
            self.finish_commit(deadline).await;
        }
    }

    /// Waits for the commit under way at the offset store.
    async fn finish_commit(&mut self, deadline: Instant) {
        if let Some(done) = self.commits.finish(deadline).await {
            self.commit_done(done);
        }
    }
}
