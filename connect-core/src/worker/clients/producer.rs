//! librdkafka's producer as tasks use it: records are handed over without waiting, and what becomes of each is told on a
//! channel, in the words of Connect.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connect_api::{ConfigMap, ConnectError};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use tokio::sync::mpsc;
use tracing::{debug, error, info, warn};

use super::policy::ClientKind;
use super::rdkafka_config::{client_config, owned_headers};
use crate::worker::records::KafkaRecord;

/// Pause while the producer's queue is full.
const FULL_PAUSE: Duration = Duration::from_millis(5);

/// Time that fencing out one producer may take.
const FENCE: Duration = Duration::from_secs(30);

/// The number of no record: the brokers refuse the login, see [`RecordProducer::refused_login`].
pub(crate) const NO_LOGIN: usize = usize::MAX - 1;

/// Outcome of sending a record.
#[derive(Debug)]
pub(crate) struct DeliveryReport {
    /// The number given with the record.
    pub(crate) number: usize,
    /// Partition and offset.
    pub(crate) result: Result<(i32, i64), KafkaError>,
}

/// Logs in the name of a task's client.
#[derive(Debug, Clone)]
pub(crate) struct Named(pub(crate) String);

impl Named {
    pub(crate) fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let client = &self.0;
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                error!(%client, "{facility}: {message}");
            }
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => warn!(%client, "{facility}: {message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => info!(%client, "{facility}: {message}"),
            RDKafkaLogLevel::Debug => debug!(%client, "{facility}: {message}"),
        }
    }
}

struct Context {
    named: Named,
    deliveries: mpsc::UnboundedSender<DeliveryReport>,
    refused_login: Mutex<String>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.named.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // What concerns records is told with them; librdkafka holds them for ever while it cannot log in.
        warn!(client = %self.named.0, "{error}: {reason}");
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Authentication) {
            reason.clone_into(&mut self.refused_login.lock().unwrap_or_else(PoisonError::into_inner));
            let _ = self.deliveries.send(DeliveryReport { number: NO_LOGIN, result: Err(error) });
        }
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let result = match result {
            Ok(message) => Ok((message.partition(), message.offset())),
            Err((error, _)) => Err(error.clone()),
        };
        // A task that is gone does not listen.
        let _ = self.deliveries.send(DeliveryReport { number, result });
    }
}

/// A producer. Clones are handles to the same one; it ends with the last.
#[derive(Clone)]
pub(crate) struct RecordProducer(Arc<ThreadedProducer<Context>>);

impl RecordProducer {
    /// Makes one from Java properties; deliveries come on the channel.
    ///
    /// # Errors
    /// Properties that librdkafka refuses.
    pub(crate) fn new(
        properties: &ConfigMap,
    ) -> Result<(Self, mpsc::UnboundedReceiver<DeliveryReport>), ConnectError> {
        let (deliveries, receiver) = mpsc::unbounded_channel();
        let name = properties.get("client.id").cloned().unwrap_or_default();
        let context = Context { named: Named(name), deliveries, refused_login: Mutex::default() };
        let config = client_config(ClientKind::Producer, properties)?;
        let producer = config.create_with_context(context).map_err(|error| {
            ConnectError::of("org.apache.kafka.common.KafkaException", "Failed to construct kafka producer")
                .caused_by(ConnectError::config(error))
        })?;
        Ok((Self(Arc::new(producer)), receiver))
    }

