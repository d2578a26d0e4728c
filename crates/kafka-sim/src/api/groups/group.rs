//! One group: its members, their generation, and the rules by which it rebalances. `join`, `sync` and
//! `members` turn requests into calls here; nothing in this file knows a request.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::ResponseError;

use super::member::{Joined, Joining, Member, Phase, Synced};
use super::offsets::Offsets;

/// A rebalance that waits for members.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rebalance {
    pub(super) deadline_ms: i64,
    /// Of the first rebalance of an empty group, which waits for more members whoever has joined: how long it
    /// may still be put off.
    pub(super) initial_left_ms: Option<i64>,
    /// A member came while the first rebalance waited.
    pub(super) grew: bool,
}

/// A group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) generation: i32,
    pub(crate) phase: Phase,
    pub(crate) protocol_type: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) leader: Option<String>,
    /// In the order in which they joined.
    pub(crate) members: Vec<Member>,
    pub(crate) offsets: Offsets,
    /// Ids given to members that have not joined with them yet, and when these ids end.
    pub(super) pending: BTreeMap<String, i64>,
    pub(super) rebalance: Option<Rebalance>,
    pub(super) sync_deadline_ms: Option<i64>,
    pub(super) initial_delay_ms: i64,
    coordinator: i32,
    pub(super) joined: BTreeMap<u64, Joined>,
    pub(super) synced: BTreeMap<u64, Synced>,
}

impl Group {
    pub(crate) fn new(coordinator: i32, initial_delay_ms: i64) -> Self {
        Self {
            generation: 0,
            phase: Phase::Empty,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: Vec::new(),
            offsets: Offsets::default(),
            pending: BTreeMap::new(),
            rebalance: None,
            sync_deadline_ms: None,
            initial_delay_ms,
            coordinator,
            joined: BTreeMap::new(),
            synced: BTreeMap::new(),
        }
    }

