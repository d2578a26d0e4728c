//! JoinGroup and SyncGroup: requests that wait for what other members do.

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::{
    ApiKey, JoinGroupRequest, JoinGroupResponse, SyncGroupRequest, SyncGroupResponse,
};

use super::group::Group;
use super::member::{Joined, Joining, Phase, Synced};
use super::{group_or_new, refuse};
use crate::api::{Context, text};
use crate::cluster::Cluster;
use crate::state::State;

/// Beginning of a request: answered at once, or with what comes under a ticket.
enum Begun<T> {
    Answered(T),
    Waits(u64),
}

/// Removes an answer that nobody takes.
struct Ticket<'a> {
    cluster: &'a Cluster,
    group: &'a str,
    number: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.cluster.with(|state| {
            if let Some(group) = state.groups.get_mut(self.group) {
                group.drop_answer(self.number);
            }
        });
    }
}

/// Longer than any rebalance; answers come by the timers of the group.
const LONG_MS: i64 = 365 * 24 * 3600 * 1000;

/// Waits for the answer of a ticket; `Err` with a code when it will not come.
async fn answer_of<T>(
    context: &Context,
    group: &str,
    number: u64,
    take: fn(&mut Group, u64) -> Option<T>,
) -> Result<T, i16> {
    let ticket = Ticket { cluster: &context.cluster, group, number };
    let deadline_ms = context.cluster.clock().now_ms() + LONG_MS;
    let attempt = |state: &mut State, late: bool| {
        let here = state.groups.coordinator(&state.brokers, ticket.group) == context.broker;
        let Some(group) = state.groups.get_mut(ticket.group) else {
            return Some(Err(ResponseError::UnknownMemberId.code()));
        };
        if let Some(answer) = take(group, ticket.number) {
            return Some(Ok(answer));
        }
        match (here, group.awaits(ticket.number) && !late) {
            (false, _) => Some(Err(ResponseError::NotCoordinator.code())),
            // The member asked again, or the coordinator was away.
            (true, false) => Some(Err(ResponseError::RebalanceInProgress.code())),
            (true, true) => None,
        }
    };
    context.cluster.wait(deadline_ms, attempt).await
}

pub(super) async fn join(context: &Context, request: JoinGroupRequest, version: i16) -> JoinGroupResponse {
    let begun = context.cluster.with(|state| {
        let begun = begin_join(context, state, &request, version);
        state.touch();
        begun
    });
    let joined = match begun {
        Begun::Answered(joined) => joined,
        Begun::Waits(number) => answer_of(context, &request.group_id, number, Group::take_joined)
            .await
            .unwrap_or_else(|code| Joined::error(&request.member_id, code)),
    };
    let throttle = context.throttle_ms(ApiKey::JoinGroup);
    join_answer(joined, version).with_throttle_time_ms(throttle)
}

fn join_answer(joined: Joined, version: i16) -> JoinGroupResponse {
    let member = |(id, instance, metadata): (String, Option<String>, Bytes)| {
        let instance = instance.filter(|_| version >= 5).map(text);
        JoinGroupResponseMember::default()
            .with_member_id(text(id))
            .with_group_instance_id(instance)
            .with_metadata(metadata)
    };
    let protocol = match version {
        ..7 => Some(joined.protocol.unwrap_or_default()),
        _ => joined.protocol,
    };
    JoinGroupResponse::default()
        .with_error_code(joined.error)
        .with_generation_id(joined.generation)
        .with_protocol_type(joined.protocol_type.filter(|_| version >= 7).map(text))
        .with_protocol_name(protocol.map(text))
        .with_leader(text(joined.leader))
        .with_skip_assignment(joined.skip_assignment && version >= 9)
        .with_member_id(text(joined.member_id))
        .with_members(joined.members.into_iter().map(member).collect())
}

fn begin_join(
    context: &Context,
    state: &mut State,
    request: &JoinGroupRequest,
    version: i16,
) -> Begun<Joined> {
    let member = request.member_id.to_string();
    let failed = |code: i16| Begun::Answered(Joined::error(&member, code));
    if let Err(code) = refuse(context, state, ApiKey::JoinGroup, &request.group_id, true) {
        return failed(code);
    }
    let (min, max) = (
        state.broker_number("group.min.session.timeout.ms"),
        state.broker_number("group.max.session.timeout.ms"),
    );
    if !(min..=max).contains(&i64::from(request.session_timeout_ms)) {
        return failed(ResponseError::InvalidSessionTimeout.code());
    }
    let said = said(context, request, version);
    if member.is_empty() {
        return join_new(state, &request.group_id, said, version);
    }
    match join_known(state, &request.group_id, &member, said) {
        Ok(begun) => begun,
        Err(error) => failed(error.code()),
    }
}

fn said(context: &Context, request: &JoinGroupRequest, version: i16) -> Joining {
    let session_ms = i64::from(request.session_timeout_ms);
    let protocols = request.protocols.iter().map(|p| (p.name.to_string(), p.metadata.clone()));
    Joining {
        instance: request.group_instance_id.as_ref().map(ToString::to_string),
        client_id: context.client_id.clone(),
        protocol_type: request.protocol_type.to_string(),
        protocols: protocols.collect(),
        session_ms,
        // Version 0 has one timeout for both.
        rebalance_ms: if version == 0 { session_ms } else { i64::from(request.rebalance_timeout_ms) },
    }
}

