//! The offsets of a group: those committed, and those that a transaction will commit when it does.

use std::collections::BTreeMap;

/// A committed position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) metadata: String,
}

/// A topic and a partition.
pub(crate) type Partition = (String, i32);

/// All offsets of a group.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    committed: BTreeMap<Partition, Position>,
    /// By producer id.
    pending: BTreeMap<i64, BTreeMap<Partition, Position>>,
}

impl Offsets {
    pub(crate) fn commit(&mut self, partition: Partition, position: Position) {
        self.committed.insert(partition, position);
    }

    pub(crate) fn get(&self, partition: &Partition) -> Option<&Position> {
        self.committed.get(partition)
    }

    /// Partitions with an offset.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = &Partition> {
        self.committed.keys()
    }

    pub(crate) fn remove(&mut self, partition: &Partition) {
        self.committed.remove(partition);
    }

    /// Forgets all offsets of topics that are gone.
    pub(crate) fn forget_topic(&mut self, topic: &str) {
        self.committed.retain(|(t, _), _| t != topic);
        for positions in self.pending.values_mut() {
            positions.retain(|(t, _), _| t != topic);
        }
    }

    /// Commits when the transaction of this producer does.
    pub(crate) fn commit_later(&mut self, producer_id: i64, partition: Partition, position: Position) {
        self.pending.entry(producer_id).or_default().insert(partition, position);
    }

    /// The transaction of this producer has ended.
    pub(crate) fn end_transaction(&mut self, producer_id: i64, commit: bool) {
        let positions = self.pending.remove(&producer_id).unwrap_or_default();
        if commit {
            self.committed.extend(positions);
        }
    }

    /// Whether a transaction may still change the offset of this partition.
    pub(crate) fn unstable(&self, partition: &Partition) -> bool {
        self.pending.values().any(|positions| positions.contains_key(partition))
    }
}
