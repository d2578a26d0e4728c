//! Single records on their way to Kafka: transformed, converted, their topics created, handed to the producer, and
//! followed until they are stored.

use std::collections::{HashMap, VecDeque};

use connect_api::{ConnectError, RecordMetadata, SourceOffset, SourcePartition, SourceRecord, SourceTask};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tracing::{error, warn};

use super::submitted::{Place, Submitted};
use super::transaction::{Due, OFFSET_RECORD, Transaction};
use crate::worker::clients::{DeliveryReport, NO_LOGIN, RecordProducer, TopicCreation};
use crate::worker::listener::{StatusReporter, TopicsInUse};
use crate::worker::records::{
    Applied, Chain, Converters, ErrorHandling, Failure, KafkaRecord, Origin, Stage,
};

const WORKER_CLASS: &str = "org.apache.kafka.connect.runtime.WorkerSourceTask";

/// Parts of a [`RecordSender`].
pub(crate) struct RecordParts {
    pub(crate) producer: RecordProducer,
    pub(crate) deliveries: mpsc::UnboundedReceiver<DeliveryReport>,
    pub(crate) chain: Chain,
    pub(crate) converters: Converters,
    pub(crate) errors: ErrorHandling,
    pub(crate) topics: TopicCreation,
    pub(crate) status: StatusReporter,
    /// `topic.tracking.enable`.
    pub(crate) track_topics: bool,
    pub(crate) transaction: Option<Transaction>,
}

/// A record that the producer has.
struct Flight {
    record: SourceRecord,
    converted: KafkaRecord,
    place: Option<Place>,
    /// It was sent with no other, so that what is said about its batch is said about it.
    alone: bool,
}

fn unsent(cause: ConnectError) -> ConnectError {
    ConnectError::new("Unrecoverable exception from producer send callback").caused_by(cause)
}

/// Sends the records of one task.
pub(super) struct RecordSender {
    parts: RecordParts,
    tracked: TopicsInUse,
    flights: HashMap<usize, Flight>,
    next: usize,
    submitted: Submitted,
    /// Records whose batch was too large: each is sent again alone.
    too_large: VecDeque<Flight>,
    /// With transactions: what to tell the task when the current one is committed.
    to_tell: Vec<(SourceRecord, Option<RecordMetadata>)>,
    failure: Option<ConnectError>,
    pub(super) stored_records: u64,
}

impl RecordSender {
    pub(super) fn new(parts: RecordParts) -> Self {
        Self {
            parts,
            tracked: TopicsInUse::default(),
            flights: HashMap::new(),
            next: 0,
            submitted: Submitted::default(),
            too_large: VecDeque::new(),
            to_tell: Vec::new(),
            failure: None,
            stored_records: 0,
        }
    }

    /// Waits for news of what was sent. Cancel-safe.
    pub(super) async fn next(&mut self) -> DeliveryReport {
        match self.parts.deliveries.recv().await {
            Some(delivery) => delivery,
            None => std::future::pending().await,
        }
    }

    /// Takes a batch of the task. An error fails the task.
    pub(super) async fn send(
        &mut self,
        records: Vec<SourceRecord>,
        task: &mut dyn SourceTask,
    ) -> Result<(), ConnectError> {
        if let Some(transaction) = &mut self.parts.transaction {
            transaction.begin_batch();
        }
        for (index, record) in records.into_iter().enumerate() {
            while let Ok(delivery) = self.parts.deliveries.try_recv() {
                self.delivered(delivery, task)?;
            }
            self.send_alone(task).await?;
            self.send_one(record, task).await?;
            let due = self.parts.transaction.as_ref().map_or(Due::Nothing, |t| t.after_record(index));
            self.end_transaction(due, task).await?;
        }
        let due = self.parts.transaction.as_mut().map_or(Due::Nothing, Transaction::after_batch);
        self.end_transaction(due, task).await
    }

    async fn send_one(
        &mut self,
        record: SourceRecord,
        task: &mut dyn SourceTask,
    ) -> Result<(), ConnectError> {
        let Some(converted) = self.convert(&record).await? else {
            self.parts.errors.metrics.finished(1);
            if let Some(transaction) = &mut self.parts.transaction {
                transaction.sent(&record, true);
            }
            self.tell(record, None, task);
            return Ok(());
        };
        if self.parts.topics.is_unknown(&converted.topic) {
            self.parts.topics.ensure(&converted.topic).await?;
        }
        if self.parts.track_topics {
            self.tracked.note(&self.parts.status, &converted.topic);
        }
        if let Some(transaction) = &mut self.parts.transaction {
            transaction.check_topic(&converted.topic)?;
            transaction.begin().await?;
        }
        self.hand_over(record, converted, task).await
    }