/// Somebody without a member id.
fn join_new(state: &mut State, id: &str, said: Joining, version: i16) -> Begun<Joined> {
    let now = state.now_ms();
    let unique = state.new_id();
    let ticket = state.groups.ticket();
    let max_size = state.broker_number("group.max.size");
    let group = group_or_new(state, id);
    let failed = |error: ResponseError| Begun::Answered(Joined::error("", error.code()));
    if group.members.len() as i64 >= max_size {
        return failed(ResponseError::GroupMaxSizeReached);
    }
    if !group.fits(&said) {
        return failed(ResponseError::InconsistentGroupProtocol);
    }
    let new = format!("{}-{unique}", said.instance.as_deref().unwrap_or(&said.client_id));
    let known = said.instance.as_deref().and_then(|i| group.instance(i)).map(|m| m.id.clone());
    match known {
        Some(old) => return rejoin_static(group, &old, &new, said, ticket, version, now),
        None if said.instance.is_none() && version >= 4 => {
            group.add_pending(&new, now + said.session_ms);
            return Begun::Answered(Joined::error(&new, ResponseError::MemberIdRequired.code()));
        }
        None => group.add(&new, said, ticket, now),
    }
    Begun::Waits(ticket)
}

/// A static member that has lost its member id; it keeps its place without a rebalance where it can.
fn rejoin_static(
    group: &mut Group,
    old: &str,
    new: &str,
    said: Joining,
    ticket: u64,
    version: i16,
    now: i64,
) -> Begun<Joined> {
    let leader = group.leader.clone().unwrap_or_default();
    group.replace_static(old, new, now);
    if group.phase != Phase::Stable {
        group.update(new, said, ticket, now);
        return Begun::Waits(ticket);
    }
    group.replace_said(new, said, None);
    if group.elect_protocol() != group.protocol {
        group.await_join(new, ticket, now);
        return Begun::Waits(ticket);
    }
    let joined = group.joined_as(new);
    Begun::Answered(match version {
        9.. => Joined { skip_assignment: group.is_leader(new), ..joined },
        // Told of the old leader, it does not assign anew.
        _ => Joined { leader, members: Vec::new(), ..joined },
    })
}

/// Somebody with a member id.
fn join_known(
    state: &mut State,
    id: &str,
    member: &str,
    said: Joining,
) -> Result<Begun<Joined>, ResponseError> {
    let now = state.now_ms();
    let ticket = state.groups.ticket();
    let group = state.groups.get_mut(id).ok_or(ResponseError::UnknownMemberId)?;
    if !group.fits(&said) {
        return Err(ResponseError::InconsistentGroupProtocol);
    }
    if group.is_pending(member) {
        group.add(member, said, ticket, now);
        return Ok(Begun::Waits(ticket));
    }
    group.check(member, said.instance.as_deref(), None)?;
    let same = group.member(member).is_some_and(|m| m.said.protocols == said.protocols);
    let answered = match group.phase {
        Phase::Empty => return Err(ResponseError::UnknownMemberId),
        Phase::PreparingRebalance => false,
        Phase::CompletingRebalance => same,
        Phase::Stable => same && !group.is_leader(member),
    };
    if answered {
        group.keep_alive(member, now);
        return Ok(Begun::Answered(group.joined_as(member)));
    }
    group.update(member, said, ticket, now);
    Ok(Begun::Waits(ticket))
}

pub(super) async fn sync(context: &Context, request: SyncGroupRequest, version: i16) -> SyncGroupResponse {
    let named = request.protocol_type.is_some() && request.protocol_name.is_some();
    let begun = context.cluster.with(|state| {
        let begun = if named || version < 5 {
            begin_sync(context, state, &request)
        } else {
            Begun::Answered(Synced::error(ResponseError::InconsistentGroupProtocol.code()))
        };
        state.touch();
        begun
    });
    let synced = match begun {
        Begun::Answered(synced) => synced,
        Begun::Waits(number) => answer_of(context, &request.group_id, number, Group::take_synced)
            .await
            .unwrap_or_else(Synced::error),
    };
    SyncGroupResponse::default()
        .with_throttle_time_ms(context.throttle_ms(ApiKey::SyncGroup))
        .with_error_code(synced.error)
        .with_protocol_type(synced.protocol_type.map(text))
        .with_protocol_name(synced.protocol.map(text))
        .with_assignment(synced.assignment)
}

fn begin_sync(context: &Context, state: &mut State, request: &SyncGroupRequest) -> Begun<Synced> {
    let failed = |code: i16| Begun::Answered(Synced::error(code));
    if let Err(code) = refuse(context, state, ApiKey::SyncGroup, &request.group_id, true) {
        return failed(code);
    }
    let now = state.now_ms();
    let ticket = state.groups.ticket();
    let Some(group) = state.groups.get_mut(&request.group_id) else {
        return failed(ResponseError::UnknownMemberId.code());
    };
    let instance = request.group_instance_id.as_deref();
    if let Err(error) = group.check(&request.member_id, instance, Some(request.generation_id)) {
        return failed(error.code());
    }
    let differs = |said: Option<&str>, known: Option<&str>| said.is_some() && said != known;
    if differs(request.protocol_type.as_deref(), group.protocol_type.as_deref())
        || differs(request.protocol_name.as_deref(), group.protocol.as_deref())
    {
        return failed(ResponseError::InconsistentGroupProtocol.code());
    }
    let mut assignments = request.assignments.iter().map(|a| (a.member_id.to_string(), a.assignment.clone()));
    match group.sync(&request.member_id, &mut assignments, ticket, now) {
        Some(synced) => Begun::Answered(synced),
        None => Begun::Waits(ticket),
    }
}
