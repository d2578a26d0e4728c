//! The consumer of a sink task. Rebalances are not settled inside librdkafka's callback: they are told on a channel, and the
//! task's loop settles them when its task has opened or closed the partitions.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use connect_api::{ConfigMap, ConnectError, TimestampType, TopicPartition};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{
    BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol, StreamConsumer,
};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message, Timestamp};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::worker::clients::{ClientKind, Named, client_config, kafka_error, kafka_error_about, login_error};
use crate::worker::records::Consumed;

/// Time that one question to the cluster may take before it is asked again.
const CALL: Duration = Duration::from_secs(10);

/// A partition without a committed offset, and `auto.offset.reset=none`.
pub(super) const NO_OFFSET: &str = "org.apache.kafka.clients.consumer.NoOffsetForPartitionException";

/// Which partitions are this task's.
#[derive(Debug)]
pub(super) enum Rebalanced {
    /// These are from now on.
    Assigned(Vec<TopicPartition>),
    /// These are no longer; `lost`: they may be another's already.
    Revoked { partitions: Vec<TopicPartition>, lost: bool },
}

pub(super) struct Context {
    named: Named,
    events: mpsc::UnboundedSender<Rebalanced>,
    closing: AtomicBool,
    /// It has been in its group: the login is good, or was.
    admitted: AtomicBool,
    refused_login: Mutex<String>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.named.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        warn!(client = %self.named.0, "{error}: {reason}");
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Authentication) {
            reason.clone_into(&mut self.refused_login.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl ConsumerContext for Context {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        self.admitted.store(true, Ordering::Release);
        let partitions = partitions(list);
        let event = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Rebalanced::Assigned(partitions),
            _ => Rebalanced::Revoked { partitions, lost: consumer.assignment_lost() },
        };
        debug!(client = %self.named.0, "{event:?}");
        let assigned = matches!(event, Rebalanced::Assigned(_));
        if !self.closing.load(Ordering::Acquire) && self.events.send(event).is_ok() {
            return;
        }
        // Nobody is left to settle it.
        let settled = match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative if !assigned => consumer.incremental_unassign(list),
            _ => consumer.unassign(),
        };
        if let Err(error) = settled {
            debug!(client = %self.named.0, "while closing: {error}");
        }
    }
}

/// A sink task's consumer. Clones are handles to the same one.
#[derive(Clone)]
pub(super) struct SinkConsumer {
    consumer: Arc<StreamConsumer<Context>>,
    /// `auto.offset.reset`.
    reset: Offset,
    group: Arc<str>,
}

impl SinkConsumer {
    /// Makes one from Java properties; rebalances are told on the channel.
    pub(super) fn new(
        properties: &ConfigMap,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Rebalanced>), ConnectError> {
        let (events, receiver) = mpsc::unbounded_channel();
        let name = properties.get("client.id").cloned().unwrap_or_default();
        let context = Context {
            named: Named(name),
            events,
            closing: AtomicBool::default(),
            admitted: AtomicBool::default(),
            refused_login: Mutex::default(),
        };
        let config = client_config(ClientKind::Consumer, properties)?;
        let reset = match config.get("auto.offset.reset") {
            Some("latest") => Offset::End,
            Some("error") => Offset::Invalid,
            _ => Offset::Beginning,
        };
        let consumer = config.create_with_context(context).map_err(|error| {
            ConnectError::of("org.apache.kafka.common.KafkaException", "Failed to construct kafka consumer")
                .caused_by(ConnectError::config(error))
        })?;
        let group = properties.get("group.id").map_or("", String::as_str).into();
        Ok((Self { consumer: Arc::new(consumer), reset, group }, receiver))
    }

    pub(super) fn subscribe(&self, topics: &[String]) -> Result<(), ConnectError> {
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        if names.is_empty() {
            self.consumer.unsubscribe()
        } else {
            self.consumer.subscribe(&names).map_err(|error| kafka_error(&error))?
        }
        Ok(())
    }

