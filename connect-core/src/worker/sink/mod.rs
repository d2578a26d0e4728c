//! The loop around a sink task: read, convert, transform, put, commit. One task, one thread.
//!
//! Guarantees: offsets are committed only as far as the task allows and as records were put and reported; partitions are
//! closed before another task gets them; a batch that failed for a passing fault is put again, the same records in
//! the same order.

mod commit;
mod consumer;
mod dead_letters;
mod positions;
mod subscription;

use std::mem;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use connect_api::{ConfigMap, ConnectError, Record, SinkRecord, SinkTask, SinkTaskContext, TopicPartition};
use futures::FutureExt;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{error, warn};

use self::commit::{UnderWay, commit_under_way};
use self::consumer::{NO_OFFSET, Rebalanced, SinkConsumer};
pub(crate) use self::dead_letters::DeadLetters;
use self::dead_letters::{Open, Originals, TaskReporter};
use self::positions::{Offsets, Positions};
pub(crate) use self::subscription::Subscription;
use super::listener::{TopicsInUse, Voice};
use super::metrics::{TaskMetrics, TaskState};
use super::records::{Applied, Chain, Consumed, Converters, ErrorHandling, Origin};
use super::{StopSignal, TaskReport};
use crate::ids::TargetState;
use crate::ids::TaskId;

/// Time until a batch that failed is put again, unless the task names another.
const REDELIVERY: Duration = Duration::from_secs(1);
/// Pause before a question to the cluster is repeated.
const RETRY: Duration = Duration::from_millis(500);

/// One sink task with everything it needs.
pub(crate) struct SinkRun {
    pub(crate) id: TaskId,
    pub(crate) task: Box<dyn SinkTask>,
    pub(crate) config: ConfigMap,
    pub(crate) voice: Voice,
    pub(crate) stop: StopSignal,
    pub(crate) target: watch::Receiver<TargetState>,
    pub(crate) metrics: Arc<TaskMetrics>,
    pub(crate) chain: Chain,
    pub(crate) converters: Arc<Converters>,
    pub(crate) errors: ErrorHandling,
    pub(crate) dead_letters: Option<Arc<DeadLetters>>,
    /// Java properties of its consumer.
    pub(crate) consumer: ConfigMap,
    pub(crate) subscription: Subscription,
    /// `max.poll.records`: records of one put.
    pub(crate) max_poll_records: usize,
    /// `topic.tracking.enable`.
    pub(crate) track_topics: bool,
    pub(crate) flush_interval: Duration,
    pub(crate) flush_timeout: Duration,
}

struct SinkLoop {
    run: Parts,
    consumer: SinkConsumer,
    rebalances: mpsc::UnboundedReceiver<Rebalanced>,
    context: SinkTaskContext,
    reporter: Option<Arc<TaskReporter>>,
    originals: Option<Arc<Originals>>,
    positions: Positions,
    /// The topics that the consumer was last told to read.
    subscribed: Vec<String>,
    /// Records that were converted and not yet put, and the offsets after them.
    batch: Vec<SinkRecord>,
    batch_offsets: Offsets,
    redeliver_at: Option<Instant>,
    paused: bool,
    next_commit: Instant,
    commit: Option<UnderWay>,
    tracked: TopicsInUse,
}

/// What is left of [`SinkRun`] once the loop is made.
struct Parts {
    id: TaskId,
    task: Box<dyn SinkTask>,
    voice: Voice,
    stop: StopSignal,
    target: watch::Receiver<TargetState>,
    metrics: Arc<TaskMetrics>,
    chain: Chain,
    converters: Arc<Converters>,
    errors: Arc<ErrorHandling>,
    dead_letters: Option<Arc<DeadLetters>>,
    subscription: Subscription,
    max_poll_records: usize,
    track_topics: bool,
    flush_interval: Duration,
    flush_timeout: Duration,
}

/// Runs a sink task from start to stop. An error is the task's failure.
pub(crate) async fn run_sink(run: SinkRun) -> Result<TaskReport, ConnectError> {
    let config = run.config.clone();
    let mut sink = SinkLoop::new(run)?;
    let outcome = AssertUnwindSafe(sink.live_and_close(config)).catch_unwind().await;
    let end = sink.end();
    // After a panic too: a consumer that is only dropped waits for answers of a loop that is gone.
    if timeout_at(end, sink.consumer.close()).await.is_err() {
        warn!("{}: the consumer did not leave its group in time", sink.run.id);
    }
    match outcome {
        Ok(result) => result.map(|()| TaskReport::default()),
        Err(panic) => resume_unwind(panic),
    }
}

