//! Classic groups of any protocol type, their offsets, and who coordinates them. Groups live in the cluster's
//! state, so they survive their coordinators. The rules are those of Kafka's group coordinator: of 3.9's
//! first one for release 3.9, of the one that replaced it for 4.3.

mod admin;
mod commit;
mod fetch;
mod find;
pub(crate) mod group;
mod join;
pub(crate) mod member;
mod members;
pub(crate) mod offsets;
mod rebalance;
pub(crate) mod registry;
#[cfg(test)]
pub(crate) mod tests;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, RequestKind, ResponseKind};

pub(crate) use self::commit::{Committer, check_position};
use self::group::Group;
use super::Context;
use crate::coordination::Coordinated;
use crate::internal_topics::ensure_topic;
use crate::state::State;

/// A group, new if it does not exist.
pub(crate) fn group_or_new<'a>(state: &'a mut State, id: &str) -> &'a mut Group {
    let coordinator = state.groups.coordinator(&state.brokers, id);
    let delay = state.broker_number("group.initial.rebalance.delay.ms").max(0);
    state.groups.get_or_new(id, coordinator, delay)
}

/// Refuses a request about a group that is not to be looked at: a test wants that, or it is not for this
/// broker. Most need a group id that is not empty (`named`).
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
