//! The leader's own way into the config topic when source tasks may deliver exactly once: every write is a transaction of one
//! transactional id, so that a leader that was replaced is refused by the brokers (KIP-618).

use std::time::Duration;

use futures::future::BoxFuture;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{ClientConfig, ClientContext};
use tracing::debug;

use super::configs::PrivilegedWriter;
use super::{KeyedRecord, StorageError};

/// Limit of one step of a transaction.
const LIMIT: Duration = Duration::from_secs(30);

/// Faults are told by the calls; librdkafka's further words are for those who look closely.
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        debug!("producer of the config topic: {facility}: {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        debug!("producer of the config topic: {error}: {reason}");
    }
}

/// Writes to one topic in transactions.
pub struct TransactionalWriter {
    producer: FutureProducer<Quiet>,
    topic: String,
}

impl TransactionalWriter {
    /// Fences out every other user of the configuration's transactional id.
    pub async fn open(config: ClientConfig, topic: &str) -> Result<Self, StorageError> {
        let producer: FutureProducer<Quiet> =
            config.create_with_context(Quiet).map_err(|e| failed("a producer", &e))?;
        let starting = producer.clone();
        blocking("taking over the config topic", move || starting.init_transactions(LIMIT)).await?;
        Ok(Self { producer, topic: topic.to_owned() })
    }

    async fn store(&self, records: Vec<KeyedRecord>) -> Result<i64, StorageError> {
        self.producer.begin_transaction().map_err(|e| failed("a transaction", &e))?;
        let sent = self.send(records).await;
        let producer = self.producer.clone();
        match sent {
            Ok(last) => {
                blocking("records", move || producer.commit_transaction(LIMIT)).await?;
                Ok(last)
            }
            Err(error) => {
                // The error of the records says more than one of the abort.
                let _ = blocking("records", move || producer.abort_transaction(LIMIT)).await;
                Err(self.fatal().unwrap_or(error))
            }
        }
    }

    /// Reason for which this producer has ended, if it has: what becomes of its records says less.
    fn fatal(&self) -> Option<StorageError> {
        let (code, reason) = self.producer.client().fatal_error()?;
        Some(match failed("records", &KafkaError::Global(code)) {
            StorageError::Transaction { what, .. } => StorageError::Transaction { what, reason },
            fenced => fenced,
        })
    }

    /// The highest offset that a record got.
    async fn send(&self, records: Vec<KeyedRecord>) -> Result<i64, StorageError> {
        let mut deliveries = Vec::with_capacity(records.len());
        for KeyedRecord { key, value } in &records {
            let mut record = FutureRecord::<[u8], [u8]>::to(&self.topic).partition(0).key(key);
            if let Some(value) = value {
                record = record.payload(value);
            }
            deliveries.push(self.producer.send_result(record).map_err(|(e, _)| failed("records", &e))?);
        }
        let mut last = -1;
        for delivery in deliveries {
            let delivered = delivery.await.map_err(|_| StorageError::Closed)?;
            last = last.max(delivered.map_err(|(e, _)| failed("records", &e))?.offset);
        }
        Ok(last)
    }
}

impl PrivilegedWriter for TransactionalWriter {
    fn write<'a>(&'a mut self, records: Vec<KeyedRecord>) -> BoxFuture<'a, Result<i64, StorageError>> {
        Box::pin(self.store(records))
    }
}

/// Runs a call of librdkafka that blocks.
async fn blocking(
    what: &'static str,
    call: impl FnOnce() -> Result<(), KafkaError> + Send + 'static,
) -> Result<(), StorageError> {
    let outcome = tokio::task::spawn_blocking(call).await.map_err(|_| StorageError::Closed)?;
    outcome.map_err(|e| failed(what, &e))
}

fn failed(what: &str, error: &KafkaError) -> StorageError {
    let fenced = matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::Fenced
                | RDKafkaErrorCode::ProducerFenced
                | RDKafkaErrorCode::InvalidProducerEpoch
        )
    );
    if fenced {
        StorageError::Fenced { what: what.to_owned() }
    } else {
        StorageError::Transaction { what: what.to_owned(), reason: error.to_string() }
    }
}
