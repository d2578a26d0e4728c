//! Everything that a partition of the origin ever held.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use kafka_sim::Cluster;
use kafka_wire::batch::{Batch, ControlType, control_type};

use super::Partition;
use crate::records::{Content, decode};

/// Whether a reader of committed data sees a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Committed,
    /// Its transaction has not ended.
    Open,
    Aborted,
}

#[derive(Debug)]
struct Entry {
    offset: i64,
    content: Content,
    fate: Fate,
    /// False once it was lost to a truncation or another topic of the name.
    alive: bool,
}

/// The records of one partition, in the order in which they were written. Their indexes name them.
#[derive(Debug, Default)]
pub(super) struct History {
    entries: Vec<Entry>,
    by_content: HashMap<Content, usize>,
    /// Offset of the next batch that has not been seen.
    next: i64,
    /// Offsets that were written and lost in truncations.
    lost: Vec<Range<i64>>,
    /// Records of open transactions, by producer id.
    open: BTreeMap<i64, Vec<usize>>,
}

impl History {
    /// Takes in what was written since the last look.
    pub(super) fn look(&mut self, origin: &Cluster, (topic, number): &Partition) {
        let end = origin.offsets(topic, *number).map_or(0, |(_, _, end)| end);
        if end <= self.next {
            return;
        }
        for (batch, records) in decode(&origin.stored(topic, *number), self.next) {
            self.batch(&batch, records);
            self.next = batch.next_offset();
        }
    }

    fn batch(&mut self, batch: &Batch, records: Vec<(i64, Content)>) {
        if batch.attributes().control() {
            let fate = match control_type(batch) {
                Some(ControlType::Abort) => Fate::Aborted,
                _ => Fate::Committed,
            };
            for index in self.open.remove(&batch.producer_id()).unwrap_or_default() {
                self.entries[index].fate = fate;
            }
            return;
        }
        let fate = if batch.attributes().transactional() { Fate::Open } else { Fate::Committed };
        for (offset, content) in records {
            let index = self.entries.len();
            if fate == Fate::Open {
                self.open.entry(batch.producer_id()).or_default().push(index);
            }
            self.by_content.insert(content.clone(), index);
            self.entries.push(Entry { offset, content, fate, alive: true });
        }
    }

    /// Everything from `offset` on is gone.
    pub(super) fn truncated(&mut self, offset: i64) {
        for entry in self.entries.iter_mut().filter(|entry| entry.offset >= offset) {
            entry.alive = false;
        }
        self.lost.push(offset..self.next);
        self.next = self.next.min(offset);
        self.open.values_mut().for_each(|open| open.retain(|index| self.entries[*index].alive));
    }

    /// The record with exactly this content.
    pub(super) fn find(&self, content: &Content) -> Option<usize> {
        self.by_content.get(content).copied()
    }

    /// A record with the same timestamp, or else the same key and value: what another may have been made from.
    pub(super) fn find_similar(&self, content: &Content) -> Option<(i64, &Content)> {
        let same = |entry: &&Entry| {
            entry.content.timestamp == content.timestamp
                || (entry.content.headers == content.headers && entry.content.value == content.value)
        };
        self.entries.iter().find(same).map(|entry| (entry.offset, &entry.content))
    }

    /// Offset of a record.
    pub(super) fn offset(&self, index: usize) -> i64 {
        self.entries[index].offset
    }

    /// True when a reader of committed data may have seen a record.
    pub(super) fn is_committed(&self, index: usize) -> bool {
        self.entries[index].fate == Fate::Committed
    }

    /// True while a record can be read at the origin, as far as compaction and truncations go.
    pub(super) fn is_alive(&self, index: usize) -> bool {
        self.entries[index].alive
    }

    /// Records that are not in the log any more, though it has not been cut: compacted away.
    pub(super) fn cleaned(&mut self, origin: &Cluster, (topic, number): &Partition) {
        let start = origin.offsets(topic, *number).map_or(0, |(start, ..)| start);
        let kept = kept(origin, topic, *number, start);
        for entry in self.entries.iter_mut().filter(|entry| entry.offset >= start) {
            entry.alive &= kept.contains(&entry.offset);
        }
    }

    /// Records below `start` do not count: they were deleted before anything of them was promised.
    pub(super) fn forget_below(&mut self, start: i64) {
        for entry in self.entries.iter_mut().filter(|entry| entry.offset < start) {
            entry.alive = false;
        }
    }

    /// True when there was something else at an offset once, and is lost.
    pub(super) fn lost_at(&self, offset: i64) -> bool {
        self.lost.iter().any(|lost| lost.contains(&offset))
    }

    /// Indexes of the records up to an offset that are neither aborted nor lost.
    pub(super) fn written_up_to(&self, last: i64) -> impl Iterator<Item = usize> {
        let wanted = move |entry: &Entry| entry.alive && entry.offset <= last && entry.fate != Fate::Aborted;
        self.entries.iter().enumerate().filter(move |(_, entry)| wanted(entry)).map(|(index, _)| index)
    }

    /// Records, as offset and index, that a reader would still find at the origin.
    pub(super) fn obliged(
        &self,
        origin: &Cluster,
        (topic, number): &Partition,
        read_committed: bool,
    ) -> Vec<(i64, usize)> {
        let start = origin.offsets(topic, *number).map_or(0, |(start, ..)| start);
        let kept = kept(origin, topic, *number, start);
        let stable = origin.offsets(topic, *number).map_or(0, |(_, stable, _)| stable);
        let readable = |entry: &Entry| {
            let committed = entry.fate == Fate::Committed && entry.offset < stable;
            entry.alive
                && entry.offset >= start
                && kept.contains(&entry.offset)
                && (committed || !read_committed)
        };
        let all = self.entries.iter().enumerate().filter(|(_, entry)| readable(entry));
        all.map(|(index, entry)| (entry.offset, index)).collect()
    }

    /// Records, as offset and index, that were deleted below `start` without being compacted away.
    pub(super) fn expired(&self, start: i64, read_committed: bool) -> Vec<(i64, usize)> {
        let gone = |entry: &Entry| {
            entry.alive && entry.offset < start && (entry.fate == Fate::Committed || !read_committed)
        };
        let all = self.entries.iter().enumerate().filter(|(_, entry)| gone(entry));
        all.map(|(index, entry)| (entry.offset, index)).collect()
    }
}

/// Offsets of the records that the log still has.
fn kept(origin: &Cluster, topic: &str, number: i32, start: i64) -> BTreeSet<i64> {
    let stored = decode(&origin.stored(topic, number), start);
    stored.iter().flat_map(|(_, records)| records.iter().map(|(offset, _)| *offset)).collect()
}
