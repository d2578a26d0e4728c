//! The loop around a source task: poll, produce, keep the ledger, commit offsets. One task, one thread.
//!
//! Guarantees: an offset is committed only when everything before it is acknowledged by the destination; on a stop,
//! what was read is delivered and committed within the time allowed, and what was not is reported.

mod ledger;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use kafka_wire::cluster::Cluster;
use kafka_wire::produce::{Acknowledgement, ProduceEvent, ProduceSettings, Producer};
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{error, info, warn};

use self::ledger::Ledger;
use super::{TaskContext, TaskReport};
use crate::api::{
    Acknowledged, ConnectError, Destination, Polled, RawBatch, SourcePartition, SourceTaskContext,
};

/// How long the source is silent before what is acknowledged is committed ahead of the flush interval: soon after the
/// last record, without a commit for every record of a trickle.
const IDLE_COMMIT_PAUSE: Duration = Duration::from_millis(200);

/// Of the time that a stop may take, what is kept for committing.
const COMMIT_RESERVE: Duration = Duration::from_secs(1);

/// How the loop works.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    /// The copy path's writing half.
    pub produce: ProduceSettings,
    /// `offset.flush.interval.ms`.
    pub flush_interval: Duration,
}

/// Runs a source task from start to stop. An error is the task's failure.
pub async fn run(
    mut context: TaskContext,
    destination: Cluster,
    settings: SourceSettings,
) -> Result<TaskReport, ConnectError> {
    let config = std::mem::take(&mut context.config);
    let task_context = SourceTaskContext { offsets: context.offsets.reader(), transaction: None };
    let stop = context.stop.clone();
    tokio::select! {
        started = context.task.start(task_context, config) => started?,
        () = stop.requested() => {
            context.task.stop().await;
            return Ok(TaskReport::default());
        }
    }
    context.status.running();
    let mut source = SourceLoop::new(context, destination, settings);
    let result = source.run().await;
    source.context.task.stop().await;
    result
}

type Positions = Vec<(usize, Arc<SourcePartition>, i64)>;
type Commit = BoxFuture<'static, (Positions, Result<(), String>)>;

struct SourceLoop {
    context: TaskContext,
    producer: Producer,
    /// Producer's number of a destination partition → the source partition that feeds it.
    sources: HashMap<usize, usize>,
    /// Source partition → producer's number, with the destination it stands for.
    targets: HashMap<usize, (Arc<Destination>, usize)>,
    ledger: Ledger,
    flush_interval: Duration,
    last_commit: Instant,
    last_delivery: Instant,
    commit: Option<Commit>,
    source_commit: Option<BoxFuture<'static, Result<(), ConnectError>>>,
    failing: bool,
    acknowledged_records: u64,
}

impl SourceLoop {
    fn new(context: TaskContext, destination: Cluster, settings: SourceSettings) -> Self {
        Self {
            context,
            producer: Producer::new(destination, settings.produce),
            sources: HashMap::new(),
            targets: HashMap::new(),
            ledger: Ledger::default(),
            flush_interval: settings.flush_interval,
            last_commit: Instant::now(),
            last_delivery: Instant::now(),
            commit: None,
            source_commit: None,
            failing: false,
            acknowledged_records: 0,
        }
    }

    async fn run(&mut self) -> Result<TaskReport, ConnectError> {
        let stop = self.context.stop.clone();
        let stopping = stop.requested();
        tokio::pin!(stopping);
        loop {
            self.report();
            let commit_at = self.commit_at();
            tokio::select! {
                biased;
                () = &mut stopping => break,
                events = self.producer.next() => self.produced(events),
                polled = self.context.task.poll() => match polled? {
                    Polled::Batches(batches) => self.deliver(batches)?,
                    Polled::Records(_) => return Err(ConnectError::new("single records are not taken here")),
                },
                done = under_way(&mut self.commit) => self.commit_done(done),
                done = under_way(&mut self.source_commit) => self.source_commit_done(done),
                () = sleep_until(commit_at.unwrap_or_else(Instant::now)), if commit_at.is_some() => {
                    self.start_commit();
                }
            }
        }
        Ok(self.drain(stop.deadline().unwrap_or_else(Instant::now)).await)
    }

