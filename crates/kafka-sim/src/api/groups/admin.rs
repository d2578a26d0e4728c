//! ListGroups, DescribeGroups, DeleteGroups.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{
    ApiKey, DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    GroupId, ListGroupsRequest, ListGroupsResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::group::Group;
use super::member::{Member, Phase};
use super::refuse;
use crate::api::{Context, text};
use crate::protocol::Release;
use crate::state::State;

/// The only type of group here.
const CLASSIC: &str = "classic";

/// The operations of a group as a bit field, all allowed: read, delete, describe; in 4.3 also describe and
/// alter configs.
fn operations(release: Release) -> i32 {
    let common = 1 << 3 | 1 << 6 | 1 << 8;
    match release {
        Release::V3_9 => common,
        Release::V4_3 => common | 1 << 10 | 1 << 11,
    }
}

pub(super) fn list(context: &Context, request: &ListGroupsRequest) -> ListGroupsResponse {
    let answer = ListGroupsResponse::default().with_throttle_time_ms(context.throttle_ms(ApiKey::ListGroups));
    if let Some(code) = context.injected_error(ApiKey::ListGroups) {
        return answer.with_error_code(code);
    }
    let wanted = |filter: &[StrBytes], value: &str| {
        filter.is_empty() || filter.iter().any(|f| f.eq_ignore_ascii_case(value))
    };
    context.cluster.with(|state| {
        let groups = &state.groups;
        let here = |(id, _): &(&String, &Group)| groups.coordinator(&state.brokers, id) == context.broker;
        let fits = |(_, group): &(&String, &Group)| {
            wanted(&request.states_filter, group.phase.name()) && wanted(&request.types_filter, CLASSIC)
        };
        let one = |(id, group): (&String, &Group)| {
            ListedGroup::default()
                .with_group_id(GroupId(text(&**id)))
                .with_protocol_type(text(group.protocol_type.clone().unwrap_or_default()))
                .with_group_state(text(group.phase.name()))
                .with_group_type(text(CLASSIC))
        };
        answer.with_groups(groups.groups.iter().filter(here).filter(fits).map(one).collect())
    })
}

pub(super) fn describe(
    context: &Context,
    request: DescribeGroupsRequest,
    version: i16,
) -> DescribeGroupsResponse {
    let throttle = context.throttle_ms(ApiKey::DescribeGroups);
    let groups = context.cluster.with(|state| {
        let operations =
            if request.include_authorized_operations { operations(state.release) } else { i32::MIN };
        let one = |id: GroupId| match describe_one(context, state, &id, version) {
            Ok(described) => described.with_group_id(id).with_authorized_operations(operations),
            Err(code) => DescribedGroup::default()
                .with_error_code(code)
                .with_group_id(id)
                .with_authorized_operations(i32::MIN),
        };
        request.groups.into_iter().map(one).collect()
    });
    DescribeGroupsResponse::default().with_throttle_time_ms(throttle).with_groups(groups)
}

fn describe_one(context: &Context, state: &mut State, id: &str, version: i16) -> Result<DescribedGroup, i16> {
    refuse(context, state, ApiKey::DescribeGroups, id, false)?;
    let Some(group) = state.groups.get(id) else {
        let dead = DescribedGroup::default().with_group_state(text("Dead"));
        return Ok(match version {
            6.. => dead
                .with_error_code(ResponseError::GroupIdNotFound.code())
                .with_error_message(Some(text(format!("Group {id} not found.")))),
            _ => dead,
        });
    };
    // Until all know their part, neither it nor what they said is told; 4.3 tells the part of before.
    let release = state.release;
    let protocol = group.protocol.as_deref().filter(|_| group.phase == Phase::Stable);
    let member = |member: &Member| {
        let described = DescribedGroupMember::default()
            .with_member_id(text(&*member.id))
            .with_group_instance_id(member.said.instance.as_deref().filter(|_| version >= 4).map(text))
            .with_client_id(text(&*member.said.client_id))
            .with_client_host(text("/127.0.0.1"));
        match protocol {
            Some(protocol) => described
                .with_member_metadata(member.metadata(protocol))
                .with_member_assignment(member.assignment.clone()),
            None if release >= Release::V4_3 => described.with_member_assignment(member.assignment.clone()),
            None => described,
        }
    };
    Ok(DescribedGroup::default()
        .with_group_state(text(group.phase.name()))
        .with_protocol_type(text(group.protocol_type.clone().unwrap_or_default()))
        .with_protocol_data(text(protocol.unwrap_or_default()))
        .with_members(group.members.iter().map(member).collect()))
}

pub(super) fn delete(context: &Context, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let throttle = context.throttle_ms(ApiKey::DeleteGroups);
    let results = context.cluster.with(|state| {
        let one = |id: GroupId| {
            let code = delete_one(context, state, &id).err().unwrap_or(0);
            DeletableGroupResult::default().with_group_id(id).with_error_code(code)
        };
        request.groups_names.into_iter().map(one).collect()
    });
    DeleteGroupsResponse::default().with_throttle_time_ms(throttle).with_results(results)
}

fn delete_one(context: &Context, state: &mut State, id: &str) -> Result<(), i16> {
    refuse(context, state, ApiKey::DeleteGroups, id, false)?;
    match state.groups.get(id) {
        None => Err(ResponseError::GroupIdNotFound.code()),
        Some(group) if group.phase != Phase::Empty => Err(ResponseError::NonEmptyGroup.code()),
        Some(_) => {
            state.groups.groups.remove(id);
            state.touch();
            Ok(())
        }
    }
}
