//! Offsets as part of transactions: AddOffsetsToTxn and TxnOffsetCommit.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, ApiKey, TxnOffsetCommitRequest, TxnOffsetCommitResponse,
};

use super::partitions::{add_to, verify};
use super::{code_in, offsets_partition, refuse};
use crate::api::groups::offsets::Position;
use crate::api::groups::{self, Committer, check_position, group_or_new};
use crate::api::{Context, code};
use crate::protocol::Release;
use crate::state::State;

/// The version from which on the offsets' partition becomes part of a transaction by the commit itself.
const SECOND_PROTOCOL: i16 = 5;

pub(super) fn add(
    context: &Context,
    request: &AddOffsetsToTxnRequest,
    version: i16,
) -> AddOffsetsToTxnResponse {
    let outcome = context.cluster.with(|state| {
        refuse(context, state, ApiKey::AddOffsetsToTxn, &request.transactional_id)?;
        let partition = offsets_partition(state, &request.group_id);
        let who = (*request.producer_id, request.producer_epoch);
        add_to(state, &request.transactional_id, who, vec![partition])
            .map_err(|error| code_in(version, 2, error))
    });
    AddOffsetsToTxnResponse::default()
        .with_throttle_time_ms(context.throttle_ms(ApiKey::AddOffsetsToTxn))
        .with_error_code(outcome.err().unwrap_or(0))
}

pub(super) fn commit(
    context: &Context,
    request: TxnOffsetCommitRequest,
    version: i16,
) -> TxnOffsetCommitResponse {
    let throttle = context.throttle_ms(ApiKey::TxnOffsetCommit);
    let topics = context.cluster.with(|state| {
        let allowed = may_commit(context, state, &request, version);
        let (group, producer): (&str, i64) = (&request.group_id, *request.producer_id);
        let one = |topic: TxnOffsetCommitRequestTopic| {
            let partition = |p: TxnOffsetCommitRequestPartition| {
                let id = p.partition_index;
                let error = commit_one(context, state, group, producer, allowed, &topic.name, p).err();
                TxnOffsetCommitResponsePartition::default()
                    .with_partition_index(id)
                    .with_error_code(error.unwrap_or(0))
            };
            let partitions = topic.partitions.into_iter().map(partition).collect();
            TxnOffsetCommitResponseTopic::default().with_name(topic.name.clone()).with_partitions(partitions)
        };
        request.topics.into_iter().map(one).collect()
    });
    TxnOffsetCommitResponse::default().with_throttle_time_ms(throttle).with_topics(topics)
}

fn may_commit(
    context: &Context,
    state: &mut State,
    request: &TxnOffsetCommitRequest,
    version: i16,
) -> Result<(), i16> {
    groups::refuse(context, state, ApiKey::TxnOffsetCommit, &request.group_id, true)?;
    part_of_transaction(state, request, version).map_err(code)?;
    let known = state.groups.get(&request.group_id).is_some();
    if !known && state.release == Release::V4_3 && request.generation_id >= 0 {
        return Err(code(ResponseError::IllegalGeneration));
    }
    let committer = Committer {
        generation: request.generation_id,
        member: &request.member_id,
        instance: request.group_instance_id.as_deref(),
        transactional: true,
    };
    let now = state.now_ms();
    let group = group_or_new(state, &request.group_id);
    committer.check(group).map_err(code)?;
    group.keep_alive(&request.member_id, now);
    Ok(())
}

fn part_of_transaction(
    state: &mut State,
    request: &TxnOffsetCommitRequest,
    version: i16,
) -> Result<(), ResponseError> {
    let partition = offsets_partition(state, &request.group_id);
    let id: &str = &request.transactional_id;
    let who = (*request.producer_id, request.producer_epoch);
    let outcome = match version {
        SECOND_PROTOCOL.. => add_to(state, id, who, vec![partition]),
        _ => verify(state, id, who, &partition),
    };
    outcome.map_err(|error| match error {
        ResponseError::ProducerFenced => ResponseError::InvalidProducerEpoch,
        ResponseError::ConcurrentTransactions if version < SECOND_PROTOCOL => {
            ResponseError::CoordinatorNotAvailable
        }
        ResponseError::TransactionAbortable if version < 4 => ResponseError::InvalidTxnState,
        other => other,
    })
}

fn commit_one(
    context: &Context,
    state: &mut State,
    group: &str,
    producer: i64,
    allowed: Result<(), i16>,
    topic: &str,
    partition: TxnOffsetCommitRequestPartition,
) -> Result<(), i16> {
    let id = partition.partition_index;
    let position = Position {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition.committed_metadata.map(|m| m.to_string()).unwrap_or_default(),
    };
    check_position(context, state, ApiKey::TxnOffsetCommit, (topic, id), allowed, &position)?;
    group_or_new(state, group).offsets.commit_later(producer, (topic.to_owned(), id), position);
    Ok(())
}
