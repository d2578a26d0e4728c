//! The broker that coordinates a group or a transaction. `api::groups` and `api::transactions` ask
//! [`Placement`].

use std::collections::BTreeMap;

use crate::parts::Broker;

/// Kind of what is coordinated.
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

/// Coordinators of the keys of one type: the broker that would lead the key's partition of the internal
/// topic, or the next one that is up; or by the broker to which a test has moved it, while that is up.
#[derive(Debug, Default)]
pub(crate) struct Placement {
    moved: BTreeMap<String, i32>,
}

impl Placement {
    /// A test moves a key's coordinator to `broker`.
    pub(crate) fn move_to(&mut self, key: &str, broker: i32) {
        self.moved.insert(key.to_owned(), broker);
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_belong_to_the_partitions_that_java_gives_them() {
        assert_eq!(partition_of("a", 50), 47);
        assert_eq!(partition_of("", 50), 0);
        assert_eq!(partition_of("connect-group", 1), 0);
        // The one string of this test whose hash is the smallest integer, whose absolute value does not
        // exist.
        assert_eq!(partition_of("polygenelubricants", 50), 0);
    }
}
