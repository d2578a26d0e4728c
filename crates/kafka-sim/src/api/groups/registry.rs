//! The groups of a cluster, by id. They live in the cluster's state, so they survive their coordinators.

use std::collections::BTreeMap;

use super::group::Group;
use crate::coordination::{Placement, partition_of};
use crate::parts::Broker;

/// The groups of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub(super) groups: BTreeMap<String, Group>,
    placement: Placement,
    tickets: u64,
}

impl Groups {
    /// Expires sessions and ends rebalances that are due. True if something changed.
    pub(crate) fn run_timers(&mut self, brokers: &BTreeMap<i32, Broker>, now: i64) -> bool {
        let mut changed = false;
        for (id, group) in &mut self.groups {
            changed |= group.coordinated_by(self.placement.of(brokers, id), now);
            changed |= group.run_timers(now);
        }
        changed
    }

    /// When something is due next, ms since 1970.
    pub(crate) fn next_timer_ms(&self) -> Option<i64> {
        self.groups.values().filter_map(Group::next_timer_ms).min()
    }

    pub(crate) fn placement_mut(&mut self) -> &mut Placement {
        &mut self.placement
    }

    /// The broker that coordinates a group, -1 if none is up.
    pub(crate) fn coordinator(&self, brokers: &BTreeMap<i32, Broker>, group: &str) -> i32 {
        self.placement.of(brokers, group)
    }

    pub(crate) fn get(&self, group: &str) -> Option<&Group> {
        self.groups.get(group)
    }

    pub(crate) fn get_mut(&mut self, group: &str) -> Option<&mut Group> {
        self.groups.get_mut(group)
    }

    /// A group, new if it does not exist.
    pub(super) fn get_or_new(&mut self, id: &str, coordinator: i32, delay_ms: i64) -> &mut Group {
        self.groups.entry(id.to_owned()).or_insert_with(|| Group::new(coordinator, delay_ms))
    }

    pub(super) fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// A transaction that touched offsets in this partition of `__consumer_offsets` has ended.
    pub(crate) fn end_transaction(
        &mut self,
        offsets_partition: i32,
        count: i32,
        producer_id: i64,
        commit: bool,
    ) {
        for (id, group) in &mut self.groups {
            if partition_of(id, count) == offsets_partition {
                group.offsets.end_transaction(producer_id, commit);
            }
        }
    }

    /// Forgets the offsets of a topic that was deleted.
    pub(crate) fn forget_topic(&mut self, topic: &str) {
        self.groups.values_mut().for_each(|group| group.offsets.forget_topic(topic));
    }
}
