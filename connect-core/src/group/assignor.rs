//! The assignors of a worker behind one door: the leader of a round asks [`Assignor::assign`] for everybody's assignment.

use std::collections::HashMap;

use bytes::Bytes;

use super::eager;
use super::incremental::IncrementalAssignor;
use super::protocol::{Assignment, ConnectProtocol};
use super::round::{ConfigSnapshot, Round, Share};
use super::wire::ProtocolError;
use super::work::ConnectorsAndTasks;
use crate::ids::TaskId;

/// The outcome of a round.
#[derive(Debug, Clone)]
pub struct GroupAssignment {
    /// Assignments by member id.
    pub assignments: Vec<(String, Assignment)>,
    /// Work by member; `None` when nobody got work because the leader is behind.
    pub leader_state: Option<LeaderState>,
    protocol: ConnectProtocol,
}

impl GroupAssignment {
    /// The bytes for SyncGroup, by member id.
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`].
    pub fn encode(&self) -> Result<Vec<(String, Bytes)>, ProtocolError> {
        let one =
            |(id, assignment): &(String, Assignment)| Ok((id.clone(), assignment.encode(self.protocol)?));
        self.assignments.iter().map(one).collect()
    }
}

/// Addresses to which the leader sends requests about a connector or a task. Valid until the next rebalance begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeaderState {
    connectors: HashMap<String, String>,
    tasks: HashMap<TaskId, String>,
}

impl LeaderState {
    fn new(round: &Round, shares: &[Share]) -> Self {
        let urls: HashMap<&str, &str> =
            round.members.iter().map(|(id, m)| (id.as_str(), m.url.as_str())).collect();
        let mut state = Self::default();
        for share in shares {
            let url = urls.get(share.member.as_str()).copied().unwrap_or_default();
            state.connectors.extend(share.owned.connectors.iter().map(|c| (c.clone(), url.to_owned())));
            state.tasks.extend(share.owned.tasks.iter().map(|t| (t.clone(), url.to_owned())));
        }
        state
    }

    /// REST URL of the worker that runs a connector's instance; `None` while nobody does.
    pub fn connector_owner(&self, connector: &str) -> Option<&str> {
        self.connectors.get(connector).map(String::as_str)
    }

    /// REST URL of the worker that runs a task; `None` while nobody does.
    pub fn task_owner(&self, task: &TaskId) -> Option<&str> {
        self.tasks.get(task).map(String::as_str)
    }
}

/// The assignors of one worker. It lives as long as the worker, because the incremental one remembers earlier rounds
/// that this worker led.
#[derive(Debug, Clone)]
pub struct Assignor {
    incremental: IncrementalAssignor,
}

impl Assignor {
    /// `max_delay_ms`: `scheduled.rebalance.max.delay.ms`.
    pub fn new(max_delay_ms: i32) -> Self {
        Self { incremental: IncrementalAssignor::new(max_delay_ms) }
    }

    /// Of this work, what no member reports in the next round is not waited for but given away as new.
    pub fn give_up(&mut self, work: ConnectorsAndTasks) {
        self.incremental.give_up(work);
    }

    /// Divides the work. `now_ms` is a clock that only grows and never says 0 or less; which one is of no importance.
    ///
    /// A snapshot that is behind [`Round::config_offset`] gives every member CONFIG_MISMATCH.
    pub fn assign(&mut self, round: &Round, snapshot: &ConfigSnapshot, now_ms: i64) -> GroupAssignment {
        let wanted = round.config_offset();
        if snapshot.offset < wanted {
            let mismatch = round.blank(Assignment::CONFIG_MISMATCH, wanted);
            let assignments = round.members.iter().map(|(id, _)| (id.clone(), mismatch.clone())).collect();
            return GroupAssignment { assignments, leader_state: None, protocol: round.protocol };
        }
        let (shares, delay_ms) = match round.protocol {
            ConnectProtocol::Eager => (eager::assign(round, snapshot), 0),
            _ => self.incremental.assign(round, snapshot, now_ms),
        };
        let leader_state = Some(LeaderState::new(round, &shares));
        let blank = Assignment { delay_ms, ..round.blank(Assignment::NO_ERROR, snapshot.offset) };
        let whole = |share: Share| {
            let assignment = Assignment { assigned: share.assigned, revoked: share.revoked, ..blank.clone() };
            (share.member, assignment)
        };
        let assignments = shares.into_iter().map(whole).collect();
        GroupAssignment { assignments, leader_state, protocol: round.protocol }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::protocol::Metadata;
    use super::*;

    fn snapshot(tasks: usize) -> ConfigSnapshot {
        ConfigSnapshot { offset: 1, connectors: BTreeMap::from([("c".to_owned(), tasks)]) }
    }

    fn round(generation: i32, members: &[(&str, Option<&Assignment>)]) -> Round {
        let metadata = |held: Option<&Assignment>| Metadata {
            url: "http://x/".to_owned(),
            config_offset: 1,
            allocation: held.cloned(),
        };
        Round {
            protocol: ConnectProtocol::Sessioned,
            leader: "a".to_owned(),
            generation,
            last_completed_generation: generation - 1,
            members: members.iter().map(|(id, held)| ((*id).to_owned(), metadata(*held))).collect(),
        }
    }

    fn of(assigned: &GroupAssignment, member: &str) -> Assignment {
        let found = assigned.assignments.iter().find(|(id, _)| id == member);
        found.unwrap().1.clone()
    }

    fn task(task: usize) -> TaskId {
        TaskId { connector: "c".to_owned(), task }
    }

    #[test]
    fn what_was_stopped_in_good_order_is_not_waited_for() {
        for in_good_order in [false, true] {
            let mut assignor = Assignor::new(1000);
            let first = assignor.assign(&round(0, &[("a", None), ("b", None)]), &snapshot(3), 1);
            let (held, lost) = (of(&first, "a"), of(&first, "b").assigned);
            assert!(!lost.is_empty());
            if in_good_order {
                assignor.give_up(lost.clone());
            }
            let second = of(&assignor.assign(&round(1, &[("a", Some(&held))]), &snapshot(3), 2), "a");
            assert_eq!(second.delay_ms == 0, in_good_order);
            assert_eq!(lost.minus(&second.assigned).is_empty(), in_good_order, "{second:?}");
        }
    }

    #[test]
    fn what_is_no_longer_configured_is_revoked_though_it_was_stopped() {
        let mut assignor = Assignor::new(1000);
        let first = assignor.assign(&round(0, &[("a", None)]), &snapshot(2), 1);
        assignor.give_up(ConnectorsAndTasks { tasks: vec![task(0), task(1)], ..Default::default() });
        let second = assignor.assign(&round(1, &[("a", Some(&of(&first, "a")))]), &snapshot(1), 2);
        assert_eq!(of(&second, "a").revoked.tasks, [task(1)]);
    }
}
