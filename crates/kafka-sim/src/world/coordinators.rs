//! Moving the coordinator of a group or a transaction, and asking for it, as a test does.

use crate::cluster::Cluster;
use crate::coordination::Coordinated;
use crate::timers;

impl Cluster {
    /// Moves the coordinator of a group or transactional id to `broker`, for as long as that is up. Requests
    /// that wait at the old one are answered NOT_COORDINATOR. Nothing happens if there is no such broker.
    pub fn move_coordinator(&self, what: Coordinated, key: &str, broker: i32) {
        let moved = self.with(|state| {
            if state.broker(broker).is_none() {
                return false;
            }
            let placement = match what {
                Coordinated::Group => state.groups.placement_mut(),
                Coordinated::Transaction => state.transactions.placement_mut(),
            };
            placement.move_to(key, broker);
            timers::run(state);
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
