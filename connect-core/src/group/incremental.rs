//! The incremental cooperative assignor (KIP-415, with the back-off of KAFKA-12495): work stays where it is; what is new
//! or lost goes to whoever has least; surplus is revoked in one round and given away in the next; the work of a worker
//! that has left waits for its return, up to `scheduled.rebalance.max.delay.ms`. Called by [`super::Assignor`].

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};

use java::order::{compare, sort_as_hash_map};
use tracing::{debug, info};

use super::protocol::Metadata;
use super::round::{ConfigSnapshot, Round, Share};
use super::work::ConnectorsAndTasks;
use crate::ids::TaskId;

/// Growth of the pauses between successive revocations, from 1 ms on.
const BACKOFF_FACTOR: f64 = 40.0;

/// The leader-side memory of earlier rounds. It is worth something only while this worker leads round after round; what
/// is outdated is noticed by the generation and forgotten.
#[derive(Debug, Clone)]
pub struct IncrementalAssignor {
    max_delay_ms: i32,
    /// Everything assigned in the previous round, lost work that nobody runs yet included.
    previous: ConnectorsAndTasks,
    previous_revocation: ConnectorsAndTasks,
    previous_generation: i32,
    previous_members: BTreeSet<String>,
    /// Members that had no work while lost work waited: maybe the ones that lost it.
    candidates: Vec<String>,
    /// When the delay ends, 0 while there is none.
    scheduled_rebalance_ms: i64,
    delay_ms: i32,
    /// Work that is not waited for.
    given_up: ConnectorsAndTasks,
    revoked_in_previous: bool,
    successive_revocations: i32,
}

/// Work of one member after the round, as far as it is known.
struct Load<'a> {
    member: &'a str,
    /// Work that it runs now, without the deleted.
    current: ConnectorsAndTasks,
    next: ConnectorsAndTasks,
    revoked: ConnectorsAndTasks,
}

impl Load<'_> {
    fn revoke(&mut self, work: &ConnectorsAndTasks) {
        self.revoked.add(work);
        self.next.remove(work);
    }
}

impl IncrementalAssignor {
    /// `max_delay_ms`: `scheduled.rebalance.max.delay.ms`.
    pub fn new(max_delay_ms: i32) -> Self {
        Self {
            max_delay_ms,
            previous: ConnectorsAndTasks::default(),
            previous_revocation: ConnectorsAndTasks::default(),
            previous_generation: -1,
            previous_members: BTreeSet::new(),
            candidates: Vec::new(),
            scheduled_rebalance_ms: 0,
            delay_ms: 0,
            given_up: ConnectorsAndTasks::default(),
            revoked_in_previous: false,
            successive_revocations: 0,
        }
    }

    /// For the next round.
    pub(super) fn give_up(&mut self, work: ConnectorsAndTasks) {
        self.given_up = work;
    }

    /// The shares of all members, and the delay in ms after which all join again (0: none).
    pub(super) fn assign(
        &mut self,
        round: &Round,
        snapshot: &ConfigSnapshot,
        now_ms: i64,
    ) -> (Vec<Share>, i32) {
        if self.previous_generation != round.last_completed_generation {
            debug!(
                "the assignment of generation {} was not completed, the last that was is {}: it is not built upon",
                self.previous_generation, round.last_completed_generation
            );
            self.previous = ConnectorsAndTasks::default();
        }
        let configured = configured(snapshot);
        let mut loads = loads(round);
        let mut active = ConnectorsAndTasks::default();
        loads.iter().for_each(|load| active.add(&load.current));
        self.check_revocation(&active);
        let given_up = std::mem::take(&mut self.given_up);
        self.previous.remove(&given_up.minus(&active));

        let deleted = self.previous.minus(&configured);
        let duplicated = duplicated(&loads);
        let lost = in_order(self.previous.minus(&active).minus(&deleted));
        let created = configured.minus(&self.previous).minus(&active);
        for load in &mut loads {
            load.revoke(&load.current.common(&deleted));
            load.revoke(&load.current.common(&duplicated));
            load.current.remove(&deleted);
        }
        let mut to_assign = created;
        to_assign.add(&self.handle_lost(&lost, &mut loads, now_ms));
        self.balance(&configured, &mut loads, now_ms);
        assign_to_least_loaded(&mut loads, to_assign);

        self.remember(round, &loads, &lost);
        (loads.into_iter().map(share).collect(), self.delay_ms)
    }

    /// Revoked work that is still running was not revoked: the members are believed.
    fn check_revocation(&mut self, active: &ConnectorsAndTasks) {
        let revoked = std::mem::take(&mut self.previous_revocation);
        if !revoked.common(active).is_empty() {
            self.previous = active.clone();
        }
    }

