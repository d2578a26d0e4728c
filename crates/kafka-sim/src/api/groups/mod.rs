//! Classic groups of any protocol type, their offsets, and who coordinates them. Groups live in the cluster's state, so
//! they survive their coordinators. The rules are those of Kafka's group coordinator: of 3.9's first one for release
//! 3.9, of the one that replaced it for 4.3.

mod admin;
mod commit;
mod fetch;
mod find;
pub(crate) mod group;
mod join;
pub(crate) mod member;
mod members;
pub(crate) mod offsets;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, RequestKind, ResponseKind};

pub(crate) use self::commit::{Committer, check_position};
use self::group::Group;
use super::Context;
use crate::state::{Broker, State};
use crate::world::coordinators::{Coordinated, Placement, ensure_topic, partition_of};

/// The groups of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: BTreeMap<String, Group>,
    placement: Placement,
    tickets: u64,
}

impl Groups {
    /// Expires sessions and ends rebalances that are due.
    pub(crate) fn run_timers(state: &mut State) {
        let now = state.now_ms();
        let mut changed = false;
        let Groups { groups, placement, .. } = &mut state.groups;
        for (id, group) in groups {
            changed |= group.coordinated_by(placement.of(&state.brokers, id), now);
            changed |= group.run_timers(now);
        }
        if changed {
            state.touch();
        }
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

    fn ticket(&mut self) -> u64 {
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

/// A group, new if it does not exist.
pub(crate) fn group_or_new<'a>(state: &'a mut State, id: &str) -> &'a mut Group {
    let coordinator = state.groups.coordinator(&state.brokers, id);
    let delay = state.broker_number("group.initial.rebalance.delay.ms").max(0);
    state.groups.groups.entry(id.to_owned()).or_insert_with(|| Group::new(coordinator, delay))
}

/// Why a request about a group is not looked at: what a test wants, or it is not for this broker. Most need a group id that
/// is not empty (`named`).
pub(super) fn refuse(
    context: &Context,
    state: &mut State,
    api: ApiKey,
    group: &str,
    named: bool,
) -> Result<(), i16> {
    if let Some(code) = context.injected_error(api) {
        return Err(code);
    }
    if named && group.is_empty() {
        return Err(ResponseError::InvalidGroupId.code());
    }
    if state.groups.coordinator(&state.brokers, group) != context.broker {
        return Err(ResponseError::NotCoordinator.code());
    }
    ensure_topic(state, Coordinated::Group);
    Ok(())
}

/// Answers what is of this family.
pub(super) async fn handle(context: &Context, request: RequestKind, version: i16) -> Option<ResponseKind> {
    use RequestKind as Q;
    use ResponseKind as A;
    let answer = match request {
        Q::FindCoordinator(r) => A::FindCoordinator(find::find(context, &r, version)),
        Q::JoinGroup(r) => A::JoinGroup(join::join(context, r, version).await),
        Q::SyncGroup(r) => A::SyncGroup(join::sync(context, r, version).await),
        Q::Heartbeat(r) => A::Heartbeat(members::heartbeat(context, &r)),
        Q::LeaveGroup(r) => A::LeaveGroup(members::leave(context, &r, version)),
        Q::OffsetCommit(r) => A::OffsetCommit(commit::commit(context, r, version)),
        Q::OffsetFetch(r) => A::OffsetFetch(fetch::fetch(context, r, version)),
        Q::OffsetDelete(r) => A::OffsetDelete(commit::delete(context, r)),
        Q::ListGroups(r) => A::ListGroups(admin::list(context, &r)),
        Q::DescribeGroups(r) => A::DescribeGroups(admin::describe(context, r, version)),
        Q::DeleteGroups(r) => A::DeleteGroups(admin::delete(context, r)),
        _ => return None,
    };
    Some(answer)
}
