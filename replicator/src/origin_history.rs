//! Knowledge of a process about the origin's topics beyond one task's life: the offset store knows nothing of it. There is one
//! for each connector name and origin, kept while the process lives.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use kafka_wire::admin::TopicPartition;
use uuid::Uuid;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct OriginHistory {
    /// Ids of the topics whose partitions were copied, as this process first saw them.
    topic_ids: RwLock<BTreeMap<TopicPartition, Uuid>>,
    /// Offsets at which the origin's log was found to be another one than was read: positions beyond mean nothing.
    cuts: RwLock<BTreeMap<TopicPartition, Cut>>,
}

/// The log of a partition was truncated below the position of its copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    /// First offset that is not the one that was read.
    pub(crate) offset: i64,
    /// For people.
    pub(crate) reason: String,
}

impl OriginHistory {
    /// The id under which this process knows the topic of a partition: `id`, where it is the first (nil: the broker has
    /// none).
    pub(crate) fn known_topic_id(&self, partition: &TopicPartition, id: Uuid) -> Uuid {
        let mut ids = self.topic_ids.write().unwrap_or_else(PoisonError::into_inner);
        if id.is_nil() {
            ids.get(partition).copied().unwrap_or_default()
        } else {
            *ids.entry(partition.clone()).or_insert(id)
        }
    }

    /// Remembers a cut, for the tasks that come after a new division of the work.
    pub(crate) fn remember_cut(&self, partition: TopicPartition, cut: Cut) {
        self.cuts.write().unwrap_or_else(PoisonError::into_inner).insert(partition, cut);
    }

    /// The cut that keeps a partition from going on at `position`. One at or before the cut is in what both logs have:
    /// reading on from there, everything after it is of the new log, and the cut is forgotten.
    pub(crate) fn cut_before(&self, partition: &TopicPartition, position: i64) -> Option<Cut> {
        let mut cuts = self.cuts.write().unwrap_or_else(PoisonError::into_inner);
        if cuts.get(partition).is_some_and(|cut| position <= cut.offset) {
            cuts.remove(partition);
        }
        cuts.get(partition).cloned()
    }

    /// Forgets a partition: whoever changed its position knows what he does.
    pub(crate) fn forget(&self, partition: &TopicPartition) {
        self.topic_ids.write().unwrap_or_else(PoisonError::into_inner).remove(partition);
        self.cuts.write().unwrap_or_else(PoisonError::into_inner).remove(partition);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_holds_until_reading_begins_before_it() {
        let history = OriginHistory::default();
        let partition = ("t".to_owned(), 0);
        let cut = Cut { offset: 10, reason: "truncated".to_owned() };
        history.remember_cut(partition.clone(), cut.clone());
        assert_eq!(history.cut_before(&partition, 11), Some(cut.clone()));
        assert_eq!(history.cut_before(&("t".to_owned(), 1), 11), None);
        assert_eq!(history.cut_before(&partition, 12), Some(cut), "asking changes nothing");
        assert_eq!(history.cut_before(&partition, 10), None);
        assert_eq!(history.cut_before(&partition, 11), None, "what is beyond is of the new log now");
    }

    #[test]
    fn the_first_id_counts_until_it_is_forgotten() {
        let history = OriginHistory::default();
        let partition = ("t".to_owned(), 0);
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(history.known_topic_id(&partition, first), first);
        assert_eq!(history.known_topic_id(&partition, second), first);
        assert_eq!(history.known_topic_id(&partition, Uuid::nil()), first);
        history.forget(&partition);
        assert_eq!(history.known_topic_id(&partition, second), second);
    }
}
