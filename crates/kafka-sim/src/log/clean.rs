//! The log cleaner: keeps the newest record of each key, with its offset, and leaves holes; the shapes that
//! it leaves are those of Kafka's `LogCleaner`.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use kafka_wire::batch::{Batch, Record};

use super::Log;
use super::encode::{DELETE_HORIZON, Item, Shape, encode};

/// Limits of a cleaning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cleaning {
    pub(crate) now_ms: i64,
    /// `delete.retention.ms`.
    pub(crate) delete_retention_ms: i64,
}

impl Log {
    /// Cleans everything before `upto` (the active segment's start, for a broker). Gives back how many
    /// records went.
    pub(crate) fn clean(&mut self, upto: i64, cleaning: Cleaning) -> usize {
        let upto = upto.min(self.last_stable_offset());
        let newest = self.newest_of_each_key(upto);
        let mut kept = VecDeque::new();
        let mut removed = 0;
        for batch in std::mem::take(&mut self.batches) {
            if batch.last_offset() >= upto || batch.attributes().control() {
                kept.push_back(batch);
                continue;
            }
            let before = batch.count().max(0) as usize;
            let cleaned = self.clean_batch(&batch, &newest, cleaning);
            removed += before - cleaned.as_ref().map_or(0, |b| b.count().max(0) as usize);
            kept.extend(cleaned);
        }
        self.bytes = kept.iter().map(Batch::size).sum();
        self.batches = kept;
        removed
    }

    /// Offset of the newest record of each key in committed data.
    fn newest_of_each_key(&self, upto: i64) -> BTreeMap<Bytes, i64> {
        let mut newest = BTreeMap::new();
        for batch in self.batches.iter().take_while(|b| b.base_offset() < upto) {
            if batch.attributes().control() || self.is_aborted(batch) {
                continue;
            }
            for record in batch.records().into_iter().flatten().flatten() {
                if let Some(key) = record.key {
                    newest.insert(key, record.offset);
                }
            }
        }
        newest
    }

    fn is_aborted(&self, batch: &Batch) -> bool {
        let within = |a: &super::Aborted| {
            a.producer_id == batch.producer_id()
                && (a.first_offset..=a.last_offset).contains(&batch.base_offset())
        };
        batch.attributes().transactional() && self.aborted.iter().any(within)
    }

    /// Rest of a batch; `None`: nothing, not even its header.
    fn clean_batch(&self, batch: &Batch, newest: &BTreeMap<Bytes, i64>, cleaning: Cleaning) -> Option<Batch> {
        let aborted = self.is_aborted(batch);
        let horizon = batch.attributes().delete_horizon().then(|| batch.base_timestamp());
        let keeps = |record: &Record| {
            let newest = record.key.as_ref().is_some_and(|key| newest.get(key) == Some(&record.offset));
            let expired = record.value.is_none() && horizon.is_some_and(|h| h < cleaning.now_ms);
            newest && !expired && !aborted
        };
        let records: Vec<Record> = batch.records().ok()?.collect::<Result<_, _>>().ok()?;
        let count = records.len();
        let left: Vec<Record> = records.into_iter().filter(keeps).collect();
        let new_horizon = horizon.is_none() && left.iter().any(|r| r.value.is_none());
        if left.len() == count && !new_horizon {
            return Some(batch.clone());
        }
        if left.is_empty() && !self.is_last_of_producer(batch) {
            return None;
        }
        Some(rewrite(batch, left, new_horizon.then(|| cleaning.now_ms + cleaning.delete_retention_ms)))
    }

    /// A producer's last batch is kept, if need be without records: its sequence must not be forgotten.
    fn is_last_of_producer(&self, batch: &Batch) -> bool {
        let producer = self.producers.get(batch.producer_id());
        let last = producer.filter(|p| p.epoch == batch.producer_epoch()).and_then(|p| p.batches.back());
        last.is_some_and(|written| written.last_offset == batch.last_offset())
    }
}

fn rewrite(batch: &Batch, left: Vec<Record>, horizon: Option<i64>) -> Batch {
    let mut shape = Shape::of(batch);
    let appended = batch.attributes().log_append_time().then(|| batch.max_timestamp());
    match (left.first(), horizon) {
        // An emptied batch keeps the largest timestamp that it had.
        (None, _) => shape.base_timestamp = -1,
        (Some(_), Some(horizon)) => {
            shape.attributes |= DELETE_HORIZON;
            shape.base_timestamp = horizon;
        }
        (Some(_), None) if batch.attributes().delete_horizon() => {}
        (Some(first), None) => shape.base_timestamp = appended.unwrap_or(first.timestamp),
    }
    if appended.is_none() && !left.is_empty() {
        shape.max_timestamp = left.iter().map(|r| r.timestamp).max().unwrap_or(-1);
    }
    let item = |record: Record| Item {
        offset_delta: (record.offset - batch.base_offset()) as i32,
        timestamp: record.timestamp,
        key: record.key,
        value: record.value,
        headers: record.headers,
    };
    let items: Vec<Item> = left.into_iter().map(item).collect();
    let bytes = encode(shape, &items).expect("the codec of a batch that could be read exists");
    Batch::new(bytes).expect("an encoded batch is one batch")
}