    /// Waits for the next record. Cancel-safe. `Ok(None)`: an error that passes was logged.
    pub(super) async fn next(&self) -> Result<Option<Consumed>, ConnectError> {
        match self.consumer.recv().await {
            Ok(message) => Ok(Some(consumed(&message))),
            Err(error) => {
                let code = error.rdkafka_error_code();
                let fatal = [
                    RDKafkaErrorCode::TopicAuthorizationFailed,
                    RDKafkaErrorCode::GroupAuthorizationFailed,
                    RDKafkaErrorCode::AutoOffsetReset,
                    RDKafkaErrorCode::Fatal,
                ];
                if code.is_some_and(|code| fatal.contains(&code)) || self.may_not_log_in(&error) {
                    return Err(self.fatal(&error));
                }
                warn!(client = %self.consumer.context().named.0, "{error}");
                Ok(None)
            }
        }
    }

    /// A login that was accepted before may be so again: brokers that restart, passwords that are being changed.
    fn may_not_log_in(&self, error: &KafkaError) -> bool {
        let refused = [RDKafkaErrorCode::SaslAuthenticationFailed, RDKafkaErrorCode::Authentication];
        error.rdkafka_error_code().is_some_and(|code| refused.contains(&code))
            && !self.consumer.context().admitted.load(Ordering::Acquire)
    }

