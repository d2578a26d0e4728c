//! Reading to the end.

use std::collections::HashSet;

use bytes::Bytes;
use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::AbortedTransaction;
use kafka_protocol::protocol::StrBytes;
use tokio::time::Instant;
use tracing::warn;

use super::{LogRecord, TopicLog};
use crate::admin::OffsetSpec;
use crate::batch::{Batch, BatchError, ControlType, Entry, Record, control_type, split};
use crate::cluster::CALL_LIMIT;
use crate::error::WireError;
use crate::error_code::ErrorCode;

/// Bytes of one fetch; a larger batch comes whole all the same.
const FETCH_BYTES: i32 = 1 << 20;
const FETCH_WAIT_MS: i32 = 500;

impl TopicLog {
    /// Hands `sink` every committed record from where the last call ended up to the end as it was when this
    /// call began, in order per partition. Passing faults are retried for about a minute; after an error the
    /// next call goes on where this one ended.
    pub async fn read_to_end(&mut self, sink: &mut (dyn FnMut(LogRecord) + Send)) -> Result<(), WireError> {
        let ends = self.offsets(OffsetSpec::Latest { read_committed: true }).await?;
        for (partition, end) in ends.into_iter().enumerate() {
            self.read_partition(partition, end, sink).await?;
        }
        Ok(())
    }

    async fn read_partition(
        &mut self,
        partition: usize,
        end: i64,
        sink: &mut (dyn FnMut(LogRecord) + Send),
    ) -> Result<(), WireError> {
        if end < self.positions[partition] {
            self.begin_again(partition).await?;
        }
        let mut progress = Instant::now();
        while self.positions[partition] < end {
            let position = self.positions[partition];
            let fetched = match self.fetch(partition as i32, position).await {
                Err(error) if error.code() == Some(ErrorCode::OffsetOutOfRange) => {
                    self.begin_again(partition).await?;
                    continue;
                }
                fetched => fetched?,
            };
            let next = deliver(partition as i32, position, fetched, sink).map_err(|e| self.malformed(&e))?;
            if next > position {
                self.positions[partition] = next;
                progress = Instant::now();
            } else if progress.elapsed() > CALL_LIMIT {
                return Err(
                    self.malformed(&format!("nothing from offset {position} on, though {end} is the end"))
                );
            }
        }
        Ok(())
    }

    /// After the topic was truncated or made anew.
    pub(super) async fn begin_again(&mut self, partition: usize) -> Result<(), WireError> {
        let first = self.offsets(OffsetSpec::Earliest).await?[partition];
        warn!(
            "{}-{partition} no longer has offset {}; reading it again from {first}",
            self.topic, self.positions[partition]
        );
        self.positions[partition] = first;
        Ok(())
    }

    fn malformed(&self, reason: &dyn std::fmt::Display) -> WireError {
        WireError::Malformed {
            address: self.cluster.addresses(),
            api: "Fetch",
            reason: format!("topic {}: {reason}", self.topic),
        }
    }

    async fn fetch(&self, partition: i32, position: i64) -> Result<Fetched, WireError> {
        self.cluster
            .retry(async || {
                let request = self.fetch_request(partition, position);
                let answer = self.cluster.call_leader(&self.topic, partition, request).await?;
                let mut found = answer.responses.into_iter().flat_map(|t| t.partitions);
                let found = found.find(|p| p.partition_index == partition);
                let code = match &found {
                    _ if answer.error_code != 0 => answer.error_code,
                    Some(found) => found.error_code,
                    None => ErrorCode::UnknownServerError.code(),
                };
                if let Some(code) = ErrorCode::try_from_code(code) {
                    let what = format!("read {}-{partition} from offset {position}", self.topic);
                    let error = WireError::broker(what, code).needing("READ on the topic");
                    if error.is_retriable() {
                        self.cluster.fetch_metadata(Some(std::slice::from_ref(&self.topic))).await?;
                    }
                    return Err(error);
                }
                let found = found.unwrap_or_default();
                Ok(Fetched {
                    records: found.records.unwrap_or_default(),
                    aborted: found.aborted_transactions.unwrap_or_default(),
                })
            })
            .await
    }

    /// A fetch outside of any session, naming the topic by name and by id, whichever the version has.
    pub(super) fn fetch_request(&self, partition: i32, position: i64) -> FetchRequest {
        let metadata = self.cluster.metadata();
        let topic = FetchTopic::default()
            .with_topic(StrBytes::from_string(self.topic.clone()).into())
            .with_topic_id(metadata.topic(&self.topic).map(|t| t.id).unwrap_or_default())
            .with_partitions(vec![
                FetchPartition::default()
                    .with_partition(partition)
                    .with_current_leader_epoch(-1)
                    .with_last_fetched_epoch(-1)
                    .with_fetch_offset(position)
                    .with_log_start_offset(-1)
                    .with_partition_max_bytes(FETCH_BYTES),
            ]);
        FetchRequest::default()
            .with_replica_id((-1).into())
            .with_max_wait_ms(FETCH_WAIT_MS)
            .with_min_bytes(1)
            .with_max_bytes(FETCH_BYTES)
            .with_isolation_level(1)
            .with_session_id(0)
            .with_session_epoch(-1)
            .with_topics(vec![topic])
    }
}