    /// Decides what becomes of work that nobody reports: the part that is returned is assigned as if it were new, the
    /// rest goes to candidates or waits.
    fn handle_lost(
        &mut self,
        lost: &ConnectorsAndTasks,
        loads: &mut [Load<'_>],
        now_ms: i64,
    ) -> ConnectorsAndTasks {
        if lost.is_empty() && !self.revoked_in_previous {
            self.reset_delay();
            return ConnectorsAndTasks::default();
        }
        let present: HashSet<&str> = loads.iter().map(|load| load.member).collect();
        let all_stayed = self.previous_members.iter().all(|member| present.contains(member.as_str()));
        let waits = self.scheduled_rebalance_ms > 0;
        if (!waits && all_stayed) || self.max_delay_ms == 0 {
            return lost.clone();
        }
        if waits && now_ms >= self.scheduled_rebalance_ms {
            let unplaced = self.give_to_candidates(lost, loads);
            self.reset_delay();
            self.revoked_in_previous = false;
            return unplaced;
        }
        self.wait_for_return(loads, now_ms);
        ConnectorsAndTasks::default()
    }

    /// The delay is over: the candidates that are still there get the lost work in turn.
    fn give_to_candidates(&self, lost: &ConnectorsAndTasks, loads: &mut [Load<'_>]) -> ConnectorsAndTasks {
        let place = |member: &String| loads.iter().position(|load| load.member == member);
        let places: Vec<usize> = self.candidates.iter().filter_map(place).collect();
        if places.is_empty() {
            return lost.clone();
        }
        for (connector, place) in lost.connectors.iter().zip(places.iter().cycle()) {
            loads[*place].next.connectors.push(connector.clone());
        }
        for (task, place) in lost.tasks.iter().zip(places.iter().cycle()) {
            loads[*place].next.tasks.push(task.clone());
        }
        ConnectorsAndTasks::default()
    }

    fn wait_for_return(&mut self, loads: &[Load<'_>], now_ms: i64) {
        let empty = loads.iter().filter(|load| load.next.is_empty());
        let mut empty: Vec<&str> = empty.map(|load| load.member).collect();
        sort_as_hash_map(&mut empty, |member| member);
        for member in empty {
            if !self.candidates.iter().any(|candidate| candidate == member) {
                self.candidates.push(member.to_owned());
            }
        }
        let left = self.scheduled_rebalance_ms - now_ms;
        self.delay_ms = if left > 0 { self.at_most_max_delay(left) } else { self.max_delay_ms };
        self.scheduled_rebalance_ms = now_ms + i64::from(self.delay_ms);
    }

    fn at_most_max_delay(&self, ms: i64) -> i32 {
        i32::try_from(ms).map_or(self.max_delay_ms, |ms| ms.min(self.max_delay_ms))
    }

    fn reset_delay(&mut self) {
        self.candidates.clear();
        self.scheduled_rebalance_ms = 0;
        self.delay_ms = 0;
    }

    /// Revokes surplus, unless a delay is running or the previous round did, too: then a pause is made.
    fn balance(&mut self, configured: &ConnectorsAndTasks, loads: &mut [Load<'_>], now_ms: i64) {
        if self.delay_ms != 0 {
            debug!("nothing is revoked for {} ms, while lost work waits", self.delay_ms);
            self.revoked_in_previous = false;
            return;
        }
        let surplus = surplus(configured, loads);
        let nothing = surplus.iter().all(ConnectorsAndTasks::is_empty);
        if nothing {
            if self.revoked_in_previous {
                (self.revoked_in_previous, self.successive_revocations) = (false, 0);
            }
            return;
        }
        if self.revoked_in_previous {
            self.successive_revocations = self.successive_revocations.saturating_add(1);
            self.delay_ms = self.backoff_ms();
            if self.delay_ms != 0 {
                self.scheduled_rebalance_ms = now_ms + i64::from(self.delay_ms);
                info!(
                    "the previous round revoked work, too: the next revocation comes in {} ms",
                    self.delay_ms
                );
                return;
            }
        }
        self.revoked_in_previous = true;
        for (load, surplus) in loads.iter_mut().zip(&surplus) {
            load.revoke(surplus);
        }
    }

    /// 40 ms, 1.6 s, 64 s ... up to the maximum delay; computed in floating point as Java does.
    fn backoff_ms(&self) -> i32 {
        let max = f64::from(self.max_delay_ms);
        if self.max_delay_ms <= 1 {
            return self.max_delay_ms;
        }
        let exponent = f64::from(self.successive_revocations).min(max.ln() / BACKOFF_FACTOR.ln());
        BACKOFF_FACTOR.powf(exponent).min(max) as i32
    }

    fn remember(&mut self, round: &Round, loads: &[Load<'_>], lost: &ConnectorsAndTasks) {
        self.previous = ConnectorsAndTasks::default();
        loads.iter().for_each(|load| self.previous.add(&load.next));
        loads.iter().for_each(|load| self.previous_revocation.add(&load.revoked));
        self.previous.remove(&self.previous_revocation);
        self.previous.add(lost);
        self.previous_generation = round.generation;
        self.previous_members = round.members.iter().map(|(id, _)| id.clone()).collect();
    }
}

fn configured(snapshot: &ConfigSnapshot) -> ConnectorsAndTasks {
    let tasks = |(connector, count): (&String, &usize)| {
        let connector = connector.clone();
        (0..*count).map(move |task| TaskId { connector: connector.clone(), task })
    };
    in_order(ConnectorsAndTasks {
        connectors: snapshot.connectors.keys().cloned().collect(),
        tasks: snapshot.connectors.iter().flat_map(tasks).collect(),
    })
}

fn in_order(mut work: ConnectorsAndTasks) -> ConnectorsAndTasks {
    work.connectors.sort_by(|left, right| compare(left, right));
    work.tasks.sort_by(compare_tasks);
    work
}

/// `ConnectorTaskId.compareTo`.
fn compare_tasks(left: &TaskId, right: &TaskId) -> Ordering {
    compare(&left.connector, &right.connector).then(left.task.cmp(&right.task))
}

fn loads(round: &Round) -> Vec<Load<'_>> {
    let load = |member, metadata: &Metadata| {
        let held = metadata.allocation.as_ref().map(|held| held.assigned.distinct()).unwrap_or_default();
        Load { member, current: held.clone(), next: held, revoked: ConnectorsAndTasks::default() }
    };
    let mut loads: Vec<Load<'_>> =
        round.members.iter().map(|(member, metadata)| load(member, metadata)).collect();
    sort_as_hash_map(&mut loads, |load| load.member);
    loads
}

/// Work that more than one member runs.
fn duplicated(loads: &[Load<'_>]) -> ConnectorsAndTasks {
    let mut once = ConnectorsAndTasks::default();
    let mut twice = ConnectorsAndTasks::default();
    for load in loads {
        twice.add(&load.current.common(&once));
        once.add(&load.current);
    }
    twice
}

/// Work of each member beyond its part, by place in `loads`.
fn surplus(configured: &ConnectorsAndTasks, loads: &[Load<'_>]) -> Vec<ConnectorsAndTasks> {
    if configured.is_empty() || loads.iter().all(|load| load.next.is_empty()) {
        return vec![ConnectorsAndTasks::default(); loads.len()];
    }
    let connectors: Vec<usize> = loads.iter().map(|load| load.next.connectors.len()).collect();
    let tasks: Vec<usize> = loads.iter().map(|load| load.next.tasks.len()).collect();
    let connectors = surplus_counts(configured.connectors.len(), &connectors);
    let tasks = surplus_counts(configured.tasks.len(), &tasks);
    let front = |((load, connectors), tasks): ((&Load<'_>, usize), usize)| ConnectorsAndTasks {
        connectors: load.next.connectors[..connectors].to_vec(),
        tasks: load.next.tasks[..tasks].to_vec(),
    };
    loads.iter().zip(connectors).zip(tasks).map(front).collect()
}

/// Number of `held` items that each member has to give back so that `total` can be spread evenly: a member may keep the
/// whole part of the quotient, and as many of the first ones as there is remainder one more.
fn surplus_counts(total: usize, held: &[usize]) -> Vec<usize> {
    let (part, mut remainder) = (total / held.len(), total % held.len());
    let at = |size: usize| held.iter().filter(|count| **count == size).count();
    if at(part + 1) == remainder && at(part) + remainder == held.len() {
        return vec![0; held.len()];
    }
    let give = |count: &usize| {
        if *count <= part {
            return 0;
        }
        let keep = if remainder > 0 { part + 1 } else { part };
        remainder = remainder.saturating_sub(1);
        count - keep
    };
    held.iter().map(give).collect()
}

/// Connectors first, then tasks, each to the member with fewest, among equals at first by name.
fn assign_to_least_loaded(loads: &mut [Load<'_>], work: ConnectorsAndTasks) {
    spread(loads, work.connectors, |work| &mut work.connectors);
    spread(loads, work.tasks, |work| &mut work.tasks);
}

fn spread<T>(loads: &mut [Load<'_>], items: Vec<T>, of: fn(&mut ConnectorsAndTasks) -> &mut Vec<T>) {
    let mut ranked: Vec<(usize, String, usize)> = loads
        .iter_mut()
        .enumerate()
        .map(|(place, load)| (of(&mut load.next).len(), load.member.to_owned(), place))
        .collect();
    ranked.sort_by(|left, right| left.0.cmp(&right.0).then_with(|| compare(&left.1, &right.1)));
    // Among equals it is the turn of who was first at the beginning.
    let sizes = ranked.iter().enumerate().map(|(rank, (size, ..))| (*size, rank));
    let mut queue: BTreeSet<(usize, usize)> = sizes.collect();
    for item in items {
        let (size, rank) = queue.pop_first().expect("a group has at least its leader");
        of(&mut loads[ranked[rank].2].next).push(item);
        queue.insert((size + 1, rank));
    }
}

fn share(load: Load<'_>) -> Share {
    Share {
        member: load.member.to_owned(),
        assigned: load.next.minus(&load.current),
        revoked: load.revoked,
        owned: load.next,
    }
}
