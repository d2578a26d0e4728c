//! OffsetCommit and OffsetDelete.

use std::collections::BTreeSet;

use bytes::Buf;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::consumer_protocol_subscription::ConsumerProtocolSubscription;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_delete_request::OffsetDeleteRequestTopic;
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::{
    ApiKey, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
};
use kafka_protocol::protocol::Decodable;

use super::group::Group;
use super::member::Phase;
use super::offsets::Position;
use super::{group_or_new, refuse};
use crate::api::{Context, code};
use crate::protocol::Release;
use crate::state::State;

/// Author of a commit.
pub(crate) struct Committer<'a> {
    pub(crate) generation: i32,
    pub(crate) member: &'a str,
    pub(crate) instance: Option<&'a str>,
    /// As part of a transaction, which need not name a member.
    pub(crate) transactional: bool,
}

impl Committer<'_> {
    /// Whether it may commit to this group.
    pub(crate) fn check(&self, group: &Group) -> Result<(), ResponseError> {
        if self.generation >= 0 || !self.member.is_empty() || self.instance.is_some() {
            return group.check(self.member, self.instance, Some(self.generation));
        }
        match group.phase {
            Phase::Empty => Ok(()),
            _ if self.transactional => Ok(()),
            _ => Err(ResponseError::UnknownMemberId),
        }
    }
}

pub(super) fn commit(context: &Context, request: OffsetCommitRequest, version: i16) -> OffsetCommitResponse {
    let throttle = context.throttle_ms(ApiKey::OffsetCommit);
    let topics = context.cluster.with(|state| {
        let allowed = may_commit(context, state, &request, version);
        let one = |topic: OffsetCommitRequestTopic| {
            let partition = |p: OffsetCommitRequestPartition| {
                let id = p.partition_index;
                let error = commit_one(context, state, &request.group_id, allowed, &topic.name, p).err();
                OffsetCommitResponsePartition::default()
                    .with_partition_index(id)
                    .with_error_code(error.unwrap_or(0))
            };
            let partitions = topic.partitions.into_iter().map(partition).collect();
            OffsetCommitResponseTopic::default().with_name(topic.name.clone()).with_partitions(partitions)
        };
        request.topics.into_iter().map(one).collect()
    });
    OffsetCommitResponse::default().with_throttle_time_ms(throttle).with_topics(topics)
}

fn may_commit(
    context: &Context,
    state: &mut State,
    request: &OffsetCommitRequest,
    version: i16,
) -> Result<(), i16> {
    refuse(context, state, ApiKey::OffsetCommit, &request.group_id, false)?;
    let generation = request.generation_id_or_member_epoch;
    let now = state.now_ms();
    if state.groups.get(&request.group_id).is_none() {
        return match (generation < 0, state.release) {
            (true, _) => Ok(()),
            (false, Release::V4_3) if version >= 9 => Err(code(ResponseError::GroupIdNotFound)),
            (false, _) => Err(code(ResponseError::IllegalGeneration)),
        };
    }
    let group = group_or_new(state, &request.group_id);
    let committer = Committer {
        generation,
        member: &request.member_id,
        instance: request.group_instance_id.as_deref(),
        transactional: false,
    };
    committer.check(group).map_err(code)?;
    if group.phase == Phase::CompletingRebalance {
        return Err(code(ResponseError::RebalanceInProgress));
    }
    group.keep_alive(&request.member_id, now);
    Ok(())
}

fn commit_one(
    context: &Context,
    state: &mut State,
    group: &str,
    allowed: Result<(), i16>,
    topic: &str,
    partition: OffsetCommitRequestPartition,
) -> Result<(), i16> {
    let id = partition.partition_index;
    let position = Position {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition.committed_metadata.map(|m| m.to_string()).unwrap_or_default(),
    };
    check_position(context, state, ApiKey::OffsetCommit, (topic, id), allowed, &position)?;
    group_or_new(state, group).offsets.commit((topic.to_owned(), id), position);
    Ok(())
}

