//! DeleteRecords and DescribeProducers.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_records_request::DeleteRecordsTopic;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use kafka_protocol::messages::{
    ApiKey, DeleteRecordsRequest, DeleteRecordsResponse, DescribeProducersRequest, DescribeProducersResponse,
};

use super::{Context, code};
use crate::log::Producer;
use crate::state::State;

pub(super) fn delete(context: &Context, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let topic = |topic: DeleteRecordsTopic| {
        let partition = |p: &kafka_protocol::messages::delete_records_request::DeleteRecordsPartition| {
            let injected = context.injected(ApiKey::DeleteRecords, &topic.name, p.partition_index);
            let outcome = match injected {
                Some(error) => Err(error),
                None => context
                    .cluster
                    .with(|state| delete_one(state, context.broker, &topic.name, p.partition_index, p.offset))
                    .map_err(code),
            };
            DeleteRecordsPartitionResult::default()
                .with_partition_index(p.partition_index)
                .with_low_watermark(*outcome.as_ref().unwrap_or(&-1))
                .with_error_code(outcome.err().unwrap_or(0))
        };
        let partitions = topic.partitions.iter().map(partition).collect();
        DeleteRecordsTopicResult::default().with_name(topic.name.clone()).with_partitions(partitions)
    };
    DeleteRecordsResponse::default()
        .with_topics(request.topics.into_iter().map(topic).collect())
        .with_throttle_time_ms(context.throttle_ms(ApiKey::DeleteRecords))
}

fn delete_one(
    state: &mut State,
    broker: i32,
    topic: &str,
    index: i32,
    offset: i64,
) -> Result<i64, ResponseError> {
    let unknown = ResponseError::UnknownTopicOrPartition;
    let policy = state
        .topics
        .get(topic)
        .map(|t| state.topic_setting(t, "cleanup.policy").to_owned())
        .ok_or(unknown)?;
    let partition = state.partition_mut(topic, index).ok_or(unknown)?;
    if partition.leader != broker {
        return Err(ResponseError::NotLeaderOrFollower);
    }
    if !policy.contains("delete") {
        return Err(ResponseError::PolicyViolation);
    }
    let offset = if offset == -1 { partition.log.end() } else { offset };
    if offset < 0 || offset > partition.log.end() {
        return Err(ResponseError::OffsetOutOfRange);
    }
    let start = partition.log.delete_before(offset);
    state.touch();
    Ok(start)
}

pub(super) fn producers(context: &Context, request: DescribeProducersRequest) -> DescribeProducersResponse {
    let topic = |topic: TopicRequest| {
        let partition =
            |index: &i32| context.cluster.with(|state| active(state, context.broker, &topic.name, *index));
        let partitions = topic.partition_indexes.iter().map(partition).collect();
        TopicResponse::default().with_name(topic.name.clone()).with_partitions(partitions)
    };
    DescribeProducersResponse::default().with_topics(request.topics.into_iter().map(topic).collect())
}

fn active(state: &State, broker: i32, topic: &str, index: i32) -> PartitionResponse {
    let answer = PartitionResponse::default().with_partition_index(index);
    let Some(partition) = state.partition(topic, index) else {
        return answer.with_error_code(code(ResponseError::UnknownTopicOrPartition));
    };
    if partition.leader != broker {
        return answer.with_error_code(code(ResponseError::NotLeaderOrFollower));
    }
    let producer = |(id, producer): (i64, &Producer)| {
        ProducerState::default()
            .with_producer_id(id.into())
            .with_producer_epoch(i32::from(producer.epoch))
            .with_last_sequence(producer.batches.back().map_or(-1, |b| b.last_sequence))
            .with_last_timestamp(producer.last_timestamp)
            .with_coordinator_epoch(producer.coordinator_epoch.unwrap_or(-1))
            .with_current_txn_start_offset(producer.transaction_start.unwrap_or(-1))
    };
    answer.with_active_producers(partition.log.producers().iter().map(producer).collect())
}