    async fn convert(&self, record: &SourceRecord) -> Result<Option<KafkaRecord>, ConnectError> {
        let RecordParts { chain, converters, errors, .. } = &self.parts;
        let origin = Origin::Source(record);
        match chain.apply(record.record.clone(), origin, errors).await? {
            Applied::Record(transformed) => converters.to_kafka(*transformed, origin, errors).await,
            Applied::Dropped | Applied::Failed => Ok(None),
        }
    }

    async fn hand_over(
        &mut self,
        record: SourceRecord,
        converted: KafkaRecord,
        task: &mut dyn SourceTask,
    ) -> Result<(), ConnectError> {
        let number = self.next;
        self.next = (self.next + 1) % NO_LOGIN;
        let sent = self.parts.producer.send(&converted, number).await;
        let place = match &mut self.parts.transaction {
            Some(transaction) => {
                transaction.sent(&record, false);
                None
            }
            None => match (&record.source_partition, &record.source_offset) {
                (Some(partition), Some(offset)) => Some(self.submitted.push(partition, offset.clone())),
                _ => None,
            },
        };
        self.flights.insert(number, Flight { record, converted, place, alone: false });
        match sent {
            Ok(()) => Ok(()),
            Err(error) => self.delivered(DeliveryReport { number, result: Err(error) }, task),
        }
    }

    /// Sends again what was in batches that were too large. Java's producer splits such batches; librdkafka refuses all
    /// records of one for the sake of any.
    pub(super) async fn send_alone(&mut self, task: &mut dyn SourceTask) -> Result<(), ConnectError> {
        while !self.too_large.is_empty() {
            self.settle(task).await?;
            let Some(flight) = self.too_large.pop_front() else { continue };
            let number = self.next;
            self.next = (self.next + 1) % NO_LOGIN;
            let sent = self.parts.producer.send(&flight.converted, number).await;
            self.flights.insert(number, Flight { alone: true, ..flight });
            match sent {
                Ok(()) => self.settle(task).await?,
                Err(error) => self.delivered(DeliveryReport { number, result: Err(error) }, task)?,
            }
        }
        Ok(())
    }

