//! Positions of a sink task in each of its partitions, and what of them is committed.

use std::collections::{BTreeMap, BTreeSet};

use connect_api::TopicPartition;
use tracing::warn;

use crate::ids::TaskId;

/// Offsets by partition: always the next one to read.
pub(super) type Offsets = BTreeMap<TopicPartition, i64>;

/// The positions of one task.
#[derive(Debug, Default)]
pub(super) struct Positions {
    /// After the last record put.
    current: Offsets,
    committed: Offsets,
    /// Paused by the task itself.
    paused: BTreeSet<TopicPartition>,
}

impl Positions {
    /// Partitions were assigned, to be read from here.
    pub(super) fn add(&mut self, positions: &[(TopicPartition, i64)]) {
        for (partition, offset) in positions {
            self.current.insert(partition.clone(), *offset);
            self.committed.insert(partition.clone(), *offset);
        }
    }

    /// Partitions are no longer assigned.
    pub(super) fn remove(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.current.remove(partition);
            self.committed.remove(partition);
            self.paused.remove(partition);
        }
    }

    /// All partitions that are assigned.
    pub(super) fn assigned(&self) -> Vec<TopicPartition> {
        self.current.keys().cloned().collect()
    }

    pub(super) fn has(&self, partition: &TopicPartition) -> bool {
        self.current.contains_key(partition)
    }

    /// Records up to here were put, as far as their partitions are still assigned.
    pub(super) fn put(&mut self, offsets: &Offsets) {
        for (partition, offset) in offsets {
            if let Some(current) = self.current.get_mut(partition) {
                *current = *offset;
            }
        }
    }

    /// The task reads on from here: what is before counts as committed.
    pub(super) fn rewind(&mut self, partition: &TopicPartition, offset: i64) {
        self.current.insert(partition.clone(), offset);
        self.committed.insert(partition.clone(), offset);
    }

    /// Offsets to ask the task about, restricted to `only` if given.
    pub(super) fn current(&self, only: Option<&[TopicPartition]>) -> Offsets {
        let asked = |partition: &TopicPartition| only.is_none_or(|only| only.contains(partition));
        self.current.iter().filter(|(partition, _)| asked(partition)).map(|(p, o)| (p.clone(), *o)).collect()
    }

    /// Of what a task says may be committed, what can be: assigned and consumed. Nothing when that is what is committed;
    /// otherwise all of it, so that partitions without records have a place to go on from as well.
    pub(super) fn committable(&self, id: &TaskId, allowed: Offsets) -> Offsets {
        let usable = |(partition, offset): &(TopicPartition, i64)| {
            let TopicPartition { topic, partition: number } = partition;
            match self.current.get(partition) {
                None => {
                    warn!("{id}: ignoring the offset {offset} of {topic}-{number}, which is not assigned");
                    false
                }
                Some(current) if offset > current => {
                    warn!(
                        "{id}: ignoring the offset {offset} of {topic}-{number}, which was not consumed yet"
                    );
                    false
                }
                Some(_) => true,
            }
        };
        let offsets: Offsets = allowed.into_iter().filter(usable).collect();
        if offsets.iter().all(|(partition, offset)| self.committed.get(partition) == Some(offset)) {
            Offsets::new()
        } else {
            offsets
        }
    }

    /// These offsets are committed.
    pub(super) fn committed(&mut self, offsets: &Offsets) {
        for (partition, offset) in offsets {
            if let Some(committed) = self.committed.get_mut(partition) {
                *committed = *offset;
            }
        }
    }

    /// Number of offsets between what was put and what is committed.
    pub(super) fn uncommitted(&self) -> u64 {
        let ahead = |(partition, current): (&TopicPartition, &i64)| {
            let committed = self.committed.get(partition).unwrap_or(current);
            u64::try_from(current - committed).unwrap_or(0)
        };
        self.current.iter().map(ahead).sum()
    }

    /// Back to what is committed: where to read on.
    pub(super) fn back_to_committed(&mut self, only: Option<&[TopicPartition]>) -> Offsets {
        let asked = |partition: &TopicPartition| only.is_none_or(|only| only.contains(partition));
        let mut back = Offsets::new();
        for (partition, current) in self.current.iter_mut().filter(|(partition, _)| asked(partition)) {
            if let Some(committed) = self.committed.get(partition) {
                *current = *committed;
                back.insert(partition.clone(), *committed);
            }
        }
        back
    }

    pub(super) fn set_paused(&mut self, partition: &TopicPartition, paused: bool) {
        if paused {
            self.paused.insert(partition.clone())
        } else {
            self.paused.remove(partition)
        };
    }

    /// Partitions that the task itself does not keep paused.
    pub(super) fn unpaused(&self) -> Vec<TopicPartition> {
        self.current.keys().filter(|partition| !self.paused.contains(*partition)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(number: i32) -> TopicPartition {
        TopicPartition { topic: "t".to_owned(), partition: number }
    }

    #[test]
    fn only_what_was_consumed_and_is_new_is_committed() {
        let id = TaskId { connector: "c".to_owned(), task: 0 };
        let mut positions = Positions::default();
        positions.add(&[(partition(0), 0), (partition(1), 5)]);
        positions.put(&Offsets::from([(partition(0), 10), (partition(2), 7)]));
        let allowed = Offsets::from([(partition(0), 10), (partition(1), 6), (partition(2), 7)]);
        assert_eq!(positions.committable(&id, allowed), Offsets::from([(partition(0), 10)]));
        let all = Offsets::from([(partition(0), 10), (partition(1), 5)]);
        assert_eq!(
            positions.committable(&id, all.clone()),
            all,
            "what has no records is committed with the rest"
        );
        let nothing_new = Offsets::from([(partition(0), 0), (partition(1), 5)]);
        assert_eq!(positions.committable(&id, nothing_new), Offsets::new());
        assert_eq!(positions.uncommitted(), 10);
        positions.committed(&Offsets::from([(partition(0), 8)]));
        assert_eq!(positions.uncommitted(), 2);
        positions.put(&Offsets::from([(partition(0), 12)]));
        assert_eq!(positions.back_to_committed(None), Offsets::from([(partition(0), 8), (partition(1), 5)]));
        assert_eq!(positions.current(Some(&[partition(0)])), Offsets::from([(partition(0), 8)]));
        positions.remove(&[partition(0)]);
        assert_eq!(positions.assigned(), [partition(1)]);
    }
}
