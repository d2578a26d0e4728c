//! Produce requests and their answers.

use std::fmt;

use bytes::Bytes;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{ProduceRequest, TransactionalId};
use uuid::Uuid;

use super::{Batch, T, code, name, text};

/// A topic by name and id, with partitions and their records.
type Entry = (String, Uuid, Vec<(i32, Bytes)>);

/// A Produce request in the making; by default version 11 with acks -1.
#[derive(Debug, Clone)]
pub(crate) struct Send {
    pub(crate) version: i16,
    pub(crate) acks: i16,
    pub(crate) transaction: Option<String>,
    pub(crate) topics: Vec<Entry>,
}

impl Send {
    pub(crate) fn to(topic: &str, records: Bytes) -> Self {
        let topics = vec![(topic.to_owned(), Uuid::nil(), vec![(0, records)])];
        Self { version: 11, acks: -1, transaction: None, topics }
    }

    pub(crate) fn version(self, version: i16) -> Self {
        Self { version, ..self }
    }

    pub(crate) fn acks(self, acks: i16) -> Self {
        Self { acks, ..self }
    }

    pub(crate) fn within(self, transaction: &str) -> Self {
        Self { transaction: Some(transaction.to_owned()), ..self }
    }

    /// Names the topic by its id, as version 13 does.
    pub(crate) fn id(mut self, id: Uuid) -> Self {
        self.topics[0].1 = id;
        self.version(13)
    }

    /// One more entry for a partition of the first topic.
    pub(crate) fn and(mut self, partition: i32, records: Bytes) -> Self {
        self.topics[0].2.push((partition, records));
        self
    }

    /// One more topic entry.
    pub(crate) fn and_topic(mut self, topic: &str, records: Bytes) -> Self {
        self.topics.push((topic.to_owned(), Uuid::nil(), vec![(0, records)]));
        self
    }

    pub(crate) fn request(&self) -> ProduceRequest {
        let by_id = self.version >= 13;
        let topic = |(topic, id, partitions): &Entry| {
            let partition = |(index, records): &(i32, Bytes)| {
                PartitionProduceData::default().with_index(*index).with_records(Some(records.clone()))
            };
            let data =
                TopicProduceData::default().with_partition_data(partitions.iter().map(partition).collect());
            if by_id { data.with_topic_id(*id) } else { data.with_name(name(topic)) }
        };
        ProduceRequest::default()
            .with_transactional_id(self.transaction.as_deref().map(|id| TransactionalId(text(id))))
            .with_acks(self.acks)
            .with_timeout_ms(20_000)
            .with_topic_data(self.topics.iter().map(topic).collect())
    }
}

/// What a broker said of one partition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Produced(pub(crate) PartitionProduceResponse);

impl Produced {
    /// The error code with its name.
    pub(crate) fn code(&self) -> String {
        code(self.0.error_code)
    }

    pub(crate) fn base(&self) -> i64 {
        self.0.base_offset
    }
}

impl fmt::Display for Produced {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} base {}", self.code(), self.0.base_offset)?;
        if self.0.log_append_time_ms != -1 {
            write!(out, " stamped")?;
        }
        if self.0.log_start_offset != 0 {
            write!(out, " start {}", self.0.log_start_offset)?;
        }
        let indexes: Vec<i32> = self.0.record_errors.iter().map(|error| error.batch_index).collect();
        if !indexes.is_empty() {
            write!(out, " records {indexes:?}")?;
        }
        Ok(())
    }
}

impl T<'_> {
    /// Appends one batch to partition 0.
    pub(crate) fn produce(&mut self, topic: &str, batch: &Batch) -> Produced {
        self.produce_bytes(topic, batch.encode())
    }

    pub(crate) fn produce_bytes(&mut self, topic: &str, records: Bytes) -> Produced {
        self.send(&Send::to(topic, records))
    }

    /// Sends a request that has one answer.
    pub(crate) fn send(&mut self, send: &Send) -> Produced {
        let mut all = self.send_all(send);
        assert_eq!(all.len(), 1, "one answer: {all:?}");
        all.remove(0)
    }

    pub(crate) fn send_all(&mut self, send: &Send) -> Vec<Produced> {
        let answer = self.client.call(send.version, &send.request());
        answer.responses.into_iter().flat_map(|topic| topic.partition_responses).map(Produced).collect()
    }

    /// Appends a batch that must be taken.
    pub(crate) fn put(&mut self, topic: &str, batch: &Batch) -> i64 {
        let produced = self.produce(topic, batch);
        assert_eq!(produced.0.error_code, 0, "{produced} {:?}", produced.0.error_message);
        produced.base()
    }
}