    pub(crate) fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|m| m.id == id)
    }

    pub(super) fn member_mut(&mut self, id: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|m| m.id == id)
    }

    /// The member with a `group.instance.id`.
    pub(crate) fn instance(&self, instance: &str) -> Option<&Member> {
        self.members.iter().find(|m| m.said.instance.as_deref() == Some(instance))
    }

    pub(crate) fn is_leader(&self, member: &str) -> bool {
        self.leader.as_deref() == Some(member)
    }

    pub(crate) fn is_pending(&self, member: &str) -> bool {
        self.pending.contains_key(member)
    }

    pub(crate) fn add_pending(&mut self, member: &str, expires_ms: i64) {
        self.pending.insert(member.to_owned(), expires_ms);
    }

    /// Takes back an id that was not used. False: it was not given.
    pub(crate) fn remove_pending(&mut self, member: &str, now: i64) -> bool {
        let removed = self.pending.remove(member).is_some();
        self.try_complete_join(now);
        removed
    }

    /// Whether a member may act under this id, instance and generation (`None`: not asked).
    pub(crate) fn check(
        &self,
        member: &str,
        instance: Option<&str>,
        generation: Option<i32>,
    ) -> Result<(), ResponseError> {
        if let Some(instance) = instance {
            match self.instance(instance) {
                None => return Err(ResponseError::UnknownMemberId),
                Some(known) if known.id != member => return Err(ResponseError::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.member(member).is_none() {
            return Err(ResponseError::UnknownMemberId);
        }
        match generation {
            Some(generation) if generation != self.generation => Err(ResponseError::IllegalGeneration),
            _ => Ok(()),
        }
    }

    /// Whether somebody who says this can be a member beside the others.
    pub(crate) fn fits(&self, said: &Joining) -> bool {
        if self.members.is_empty() {
            return !said.protocol_type.is_empty() && !said.protocols.is_empty();
        }
        let common = |(name, _): &(String, Bytes)| self.members.iter().all(|m| m.supports(name));
        self.protocol_type.as_deref() == Some(&*said.protocol_type) && said.protocols.iter().any(common)
    }

    /// A new member joins; `ticket` gets its answer.
    pub(crate) fn add(&mut self, id: &str, said: Joining, ticket: u64, now: i64) {
        if self.members.is_empty() {
            self.protocol_type = Some(said.protocol_type.clone());
        }
        if self.leader.is_none() {
            self.leader = Some(id.to_owned());
        }
        self.pending.remove(id);
        if let Some(rebalance) = self.rebalance.as_mut() {
            rebalance.grew = true;
        }
        self.members.push(Member {
            id: id.to_owned(),
            expires_ms: now + said.session_ms,
            said,
            assignment: Bytes::new(),
            join: Some(ticket),
            sync: None,
            unsynced: false,
        });
        self.prepare_rebalance(now);
        self.try_complete_join(now);
    }

    /// A member joins again.
    pub(crate) fn update(&mut self, id: &str, said: Joining, ticket: u64, now: i64) {
        self.replace_said(id, said, Some(ticket));
        self.prepare_rebalance(now);
        self.try_complete_join(now);
    }

    pub(crate) fn replace_said(&mut self, id: &str, said: Joining, ticket: Option<u64>) {
        if let Some(member) = self.member_mut(id) {
            member.said = Joining { instance: member.said.instance.take(), ..said };
            member.join = ticket;
        }
    }

    /// A member whose words have changed waits for the next generation.
    pub(crate) fn await_join(&mut self, id: &str, ticket: u64, now: i64) {
        if let Some(member) = self.member_mut(id) {
            member.join = Some(ticket);
        }
        self.prepare_rebalance(now);
        self.try_complete_join(now);
    }

    /// A static member came back under a new id; who acts under the old one is fenced.
    pub(crate) fn replace_static(&mut self, old: &str, new: &str, now: i64) {
        let fenced = ResponseError::FencedInstanceId.code();
        if self.is_leader(old) {
            self.leader = Some(new.to_owned());
        }
        let Some(member) = self.members.iter_mut().find(|m| m.id == old) else { return };
        member.id = new.to_owned();
        member.expires_ms = now + member.said.session_ms;
        if let Some(ticket) = member.join.take() {
            self.joined.insert(ticket, Joined::error(old, fenced));
        }
        if let Some(ticket) = member.sync.take() {
            self.synced.insert(ticket, Synced::error(fenced));
        }
    }

    /// Takes a member out.
    pub(crate) fn remove(&mut self, id: &str, now: i64) {
        let Some(index) = self.members.iter().position(|m| m.id == id) else { return };
        let gone = self.members.remove(index);
        let unknown = ResponseError::UnknownMemberId.code();
        if let Some(ticket) = gone.join {
            self.joined.insert(ticket, Joined::error(id, unknown));
        }
        if let Some(ticket) = gone.sync {
            self.synced.insert(ticket, Synced::error(unknown));
        }
        if self.is_leader(id) {
            self.leader = self.members.first().map(|m| m.id.clone());
        }
        self.prepare_rebalance(now);
        self.try_complete_join(now);
    }

    /// A member gave a sign of life.
    pub(crate) fn keep_alive(&mut self, id: &str, now: i64) {
        if let Some(member) = self.member_mut(id) {
            member.expires_ms = now + member.said.session_ms;
        }
    }

    /// The answer to a JoinGroup that waits, if it is there.
    pub(crate) fn take_joined(&mut self, ticket: u64) -> Option<Joined> {
        self.joined.remove(&ticket)
    }

    /// The answer to a SyncGroup that waits, if it is there.
    pub(crate) fn take_synced(&mut self, ticket: u64) -> Option<Synced> {
        self.synced.remove(&ticket)
    }

    /// Whether an answer is still to come.
    pub(crate) fn awaits(&self, ticket: u64) -> bool {
        self.members.iter().any(|m| m.join == Some(ticket) || m.sync == Some(ticket))
    }

    /// Nobody waits for this answer any more.
    pub(crate) fn drop_answer(&mut self, ticket: u64) {
        self.joined.remove(&ticket);
        self.synced.remove(&ticket);
    }

    /// Another broker has become coordinator, or none is left (-1): those who wait have to ask again, all
    /// sessions begin anew. True if something changed.
    pub(crate) fn coordinated_by(&mut self, broker: i32, now: i64) -> bool {
        if self.coordinator == broker {
            return false;
        }
        self.coordinator = broker;
        self.joined.clear();
        self.synced.clear();
        for member in &mut self.members {
            (member.join, member.sync) = (None, None);
            member.expires_ms = now + member.said.session_ms;
        }
        let deadline_ms = now + self.rebalance_ms();
        self.pending.values_mut().for_each(|expires_ms| *expires_ms = deadline_ms.max(*expires_ms));
        self.rebalance =
            self.rebalance.map(|_| Rebalance { deadline_ms, initial_left_ms: None, grew: false });
        self.sync_deadline_ms = self.sync_deadline_ms.map(|_| deadline_ms);
        true
    }

    /// Ends what is due. True if something changed.
    pub(crate) fn run_timers(&mut self, now: i64) -> bool {
        let mut changed = false;
        while self.next_timer_ms().is_some_and(|due| due <= now) {
            changed = true;
            if let Some(id) = self.pending.iter().find(|(_, due)| **due <= now).map(|(id, _)| id.clone()) {
                self.remove_pending(&id, now);
                continue;
            }
            let ended = self.members.iter().find(|m| !m.waits() && m.expires_ms <= now);
            if let Some(id) = ended.map(|m| m.id.clone()) {
                self.remove(&id, now);
                continue;
            }
            if self.rebalance.is_some_and(|r| r.deadline_ms <= now) {
                self.end_wait(now);
                continue;
            }
            self.end_sync(now);
        }
        changed
    }

    /// Takes out those who have not asked for their assignments in time.
    fn end_sync(&mut self, now: i64) {
        self.sync_deadline_ms = None;
        let late: Vec<String> = self.members.iter().filter(|m| m.unsynced).map(|m| m.id.clone()).collect();
        for id in late {
            self.remove(&id, now);
        }
    }

    /// When something is due next; `None` also while there is no coordinator.
    pub(crate) fn next_timer_ms(&self) -> Option<i64> {
        if self.coordinator < 0 {
            return None;
        }
        let sessions = self.members.iter().filter(|m| !m.waits()).map(|m| m.expires_ms);
        let rebalance = self.rebalance.map(|r| r.deadline_ms);
        let all = sessions.chain(self.pending.values().copied());
        all.chain(rebalance).chain(self.sync_deadline_ms).min()
    }
}
