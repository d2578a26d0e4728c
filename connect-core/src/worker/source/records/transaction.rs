//! Exactly-once delivery (KIP-618): records and the offsets that they carry, written in transactions of the task's own
//! producer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use connect_api::source::TransactionRequests;
use connect_api::{ConfigMap, ConnectError, SourceOffset, SourcePartition, SourceRecord, TransactionContext};
use rdkafka::error::KafkaError;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::submitted::identity;
use crate::ids::TaskId;
use crate::worker::clients::RecordProducer;
use crate::worker::metrics::TaskMetrics;
use crate::worker::offsets::{OffsetStores, Offsets};
use crate::worker::records::KafkaRecord;
use crate::worker::settings::{parsed, text};
use crate::worker::stop::StopSignal;

/// One attempt of a blocking call to the coordinator; more follow.
const CALL: Duration = Duration::from_secs(10);
/// A commit that nobody repeats.
const ONCE: Duration = Duration::from_secs(60);
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// The number of records that hold offsets: nobody waits for theirs alone.
pub(super) const OFFSET_RECORD: usize = usize::MAX;

/// Ends of transactions (`transaction.boundary`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Boundary {
    /// After each batch.
    Poll,
    /// After the batch with which this time is over.
    Interval(Duration),
    /// At the places that the task names.
    Connector,
}

impl Boundary {
    /// Reads a connector's configuration; `flush_interval` is the worker's `offset.flush.interval.ms`.
    pub(crate) fn from_config(config: &ConfigMap, flush_interval: Duration) -> Result<Self, ConnectError> {
        const INTERVAL: &str = "transaction.boundary.interval.ms";
        let millis = u64::try_from(flush_interval.as_millis()).unwrap_or(u64::MAX);
        match text(config, "transaction.boundary").unwrap_or("poll").to_ascii_lowercase().as_str() {
            "poll" => Ok(Self::Poll),
            "interval" => Ok(Self::Interval(Duration::from_millis(parsed(config, INTERVAL, millis)?))),
            "connector" => Ok(Self::Connector),
            other => Err(ConnectError::config(format!(
                "Invalid value {other} for configuration transaction.boundary: it must be poll, interval or connector"
            ))),
        }
    }
}

/// The transactions of one task.
pub(crate) struct Transaction {
    id: TaskId,
    boundary: Boundary,
    pub(crate) context: Option<TransactionContext>,
    producer: RecordProducer,
    offsets: OffsetStores,
    /// The topic that [`OffsetStores`] writes to first.
    topic: String,
    metrics: Arc<TaskMetrics>,
    stop: StopSignal,
    state: State,
}

/// Content of the current transaction.
struct State {
    open: bool,
    records: usize,
    offsets: HashMap<String, (SourcePartition, SourceOffset)>,
    last_commit: Instant,
    requests: TransactionRequests,
}

impl Default for State {
    fn default() -> Self {
        Self {
            open: false,
            records: 0,
            offsets: HashMap::new(),
            last_commit: Instant::now(),
            requests: TransactionRequests::default(),
        }
    }
}

/// Step that is due after a record or a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Commit,
    /// Discard the records, then commit the offsets alone, so that the task does not see the same records again.
    Abort,
}

impl Transaction {
    /// The transactions of a producer on which [`initialise`] was called; `offsets` with the topic that they write to first.
    pub(crate) fn new(
        id: TaskId,
        boundary: Boundary,
        context: Option<TransactionContext>,
        producer: RecordProducer,
        (offsets, topic): (OffsetStores, String),
        metrics: Arc<TaskMetrics>,
        stop: StopSignal,
    ) -> Self {
        Self { id, boundary, context, producer, offsets, topic, metrics, stop, state: State::default() }
    }

    /// A batch begins: what the task asked for with it counts.
    pub(super) fn begin_batch(&mut self) {
        if let Some(context) = &self.context {
            self.state.requests = context.take();
        }
    }

    /// Opens a transaction unless one is.
    pub(super) async fn begin(&mut self) -> Result<(), ConnectError> {
        if !self.state.open {
            let begun = self.producer.blocking(|producer| producer.begin()).await;
            begun.map_err(|error| self.failed("Failed to begin a transaction", &error))?;
            self.state.open = true;
        }
        Ok(())
    }

    /// Refuses a record for the topic of the task's own offsets: its transaction would wait for itself.
    pub(super) fn check_topic(&self, topic: &str) -> Result<(), ConnectError> {
        if topic != self.topic {
            return Ok(());
        }
        Err(ConnectError::new(format!(
            "Source tasks may not produce to their own offsets topics when exactly-once support is enabled ({topic})"
        )))
    }

    /// A record was handed to the producer, or dropped.
    pub(super) fn sent(&mut self, record: &SourceRecord, dropped: bool) {
        if dropped {
            return;
        }
        self.state.records += 1;
        if let (Some(partition), Some(offset)) = (&record.source_partition, &record.source_offset) {
            self.state.offsets.insert(identity(partition), (partition.clone(), offset.clone()));
        }
    }

    /// Decides what is due after the record at `index` of the batch.
    pub(super) fn after_record(&self, index: usize) -> Due {
        let requests = &self.state.requests;
        match self.boundary {
            Boundary::Connector if requests.abort_records.contains(&index) => Due::Abort,
            Boundary::Connector if requests.commit_records.contains(&index) => Due::Commit,
            _ => Due::Nothing,
        }
    }

