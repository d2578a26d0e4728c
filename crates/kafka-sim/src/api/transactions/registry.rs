//! The transactions of a cluster, by transactional id, and the producer ids given out. `timers` asks what is
//! due.

use std::collections::BTreeMap;

use super::transaction::{Phase, Transaction};
use crate::coordination::Placement;
use crate::parts::Broker;

/// Producer ids given out and transactions of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    pub(super) known: BTreeMap<String, Transaction>,
    pub(super) placement: Placement,
    pub(super) ids: ProducerIds,
    /// No broker is up.
    asleep: bool,
}

/// Gives out producer ids.
#[derive(Debug, Default)]
pub(super) struct ProducerIds(i64);

impl ProducerIds {
    pub(super) fn next(&mut self) -> i64 {
        self.0 += 1;
        self.0 - 1
    }
}

impl Transactions {
    /// Fences transactions that have timed out. The ids of those that are to end now, if there are leaders
    /// for their markers.
    pub(crate) fn due(&mut self, brokers: &BTreeMap<i32, Broker>, now: i64) -> Vec<String> {
        let mut due = Vec::new();
        self.asleep = !brokers.values().any(|b| b.up);
        if self.asleep {
            return due;
        }
        for (id, transaction) in &mut self.known {
            let coordinator = self.placement.of(brokers, id);
            if coordinator != transaction.coordinator {
                transaction.coordinator = coordinator;
                transaction.coordinator_epoch += 1;
            }
            if transaction.phase == Phase::Ongoing && transaction.due_ms <= now {
                transaction.fence();
            }
            if transaction.ending().is_some() {
                due.push(id.clone());
            }
        }
        due
    }

    /// When the next times out, ms since 1970.
    pub(crate) fn next_timer_ms(&self) -> Option<i64> {
        let ongoing = self.known.values().filter(|t| t.phase == Phase::Ongoing);
        ongoing.map(|t| t.due_ms).min().filter(|_| !self.asleep)
    }

    pub(crate) fn placement_mut(&mut self) -> &mut Placement {
        &mut self.placement
    }

    /// The broker that coordinates a transactional id, -1 if none is up.
    pub(crate) fn coordinator(&self, brokers: &BTreeMap<i32, Broker>, id: &str) -> i32 {
        self.placement.of(brokers, id)
    }
}
