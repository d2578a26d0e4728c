//! OffsetForLeaderEpoch, and the check of the epochs that clients name.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{ApiKey, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

use super::{Context, code};
use crate::state::State;

/// Whether a client knows the leader that there is: `named` is -1 when it does not say.
pub(super) fn check(current: i32, named: i32) -> Result<(), ResponseError> {
    match named {
        -1 => Ok(()),
        older if older < current => Err(ResponseError::FencedLeaderEpoch),
        newer if newer > current => Err(ResponseError::UnknownLeaderEpoch),
        _ => Ok(()),
    }
}

pub(super) fn end_offsets(
    context: &Context,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topic = |topic: OffsetForLeaderTopic| {
        let partition = |asked: &OffsetForLeaderPartition| {
            let injected = context.injected(ApiKey::OffsetForLeaderEpoch, &topic.topic, asked.partition);
            let outcome = match injected {
                Some(error) => Err(error),
                None => context.cluster.with(|s| end(s, context.broker, &topic.topic, asked)).map_err(code),
            };
            let (epoch, offset) = *outcome.as_ref().unwrap_or(&(-1, -1));
            EpochEndOffset::default()
                .with_partition(asked.partition)
                .with_error_code(outcome.err().unwrap_or(0))
                .with_leader_epoch(epoch)
                .with_end_offset(offset)
        };
        let partitions = topic.partitions.iter().map(partition).collect();
        OffsetForLeaderTopicResult::default().with_topic(topic.topic.clone()).with_partitions(partitions)
    };
    OffsetForLeaderEpochResponse::default()
        .with_topics(request.topics.into_iter().map(topic).collect())
        .with_throttle_time_ms(context.throttle_ms(ApiKey::OffsetForLeaderEpoch))
}

fn end(
    state: &State,
    broker: i32,
    topic: &str,
    asked: &OffsetForLeaderPartition,
) -> Result<(i32, i64), ResponseError> {
    let partition = state.partition(topic, asked.partition).ok_or(ResponseError::UnknownTopicOrPartition)?;
    if partition.leader != broker {
        return Err(ResponseError::NotLeaderOrFollower);
    }
    check(partition.leader_epoch, asked.current_leader_epoch)?;
    Ok(partition.log.end_of_epoch(asked.leader_epoch))
}
