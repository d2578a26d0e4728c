//! Records of a sink task on their way from the consumer into the task, which may have them put again.

use std::mem;
use std::time::Duration;

use connect_api::{ConnectError, Record, SinkRecord, TopicPartition};
use futures::FutureExt;
use tokio::time::Instant;
use tracing::{error, warn};

use super::consumer::SinkConsumer;
use super::state::{Parts, SinkLoop};
use crate::worker::records::{Applied, Consumed, Origin};

/// Time until a batch that failed is put again, unless the task names another.
const REDELIVERY: Duration = Duration::from_secs(1);

impl SinkLoop {
    /// A record came; those that wait behind it form one batch with it.
    pub(super) async fn consumed(
        &mut self,
        consumer: &SinkConsumer,
        first: Consumed,
    ) -> Result<(), ConnectError> {
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
            self.tracked.note(&self.run.status, &consumed.topic);
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

    pub(super) async fn redeliver(&mut self) -> Result<(), ConnectError> {
        if self.paused {
            // It stays until the task goes on.
            self.redeliver_at = Some(Instant::now() + REDELIVERY);
            return Ok(());
        }
        self.put().await
    }

    /// It is time to commit. A task without records gets its turn too, even while it is paused.
    pub(super) async fn tick(&mut self) -> Result<(), ConnectError> {
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
}