    /// Hands a record over; waits only while the queue is full. An error means that it was not taken.
    pub(crate) async fn send(&self, record: &KafkaRecord, number: usize) -> Result<(), KafkaError> {
        let headers = record.headers.iter().map(|(key, value)| (key.as_str(), value.as_ref()));
        let mut base = BaseRecord::with_opaque_to(&record.topic, number);
        base.partition = record.partition;
        base.key = record.key.as_deref();
        base.payload = record.value.as_deref();
        base.timestamp = record.timestamp;
        base.headers = owned_headers(headers);
        loop {
            match self.0.send(base) {
                Ok(()) => return Ok(()),
                Err((error, back)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => {
                    base = back;
                    tokio::time::sleep(FULL_PAUSE).await;
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    /// Words of the brokers when they last refused the login.
    pub(crate) fn refused_login(&self) -> ConnectError {
        let reason = self.0.context().refused_login.lock().unwrap_or_else(PoisonError::into_inner);
        login_error(&reason)
    }

    /// Runs one of the producer's blocking calls beside the task's thread.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn Transactions) -> Result<T, KafkaError> + Send + 'static,
    ) -> Result<T, KafkaError> {
        let producer = self.0.clone();
        match tokio::task::spawn_blocking(move || call(&*producer)).await {
            Ok(result) => result,
            Err(_) => Err(KafkaError::Canceled),
        }
    }

    /// An error of this producer as [`kafka_error_about`] names it. After a fatal one (it was fenced out, say) all that
    /// fails, fails for that.
    pub(crate) fn error(&self, error: &KafkaError, topics: &[&str]) -> ConnectError {
        match self.0.client().fatal_error() {
            Some((code, reason)) => ConnectError::of(java_class(Some(code)), format!("{code}: {reason}")),
            None => kafka_error_about(error, topics),
        }
    }

    /// Ends this handle beside the task's thread: the last one waits for librdkafka's threads.
    pub(crate) fn close(self) {
        drop(tokio::task::spawn_blocking(move || drop(self)));
    }
}

/// Fences out whoever uses the transactional id of these properties: its open transaction is aborted, and it can write no
/// more.
pub(crate) async fn fence(properties: &ConfigMap) -> Result<(), ConnectError> {
    let (producer, _deliveries) = RecordProducer::new(properties)?;
    let fenced = producer.blocking(|producer| producer.init(FENCE)).await;
    let fenced = fenced.map_err(|error| {
        ConnectError::new("Failed to perform zombie fencing").caused_by(producer.error(&error, &[]))
    });
    producer.close();
    fenced
}

/// The blocking calls.
pub(crate) trait Transactions {
    fn init(&self, timeout: Duration) -> Result<(), KafkaError>;
    fn begin(&self) -> Result<(), KafkaError>;
    fn commit(&self, timeout: Duration) -> Result<(), KafkaError>;
    fn abort(&self, timeout: Duration) -> Result<(), KafkaError>;
}

impl Transactions for ThreadedProducer<Context> {
    fn init(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.init_transactions(timeout)
    }

    fn begin(&self) -> Result<(), KafkaError> {
        self.begin_transaction()
    }

    fn commit(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.commit_transaction(timeout)
    }

    fn abort(&self, timeout: Duration) -> Result<(), KafkaError> {
        self.abort_transaction(timeout)
    }
}

/// A login that the brokers refuse, in librdkafka's words, which have the brokers' in them.
pub(crate) fn login_error(reason: &str) -> ConnectError {
    let class = "org.apache.kafka.common.errors.SaslAuthenticationException";
    ConnectError::of(class, format!("{reason} (sasl.jaas.config)"))
}

/// As [`kafka_error`], in Java's words where an authorizer refused these topics, or this group.
pub(crate) fn kafka_error_about(error: &KafkaError, names: &[&str]) -> ConnectError {
    let all = names.join(", ");
    let said = match error.rdkafka_error_code() {
        _ if names.is_empty() => return kafka_error(error),
        // librdkafka does not tell which of them.
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) if names.len() > 1 => {
            format!("Not authorized to access one of the topics: [{all}]")
        }
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
            format!("Not authorized to access topics: [{all}]")
        }
        Some(RDKafkaErrorCode::GroupAuthorizationFailed) => format!("Not authorized to access group: {all}"),
        _ => return kafka_error(error),
    };
    ConnectError::of(kafka_error(error).class().to_owned(), said)
}

/// A client's error under the name of the exception that Java's client throws for it.
pub(crate) fn kafka_error(error: &KafkaError) -> ConnectError {
    let code = match error {
        KafkaError::Transaction(error) => Some(error.code()),
        other => other.rdkafka_error_code(),
    };
    ConnectError::of(java_class(code), error)
}

fn java_class(code: Option<RDKafkaErrorCode>) -> String {
    let class = match code {
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => "RecordTooLargeException",
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => "TopicAuthorizationException",
        Some(RDKafkaErrorCode::GroupAuthorizationFailed) => "GroupAuthorizationException",
        Some(RDKafkaErrorCode::ClusterAuthorizationFailed) => "ClusterAuthorizationException",
        Some(RDKafkaErrorCode::TransactionalIdAuthorizationFailed) => "TransactionalIdAuthorizationException",
        Some(RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition) => {
            "UnknownTopicOrPartitionException"
        }
        Some(RDKafkaErrorCode::InvalidTopic) => "InvalidTopicException",
        Some(RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced) => "ProducerFencedException",
        Some(RDKafkaErrorCode::InvalidProducerEpoch) => "InvalidProducerEpochException",
        Some(RDKafkaErrorCode::MessageTimedOut | RDKafkaErrorCode::OperationTimedOut) => "TimeoutException",
        Some(RDKafkaErrorCode::InvalidRecord) => "InvalidRecordException",
        _ => return "org.apache.kafka.common.KafkaException".to_owned(),
    };
    format!("org.apache.kafka.common.errors.{class}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_authorized_to_what_is_said_as_java_says_it() {
        let topic = KafkaError::MessageConsumption(RDKafkaErrorCode::TopicAuthorizationFailed);
        let said = kafka_error_about(&topic, &["orders"]).trace();
        let class = "org.apache.kafka.common.errors.TopicAuthorizationException";
        assert!(said.starts_with(&format!("{class}: Not authorized to access topics: [orders]")), "{said}");
        let group = KafkaError::MessageConsumption(RDKafkaErrorCode::GroupAuthorizationFailed);
        let said = kafka_error_about(&group, &["connect-sink"]);
        assert_eq!(said.message(), "Not authorized to access group: connect-sink");
        let other = KafkaError::MessageConsumption(RDKafkaErrorCode::MessageSizeTooLarge);
        assert_eq!(kafka_error_about(&other, &["orders"]).message(), kafka_error(&other).message());
    }
}
