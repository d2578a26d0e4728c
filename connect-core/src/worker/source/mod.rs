//! The loop around a source task: poll, send, keep account of what is stored, commit offsets. One task, one thread.
//!
//! Guarantees: an offset is committed only when everything before it is stored; on a stop, what was read is delivered and
//! committed within the time allowed, and what was not is reported. Both kinds of tasks live here, those that yield
//! records and those that yield whole batches.

mod ledger;
mod raw;
mod records;
mod submitted;
mod transaction;

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use connect_api::{
    ConfigMap, ConnectError, Polled, RawBatch, SourceOffset, SourcePartition, SourceTask, SourceTaskContext,
    TransactionContext,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use kafka_wire::cluster::Cluster;
use kafka_wire::produce::{ProduceEvent, ProduceSettings, SendGate};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tracing::{error, info, warn};

use self::raw::{Positions, RawCopy, offset_value};
pub(crate) use self::records::RecordParts;
use self::records::RecordSender;
pub(crate) use self::transaction::{Boundary, Transaction, initialise};
use super::clients::Delivery;
use super::listener::{TopicsInUse, Voice};
use super::metrics::{TaskMetrics, TaskState};
use super::{StopSignal, TaskOffsets, TaskReport};
use crate::ids::TargetState;
use crate::ids::TaskId;

/// How long the source is silent before what is acknowledged is committed ahead of the flush interval: soon after the
/// last batch, without a commit for every batch of a trickle.
const IDLE_COMMIT_PAUSE: Duration = Duration::from_millis(200);

/// Of the time that a stop may take, what is kept for committing.
const COMMIT_RESERVE: Duration = Duration::from_secs(1);

/// Pause after a poll that failed for a passing fault.
const POLL_RETRY: Duration = Duration::from_millis(100);

/// Makes the writing half of tasks that yield whole batches.
pub(crate) type MakeRaw = Box<dyn FnMut() -> Result<(Cluster, ProduceSettings), ConnectError>>;

/// Makes the writing half of tasks that yield records.
pub(crate) type MakeRecords = Box<dyn FnOnce() -> Result<RecordParts, ConnectError>>;

/// One source task with everything it needs.
pub(crate) struct SourceRun {
    pub(crate) id: TaskId,
    pub(crate) task: Box<dyn SourceTask>,
    pub(crate) config: ConfigMap,
    pub(crate) offsets: TaskOffsets,
    pub(crate) voice: Voice,
    pub(crate) stop: StopSignal,
    pub(crate) target: watch::Receiver<TargetState>,
    pub(crate) metrics: Arc<TaskMetrics>,
    /// Boundaries that the task sets itself.
    pub(crate) transaction: Option<TransactionContext>,
    pub(crate) raw: MakeRaw,
    /// `topic.tracking.enable`.
    pub(crate) track_topics: bool,
    /// Whole batches are sent only while it says yes: otherwise they may be another worker's to send.
    pub(crate) gate: Option<SendGate>,
    /// Made at the first record, except with transactions, which are begun before the task starts.
    pub(crate) records: Option<MakeRecords>,
    pub(crate) transactional: bool,
    pub(crate) flush_interval: Duration,
    /// `None`: a commit may take as long as it needs.
    pub(crate) flush_timeout: Option<Duration>,
}

type Offsets = Vec<(SourcePartition, SourceOffset)>;
type Committed = (Positions, Offsets, Instant, Result<(), String>);

struct SourceLoop {
    run: SourceRun,
    raw: Option<RawCopy>,
    sender: Option<RecordSender>,
    paused: bool,
    last_commit: Instant,
    last_batch: Instant,
    commit: Option<BoxFuture<'static, Committed>>,
    source_commit: Option<BoxFuture<'static, Result<(), ConnectError>>>,
    failing: bool,
    /// Topics of whole batches; those of records are the sender's.
    tracked: TopicsInUse,
}

/// Runs a source task from start to stop. An error is the task's failure.
pub(crate) async fn run_source(run: SourceRun) -> Result<TaskReport, ConnectError> {
    let now = Instant::now();
    let mut source = SourceLoop {
        run,
        raw: None,
        sender: None,
        paused: false,
        last_commit: now,
        last_batch: now,
        commit: None,
        source_commit: None,
        failing: false,
        tracked: TopicsInUse::default(),
    };
    let result = AssertUnwindSafe(source.live()).catch_unwind().await;
    if !matches!(result, Ok(Ok(_))) && AssertUnwindSafe(source.rescue()).catch_unwind().await.is_err() {
        warn!("{}: the task panicked once more while its offsets were committed", source.run.id);
    }
    if AssertUnwindSafe(source.run.task.stop()).catch_unwind().await.is_err() {
        warn!("{}: the task panicked in its stop", source.run.id);
    }
    if let Some(sender) = source.sender.take() {
        sender.close(source.end()).await;
    }
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

impl SourceLoop {
    async fn live(&mut self) -> Result<TaskReport, ConnectError> {
        let stop = self.run.stop.clone();
        tokio::select! {
            started = self.start() => started?,
            () = stop.requested() => return Ok(TaskReport::default()),
        }
        self.run.voice.started();
        self.run.metrics.set_state(TaskState::Running);
        let stopping = stop.requested();
        tokio::pin!(stopping);
        loop {
            self.heed_target();
            self.report();
            let commit_at = self.commit_at();
            let polled_at = Instant::now();
            tokio::select! {
                biased;
                () = &mut stopping => break,
                events = raw_events(&mut self.raw) => self.produced(events),
                delivery = deliveries(&mut self.sender) => self.delivered(delivery).await?,
                Ok(()) = self.run.target.changed() => {}
                polled = self.run.task.poll(), if !self.paused => {
                    self.run.metrics.call_time.record_time(polled_at.elapsed());
                    self.polled(polled).await?;
                }
                done = under_way(&mut self.commit) => self.commit_done(done),
                done = under_way(&mut self.source_commit) => self.source_commit_done(done),
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
            self.run.voice.paused();
            self.run.metrics.set_state(TaskState::Paused);
            let resumed = self.run.target.wait_for(|state| *state == TargetState::Started).await.is_ok();
            if !resumed {
                std::future::pending::<()>().await;
            }
        }
        if self.run.transactional {
            self.sender()?;
        }
        let context = SourceTaskContext {
            offsets: self.run.offsets.reader(),
            transaction: self.run.transaction.clone(),
        };
        self.run.task.start(context, self.run.config.clone()).await
    }

    fn sender(&mut self) -> Result<&mut RecordSender, ConnectError> {
        match &mut self.sender {
            Some(sender) => Ok(sender),
            empty => {
                let make = self.run.records.take();
                let make = make.ok_or_else(|| ConnectError::new("this task may only yield batches"))?;
                Ok(empty.insert(RecordSender::new(make()?)))
            }
        }
    }

    fn heed_target(&mut self) {
        let paused = *self.run.target.borrow() != TargetState::Started;
        if paused == self.paused {
            return;
        }
        self.paused = paused;
        self.run.task.paused(paused);
        let metrics = &self.run.metrics;
        if paused {
            self.run.voice.paused();
            metrics.set_state(TaskState::Paused);
        } else {
            self.run.voice.resumed();
            metrics.set_state(TaskState::Running);
            // What is in trouble is told anew.
            self.failing = false;
        }
    }

    async fn polled(&mut self, polled: Result<Polled, ConnectError>) -> Result<(), ConnectError> {
        match polled {
            Ok(Polled::Batches(batches)) => {
                if !batches.is_empty() {
                    self.last_batch = Instant::now();
                    let count =
                        |batch: &RawBatch| batch.payload.as_ref().map_or(0, |(_, batch)| batch.count());
                    let records: i32 = batches.iter().map(count).sum();
                    self.run.metrics.taken.add(usize::try_from(records).unwrap_or_default());
                }
                if self.raw.is_none() {
                    let own =
                        self.run.task.batch_writer()?.map(|writer| (writer.destination, writer.produce));
                    let (destination, settings) = own.map_or_else(|| (self.run.raw)(), Ok)?;
                    self.raw = Some(RawCopy::new(destination, settings, self.run.gate.clone()));
                }
                match &mut self.raw {
                    Some(raw) => raw.deliver(batches, &mut *self.run.task),
                    None => Ok(()),
                }
            }
            Ok(Polled::Records(records)) if records.is_empty() => {
                // A task that does not wait must not keep others of its runtime from running.
                tokio::task::yield_now().await;
                Ok(())
            }
            Ok(Polled::Records(records)) => {
                self.run.metrics.batch(records.len());
                self.sender()?;
                let Some(sender) = &mut self.sender else { return Ok(()) };
                tokio::select! {
                    sent = sender.send(records, &mut *self.run.task) => sent,
                    // What cannot be sent in time is read again after the next start.
                    () = nearly_over(&self.run.stop) => Ok(()),
                }
            }
            Err(error) if error.is_retriable() => {
                warn!("{}: polling the source failed, trying again: {error}", self.run.id);
                sleep(POLL_RETRY).await;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn produced(&mut self, events: Vec<ProduceEvent>) {
        if let Some(raw) = &mut self.raw {
            let before = raw.acknowledged_records;
            if self.run.track_topics {
                raw.topics_of(&events).for_each(|topic| self.tracked.note(&self.run.voice, topic));
            }
            raw.produced(events, &mut *self.run.task);
            let records = usize::try_from(raw.acknowledged_records - before).unwrap_or(usize::MAX);
            if records > 0 {
                self.run.metrics.given.add(records);
            }
        }
    }

    async fn delivered(&mut self, delivery: Delivery) -> Result<(), ConnectError> {
        let Some(sender) = &mut self.sender else { return Ok(()) };
        sender.delivered(delivery, &mut *self.run.task)?;
        tokio::select! {
            sent = sender.send_alone(&mut *self.run.task) => sent,
            () = nearly_over(&self.run.stop) => Ok(()),
        }
    }

    /// Puts the task's trouble, or its end, into the status.
    fn report(&mut self) {
        match self.run.task.trouble() {
            None if self.failing => {
                self.failing = false;
                if !self.paused {
                    self.run.voice.running(None);
                }
            }
            None => {}
            Some(_) if self.paused => {}
            Some(trouble) => {
                self.failing = true;
                match trouble.everything {
                    true => self.run.voice.failed(&ConnectError::new(trouble.text)),
                    false => self.run.voice.running(Some(&trouble.text)),
                }
            }
        }
    }

    fn outstanding(&self) -> usize {
        let raw = self.raw.as_ref().map_or(0, RawCopy::outstanding);
        raw + self.sender.as_ref().map_or(0, RecordSender::outstanding)
    }

    fn is_dirty(&self) -> bool {
        self.raw.as_ref().is_some_and(RawCopy::is_dirty)
            || self.sender.as_ref().is_some_and(RecordSender::is_dirty)
    }

    /// When to commit next: each flush interval; batches also soon after all are acknowledged.
    fn commit_at(&self) -> Option<Instant> {
        if self.commit.is_some() || !self.is_dirty() {
            return None;
        }
        let due = self.last_commit + self.run.flush_interval;
        let idle = self.last_batch.max(self.last_commit) + IDLE_COMMIT_PAUSE;
        let all_acknowledged = self.raw.as_ref().is_some_and(|raw| raw.is_dirty() && raw.outstanding() == 0);
        Some(if all_acknowledged { due.min(idle) } else { due })
    }

    fn start_commit(&mut self) {
        let positions = self.raw.as_ref().map(RawCopy::uncommitted).unwrap_or_default();
        let taken = self.sender.as_mut().map(RecordSender::take_offsets).unwrap_or_default();
        let (offsets, limit) = (self.run.offsets.clone(), self.run.flush_timeout);
        let begun = Instant::now();
        self.last_commit = begun;
        self.commit = Some(Box::pin(async move {
            let raw = positions.iter().map(|(_, source, last)| ((**source).clone(), offset_value(*last)));
            let values: Vec<_> = raw.chain(taken.iter().cloned()).collect();
            let commit = offsets.commit(&values);
            let result = match limit {
                None => commit.await.map_err(|e| e.to_string()),
                Some(limit) => match timeout(limit, commit).await {
                    Ok(result) => result.map_err(|e| e.to_string()),
                    Err(_) => Err("not within offset.flush.timeout.ms".to_owned()),
                },
            };
            (positions, taken, begun, result)
        }));
    }

    fn commit_done(&mut self, (positions, offsets, begun, result): Committed) {
        self.commit = None;
        self.run.metrics.committed(begun.elapsed(), result.is_ok());
        match result {
            Ok(()) => {
                if let Some(raw) = &mut self.raw {
                    raw.committed(&positions);
                }
                if self.source_commit.is_none() {
                    self.source_commit = Some(self.run.task.commit());
                }
            }
            Err(error) => {
                warn!("{}: offsets were not committed, trying again: {error}", self.run.id);
                if let Some(sender) = &mut self.sender {
                    sender.restore_offsets(offsets);
                }
            }
        }
    }

    fn source_commit_done(&mut self, result: Result<(), ConnectError>) {
        self.source_commit = None;
        if let Err(error) = result {
            warn!("{}: positions were not committed at the source: {error}", self.run.id);
        }
    }

    /// When everything must be done, with a little time left to tell.
    fn end(&self) -> Instant {
        let now = Instant::now();
        let deadline = self.run.stop.deadline().unwrap_or(now);
        deadline - deadline.saturating_duration_since(now) / 20
    }

    /// Delivers and commits what was read, and ends before `deadline`, after which nobody listens.
    async fn drain(&mut self, deadline: Instant) -> Result<TaskReport, ConnectError> {
        if self.raw.is_some() && self.run.gate.as_ref().is_some_and(|is_open| !is_open()) {
            info!("{}: {} batches are left to the task's next worker", self.run.id, self.outstanding());
            return Ok(TaskReport::default());
        }
        let before = self.stored();
        let time = deadline.saturating_duration_since(Instant::now());
        // One partition that is stuck must not take the time in which the others' positions are committed.
        let delivered_by = deadline - COMMIT_RESERVE.min(time / 4);
        if let Some(raw) = &mut self.raw {
            while raw.outstanding() > 0 {
                match timeout_at(delivered_by, raw.next()).await {
                    Ok(events) => raw.produced(events, &mut *self.run.task),
                    Err(_) => break,
                }
            }
        }
        if let Some(sender) = &mut self.sender {
            sender.drain(delivered_by, &mut *self.run.task).await?;
        }
        self.commit_all(deadline).await;
        // The source comes last: it may be down, and nothing depends on it. Its commit under way may be an older one.
        self.finish_source_commit(deadline).await;
        if !self.run.transactional && !self.is_dirty() {
            self.source_commit = Some(self.run.task.commit());
            self.finish_source_commit(deadline).await;
        }
        let drained_records = self.stored() - before;
        match (self.outstanding(), self.is_dirty()) {
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
        if let Some(sender) = &mut self.sender {
            sender.settle_what_can(deadline, &mut *self.run.task).await;
        }
        if self.commit.is_some() || self.is_dirty() {
            self.commit_all(Instant::now() + COMMIT_RESERVE).await;
        }
    }

    fn stored(&self) -> u64 {
        let raw = self.raw.as_ref().map_or(0, |raw| raw.acknowledged_records);
        raw + self.sender.as_ref().map_or(0, |sender| sender.stored_records)
    }

    async fn commit_all(&mut self, deadline: Instant) {
        self.finish_commit(deadline).await;
        if self.is_dirty() {
            self.start_commit();
            self.finish_commit(deadline).await;
        }
    }

    /// Waits for the commit under way at the offset store.
    async fn finish_commit(&mut self, deadline: Instant) {
        if let Some(commit) = self.commit.take()
            && let Ok(done) = timeout_at(deadline, commit).await
        {
            self.commit_done(done);
        }
    }

    /// Waits for the commit under way at the source.
    async fn finish_source_commit(&mut self, deadline: Instant) {
        if let Some(commit) = self.source_commit.take() {
            match timeout_at(deadline, commit).await {
                Ok(result) => self.source_commit_done(result),
                Err(_) => warn!("{}: no time was left to commit positions at the source", self.run.id),
            }
        }
    }
}

/// Waits until a stop is asked for and only the time to commit is left.
async fn nearly_over(stop: &StopSignal) {
    stop.requested().await;
    let now = Instant::now();
    let deadline = stop.deadline().unwrap_or(now);
    sleep_until(deadline - COMMIT_RESERVE.min(deadline.saturating_duration_since(now) / 2)).await;
}

/// Waits for a future that may not be there; without it, for ever.
async fn under_way<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => futures::future::pending().await,
    }
}

async fn raw_events(raw: &mut Option<RawCopy>) -> Vec<ProduceEvent> {
    match raw {
        Some(raw) => raw.next().await,
        None => futures::future::pending().await,
    }
}

async fn deliveries(sender: &mut Option<RecordSender>) -> Delivery {
    match sender {
        Some(sender) => sender.next().await,
        None => futures::future::pending().await,
    }
}
