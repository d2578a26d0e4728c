//! Which broker coordinates a group or a transaction, and moving that. `api::groups` and `api::transactions` ask
//! [`Placement`]; tests call [`Cluster::move_coordinator`].

use std::collections::BTreeMap;

use crate::cluster::Cluster;
use crate::state::{Broker, State};

/// What is coordinated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coordinated {
    /// A group, by its `group.id`.
    Group,
    /// The transactions of a `transactional.id`.
    Transaction,
}

impl Coordinated {
    /// The topic in which real brokers keep it.
    pub(crate) fn topic(self) -> &'static str {
        match self {
            Self::Group => "__consumer_offsets",
            Self::Transaction => "__transaction_state",
        }
    }
}

/// Where keys of one type are coordinated: by the broker that would lead the key's partition of the internal topic, or
/// the next one that is up; or by the broker to which a test has moved it, while that is up.
#[derive(Debug, Default)]
pub(crate) struct Placement {
    moved: BTreeMap<String, i32>,
}

impl Placement {
    /// The coordinator of a key, -1 if no broker is up.
    pub(crate) fn of(&self, brokers: &BTreeMap<i32, Broker>, key: &str) -> i32 {
        let up = |id: &i32| brokers.get(id).is_some_and(|b| b.up);
        if let Some(moved) = self.moved.get(key).filter(|id| up(id)) {
            return *moved;
        }
        let first = partition_of(key, 50) as usize % brokers.len().max(1);
        let ids = brokers.keys().cycle().skip(first).take(brokers.len());
        ids.copied().find(up).unwrap_or(-1)
    }
}

/// The partition of the internal topic with `count` partitions that a key belongs to.
pub(crate) fn partition_of(key: &str, count: i32) -> i32 {
    let hash =
        key.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    hash.checked_abs().unwrap_or(0) % count.max(1)
}

/// Creates the internal topic of a type, unless it is there.
pub(crate) fn ensure_topic(state: &mut State, what: Coordinated) {
    if state.topics.contains_key(what.topic()) {
        return;
    }
    let (prefix, compression) = match what {
        Coordinated::Group => ("offsets.topic", "producer"),
        Coordinated::Transaction => ("transaction.state.log", "uncompressed"),
    };
    let count = state.broker_number(&format!("{prefix}.num.partitions")).max(1) as usize;
    let factor = state.broker_number(&format!("{prefix}.replication.factor")).max(1) as usize;
    let settings =
        [("cleanup.policy", "compact"), ("compression.type", compression), ("segment.bytes", "104857600")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let replicas = state.place(0, count, factor);
    state.add_topic(what.topic(), replicas, settings.into());
}

impl Cluster {
    /// Moves the coordinator of a group or transactional id to `broker`, for as long as that is up. Requests that wait
    /// at the old one are answered NOT_COORDINATOR. Nothing happens if there is no such broker.
    pub fn move_coordinator(&self, what: Coordinated, key: &str, broker: i32) {
        let moved = self.with(|state| {
            if state.broker(broker).is_none() {
                return false;
            }
            let placement = match what {
                Coordinated::Group => state.groups.placement_mut(),
                Coordinated::Transaction => state.transactions.placement_mut(),
            };
            placement.moved.insert(key.to_owned(), broker);
            state.run_timers();
            state.touch();
            true
        });
        if moved {
            self.faults().note(broker, format!("coordinator of {what:?} '{key}' moved here"));
        }
    }

    /// The coordinator of a group or transactional id, -1 if no broker is up.
    pub fn coordinator(&self, what: Coordinated, key: &str) -> i32 {
        self.with(|state| match what {
            Coordinated::Group => state.groups.coordinator(&state.brokers, key),
            Coordinated::Transaction => state.transactions.coordinator(&state.brokers, key),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keys_belong_to_the_partitions_that_java_gives_them() {
        assert_eq!(partition_of("a", 50), 47);
        assert_eq!(partition_of("", 50), 0);
        assert_eq!(partition_of("connect-group", 1), 0);
        // The one string of this test whose hash is the smallest integer, whose absolute value does not exist.
        assert_eq!(partition_of("polygenelubricants", 50), 0);
    }

    #[test]
    fn a_coordinator_moves_when_told_and_when_its_broker_ends() {
        let cluster = Cluster::builder().brokers(3).build();
        let first = cluster.coordinator(Coordinated::Group, "g");
        let other = first % 3 + 1;
        cluster.move_coordinator(Coordinated::Group, "g", other);
        assert_eq!(cluster.coordinator(Coordinated::Group, "g"), other);
        cluster.with(|state| state.brokers.get_mut(&other).unwrap().end());
        assert_eq!(cluster.coordinator(Coordinated::Group, "g"), first);
        cluster.move_coordinator(Coordinated::Group, "g", 99);
        assert_eq!(cluster.coordinator(Coordinated::Group, "g"), first);
        assert_eq!(cluster.faults().log().len(), 1);
    }
}