    fn deliver(&mut self, batches: Vec<RawBatch>) -> Result<(), ConnectError> {
        if !batches.is_empty() {
            self.last_delivery = Instant::now();
        }
        for batch in batches {
            let RawBatch { partition, source, first_offset, last_offset, payload } = batch;
            let moved = self.ledger.push(partition, &source, first_offset, last_offset, payload.is_none());
            if let Some(last) = moved {
                self.context.task.moved(partition, last);
            }
            if let Some((destination, outgoing)) = payload {
                let target = self.target(partition, destination)?;
                self.producer.enqueue(target, last_offset, outgoing);
            }
        }
        Ok(())
    }

    /// The producer's number for a source partition's destination.
    fn target(&mut self, partition: usize, destination: Arc<Destination>) -> Result<usize, ConnectError> {
        if let Some((known, target)) = self.targets.get(&partition)
            && (Arc::ptr_eq(known, &destination) || *known == destination)
        {
            return Ok(*target);
        }
        let target = self.producer.open(&destination.topic, destination.partition);
        if let Some(other) = self.sources.insert(target, partition).filter(|other| *other != partition) {
            return Err(ConnectError::new(format!(
                "two source partitions ({other} and {partition}) feed {}-{}: their order would be lost",
                destination.topic, destination.partition
            )));
        }
        self.targets.insert(partition, (destination, target));
        Ok(target)
    }

    fn produced(&mut self, events: Vec<ProduceEvent>) {
        for event in events {
            match event {
                ProduceEvent::Acknowledged(ack) => self.acknowledged(&ack),
                ProduceEvent::Waiting { partition, reason } => {
                    if let Some(source) = self.sources.get(&partition) {
                        self.context.task.waiting(*source, Some(&reason));
                    }
                }
                ProduceEvent::Resumed { partition } => {
                    if let Some(source) = self.sources.get(&partition) {
                        self.context.task.waiting(*source, None);
                    }
                }
                ProduceEvent::Rewind { partition, tag, .. } => {
                    if let Some(source) = self.sources.get(&partition)
                        && let Some(offset) = self.ledger.rewind(*source, tag)
                    {
                        self.context.task.rewind(*source, offset);
                    }
                }
                ProduceEvent::Stopped { partition, tag, reason } => self.stopped(partition, tag, &reason),
            }
        }
    }

    fn acknowledged(&mut self, ack: &Acknowledgement) {
        let Some(source) = self.sources.get(&ack.partition) else { return };
        let moved = self.ledger.acknowledge(*source, ack.tag);
        let records = u64::try_from(ack.records).unwrap_or_default();
        self.acknowledged_records += records;
        self.context.task.acknowledged(&Acknowledged {
            partition: *source,
            last_offset: ack.tag,
            destination_offset: ack.base_offset,
            records,
            bytes: ack.bytes as u64,
            duplicate: ack.duplicate,
            merged: ack.merged,
            max_timestamp: ack.max_timestamp,
        });
        if let Some(last) = moved {
            self.context.task.moved(*source, last);
        }
    }

    fn stopped(&mut self, partition: usize, tag: i64, reason: &str) {
        let Some(source) = self.sources.get(&partition) else { return };
        let from = self.ledger.rewind(*source, tag);
        let reason = match from {
            Some(from) => format!("the destination refused the batch at offsets {from} to {tag}: {reason}"),
            None => format!("the destination refused a batch: {reason}"),
        };
        self.context.task.stopped(*source, &reason);
    }