impl SinkLoop {
    fn new(run: SinkRun) -> Result<Self, ConnectError> {
        let (consumer, rebalances) = SinkConsumer::new(&run.consumer)?;
        let errors = Arc::new(run.errors);
        let reports = run.dead_letters.is_some() || errors.settings.log;
        let originals = reports.then(|| Arc::new(Originals::default()));
        let reporter = originals.as_ref().map(|originals| {
            Arc::new(TaskReporter {
                errors: errors.clone(),
                originals: originals.clone(),
                converters: run.converters.clone(),
                open: watch::Sender::new(Open::default()),
                runtime: tokio::runtime::Handle::current(),
            })
        });
        let context = SinkTaskContext {
            requests: Arc::default(),
            reporter: reporter.clone().map(|reporter| reporter as Arc<dyn connect_api::ErrantRecordReporter>),
        };
        let next_commit = Instant::now() + run.flush_interval;
        let run = Parts {
            id: run.id,
            task: run.task,
            voice: run.voice,
            stop: run.stop,
            target: run.target,
            metrics: run.metrics,
            chain: run.chain,
            converters: run.converters,
            errors,
            dead_letters: run.dead_letters,
            subscription: run.subscription,
            max_poll_records: run.max_poll_records.max(1),
            track_topics: run.track_topics,
            flush_interval: run.flush_interval,
            flush_timeout: run.flush_timeout,
        };
        Ok(Self {
            run,
            consumer,
            rebalances,
            context,
            reporter,
            originals,
            positions: Positions::default(),
            subscribed: Vec::new(),
            batch: Vec::new(),
            batch_offsets: Offsets::new(),
            redeliver_at: None,
            paused: false,
            next_commit,
            commit: None,
            tracked: TopicsInUse::default(),
        })
    }

    async fn live_and_close(&mut self, config: ConfigMap) -> Result<(), ConnectError> {
        let result = self.live(config).await;
        let closed = self.close_all().await;
        self.run.task.stop().await;
        result.and(closed)
    }

    async fn live(&mut self, config: ConfigMap) -> Result<(), ConnectError> {
        let stop = self.run.stop.clone();
        tokio::select! {
            started = self.start(config) => started?,
            () = stop.requested() => return Ok(()),
        }
        self.run.voice.started();
        self.run.metrics.set_state(TaskState::Running);
        let stopping = stop.requested();
        tokio::pin!(stopping);
        let consumer = self.consumer.clone();
        loop {
            self.heed_target()?;
            self.heed_requests()?;
            if self.next_commit <= Instant::now() {
                self.tick().await?;
            }
            let (commit_at, give_up_at) = (self.next_commit, self.give_up_at());
            tokio::select! {
                biased;
                () = &mut stopping => return Ok(()),
                Some(event) = self.rebalances.recv() => self.rebalanced(event).await?,
                Ok(()) = self.run.target.changed() => {}
                result = commit_under_way(&mut self.commit) => self.commit_done(result),
                () = sleep_until(give_up_at.unwrap_or_else(Instant::now)), if give_up_at.is_some() => {
                    self.commit_timed_out();
                }
                () = sleep_until(commit_at) => self.tick().await?,
                () = sleep_until(self.redeliver_at.unwrap_or_else(Instant::now)), if self.redeliver_at.is_some() => {
                    self.redeliver().await?;
                }
                () = self.run.subscription.due() => self.subscribe().await?,
                consumed = consumer.next() => if let Some(first) = consumed? {
                    self.consumed(&consumer, first).await?;
                }
            }
        }
    }

