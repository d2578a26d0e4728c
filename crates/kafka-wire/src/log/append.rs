//! Appending keyed records.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures::future::try_join_all;
use kafka_protocol::messages::ProduceRequest;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::protocol::StrBytes;
use tokio::time::sleep;
use tracing::{info, warn};

use super::{KeyedRecord, TopicLog, partition_for};
use crate::batch::{BatchBuilder, BatchError, Codec, Headers};
use crate::error::WireError;
use crate::error_code::ErrorCode;
use crate::reminder::Reminder;

/// A batch is closed when it has reached this size, half of what a broker accepts by default.
const BATCH_BYTES: usize = 512 << 10;
const ACKS_ALL: i16 = -1;

impl TopicLog {
    /// Appends records and returns when all are stored. Passing faults are waited out without limit (the log
    /// says so); errors are those that waiting cannot cure. After an error, or when the call is dropped, some
    /// of the records may have been stored.
    pub async fn append(&self, records: Vec<KeyedRecord>) -> Result<(), WireError> {
        let mut by_partition: BTreeMap<i32, Vec<KeyedRecord>> = BTreeMap::new();
        for record in records {
            let partition = partition_for(&record.key, self.partitions());
            by_partition.entry(partition).or_default().push(record);
        }
        try_join_all(by_partition.into_iter().map(|(p, records)| self.append_partition(p, records))).await?;
        Ok(())
    }

    async fn append_partition(&self, partition: i32, records: Vec<KeyedRecord>) -> Result<(), WireError> {
        let batches = encode(records, now_ms()).map_err(|e| WireError::Malformed {
            address: self.cluster.addresses(),
            api: "Produce",
            reason: format!("record for topic {}: {e}", self.topic),
        })?;
        for batch in batches {
            self.produce_until_stored(partition, batch).await?;
        }
        Ok(())
    }

    async fn produce_until_stored(&self, partition: i32, batch: Bytes) -> Result<(), WireError> {
        let settings = self.cluster.settings();
        let mut backoff = self.cluster.retry_backoff();
        let mut reminder = Reminder::default();
        loop {
            let error = match self.produce(partition, batch.clone()).await {
                Ok(()) => {
                    if reminder.is_over() {
                        info!("{}-{partition} takes records again", self.topic);
                    }
                    return Ok(());
                }
                Err(error) => error,
            };
            if !error.is_retriable() {
                return Err(error);
            }
            if reminder.is_due() {
                warn!("waiting to write to {}-{partition}: {error}", self.topic);
            }
            sleep(backoff.next().unwrap_or(settings.retry_backoff_max)).await;
        }
    }

    /// One attempt; a broker's refusal that new metadata may cure has had it fetched.
    async fn produce(&self, partition: i32, batch: Bytes) -> Result<(), WireError> {
        let data = PartitionProduceData::default().with_index(partition).with_records(Some(batch));
        let topic = TopicProduceData::default()
            .with_name(StrBytes::from_string(self.topic.clone()).into())
            .with_partition_data(vec![data]);
        let timeout = self.cluster.settings().request_timeout.as_millis();
        let request = ProduceRequest::default()
            .with_acks(ACKS_ALL)
            .with_timeout_ms(i32::try_from(timeout).unwrap_or(i32::MAX))
            .with_topic_data(vec![topic]);
        let answer = self.cluster.call_leader(&self.topic, partition, request).await?;
        let mut results = answer.responses.into_iter().flat_map(|t| t.partition_responses);
        let what = || format!("write to {}-{partition}", self.topic);
        let error = match results.find(|p| p.index == partition) {
            Some(result) => match ErrorCode::try_from_code(result.error_code) {
                None => return Ok(()),
                Some(code) => {
                    let detail = result.error_message.map(|m| m.to_string());
                    WireError::Broker { context: what(), code, detail }
                }
            },
            None => WireError::broker(what(), ErrorCode::UnknownServerError),
        };
        let error = error.needing("WRITE on the topic");
        if error.is_retriable() {
            self.cluster.fetch_metadata(Some(std::slice::from_ref(&self.topic))).await?;
        }
        Err(error)
    }
}

/// Batches of at most about [`BATCH_BYTES`], in order.
fn encode(records: Vec<KeyedRecord>, timestamp: i64) -> Result<Vec<Bytes>, BatchError> {
    let mut batches = Vec::new();
    let mut builder = BatchBuilder::new(Codec::None);
    for KeyedRecord { key, value } in records {
        let size = key.len() + value.as_ref().map_or(0, Bytes::len);
        if !builder.is_empty() && builder.uncompressed_size() + size > BATCH_BYTES {
            let full = std::mem::replace(&mut builder, BatchBuilder::new(Codec::None));
            batches.push(full.finish()?.to_bytes());
        }
        builder.push(timestamp, Some(&key), value.as_deref(), &Headers::empty())?;
    }
    if !builder.is_empty() {
        batches.push(builder.finish()?.to_bytes());
    }
    Ok(batches)
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(-1, |d| d.as_millis() as i64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::batch::{Entry, split};

    #[test]
    fn batches_hold_the_records_in_order_and_are_bounded() {
        let record =
            |n: u8| KeyedRecord { key: Bytes::from(vec![n; 10]), value: Some(vec![n; 200_000].into()) };
        let mut records: Vec<_> = (0..5).map(record).collect();
        records.push(KeyedRecord { key: Bytes::from_static(b"gone"), value: None });
        let batches = encode(records, 77).unwrap();
        assert_eq!(batches.len(), 3);
        let mut read = Vec::new();
        for bytes in batches {
            assert!(bytes.len() <= BATCH_BYTES + 1000);
            for entry in split(bytes) {
                let Entry::Batch(batch) = entry.unwrap() else { panic!("a v2 batch") };
                assert!(batch.crc_is_valid());
                read.extend(batch.records().unwrap().map(Result::unwrap));
            }
        }
        assert_eq!(read.len(), 6);
        assert!(read[..5].iter().enumerate().all(|(n, r)| r.key.as_ref().unwrap()[0] == n as u8));
        assert!(read.iter().all(|r| r.timestamp == 77));
        assert_eq!((read[5].key.as_deref(), read[5].value.as_deref()), (Some(&b"gone"[..]), None));
    }

    #[test]
    fn a_record_larger_than_a_batch_goes_alone() {
        let big = KeyedRecord { key: Bytes::from_static(b"k"), value: Some(vec![0; BATCH_BYTES * 2].into()) };
        let small = KeyedRecord { key: Bytes::from_static(b"k"), value: None };
        assert_eq!(encode(vec![small.clone(), big, small], 0).unwrap().len(), 3);
    }
}