/// Whether a position of a partition may be stored, now or at the end of a transaction. `allowed`: whether
/// the group takes any from who commits.
pub(crate) fn check_position(
    context: &Context,
    state: &State,
    api: ApiKey,
    (topic, partition): (&str, i32),
    allowed: Result<(), i16>,
    position: &Position,
) -> Result<(), i16> {
    if let Some(code) = context.injected(api, topic, partition) {
        return Err(code);
    }
    if state.partition(topic, partition).is_none() {
        return Err(code(ResponseError::UnknownTopicOrPartition));
    }
    allowed?;
    if position.metadata.len() as i64 > state.broker_number("offset.metadata.max.bytes") {
        Err(code(ResponseError::OffsetMetadataTooLarge))
    } else {
        Ok(())
    }
}

pub(super) fn delete(context: &Context, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let answer =
        OffsetDeleteResponse::default().with_throttle_time_ms(context.throttle_ms(ApiKey::OffsetDelete));
    let deleted = context.cluster.with(|state| delete_all(context, state, request));
    match deleted {
        Ok(topics) => answer.with_topics(topics),
        Err(code) => answer.with_error_code(code),
    }
}

fn delete_all(
    context: &Context,
    state: &mut State,
    request: OffsetDeleteRequest,
) -> Result<Vec<OffsetDeleteResponseTopic>, i16> {
    refuse(context, state, ApiKey::OffsetDelete, &request.group_id, true)?;
    let group = state.groups.get(&request.group_id).ok_or(code(ResponseError::GroupIdNotFound))?;
    if group.phase != Phase::Empty && group.protocol_type.as_deref() != Some("consumer") {
        return Err(code(ResponseError::NonEmptyGroup));
    }
    let subscribed = subscribed(group);
    let one = |topic: OffsetDeleteRequestTopic| {
        let subscribed = subscribed.as_ref().is_none_or(|topics| topics.contains(topic.name.as_str()));
        let partition = |id: i32| {
            let error = context.injected(ApiKey::OffsetDelete, &topic.name, id).or_else(|| {
                delete_one(state, &request.group_id, &topic.name, id, subscribed).err().map(code)
            });
            OffsetDeleteResponsePartition::default()
                .with_partition_index(id)
                .with_error_code(error.unwrap_or(0))
        };
        let partitions = topic.partitions.iter().map(|p| p.partition_index).map(partition).collect();
        OffsetDeleteResponseTopic::default().with_name(topic.name.clone()).with_partitions(partitions)
    };
    Ok(request.topics.into_iter().map(one).collect())
}

fn delete_one(
    state: &mut State,
    group: &str,
    topic: &str,
    partition: i32,
    subscribed: bool,
) -> Result<(), ResponseError> {
    if state.partition(topic, partition).is_none() {
        return Err(ResponseError::UnknownTopicOrPartition);
    }
    if subscribed {
        return Err(ResponseError::GroupSubscribedToTopic);
    }
    group_or_new(state, group).offsets.remove(&(topic.to_owned(), partition));
    Ok(())
}

/// The topics to which a consumer group is subscribed; `None`: what its members say cannot be read, it may be
/// any.
fn subscribed(group: &Group) -> Option<BTreeSet<String>> {
    let Some(protocol) = group.protocol.as_deref().filter(|_| group.phase != Phase::Empty) else {
        return Some(BTreeSet::new());
    };
    let mut topics = BTreeSet::new();
    for member in &group.members {
        let mut said = member.metadata(protocol);
        if said.remaining() < 2 {
            return None;
        }
        let version = said.get_i16().clamp(0, 3);
        let subscription = ConsumerProtocolSubscription::decode(&mut said, version).ok()?;
        topics.extend(subscription.topics.iter().map(ToString::to_string));
    }
    Some(topics)
}