    fn fatal(&self, error: &KafkaError) -> ConnectError {
        if self.may_not_log_in(error) {
            let reason = self.consumer.context().refused_login.lock();
            return login_error(&reason.unwrap_or_else(PoisonError::into_inner));
        }
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::GroupAuthorizationFailed) {
            return kafka_error_about(error, &[&self.group]);
        }
        let subscribed = self.consumer.subscription().unwrap_or_default();
        let topics = partitions(&subscribed);
        kafka_error_about(error, &topics.iter().map(|one| one.topic.as_str()).collect::<Vec<_>>())
    }

    /// Positions to begin at: the committed offset, else the one that `auto.offset.reset` says.
    pub(super) async fn positions(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<(TopicPartition, i64)>, ConnectError> {
        let (consumer, reset, partitions) = (self.consumer.clone(), self.reset, partitions.to_vec());
        let ask = move || {
            let mut asked = TopicPartitionList::with_capacity(partitions.len());
            for partition in &partitions {
                asked.add_partition(&partition.topic, partition.partition);
            }
            let committed = consumer.committed_offsets(asked, CALL)?;
            let found = |partition: &TopicPartition| {
                committed.find_partition(&partition.topic, partition.partition).map(|found| found.offset())
            };
            let mut positions = Vec::new();
            for partition in partitions {
                let offset = match found(&partition) {
                    Some(Offset::Offset(offset)) => Some(offset),
                    _ => start(&consumer, &partition, reset)?,
                };
                positions.push((partition, offset));
            }
            Ok(positions)
        };
        match tokio::task::spawn_blocking(ask).await {
            Ok(result) => placed(result.map_err(|error: KafkaError| self.fatal(&error))?),
            Err(error) => Err(ConnectError::new(error)),
        }
    }

    /// Settles an assignment: reading begins.
    pub(super) fn assign(&self, positions: &[(TopicPartition, i64)]) -> Result<(), ConnectError> {
        let list = list(positions.iter().map(|(partition, offset)| (partition, Offset::Offset(*offset))))?;
        let settled = match self.consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.consumer.incremental_assign(&list),
            _ => self.consumer.assign(&list),
        };
        settled.map_err(|error| kafka_error(&error))
    }

    /// Settles a revocation.
    pub(super) fn unassign(&self, partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        let list = list(partitions.iter().map(|partition| (partition, Offset::Invalid)))?;
        let settled = match self.consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.consumer.incremental_unassign(&list),
            _ => self.consumer.unassign(),
        };
        settled.map_err(|error| kafka_error(&error))
    }

    pub(super) fn pause<'a>(
        &self,
        partitions: impl Iterator<Item = &'a TopicPartition>,
        paused: bool,
    ) -> Result<(), ConnectError> {
        let list = list(partitions.map(|partition| (partition, Offset::Invalid)))?;
        let changed = if paused { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
        changed.map_err(|error| kafka_error(&error))
    }

    /// Goes on reading a partition elsewhere.
    pub(super) fn seek(&self, partition: &TopicPartition, offset: i64) -> Result<(), ConnectError> {
        let seek = self.consumer.seek(&partition.topic, partition.partition, Offset::Offset(offset), CALL);
        seek.map_err(|error| kafka_error(&error))
    }

    /// Commits offsets, beside the task's thread.
    pub(super) async fn commit(&self, offsets: Vec<(TopicPartition, i64)>) -> Result<(), String> {
        let consumer = self.consumer.clone();
        let commit = move || {
            let list = list(offsets.iter().map(|(partition, offset)| (partition, Offset::Offset(*offset))))
                .map_err(|error| error.to_string())?;
            consumer.commit(&list, CommitMode::Sync).map_err(|error| error.to_string())
        };
        match tokio::task::spawn_blocking(commit).await {
            Ok(result) => result,
            Err(error) => Err(error.to_string()),
        }
    }

    /// Leaves the group. What is under way elsewhere ends by itself.
    pub(super) async fn close(self) {
        self.consumer.context().closing.store(true, Ordering::Release);
        // An error means that the runtime is going down, and the consumer with it.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

/// The end at which `auto.offset.reset` says to begin; `None` with `none`.
fn start(
    consumer: &StreamConsumer<Context>,
    partition: &TopicPartition,
    reset: Offset,
) -> Result<Option<i64>, KafkaError> {
    if reset == Offset::Invalid {
        return Ok(None);
    }
    match consumer.fetch_watermarks(&partition.topic, partition.partition, CALL) {
        Ok((first, end)) => Ok(Some(if reset == Offset::End { end } else { first })),
        // Deleted since it was assigned: should it come again, then from its first record.
        Err(error)
            if matches!(
                error.rdkafka_error_code(),
                Some(
                    RDKafkaErrorCode::UnknownTopicOrPartition
                        | RDKafkaErrorCode::UnknownTopic
                        | RDKafkaErrorCode::UnknownPartition
                )
            ) =>
        {
            Ok(Some(0))
        }
        Err(error) => Err(error),
    }
}

/// An error when there is a partition without a place to begin.
fn placed(positions: Vec<(TopicPartition, Option<i64>)>) -> Result<Vec<(TopicPartition, i64)>, ConnectError> {
    let nowhere = positions.iter().filter(|(_, offset)| offset.is_none());
    let nowhere: Vec<_> = nowhere.map(|(at, _)| format!("{}-{}", at.topic, at.partition)).collect();
    if nowhere.is_empty() {
        return Ok(positions.into_iter().filter_map(|(at, offset)| Some((at, offset?))).collect());
    }
    Err(ConnectError::of(
        NO_OFFSET,
        format!("Undefined offset with no reset policy for partitions: [{}]", nowhere.join(", ")),
    ))
}

fn list<'a>(
    entries: impl Iterator<Item = (&'a TopicPartition, Offset)>,
) -> Result<TopicPartitionList, ConnectError> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in entries {
        let added = list.add_partition_offset(&partition.topic, partition.partition, offset);
        added.map_err(|error| kafka_error(&error))?;
    }
    Ok(list)
}

fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    let partition = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| TopicPartition {
        topic: element.topic().to_owned(),
        partition: element.partition(),
    };
    list.elements().iter().map(partition).collect()
}

fn consumed(message: &BorrowedMessage<'_>) -> Consumed {
    let (timestamp, timestamp_type) = match message.timestamp() {
        Timestamp::NotAvailable => (None, TimestampType::None),
        Timestamp::CreateTime(ms) => (Some(ms), TimestampType::CreateTime),
        Timestamp::LogAppendTime(ms) => (Some(ms), TimestampType::LogAppendTime),
    };
    let headers = message.headers().map(|headers| {
        headers
            .iter()
            .map(|header| (header.key.to_owned(), header.value.map(Bytes::copy_from_slice)))
            .collect()
    });
    Consumed {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp,
        timestamp_type,
        key: message.key().map(Bytes::copy_from_slice),
        value: message.payload().map(Bytes::copy_from_slice),
        headers: headers.unwrap_or_default(),
    }
}