struct Fetched {
    records: Bytes,
    aborted: Vec<AbortedTransaction>,
}

/// Hands over the records from `position` on and returns the next position.
fn deliver(
    partition: i32,
    position: i64,
    fetched: Fetched,
    sink: &mut (dyn FnMut(LogRecord) + Send),
) -> Result<i64, BatchError> {
    let mut next = position;
    let mut aborted = Aborted::new(fetched.aborted);
    let mut hand_over = |record: Record| {
        if record.offset >= position {
            let Record { offset, timestamp, key, value, .. } = record;
            sink(LogRecord { partition, offset, timestamp, key, value });
        }
    };
    for entry in split(fetched.records) {
        let entry = entry?;
        next = next.max(entry.next_offset());
        match entry {
            Entry::Batch(batch) if !aborted.covers(&batch) => {
                for record in batch.records()? {
                    hand_over(record?);
                }
            }
            Entry::Batch(_) => {}
            Entry::Legacy(set) => {
                for record in set.records()? {
                    hand_over(record?);
                }
            }
        }
    }
    Ok(next)
}

/// Which batches of one answer belong to transactions that were aborted.
struct Aborted {
    /// Those that begin further on, the next one last.
    ahead: Vec<AbortedTransaction>,
    open: HashSet<i64>,
}

impl Aborted {
    fn new(mut ahead: Vec<AbortedTransaction>) -> Self {
        ahead.sort_by_key(|t| std::cmp::Reverse(t.first_offset));
        Self { ahead, open: HashSet::new() }
    }

    /// True for batches of aborted transactions, and for markers. To be asked in the order of the log.
    fn covers(&mut self, batch: &Batch) -> bool {
        while let Some(transaction) = self.ahead.pop_if(|t| t.first_offset <= batch.last_offset()) {
            self.open.insert(transaction.producer_id.0);
        }
        if batch.attributes().control() {
            if control_type(batch) == Some(ControlType::Abort) {
                self.open.remove(&batch.producer_id());
            }
            return true;
        }
        batch.attributes().transactional() && self.open.contains(&batch.producer_id())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::batch::{BatchBuilder, Codec, HEADER_SIZE, Headers};
    use bytes::{Buf, BytesMut};

    /// Bytes of a batch whose records have these values; `attributes` are set afterwards.
    fn batch(base: i64, attributes: i16, producer: i64, values: &[&str]) -> BytesMut {
        let mut builder = BatchBuilder::new(Codec::None);
        for value in values {
            builder.push(5, Some(b"k"), Some(value.as_bytes()), &Headers::empty()).unwrap();
        }
        sealed(builder, base, attributes, producer)
    }

    fn marker(base: i64, producer: i64) -> BytesMut {
        let mut builder = BatchBuilder::new(Codec::None);
        builder.push(5, Some(&[0, 0, 0, 0]), Some(&[0; 6]), &Headers::empty()).unwrap();
        sealed(builder, base, 0x30, producer)
    }

    fn sealed(builder: BatchBuilder, base: i64, attributes: i16, producer: i64) -> BytesMut {
        let outgoing = builder.finish().unwrap();
        let mut bytes = BytesMut::from(&outgoing.to_bytes()[..]);
        bytes[0..8].copy_from_slice(&base.to_be_bytes());
        bytes[21..23].copy_from_slice(&attributes.to_be_bytes());
        bytes[43..51].copy_from_slice(&producer.to_be_bytes());
        let crc = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        assert!(bytes.remaining() > HEADER_SIZE);
        bytes
    }

    fn read(position: i64, records: &[BytesMut], aborted: Vec<AbortedTransaction>) -> (Vec<String>, i64) {
        let mut values = Vec::new();
        let records = Bytes::from(records.concat());
        let mut sink = |r: LogRecord| values.push(String::from_utf8(r.value.unwrap().to_vec()).unwrap());
        let next = deliver(0, position, Fetched { records, aborted }, &mut sink).unwrap();
        (values, next)
    }

    fn texts(values: &[&str]) -> Vec<String> {
        values.iter().map(|v| (*v).to_owned()).collect()
    }

    #[test]
    fn reads_from_the_position_inside_a_batch() {
        let records = [batch(10, 0, -1, &["a", "b", "c"]), batch(13, 0, -1, &["d"])];
        assert_eq!(read(11, &records, vec![]), (texts(&["b", "c", "d"]), 14));
    }

    #[test]
    fn a_torn_tail_is_left_for_the_next_fetch() {
        let mut torn = batch(1, 0, -1, &["b"]);
        torn.truncate(65);
        assert_eq!(read(0, &[batch(0, 0, -1, &["a"]), torn], vec![]), (texts(&["a"]), 1));
    }

    #[test]
    fn aborted_transactions_are_not_seen() {
        let aborted = AbortedTransaction::default().with_producer_id(7.into()).with_first_offset(1);
        let records = [
            batch(0, 0x10, 8, &["kept"]),
            batch(1, 0x10, 7, &["aborted"]),
            batch(2, 0, -1, &["plain"]),
            marker(3, 7),
            batch(4, 0x10, 7, &["next transaction"]),
        ];
        let (values, next) = read(0, &records, vec![aborted]);
        assert_eq!(values, texts(&["kept", "plain", "next transaction"]));
        assert_eq!(next, 5);
    }
}