    async fn start(&mut self, config: ConfigMap) -> Result<(), ConnectError> {
        if *self.run.target.borrow_and_update() != TargetState::Started {
            self.run.voice.paused();
            self.run.metrics.set_state(TaskState::Paused);
            if self.run.target.wait_for(|state| *state == TargetState::Started).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        self.run.task.start(self.context.clone(), config).await?;
        self.subscribe().await
    }

    async fn subscribe(&mut self) -> Result<(), ConnectError> {
        let topics = self.run.subscription.topics().await;
        if topics == self.subscribed {
            return Ok(());
        }
        self.consumer.subscribe(&topics)?;
        self.subscribed = topics;
        Ok(())
    }

    fn heed_target(&mut self) -> Result<(), ConnectError> {
        let paused = *self.run.target.borrow() != TargetState::Started;
        if paused == self.paused {
            return Ok(());
        }
        self.paused = paused;
        if paused {
            self.consumer.pause(self.positions.assigned().iter(), true)?;
            // Who pauses it sees how far it has got.
            self.next_commit = Instant::now();
            self.run.voice.paused();
            self.run.metrics.set_state(TaskState::Paused);
        } else {
            if self.redeliver_at.is_none() {
                self.consumer.pause(self.positions.unpaused().iter(), false)?;
            }
            self.run.voice.resumed();
            self.run.metrics.set_state(TaskState::Running);
        }
        Ok(())
    }

    /// What the task asked of its context since the last look.
    fn heed_requests(&mut self) -> Result<(), ConnectError> {
        let (offsets, paused, commit) = self.context.with(|requests| {
            (
                mem::take(&mut requests.offsets),
                mem::take(&mut requests.paused),
                mem::take(&mut requests.commit),
            )
        });
        for (partition, offset) in offsets {
            self.rewind(&partition, offset)?;
        }
        for (partition, pause) in paused {
            if !self.positions.has(&partition) {
                warn!("{}: {}-{} is not assigned", self.run.id, partition.topic, partition.partition);
                continue;
            }
            self.positions.set_paused(&partition, pause);
            if pause || (!self.paused && self.redeliver_at.is_none()) {
                self.consumer.pause(std::iter::once(&partition), pause)?;
            }
        }
        if commit && self.commit.is_none() {
            self.next_commit = Instant::now();
        }
        Ok(())
    }

    fn rewind(&mut self, partition: &TopicPartition, offset: i64) -> Result<(), ConnectError> {
        if !self.positions.has(partition) {
            warn!("{}: {}-{} is not assigned", self.run.id, partition.topic, partition.partition);
            return Ok(());
        }
        self.positions.rewind(partition, offset);
        self.consumer.seek(partition, offset)
    }

    async fn rebalanced(&mut self, event: Rebalanced) -> Result<(), ConnectError> {
        match event {
            Rebalanced::Assigned(partitions) => self.assigned(partitions).await,
            Rebalanced::Revoked { partitions, lost } => {
                let closed = self.close(&partitions, lost).await;
                self.consumer.unassign(&partitions)?;
                closed
            }
        }
    }

    async fn assigned(&mut self, partitions: Vec<TopicPartition>) -> Result<(), ConnectError> {
        let mut positions = Vec::new();
        while !partitions.is_empty() && !self.run.stop.is_requested() {
            match self.consumer.positions(&partitions).await {
                Ok(found) => {
                    positions = found;
                    break;
                }
                Err(error) if error.class() == NO_OFFSET => return Err(error),
                Err(error) => {
                    warn!("{}: cannot find out where to read on, asking again: {error}", self.run.id);
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
        self.positions.add(&positions);
        self.assignment_changed();
        if !partitions.is_empty() {
            self.run.task.open(&partitions).await?;
        }
        // Where the task wants to read on from is where reading begins.
        let wanted = self.context.with(|requests| mem::take(&mut requests.offsets));
        for (partition, offset) in &mut positions {
            if let Some(wanted) = wanted.get(partition) {
                self.positions.rewind(partition, *wanted);
                *offset = *wanted;
            }
        }
        self.consumer.assign(&positions)?;
        if self.paused || self.redeliver_at.is_some() {
            self.consumer.pause(partitions.iter(), true)?;
        }
        Ok(())
    }

    fn assignment_changed(&mut self) {
        let assigned = self.positions.assigned();
        self.run.metrics.partitions.store(assigned.len() as u64, Relaxed);
        self.context.with(|requests| requests.assignment = assigned);
    }

    /// Commits and closes partitions; those lost without a commit.
    async fn close(&mut self, partitions: &[TopicPartition], lost: bool) -> Result<(), ConnectError> {
        if partitions.is_empty() {
            return Ok(());
        }
        let committed = if lost { Ok(()) } else { self.commit_now(partitions).await };
        let closed = self.run.task.close(partitions).await;
        self.positions.remove(partitions);
        self.assignment_changed();
        let removed = |topic: &str, partition: i32| {
            partitions.iter().any(|gone| gone.topic == topic && gone.partition == partition)
        };
        self.batch.retain(|record| !removed(&record.original_topic, record.original_partition));
        self.batch_offsets.retain(|partition, _| !partitions.contains(partition));
        if self.batch.is_empty() && self.redeliver_at.take().is_some() && !self.paused {
            self.consumer.pause(self.positions.unpaused().iter(), false)?;
        }
        committed.and(closed)
    }

    async fn close_all(&mut self) -> Result<(), ConnectError> {
        let assigned = self.positions.assigned();
        self.close(&assigned, false).await
    }

    /// A record came; those that wait behind it form one batch with it.
    async fn consumed(&mut self, consumer: &SinkConsumer, first: Consumed) -> Result<(), ConnectError> {
        let mut batch = vec![first];
        while batch.len() < self.run.max_poll_records {
            match consumer.next().now_or_never() {
                Some(Ok(Some(more))) => batch.push(more),
                Some(Ok(None)) => {}
                // An error that lasts is met again after this batch.
                Some(Err(_)) | None => break,
            }
        }
        self.run.metrics.taken.add(batch.len());
        for consumed in batch {
            self.convert(consumed).await?;
        }
        // While a batch waits to be put again, what was under way joins it.
        match self.redeliver_at {
            None => self.put().await,
            Some(_) => Ok(()),
        }
    }

    async fn convert(&mut self, consumed: Consumed) -> Result<(), ConnectError> {
        let partition = TopicPartition { topic: consumed.topic.clone(), partition: consumed.partition };
        if self.run.track_topics {
            self.tracked.note(&self.run.voice, &consumed.topic);
        }
        if let Some(record) = self.transformed(&consumed).await? {
            if let Some(originals) = &self.originals {
                originals.keep(&consumed);
            }
            self.batch.push(SinkRecord {
                record,
                timestamp_type: consumed.timestamp_type,
                original_topic: consumed.topic,
                original_partition: consumed.partition,
                original_offset: consumed.offset,
            });
        }
        self.batch_offsets.insert(partition, consumed.offset + 1);
        Ok(())
    }

    async fn transformed(&self, consumed: &Consumed) -> Result<Option<Record>, ConnectError> {
        let Parts { chain, converters, errors, .. } = &self.run;
        let Some(record) = converters.to_connect(consumed, errors).await? else { return Ok(None) };
        match chain.apply(record, Origin::Consumed(consumed), errors).await? {
            Applied::Record(record) => Ok(Some(*record)),
            Applied::Dropped | Applied::Failed => Ok(None),
        }
    }

    async fn put(&mut self) -> Result<(), ConnectError> {
        let begun = Instant::now();
        let records = self.batch.clone();
        let count = records.len();
        let outcome = self.run.task.put(records).await;
        match outcome {
            Ok(()) => {
                self.run.metrics.put(count, begun.elapsed());
                self.batch.clear();
                self.positions.put(&mem::take(&mut self.batch_offsets));
                self.run.metrics.set_active(self.positions.uncommitted());
                if self.redeliver_at.take().is_some() && !self.paused {
                    self.consumer.pause(self.positions.unpaused().iter(), false)?;
                }
                Ok(())
            }
            Err(error) if error.is_retriable() => {
                let wait = self.context.with(|requests| requests.timeout.take()).unwrap_or(REDELIVERY);
                warn!("{}: the records will be put again in {wait:?}: {error}", self.run.id);
                self.redeliver_at = Some(Instant::now() + wait);
                self.consumer.pause(self.positions.assigned().iter(), true)
            }
            Err(error) => {
                error!("{}: the task cannot go on: {error}", self.run.id);
                Err(ConnectError::new("Exiting WorkerSinkTask due to unrecoverable exception.")
                    .caused_by(error))
            }
        }
    }

    async fn redeliver(&mut self) -> Result<(), ConnectError> {
        if self.paused {
            // It stays until the task goes on.
            self.redeliver_at = Some(Instant::now() + REDELIVERY);
            return Ok(());
        }
        self.put().await
    }

    /// It is time to commit. A task without records gets its turn too, even while it is paused.
    async fn tick(&mut self) -> Result<(), ConnectError> {
        self.next_commit = Instant::now() + self.run.flush_interval;
        if self.commit.is_none() && !self.positions.assigned().is_empty() {
            self.start_commit().await?;
        }
        if self.batch.is_empty() && self.redeliver_at.is_none() {
            let begun = Instant::now();
            self.run.task.put(Vec::new()).await?;
            self.run.metrics.put(0, begun.elapsed());
        }
        Ok(())
    }

    /// When everything must be done, with a little time left to tell.
    fn end(&self) -> Instant {
        let now = Instant::now();
        let deadline = self.run.stop.deadline().unwrap_or(now + self.run.flush_timeout);
        deadline - deadline.saturating_duration_since(now) / 20
    }
}
