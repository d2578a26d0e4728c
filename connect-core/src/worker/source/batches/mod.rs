//! Source tasks that yield whole batches. The producer is made when the first poll is answered, as the task wants it.

mod copy;
mod ledger;

use std::sync::Arc;

use connect_api::{BatchTask, ConfigMap, ConnectError, RawBatch, SourceTaskContext, Trouble};
use futures::future::BoxFuture;
use kafka_wire::cluster::Cluster;
use kafka_wire::produce::{ProduceEvent, ProduceSettings, SendGate};
use tokio::time::{Instant, timeout_at};

use self::copy::{BatchCopy, Positions, offset_value};
use super::delivery::{Delivery, Offsets, poll_failed};
use crate::ids::TaskId;
use crate::worker::clients::RecordProducer;
use crate::worker::listener::{StatusReporter, TopicsInUse};
use crate::worker::metrics::TaskMetrics;

/// Makes the worker's own way to write batches.
pub(crate) type MakeWriter = Box<dyn Fn() -> Result<(Cluster, ProduceSettings), ConnectError>>;

/// Everything that a [`BatchDelivery`] is made of.
pub(crate) struct BatchParts {
    pub(crate) id: TaskId,
    pub(crate) task: Box<dyn BatchTask>,
    pub(crate) status: StatusReporter,
    pub(crate) metrics: Arc<TaskMetrics>,
    /// `topic.tracking.enable`.
    pub(crate) track_topics: bool,
    /// Batches are sent only while it says yes: otherwise they may be another worker's to send.
    pub(crate) gate: Option<SendGate>,
    /// For tasks that bring no writer of their own.
    pub(crate) writer: MakeWriter,
    /// Transactional producer with which older generations of the task were fenced out: open as long as the task runs.
    pub(crate) fence: Option<RecordProducer>,
}

/// A task with the copy of its batches.
pub(crate) struct BatchDelivery {
    parts: BatchParts,
    /// Made when the first poll is answered.
    copy: Option<BatchCopy>,
    last_batch: Instant,
    tracked: TopicsInUse,
}

/// News of batches.
pub(crate) enum BatchNews {
    /// Of those that were sent.
    Produced(Vec<ProduceEvent>),
    /// The task was polled.
    Polled(Result<Vec<RawBatch>, ConnectError>),
}

impl BatchDelivery {
    /// A task that is not started.
    pub(crate) fn new(parts: BatchParts) -> Self {
        Self { parts, copy: None, last_batch: Instant::now(), tracked: TopicsInUse::default() }
    }

    fn polled(&mut self, batches: Vec<RawBatch>) -> Result<(), ConnectError> {
        if !batches.is_empty() {
            self.last_batch = Instant::now();
            let count = |batch: &RawBatch| batch.payload.as_ref().map_or(0, |payload| payload.batch.count());
            let records: i32 = batches.iter().map(count).sum();
            self.parts.metrics.taken.add(usize::try_from(records).unwrap_or_default());
        }
        let copy = match &mut self.copy {
            Some(copy) => copy,
            empty => {
                let own = self.parts.task.batch_writer()?;
                let own = own.map(|writer| (writer.destination, writer.produce));
                let (destination, settings) = own.map_or_else(&self.parts.writer, Ok)?;
                empty.insert(BatchCopy::new(destination, settings, self.parts.gate.clone()))
            }
        };
        copy.deliver(batches, &mut *self.parts.task)
    }

    fn produced(&mut self, events: Vec<ProduceEvent>) {
        let Some(copy) = &mut self.copy else { return };
        let before = copy.acknowledged_records;
        if self.parts.track_topics {
            copy.topics_of(&events).for_each(|topic| self.tracked.note(&self.parts.status, topic));
        }
        copy.produced(events, &mut *self.parts.task);
        let records = usize::try_from(copy.acknowledged_records - before).unwrap_or(usize::MAX);
        if records > 0 {
            self.parts.metrics.given.add(records);
        }
    }
}

impl Delivery for BatchDelivery {
    type News = BatchNews;
    type Taken = Positions;

    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        self.parts.task.start(context, config).await
    }

    async fn next(&mut self, polling: bool) -> BatchNews {
        let polled_at = Instant::now();
        tokio::select! {
            biased;
            events = next_events(&mut self.copy) => BatchNews::Produced(events),
            polled = self.parts.task.poll(), if polling => {
                self.parts.metrics.call_time.record_time(polled_at.elapsed());
                BatchNews::Polled(polled)
            }
        }
    }

    async fn handle(&mut self, news: BatchNews) -> Result<(), ConnectError> {
        match news {
            BatchNews::Produced(events) => {
                self.produced(events);
                Ok(())
            }
            BatchNews::Polled(Ok(batches)) => self.polled(batches),
            BatchNews::Polled(Err(error)) => poll_failed(&self.parts.id, error).await,
        }
    }

    fn trouble(&self) -> Option<Trouble> {
        self.parts.task.trouble()
    }

    fn paused(&mut self, paused: bool) {
        self.parts.task.paused(paused);
    }

    fn outstanding(&self) -> usize {
        self.copy.as_ref().map_or(0, BatchCopy::outstanding)
    }

    fn stored(&self) -> u64 {
        self.copy.as_ref().map_or(0, |copy| copy.acknowledged_records)
    }

    fn is_dirty(&self) -> bool {
        self.copy.as_ref().is_some_and(BatchCopy::is_dirty)
    }

    fn settled_since(&self) -> Option<Instant> {
        (self.outstanding() == 0).then_some(self.last_batch)
    }

    fn is_left_to_next(&self) -> bool {
        self.copy.is_some() && self.parts.gate.as_ref().is_some_and(|is_open| !is_open())
    }

    fn take_offsets(&mut self) -> Positions {
        self.copy.as_ref().map(BatchCopy::uncommitted).unwrap_or_default()
    }

    fn offsets(taken: &Positions) -> Offsets {
        taken.iter().map(|(_, source, last)| ((**source).clone(), offset_value(*last))).collect()
    }

    fn committed(&mut self, taken: Positions) {
        if let Some(copy) = &mut self.copy {
            copy.committed(&taken);
        }
    }

    /// Positions that were not committed are taken again as they are: nothing was taken away.
    fn not_committed(&mut self, _taken: Positions) {}

    fn commit_source(&mut self) -> BoxFuture<'static, Result<(), ConnectError>> {
        self.parts.task.commit()
    }

    async fn drain(&mut self, deadline: Instant) -> Result<(), ConnectError> {
        let Some(copy) = &mut self.copy else { return Ok(()) };
        while copy.outstanding() > 0 {
            match timeout_at(deadline, copy.next()).await {
                Ok(events) => copy.produced(events, &mut *self.parts.task),
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Waits for nothing: batches that are not acknowledged yet are read again.
    async fn rescue(&mut self, _deadline: Instant) {}

    async fn stop(&mut self) {
        self.parts.task.stop().await;
    }

    async fn close(&mut self, _deadline: Instant) {
        if let Some(producer) = self.parts.fence.take() {
            producer.close();
        }
    }
}

/// Waits for the next events; without a copy, for ever.
async fn next_events(copy: &mut Option<BatchCopy>) -> Vec<ProduceEvent> {
    match copy {
        Some(copy) => copy.next().await,
        None => std::future::pending().await,
    }
}
