//! ListOffsets.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{ApiKey, ListOffsetsRequest, ListOffsetsResponse};

use super::{Context, code, epochs};
use crate::log::Log;
use crate::state::State;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;

/// Timestamp, offset and leader epoch; -1 each where there is none.
type Found = (i64, i64, i32);

pub(super) fn list(context: &Context, request: ListOffsetsRequest, version: i16) -> ListOffsetsResponse {
    let committed = request.isolation_level == 1;
    let topic = |topic: ListOffsetsTopic| {
        let partition = |asked: &ListOffsetsPartition| {
            let index = asked.partition_index;
            let outcome = match context.injected(ApiKey::ListOffsets, &topic.name, index) {
                Some(error) => Err(error),
                None => context
                    .cluster
                    .with(|state| find(state, context.broker, &topic.name, asked, committed, version))
                    .map_err(code),
            };
            let (timestamp, offset, epoch) = *outcome.as_ref().unwrap_or(&(-1, -1, -1));
            ListOffsetsPartitionResponse::default()
                .with_partition_index(index)
                .with_error_code(outcome.err().unwrap_or(0))
                .with_timestamp(timestamp)
                .with_offset(offset)
                .with_leader_epoch(if version >= 4 { epoch } else { -1 })
        };
        let partitions = topic.partitions.iter().map(partition).collect();
        ListOffsetsTopicResponse::default().with_name(topic.name.clone()).with_partitions(partitions)
    };
    ListOffsetsResponse::default()
        .with_topics(request.topics.into_iter().map(topic).collect())
        .with_throttle_time_ms(context.throttle_ms(ApiKey::ListOffsets))
}

fn find(
    state: &State,
    broker: i32,
    topic: &str,
    asked: &ListOffsetsPartition,
    committed: bool,
    version: i16,
) -> Result<Found, ResponseError> {
    let partition =
        state.partition(topic, asked.partition_index).ok_or(ResponseError::UnknownTopicOrPartition)?;
    if partition.leader != broker {
        return Err(ResponseError::NotLeaderOrFollower);
    }
    epochs::check(partition.leader_epoch, asked.current_leader_epoch)?;
    let log = &partition.log;
    let end = if committed { log.last_stable_offset() } else { log.end() };
    let at = |found: Option<(i64, i64)>| match found {
        Some((timestamp, offset)) => (timestamp, offset, epoch_of(log, offset)),
        None => (-1, -1, -1),
    };
    match asked.timestamp {
        LATEST => Ok((-1, end, epoch_of(log, end))),
        EARLIEST => Ok((-1, log.start(), epoch_of(log, log.start()))),
        MAX_TIMESTAMP if version >= 7 => Ok(at(log.newest())),
        EARLIEST_LOCAL if version >= 8 => Ok((-1, log.start(), epoch_of(log, log.start()))),
        LATEST_TIERED if version >= 9 => Ok((-1, -1, -1)),
        timestamp if timestamp >= 0 => Ok(at(log.first_since(timestamp, end))),
        _ => Err(ResponseError::UnsupportedVersion),
    }
}

fn epoch_of(log: &Log, offset: i64) -> i32 {
    if offset >= log.end() { log.latest_epoch() } else { log.epoch_at(offset) }
}
