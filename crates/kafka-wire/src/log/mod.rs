//! A small compacted topic used as a table: read from the beginning to its end, appended to with keyed
//! records.
//!
//! Guarantees: [`TopicLog::read_to_end`] has seen everything that was committed to the topic before the call,
//! so it serves to synchronise several processes. What was written in transactions is seen only when no
//! earlier transaction of the partition is open: see [`TopicLog::has_read`]; an append that returned is
//! stored with `acks=all`, in order per key, on the partition that Java's default partitioner chooses.
//! Retries may store a record twice, which a table does not mind. Not for bulk data: one request at a time
//! and partition.

mod append;
mod murmur2;
mod read;
mod tail;

use bytes::Bytes;

pub use murmur2::{murmur2, partition_for};
pub use tail::TopicTail;

use crate::admin::{OffsetSpec, TopicPartition};
use crate::cluster::Cluster;
use crate::error::WireError;
use crate::error_code::ErrorCode;

/// A record read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// Partition number.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Ms since 1970, -1 for none.
    pub timestamp: i64,
    /// Key; shares memory with the whole fetched response, so copy what is to be kept.
    pub key: Option<Bytes>,
    /// Value, `None` for a tombstone; shares memory like the key.
    pub value: Option<Bytes>,
}

/// A record to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRecord {
    /// Key; decides the partition.
    pub key: Bytes,
    /// Value, `None` for a tombstone.
    pub value: Option<Bytes>,
}

/// One topic with the position up to which it has been read.
#[derive(Debug)]
pub struct TopicLog {
    cluster: Cluster,
    topic: String,
    /// Next offset to read, by partition.
    positions: Vec<i64>,
}

impl TopicLog {
    /// A log on an existing topic, positioned at its beginning. Fails like any call to the cluster, with
    /// UNKNOWN_TOPIC_OR_PARTITION (3) when there is no such topic.
    pub async fn open(cluster: Cluster, topic: &str) -> Result<Self, WireError> {
        let metadata = cluster.refresh(Some(&[topic.to_owned()])).await?;
        let partitions = metadata.topic(topic).map_or(0, |t| t.partitions.len());
        if partitions == 0 {
            return Err(WireError::broker(
                format!("open topic {topic} at the {} cluster", cluster.role()),
                ErrorCode::UnknownTopicOrPartition,
            ));
        }
        let mut log = Self { cluster, topic: topic.to_owned(), positions: vec![0; partitions] };
        log.positions = log.offsets(OffsetSpec::Earliest).await?;
        Ok(log)
    }

    /// Topic name.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Number of partitions when the log was opened.
    pub fn partitions(&self) -> i32 {
        self.positions.len() as i32
    }

    /// Ends of the partitions, by number, with the records of open transactions. What is before these ends is
    /// settled when [`TopicLog::has_read`] says so. Errors as of every call to the cluster.
    pub async fn ends(&self) -> Result<Vec<i64>, WireError> {
        self.offsets(OffsetSpec::Latest { read_committed: false }).await
    }

    /// True when everything before these ends has been read, so that the transactions that were open there
    /// have ended.
    pub fn has_read(&self, ends: &[i64]) -> bool {
        self.positions.iter().zip(ends).all(|(position, end)| position >= end)
    }

    /// One offset of each partition, by partition.
    async fn offsets(&self, spec: OffsetSpec) -> Result<Vec<i64>, WireError> {
        let asked: Vec<TopicPartition> = (0..self.partitions()).map(|p| (self.topic.clone(), p)).collect();
        let found = self.cluster.list_offsets(&asked, spec).await?;
        let offset = |key: &TopicPartition| {
            found.get(key).copied().ok_or_else(|| {
                WireError::broker(
                    format!("offsets of {}-{} are missing in the answer", key.0, key.1),
                    ErrorCode::UnknownServerError,
                )
            })
        };
        asked.iter().map(offset).collect()
    }
}