    /// Puts the task's trouble, or its end, into the status.
    fn report(&mut self) {
        match self.context.task.trouble() {
            None if self.failing => {
                self.failing = false;
                self.context.status.running();
            }
            None => {}
            Some(trouble) => {
                self.failing = true;
                match trouble.everything {
                    true => self.context.status.failed(trouble.text),
                    false => self.context.status.degraded(trouble.text),
                }
            }
        }
    }

    /// When to commit next: soon after everything is acknowledged, else each flush interval.
    fn commit_at(&self) -> Option<Instant> {
        if self.commit.is_some() || !self.ledger.is_dirty() {
            return None;
        }
        let due = self.last_commit + self.flush_interval;
        let idle = self.last_delivery.max(self.last_commit) + IDLE_COMMIT_PAUSE;
        Some(if self.ledger.outstanding() == 0 { due.min(idle) } else { due })
    }

    fn start_commit(&mut self) {
        let positions = self.ledger.uncommitted();
        let offsets = self.context.offsets.clone();
        self.last_commit = Instant::now();
        self.commit = Some(Box::pin(async move {
            let values: Vec<_> =
                positions.iter().map(|(_, source, last)| ((**source).clone(), offset_value(*last))).collect();
            let result = offsets.commit(&values).await.map_err(|e| e.to_string());
            (positions, result)
        }));
    }

    fn commit_done(&mut self, (positions, result): (Positions, Result<(), String>)) {
        self.commit = None;
        match result {
            Ok(()) => {
                self.ledger.committed(&positions);
                if self.source_commit.is_none() {
                    self.source_commit = Some(self.context.task.commit());
                }
            }
            Err(error) => warn!("{}: offsets were not committed, trying again: {error}", self.context.id),
        }
    }

    fn source_commit_done(&mut self, result: Result<(), ConnectError>) {
        self.source_commit = None;
        if let Err(error) = result {
            warn!("{}: positions were not committed at the source: {error}", self.context.id);
        }
    }

    /// Delivers and commits what was read, and ends a little before `deadline`, after which nobody listens.
    async fn drain(&mut self, deadline: Instant) -> TaskReport {
        let before = self.acknowledged_records;
        let time = deadline.saturating_duration_since(Instant::now());
        let deadline = deadline - time / 20;
        // One partition that is stuck must not take the time in which the others' positions are committed.
        let delivered_by = deadline - COMMIT_RESERVE.min(time / 4);
        while self.ledger.outstanding() > 0 {
            match timeout_at(delivered_by, self.producer.next()).await {
                Ok(events) => self.produced(events),
                Err(_) => break,
            }
        }
        self.finish_commit(deadline).await;
        if self.ledger.is_dirty() {
            self.start_commit();
            self.finish_commit(deadline).await;
        }
        // The source comes last: it may be down, and nothing depends on it. Its commit under way may be an older one.
        self.finish_source_commit(deadline).await;
        self.source_commit = Some(self.context.task.commit());
        self.finish_source_commit(deadline).await;
        let drained_records = self.acknowledged_records - before;
        match (self.ledger.outstanding(), self.ledger.is_dirty()) {
            (0, false) => {
                info!("{}: drained {drained_records} records, all offsets committed", self.context.id)
            }
            (left, _) => error!(
                "{}: gave up draining after task.shutdown.graceful.timeout.ms with {left} batches not \
                 acknowledged; they will be copied again after the next start",
                self.context.id
            ),
        }
        TaskReport { drained_records }
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
                Err(_) => warn!("{}: no time was left to commit positions at the source", self.context.id),
            }
        }
    }
}

/// The offset value of a topic partition, as Confluent Replicator stores it: the last offset copied.
fn offset_value(last: i64) -> Map<String, Value> {
    Map::from_iter([("offset".to_owned(), Value::from(last))])
}

/// Waits for a future that may not be there; without it, for ever.
async fn under_way<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => futures::future::pending().await,
    }
}
