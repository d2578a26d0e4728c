//! Rebalances of a group: the wait for members, the election, and the way of assignments from the leader to
//! the others.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::group::{Group, Rebalance};
use super::member::{Joined, Member, Phase, Synced};

impl Group {
    pub(super) fn rebalance_ms(&self) -> i64 {
        self.members.iter().map(|m| m.said.rebalance_ms).max().unwrap_or(0)
    }

    /// Begins a rebalance unless one waits for members already.
    pub(crate) fn prepare_rebalance(&mut self, now: i64) {
        let (whole, delay) = (self.rebalance_ms(), self.initial_delay_ms);
        let initial = match self.phase {
            Phase::PreparingRebalance => return,
            Phase::Empty => Some((whole - delay).max(0)),
            Phase::CompletingRebalance | Phase::Stable => None,
        };
        let again = ResponseError::RebalanceInProgress.code();
        for member in &mut self.members {
            if let Some(ticket) = member.sync.take() {
                member.expires_ms = now + member.said.session_ms;
                self.synced.insert(ticket, Synced::error(again));
            }
        }
        self.sync_deadline_ms = None;
        let deadline_ms = now + if initial.is_some() { delay } else { whole };
        self.rebalance = Some(Rebalance { deadline_ms, initial_left_ms: initial, grew: false });
        self.phase = Phase::PreparingRebalance;
    }

    /// Ends the wait for members when all are there.
    pub(super) fn try_complete_join(&mut self, now: i64) {
        let Some(rebalance) = self.rebalance else { return };
        let all = self.members.iter().all(|m| m.join.is_some()) && self.pending.is_empty();
        let done = match rebalance.initial_left_ms {
            Some(_) => rebalance.deadline_ms <= now,
            None => all,
        };
        if done {
            self.end_wait(now);
        }
    }

    /// The wait for members is over, or begins again.
    pub(super) fn end_wait(&mut self, now: i64) {
        let Some(rebalance) = self.rebalance.take() else { return };
        if let Some(left) = rebalance.initial_left_ms.filter(|left| rebalance.grew && *left > 0) {
            let pause = self.initial_delay_ms.min(left);
            let initial_left_ms = Some(left - pause);
            self.rebalance = Some(Rebalance { deadline_ms: now + pause, initial_left_ms, grew: false });
            return;
        }
        self.members.retain(|m| m.join.is_some() || m.said.instance.is_some());
        if !self.elect() && !self.members.is_empty() {
            // Only static members, none of which came back: it waits until their sessions end.
            let deadline_ms = now + self.rebalance_ms().max(1);
            self.rebalance = Some(Rebalance { deadline_ms, initial_left_ms: None, grew: false });
            return;
        }
        self.begin_generation(now);
    }

    /// A leader among those who joined; false if nobody did.
    fn elect(&mut self) -> bool {
        let leader = self.leader.as_deref().and_then(|leader| self.member(leader));
        if leader.is_some_and(|m| m.join.is_some()) {
            return true;
        }
        self.leader = self.members.iter().find(|m| m.join.is_some()).map(|m| m.id.clone());
        self.leader.is_some()
    }

    fn begin_generation(&mut self, now: i64) {
        self.generation += 1;
        if self.members.is_empty() {
            (self.phase, self.protocol, self.leader) = (Phase::Empty, None, None);
            return;
        }
        self.phase = Phase::CompletingRebalance;
        self.protocol = self.elect_protocol();
        self.sync_deadline_ms = Some(now + self.rebalance_ms());
        let answers: Vec<Joined> = self.members.iter().map(|m| self.joined_as(&m.id)).collect();
        for (member, answer) in self.members.iter_mut().zip(answers) {
            member.expires_ms = now + member.said.session_ms;
            member.unsynced = true;
            if let Some(ticket) = member.join.take() {
                self.joined.insert(ticket, answer);
            }
        }
    }

    /// The protocol for which most members vote, of those that all know; each votes for the first of its own.
    pub(crate) fn elect_protocol(&self) -> Option<String> {
        let common = |name: &str| self.members.iter().all(|m| m.supports(name));
        let mut votes: Vec<(&str, usize)> = Vec::new();
        for member in &self.members {
            let Some((choice, _)) = member.said.protocols.iter().find(|(name, _)| common(name)) else {
                continue;
            };
            match votes.iter_mut().find(|(name, _)| name == choice) {
                Some((_, count)) => *count += 1,
                None => votes.push((choice, 1)),
            }
        }
        let most = votes.iter().map(|(_, count)| *count).max()?;
        votes.iter().find(|(_, count)| *count == most).map(|(name, _)| (*name).to_owned())
    }

    /// The answer to a member's JoinGroup in this generation.
    pub(crate) fn joined_as(&self, member: &str) -> Joined {
        let members = if self.is_leader(member) { self.all_metadata() } else { Vec::new() };
        Joined {
            error: 0,
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: member.to_owned(),
            skip_assignment: false,
            members,
        }
    }

    fn all_metadata(&self) -> Vec<(String, Option<String>, Bytes)> {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let one = |m: &Member| (m.id.clone(), m.said.instance.clone(), m.metadata(protocol));
        self.members.iter().map(one).collect()
    }

    fn synced_as(&self, assignment: Bytes) -> Synced {
        let (protocol_type, protocol) = (self.protocol_type.clone(), self.protocol.clone());
        Synced { error: 0, protocol_type, protocol, assignment }
    }

    /// A member asks for its assignment; the leader brings all. `None`: the answer comes with `ticket`.
    pub(crate) fn sync(
        &mut self,
        id: &str,
        assignments: &mut dyn Iterator<Item = (String, Bytes)>,
        ticket: u64,
        now: i64,
    ) -> Option<Synced> {
        let leads = self.is_leader(id);
        let phase = self.phase;
        let Some(member) = self.member_mut(id) else {
            return Some(Synced::error(ResponseError::UnknownMemberId.code()));
        };
        member.unsynced = false;
        member.expires_ms = now + member.said.session_ms;
        match phase {
            Phase::Empty => return Some(Synced::error(ResponseError::UnknownMemberId.code())),
            Phase::PreparingRebalance => {
                return Some(Synced::error(ResponseError::RebalanceInProgress.code()));
            }
            Phase::Stable => {
                let assignment = member.assignment.clone();
                return Some(self.synced_as(assignment));
            }
            Phase::CompletingRebalance => member.sync = Some(ticket),
        }
        if leads {
            self.assign(assignments, now);
        }
        None
    }

    fn assign(&mut self, assignments: &mut dyn Iterator<Item = (String, Bytes)>, now: i64) {
        let mut assignments: BTreeMap<String, Bytes> = assignments.collect();
        self.phase = Phase::Stable;
        let empty = self.synced_as(Bytes::new());
        for member in &mut self.members {
            member.assignment = assignments.remove(&member.id).unwrap_or_default();
            if let Some(ticket) = member.sync.take() {
                member.expires_ms = now + member.said.session_ms;
                self.synced.insert(ticket, Synced { assignment: member.assignment.clone(), ..empty.clone() });
            }
        }
    }
}