    /// Decides what is due after the batch.
    pub(super) fn after_batch(&mut self) -> Due {
        match self.boundary {
            Boundary::Poll => Due::Commit,
            Boundary::Interval(interval) if self.state.last_commit.elapsed() >= interval => Due::Commit,
            Boundary::Connector if self.state.requests.abort_batch => Due::Abort,
            Boundary::Connector if self.state.requests.commit_batch => Due::Commit,
            _ => Due::Nothing,
        }
    }

    /// Decides what is due before the task ends without a failure.
    pub(super) fn at_end(&mut self) -> Due {
        match self.boundary {
            Boundary::Poll | Boundary::Interval(_) => Due::Commit,
            Boundary::Connector => {
                self.begin_batch();
                self.after_batch()
            }
        }
    }

    /// True when there is something to commit.
    pub(super) fn is_dirty(&self) -> bool {
        self.state.open || !self.state.offsets.is_empty()
    }

    /// Commits records and offsets together.
    pub(super) async fn commit(&mut self) -> Result<(), ConnectError> {
        let begun = Instant::now();
        self.begin().await?;
        let offsets: Vec<_> = self.state.offsets.values().cloned().collect();
        let outcome = self.write_and_commit(&offsets).await;
        self.metrics.committed(begun.elapsed(), outcome.is_ok());
        outcome?;
        self.metrics.transaction_size.record(self.state.records as f64);
        self.state.open = false;
        self.state.records = 0;
        self.state.offsets.clear();
        self.state.last_commit = Instant::now();
        self.offsets.mirror(offsets);
        Ok(())
    }

    async fn write_and_commit(
        &self,
        offsets: &[(SourcePartition, SourceOffset)],
    ) -> Result<(), ConnectError> {
        let failed = |cause| {
            ConnectError::new(format!("Failed to flush offsets and/or records for task {}", self.id))
                .caused_by(cause)
        };
        let writes = offsets.iter().map(|(partition, offset)| (partition.clone(), Some(offset.clone())));
        write(&self.producer, &self.offsets, &self.topic, writes.collect()).await.map_err(failed)?;
        self.retry_passing(|producer| producer.commit(CALL))
            .await
            .map_err(|error| failed(self.producer.error(&error, &[])))
    }

    /// Writes offsets in a transaction of their own, with a producer whose transactions are initialised.
    pub(crate) async fn write_once(
        producer: &RecordProducer,
        stores: &OffsetStores,
        topic: &str,
        offsets: Offsets,
    ) -> Result<(), ConnectError> {
        let resets = offsets.iter().filter(|(_, offset)| offset.is_none()).cloned().collect();
        stores.reset_secondary(resets).await.map_err(ConnectError::new)?;
        producer.blocking(|producer| producer.begin()).await.map_err(|error| producer.error(&error, &[]))?;
        write(producer, stores, topic, offsets.clone()).await?;
        producer
            .blocking(|producer| producer.commit(ONCE))
            .await
            .map_err(|error| producer.error(&error, &[]))?;
        stores.mirror(
            offsets.into_iter().filter_map(|(partition, offset)| Some((partition, offset?))).collect(),
        );
        Ok(())
    }

    /// Discards the records of the open transaction; its offsets stay to be committed with the next.
    pub(super) async fn abort(&mut self) -> Result<(), ConnectError> {
        if !self.state.open {
            return Ok(());
        }
        info!("{}: aborting the transaction", self.id);
        let aborted = self.retry_passing(|producer| producer.abort(CALL)).await;
        aborted.map_err(|error| self.failed("Failed to abort a transaction", &error))?;
        self.state.open = false;
        self.state.records = 0;
        Ok(())
    }

    /// Repeats a call while it fails for a passing fault.
    async fn retry_passing(
        &self,
        call: impl Fn(&dyn crate::worker::clients::Transactions) -> Result<(), KafkaError> + Copy + Send + 'static,
    ) -> Result<(), KafkaError> {
        loop {
            let error = match self.producer.blocking(call).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let passing = matches!(&error, KafkaError::Transaction(cause) if cause.is_retriable());
            let late = self.stop.deadline().is_some_and(|deadline| Instant::now() >= deadline);
            if !passing || late {
                return Err(error);
            }
            warn!("{}: a transaction cannot be ended yet: {error}", self.id);
            sleep(RETRY_PAUSE).await;
        }
    }

    fn failed(&self, what: &str, error: &KafkaError) -> ConnectError {
        ConnectError::new(what).caused_by(self.producer.error(error, &[]))
    }
}

/// Hands the records of offsets to the producer.
async fn write(
    producer: &RecordProducer,
    stores: &OffsetStores,
    topic: &str,
    offsets: Offsets,
) -> Result<(), ConnectError> {
    for record in stores.encode(offsets).await.map_err(ConnectError::new)? {
        let record = KafkaRecord {
            topic: topic.to_owned(),
            partition: None,
            timestamp: None,
            key: Some(record.key),
            value: record.value,
            headers: Vec::new(),
        };
        producer.send(&record, OFFSET_RECORD).await.map_err(|error| producer.error(&error, &[]))?;
    }
    Ok(())
}

/// `initTransactions`: fences every older producer of this transactional id.
pub(crate) async fn initialise(producer: &RecordProducer, stop: &StopSignal) -> Result<(), ConnectError> {
    loop {
        let error = match producer.blocking(|producer| producer.init(CALL)).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let passing = matches!(&error, KafkaError::Transaction(cause) if cause.is_retriable());
        if !passing || stop.is_requested() {
            return Err(
                ConnectError::new("Failed to initialise transactions").caused_by(producer.error(&error, &[]))
            );
        }
        warn!("transactions cannot be initialised yet: {error}");
        sleep(RETRY_PAUSE).await;
    }
}
