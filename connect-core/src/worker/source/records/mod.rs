//! Source tasks that yield records. The producer is made at the first of them, except with transactions, which are begun
//! before the task starts.

pub(super) mod sender;
mod submitted;
pub(super) mod transaction;

use std::sync::Arc;

use connect_api::{ConfigMap, ConnectError, SourceRecord, SourceTask, SourceTaskContext};
use futures::future::BoxFuture;
use tokio::time::Instant;

use self::sender::{RecordParts, RecordSender};
use super::delivery::{Delivery, Offsets, nearly_over, poll_failed};
use crate::ids::TaskId;
use crate::worker::clients::DeliveryReport;
use crate::worker::metrics::TaskMetrics;
use crate::worker::stop::StopSignal;

/// Makes the writing half.
pub(crate) type MakeRecords = Box<dyn FnOnce() -> Result<RecordParts, ConnectError>>;

/// A task with the sender of its records.
pub(crate) struct RecordDelivery {
    id: TaskId,
    task: Box<dyn SourceTask>,
    stop: StopSignal,
    metrics: Arc<TaskMetrics>,
    transactional: bool,
    make: Option<MakeRecords>,
    sender: Option<RecordSender>,
}

/// News of records.
pub(crate) enum RecordNews {
    /// One that was sent is stored, or refused.
    Reported(DeliveryReport),
    /// The task was polled.
    Polled(Result<Vec<SourceRecord>, ConnectError>),
}

impl RecordDelivery {
    /// A task that is not started; `make` is called once.
    pub(crate) fn new(
        id: TaskId,
        task: Box<dyn SourceTask>,
        stop: StopSignal,
        metrics: Arc<TaskMetrics>,
        transactional: bool,
        make: MakeRecords,
    ) -> Self {
        Self { id, task, stop, metrics, transactional, make: Some(make), sender: None }
    }

    fn open_sender(&mut self) -> Result<(), ConnectError> {
        if let Some(make) = self.make.take() {
            self.sender = Some(RecordSender::new(make()?));
        }
        Ok(())
    }

    async fn send(&mut self, records: Vec<SourceRecord>) -> Result<(), ConnectError> {
        if records.is_empty() {
            // A task that does not wait must not keep others of its runtime from running.
            tokio::task::yield_now().await;
            return Ok(());
        }
        self.metrics.batch(records.len());
        self.open_sender()?;
        let Some(sender) = &mut self.sender else { return Ok(()) };
        tokio::select! {
            sent = sender.send(records, &mut *self.task) => sent,
            // What cannot be sent in time is read again after the next start.
            () = nearly_over(&self.stop) => Ok(()),
        }
    }

    async fn reported(&mut self, report: DeliveryReport) -> Result<(), ConnectError> {
        let Some(sender) = &mut self.sender else { return Ok(()) };
        sender.delivered(report, &mut *self.task)?;
        tokio::select! {
            sent = sender.send_alone(&mut *self.task) => sent,
            () = nearly_over(&self.stop) => Ok(()),
        }
    }
}

impl Delivery for RecordDelivery {
    type News = RecordNews;
    type Taken = Offsets;

    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        if self.transactional {
            self.open_sender()?;
        }
        self.task.start(context, config).await
    }

    async fn next(&mut self, polling: bool) -> RecordNews {
        let polled_at = Instant::now();
        tokio::select! {
            biased;
            report = next_report(&mut self.sender) => RecordNews::Reported(report),
            polled = self.task.poll(), if polling => {
                self.metrics.call_time.record_time(polled_at.elapsed());
                RecordNews::Polled(polled)
            }
        }
    }

    async fn handle(&mut self, news: RecordNews) -> Result<(), ConnectError> {
        match news {
            RecordNews::Reported(report) => self.reported(report).await,
            RecordNews::Polled(Ok(records)) => self.send(records).await,
            RecordNews::Polled(Err(error)) => poll_failed(&self.id, error).await,
        }
    }

    fn paused(&mut self, paused: bool) {
        self.task.paused(paused);
    }

    fn outstanding(&self) -> usize {
        self.sender.as_ref().map_or(0, RecordSender::outstanding)
    }

    fn stored(&self) -> u64 {
        self.sender.as_ref().map_or(0, |sender| sender.stored_records)
    }

    fn is_dirty(&self) -> bool {
        self.sender.as_ref().is_some_and(RecordSender::is_dirty)
    }

    fn take_offsets(&mut self) -> Offsets {
        self.sender.as_mut().map(RecordSender::take_offsets).unwrap_or_default()
    }

    fn offsets(taken: &Offsets) -> Offsets {
        taken.clone()
    }

    fn committed(&mut self, _taken: Offsets) {}

    fn not_committed(&mut self, taken: Offsets) {
        if let Some(sender) = &mut self.sender {
            sender.restore_offsets(taken);
        }
    }

    fn commit_source(&mut self) -> BoxFuture<'static, Result<(), ConnectError>> {
        self.task.commit()
    }

    async fn drain(&mut self, deadline: Instant) -> Result<(), ConnectError> {
        match &mut self.sender {
            Some(sender) => sender.drain(deadline, &mut *self.task).await,
            None => Ok(()),
        }
    }

    async fn rescue(&mut self, deadline: Instant) {
        if let Some(sender) = &mut self.sender {
            sender.settle_what_can(deadline, &mut *self.task).await;
        }
    }

    async fn stop(&mut self) {
        self.task.stop().await;
    }

    async fn close(&mut self, deadline: Instant) {
        if let Some(sender) = self.sender.take() {
            sender.close(deadline).await;
        }
    }
}

/// Waits for the next report; without a sender, for ever.
async fn next_report(sender: &mut Option<RecordSender>) -> DeliveryReport {
    match sender {
        Some(sender) => sender.next().await,
        None => std::future::pending().await,
    }
}
