//! Heartbeat and LeaveGroup.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{
    ApiKey, HeartbeatRequest, HeartbeatResponse, LeaveGroupRequest, LeaveGroupResponse,
};

use super::group::Group;
use super::member::Phase;
use super::refuse;
use crate::api::Context;
use crate::state::State;

pub(super) fn heartbeat(context: &Context, request: &HeartbeatRequest) -> HeartbeatResponse {
    let error = context.cluster.with(|state| beat(context, state, request).err().unwrap_or(0));
    HeartbeatResponse::default()
        .with_throttle_time_ms(context.throttle_ms(ApiKey::Heartbeat))
        .with_error_code(error)
}

fn beat(context: &Context, state: &mut State, request: &HeartbeatRequest) -> Result<(), i16> {
    refuse(context, state, ApiKey::Heartbeat, &request.group_id, true)?;
    let now = state.now_ms();
    let unknown = ResponseError::UnknownMemberId.code();
    let group = state.groups.get_mut(&request.group_id).ok_or(unknown)?;
    let instance = request.group_instance_id.as_deref();
    group.check(&request.member_id, instance, Some(request.generation_id)).map_err(|e| e.code())?;
    group.keep_alive(&request.member_id, now);
    match group.phase {
        Phase::Empty => Err(unknown),
        Phase::PreparingRebalance => Err(ResponseError::RebalanceInProgress.code()),
        Phase::CompletingRebalance | Phase::Stable => Ok(()),
    }
}

pub(super) fn leave(context: &Context, request: &LeaveGroupRequest, version: i16) -> LeaveGroupResponse {
    let single = MemberIdentity::default().with_member_id(request.member_id.clone());
    let members = if version < 3 { std::slice::from_ref(&single) } else { &request.members };
    let left = context.cluster.with(|state| leave_all(context, state, &request.group_id, members));
    let answer = LeaveGroupResponse::default().with_throttle_time_ms(context.throttle_ms(ApiKey::LeaveGroup));
    match left {
        Err(code) => answer.with_error_code(code),
        Ok(codes) if version < 3 => answer.with_error_code(codes.first().copied().unwrap_or(0)),
        Ok(codes) => {
            let one = |(member, code): (&MemberIdentity, i16)| {
                MemberResponse::default()
                    .with_member_id(member.member_id.clone())
                    .with_group_instance_id(member.group_instance_id.clone())
                    .with_error_code(code)
            };
            answer.with_members(members.iter().zip(codes).map(one).collect())
        }
    }
}

fn leave_all(
    context: &Context,
    state: &mut State,
    id: &str,
    members: &[MemberIdentity],
) -> Result<Vec<i16>, i16> {
    refuse(context, state, ApiKey::LeaveGroup, id, true)?;
    let now = state.now_ms();
    let Some(group) = state.groups.get_mut(id) else {
        return Ok(vec![ResponseError::UnknownMemberId.code(); members.len()]);
    };
    let codes = members.iter().map(|m| leave_one(group, m, now).map_or_else(|e| e.code(), |()| 0)).collect();
    state.touch();
    Ok(codes)
}

fn leave_one(group: &mut Group, member: &MemberIdentity, now: i64) -> Result<(), ResponseError> {
    let instance = member.group_instance_id.as_deref();
    // An operator removes a static member without knowing its member id.
    if let Some(instance) = instance.filter(|_| member.member_id.is_empty()) {
        let id = group.instance(instance).ok_or(ResponseError::UnknownMemberId)?.id.clone();
        group.remove(&id, now);
        return Ok(());
    }
    if group.remove_pending(&member.member_id, now) {
        return Ok(());
    }
    group.check(&member.member_id, instance, None)?;
    group.remove(&member.member_id, now);
    Ok(())
}