    /// A record was stored, or refused for good. An error fails the task.
    pub(super) fn delivered(
        &mut self,
        delivery: DeliveryReport,
        task: &mut dyn SourceTask,
    ) -> Result<(), ConnectError> {
        let DeliveryReport { number, result } = delivery;
        let Some(flight) = self.flights.remove(&number) else {
            return match result {
                // One that was accepted before may be so again: brokers that restart, passwords that are being changed.
                Err(_) if number == NO_LOGIN && self.stored_records == 0 && !self.flights.is_empty() => {
                    Err(unsent(self.parts.producer.refused_login()))
                }
                Err(error) if number == OFFSET_RECORD => self.refused_in_transaction(&error, &[]),
                _ => Ok(()),
            };
        };
        let too_large = matches!(&result, Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge));
        if too_large && !flight.alone && self.parts.transaction.is_none() {
            self.too_large.push_back(flight);
            return Ok(());
        }
        self.parts.errors.metrics.finished(1);
        match result {
            Ok((partition, offset)) => {
                self.stored_records += 1;
                self.parts.errors.metrics.given.add(1);
                if let Some(place) = flight.place {
                    self.submitted.done(place);
                }
                let metadata = RecordMetadata { topic: flight.converted.topic, partition, offset };
                self.tell(flight.record, Some(metadata), task);
                Ok(())
            }
            Err(error) if self.parts.transaction.is_some() => {
                self.refused_in_transaction(&error, &[&flight.converted.topic])
            }
            Err(error) => self.refused(flight, &error, task),
        }
    }

    fn refused(
        &mut self,
        flight: Flight,
        error: &KafkaError,
        task: &mut dyn SourceTask,
    ) -> Result<(), ConnectError> {
        let cause = self.parts.producer.error(error, &[&flight.converted.topic]);
        let errors = &self.parts.errors;
        if !errors.settings.tolerate_all {
            error!("{}: failed to send a record to topic '{}': {cause}", errors.id, flight.converted.topic);
            return Err(unsent(cause));
        }
        let failure = Failure { stage: Stage::KafkaProduce, class: WORKER_CLASS, error: &cause };
        // There are no dead letters of sources to wait for.
        drop(errors.failed(&failure, Origin::Source(&flight.record))?);
        if let Some(place) = flight.place {
            self.submitted.done(place);
        }
        task.commit_record(&flight.record, None);
        Ok(())
    }

    /// The transaction cannot be committed any more: the task fails, unless it was about to be aborted anyway.
    fn refused_in_transaction(&mut self, error: &KafkaError, topics: &[&str]) -> Result<(), ConnectError> {
        let failure = unsent(self.parts.producer.error(error, topics));
        self.failure = Some(failure.clone());
        Err(failure)
    }

    fn tell(&mut self, record: SourceRecord, metadata: Option<RecordMetadata>, task: &mut dyn SourceTask) {
        match self.parts.transaction {
            Some(_) => self.to_tell.push((record, metadata)),
            None => task.commit_record(&record, metadata.as_ref()),
        }
    }

    async fn end_transaction(&mut self, due: Due, task: &mut dyn SourceTask) -> Result<(), ConnectError> {
        if due == Due::Abort {
            self.land().await;
            if let Some(transaction) = &mut self.parts.transaction {
                transaction.abort().await?;
            }
            // Nothing of it is stored: the task is told so with the next commit.
            self.to_tell.iter_mut().for_each(|(_, metadata)| *metadata = None);
            self.failure = None;
        }
        let Some(transaction) = self.parts.transaction.as_mut() else { return Ok(()) };
        if due == Due::Nothing || !transaction.is_dirty() {
            return Ok(());
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        transaction.commit().await?;
        self.settle(task).await?;
        for (record, metadata) in std::mem::take(&mut self.to_tell) {
            task.commit_record(&record, metadata.as_ref());
        }
        if let Err(error) = task.commit().await {
            error!("{}: positions were not committed at the source: {error}", self.parts.errors.id);
        }
        Ok(())
    }

    /// Waits until no record is on its way.
    async fn settle(&mut self, task: &mut dyn SourceTask) -> Result<(), ConnectError> {
        while !self.flights.is_empty() {
            let delivery = self.next().await;
            self.delivered(delivery, task)?;
        }
        Ok(())
    }

    /// Waits until no record is on its way, at most until `deadline`. What is refused is one more failure of a task that has
    /// failed.
    pub(super) async fn settle_what_can(&mut self, deadline: Instant, task: &mut dyn SourceTask) {
        while !self.flights.is_empty() {
            let Ok(delivery) = timeout_at(deadline, self.next()).await else { return };
            // It was logged.
            let _ = self.delivered(delivery, task);
        }
    }

    /// Before an abort: waits until no record is on its way, whatever becomes of them. librdkafka ends a transaction whose
    /// partitions it is still adding, which brokers refuse.
    async fn land(&mut self) {
        while !self.flights.is_empty() {
            let delivery = self.next().await;
            if let Some(flight) = self.flights.remove(&delivery.number) {
                self.parts.errors.metrics.finished(1);
                self.to_tell.push((flight.record, None));
            }
        }
    }

    /// True when offsets wait to be committed outside of transactions.
    pub(super) fn is_dirty(&self) -> bool {
        self.submitted.is_dirty()
    }

    pub(super) fn take_offsets(&mut self) -> Vec<(SourcePartition, SourceOffset)> {
        self.submitted.take()
    }

    pub(super) fn restore_offsets(&mut self, offsets: Vec<(SourcePartition, SourceOffset)>) {
        self.submitted.restore(offsets);
    }

    /// Waits until everything is stored, at most until `deadline`; then ends the last transaction.
    pub(super) async fn drain(
        &mut self,
        deadline: Instant,
        task: &mut dyn SourceTask,
    ) -> Result<(), ConnectError> {
        if self.parts.transaction.is_some() {
            let due = self.parts.transaction.as_mut().map_or(Due::Nothing, Transaction::at_end);
            return match timeout_at(deadline, self.end_transaction(due, task)).await {
                Ok(ended) => ended,
                Err(_) => Ok(()),
            };
        }
        let settled = async {
            self.settle(task).await?;
            self.send_alone(task).await
        };
        timeout_at(deadline, settled).await.unwrap_or(Ok(()))
    }

    /// Records that are not stored.
    pub(super) fn outstanding(&self) -> usize {
        self.flights.len() + self.too_large.len()
    }

    /// Ends the producer; an open transaction is aborted, in what time there is.
    pub(super) async fn close(mut self, deadline: Instant) {
        // The next life ends a transaction that cannot be ended here.
        if self.parts.transaction.is_some() && timeout_at(deadline, self.land()).await.is_err() {
            warn!("{}: no time was left to abort the transaction", self.parts.errors.id);
        } else if let Some(transaction) = &mut self.parts.transaction
            && let Ok(Err(error)) = timeout_at(deadline, transaction.abort()).await
        {
            error!("{}: {error}", self.parts.errors.id);
        }
        drop(self.parts.transaction);
        self.parts.producer.close();
    }
}
