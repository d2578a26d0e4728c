//! Account of what was delivered and acknowledged, for each source partition: the position that may be committed is
//! never past the lowest offset that is not acknowledged.

use std::collections::VecDeque;
use std::sync::Arc;

use kafka_wire::failpoint::planted;

use connect_api::{BatchPayload, SourcePartition};

/// A stretch of the source that was handed to the producer, or needs no copy.
#[derive(Debug)]
struct Entry {
    first: i64,
    last: i64,
    records: Option<Records>,
    done: bool,
}

/// Records of a stretch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Records {
    /// Source offset of the first.
    pub(super) first: i64,
    /// True when they have successive offsets.
    pub(super) dense: bool,
}

impl Records {
    /// Those of a batch.
    pub(super) fn of(payload: &BatchPayload) -> Self {
        Self { first: payload.first_record, dense: payload.dense }
    }
}

#[derive(Debug)]
struct PartitionLedger {
    source: Arc<SourcePartition>,
    entries: VecDeque<Entry>,
    /// Everything up to here is acknowledged.
    position: Option<i64>,
    committed: Option<i64>,
}

/// The ledger of one task.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    partitions: Vec<Option<PartitionLedger>>,
    outstanding: usize,
}

impl Ledger {
    /// Takes note of a stretch; without `records` there is nothing to wait for. Returns the position if it moved.
    pub(super) fn push(
        &mut self,
        partition: usize,
        source: &Arc<SourcePartition>,
        first: i64,
        last: i64,
        records: Option<Records>,
    ) -> Option<i64> {
        let done = records.is_none();
        if self.partitions.len() <= partition {
            self.partitions.resize_with(partition + 1, || None);
        }
        let ledger = self.partitions[partition].get_or_insert_with(|| PartitionLedger {
            source: source.clone(),
            entries: VecDeque::new(),
            position: None,
            committed: None,
        });
        ledger.entries.push_back(Entry { first, last, records, done });
        if planted("commit-before-ack") {
            ledger.position = Some(last);
        }
        self.outstanding += usize::from(!done);
        ledger.advance()
    }

    /// Records of the stretch that ends at `last` and is not acknowledged. Found at once when asked for in order.
    pub(super) fn records(&self, partition: usize, last: i64) -> Option<Records> {
        let ledger = self.partitions.get(partition).and_then(Option::as_ref)?;
        ledger.entries.iter().take_while(|e| e.last <= last).find(|e| e.last == last)?.records
    }

    /// Everything of the partition up to `last` is stored. Returns the position if it moved.
    pub(super) fn acknowledge(&mut self, partition: usize, last: i64) -> Option<i64> {
        let ledger = self.partitions.get_mut(partition).and_then(Option::as_mut)?;
        for entry in ledger.entries.iter_mut().take_while(|e| e.last <= last).filter(|e| !e.done) {
            entry.done = true;
            self.outstanding -= 1;
        }
        ledger.advance()
    }

    /// Forgets the stretch that ends at `last` and all behind it; returns where it began.
    pub(super) fn rewind(&mut self, partition: usize, last: i64) -> Option<i64> {
        let ledger = self.partitions.get_mut(partition).and_then(Option::as_mut)?;
        let at = ledger.entries.iter().position(|e| e.last >= last)?;
        let dropped: Vec<Entry> = ledger.entries.drain(at..).collect();
        self.outstanding -= dropped.iter().filter(|e| !e.done).count();
        dropped.first().map(|e| e.first)
    }

    /// Stretches that wait for their acknowledgement.
    pub(super) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Positions that have moved since they were last committed, as `(partition, source, last offset)`.
    pub(super) fn uncommitted(&self) -> Vec<(usize, Arc<SourcePartition>, i64)> {
        let moved = |(index, ledger): (usize, &Option<PartitionLedger>)| {
            let ledger = ledger.as_ref().filter(|l| l.position != l.committed)?;
            Some((index, ledger.source.clone(), ledger.position?))
        };
        self.partitions.iter().enumerate().filter_map(moved).collect()
    }

    /// True when [`Ledger::uncommitted`] is not empty.
    pub(super) fn is_dirty(&self) -> bool {
        self.partitions.iter().flatten().any(|l| l.position != l.committed)
    }

    /// These positions are in the offset store.
    pub(super) fn committed(&mut self, positions: &[(usize, Arc<SourcePartition>, i64)]) {
        for (index, _, position) in positions {
            if let Some(ledger) = self.partitions.get_mut(*index).and_then(Option::as_mut) {
                ledger.committed = Some(*position);
            }
        }
    }
}

impl PartitionLedger {
    /// Passes what is done; returns the position if it moved.
    fn advance(&mut self) -> Option<i64> {
        let mut moved = None;
        while self.entries.front().is_some_and(|e| e.done) {
            moved = self.entries.pop_front().map(|e| e.last);
            self.position = moved;
        }
        moved
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn ledger(entries: &[(i64, i64, bool)]) -> Ledger {
        let mut ledger = Ledger::default();
        let source = Arc::new(SourcePartition(serde_json::Map::new()));
        for (first, last, done) in entries {
            let records = (!done).then_some(Records { first: *first, dense: true });
            ledger.push(0, &source, *first, *last, records);
        }
        ledger
    }

    fn position(ledger: &Ledger) -> Option<i64> {
        ledger.uncommitted().first().map(|(_, _, position)| *position)
    }

    #[test]
    fn the_position_never_passes_what_is_not_acknowledged() {
        let mut ledger = ledger(&[(0, 4, false), (5, 9, false), (10, 10, true)]);
        assert_eq!(position(&ledger), None);
        assert_eq!(ledger.acknowledge(0, 4), Some(4));
        assert_eq!(position(&ledger), Some(4));
        assert_eq!(ledger.acknowledge(0, 9), Some(10));
        assert_eq!(position(&ledger), Some(10), "what needs no copy goes with what is before it");
        assert_eq!(ledger.outstanding(), 0);
    }

    #[test]
    fn the_records_of_a_stretch_are_known_until_it_is_acknowledged() {
        let mut ledger = ledger(&[(0, 4, false), (5, 9, true), (10, 12, false)]);
        assert_eq!(ledger.records(0, 12), Some(Records { first: 10, dense: true }));
        assert_eq!((ledger.records(0, 9), ledger.records(0, 11), ledger.records(1, 4)), (None, None, None));
        ledger.acknowledge(0, 4);
        assert_eq!(ledger.records(0, 4), None);
    }

    #[test]
    fn a_rewind_names_where_to_read_again() {
        let mut ledger = ledger(&[(0, 4, false), (5, 9, false), (10, 12, false)]);
        assert_eq!(ledger.rewind(0, 9), Some(5));
        assert_eq!(ledger.outstanding(), 1);
        ledger.acknowledge(0, 4);
        assert_eq!(position(&ledger), Some(4));
        assert_eq!(ledger.rewind(0, 100), None);
    }

    #[test]
    fn a_committed_position_is_not_committed_again() {
        let mut ledger = ledger(&[(0, 4, true)]);
        let positions = ledger.uncommitted();
        ledger.committed(&positions);
        assert!(!ledger.is_dirty());
        assert!(ledger.uncommitted().is_empty());
    }
}
