//! Offsets of records on their way to Kafka. For each source partition only the offset of the newest record before which
//! all are stored may be committed: one record that waits holds up its own partition and no other.

use std::collections::{HashMap, VecDeque};

use connect_api::{SourceOffset, SourcePartition};

#[derive(Debug)]
struct Entry {
    offset: SourceOffset,
    done: bool,
}

#[derive(Debug)]
struct Queue {
    partition: SourcePartition,
    entries: VecDeque<Entry>,
    /// Number of the first of `entries`, counted from the beginning.
    first: u64,
    committable: Option<SourceOffset>,
}

/// Which entry of which partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    queue: usize,
    number: u64,
}

/// The offsets of one task.
#[derive(Debug, Default)]
pub(super) struct Submitted {
    queues: Vec<Queue>,
    by_key: HashMap<String, usize>,
}

impl Submitted {
    /// Takes note of a record that is about to be sent.
    pub(super) fn push(&mut self, partition: &SourcePartition, offset: SourceOffset) -> Place {
        let key = identity(partition);
        let queue = match self.by_key.get(&key) {
            Some(index) => *index,
            None => {
                let entries = VecDeque::new();
                self.queues.push(Queue {
                    partition: partition.clone(),
                    entries,
                    first: 0,
                    committable: None,
                });
                self.by_key.insert(key, self.queues.len() - 1);
                self.queues.len() - 1
            }
        };
        let entries = &mut self.queues[queue];
        entries.entries.push_back(Entry { offset, done: false });
        Place { queue, number: entries.first + entries.entries.len() as u64 - 1 }
    }

    /// The record is stored, or its failure is tolerated.
    pub(super) fn done(&mut self, place: Place) {
        let queue = &mut self.queues[place.queue];
        let index = place.number.checked_sub(queue.first).and_then(|index| usize::try_from(index).ok());
        if let Some(entry) = index.and_then(|index| queue.entries.get_mut(index)) {
            entry.done = true;
        }
        while queue.entries.front().is_some_and(|entry| entry.done) {
            queue.committable = queue.entries.pop_front().map(|entry| entry.offset);
            queue.first += 1;
        }
    }

    /// True when [`Submitted::take`] would give something.
    pub(super) fn is_dirty(&self) -> bool {
        self.queues.iter().any(|queue| queue.committable.is_some())
    }

    /// The offsets that may be committed and are not yet.
    pub(super) fn take(&mut self) -> Vec<(SourcePartition, SourceOffset)> {
        let take = |queue: &mut Queue| Some((queue.partition.clone(), queue.committable.take()?));
        self.queues.iter_mut().filter_map(take).collect()
    }

    /// These were taken but could not be committed; newer ones stand.
    pub(super) fn restore(&mut self, offsets: Vec<(SourcePartition, SourceOffset)>) {
        for (partition, offset) in offsets {
            if let Some(index) = self.by_key.get(&identity(&partition)) {
                self.queues[*index].committable.get_or_insert(offset);
            }
        }
    }
}

/// The same text for maps that differ only in the order of their entries.
pub(super) fn identity(partition: &SourcePartition) -> String {
    let mut fields: Vec<_> = partition.0.iter().collect();
    fields.sort_by(|a, b| a.0.cmp(b.0));
    format!("{fields:?}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::{Map, Value, json};

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn offsets(taken: Vec<(SourcePartition, SourceOffset)>) -> Vec<(String, i64)> {
        taken
            .into_iter()
            .map(|(p, o)| (p.0["f"].as_str().unwrap().to_owned(), o["o"].as_i64().unwrap()))
            .collect()
    }

    #[test]
    fn a_waiting_record_holds_up_its_own_partition_only() {
        let mut submitted = Submitted::default();
        let a = SourcePartition(map(json!({"f": "a", "g": 1})));
        let same = SourcePartition(map(json!({"g": 1, "f": "a"})));
        let b = SourcePartition(map(json!({"f": "b"})));
        let places: Vec<_> = [(&a, 1), (&same, 2), (&b, 3), (&a, 4)]
            .map(|(partition, offset)| submitted.push(partition, map(json!({"o": offset}))))
            .into();
        submitted.done(places[1]);
        submitted.done(places[2]);
        assert_eq!(offsets(submitted.take()), [("b".to_owned(), 3)]);
        submitted.done(places[0]);
        let taken = submitted.take();
        assert_eq!(offsets(taken.clone()), [("a".to_owned(), 2)]);
        assert!(!submitted.is_dirty());
        submitted.restore(taken);
        assert_eq!(offsets(submitted.take()), [("a".to_owned(), 2)]);
        submitted.done(places[3]);
        submitted.restore(vec![(a, map(json!({"o": 2})))]);
        assert_eq!(offsets(submitted.take()), [("a".to_owned(), 4)], "the newer one stands");
    }
}
