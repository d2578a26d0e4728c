//! OffsetFetch, of one group (up to version 7) or several.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{ApiKey, OffsetFetchRequest, OffsetFetchResponse, TopicName};

use super::offsets::Position;
use super::refuse;
use crate::api::{Context, code, text};
use crate::state::State;

const API: ApiKey = ApiKey::OffsetFetch;

/// Topics with their partitions.
type Wanted = Vec<(TopicName, Vec<i32>)>;

/// Knowledge of a partition.
struct Fetched {
    partition: i32,
    position: Position,
    error: i16,
}

impl Fetched {
    fn without(partition: i32, error: i16) -> Self {
        let position = Position { offset: -1, leader_epoch: -1, metadata: String::new() };
        Self { partition, position, error }
    }
}

pub(super) fn fetch(context: &Context, request: OffsetFetchRequest, version: i16) -> OffsetFetchResponse {
    let answer = OffsetFetchResponse::default().with_throttle_time_ms(context.throttle_ms(API));
    if version >= 8 {
        let one = |group: kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup| {
            let wanted = group.topics.map(|t| t.into_iter().map(|t| (t.name, t.partition_indexes)).collect());
            let fetched = fetch_group(context, &group.group_id, wanted, request.require_stable);
            let answer = OffsetFetchResponseGroup::default().with_group_id(group.group_id);
            match fetched {
                Ok(topics) => answer.with_topics(topics.into_iter().map(topic_of_group).collect()),
                Err(code) => answer.with_error_code(code),
            }
        };
        return answer.with_groups(request.groups.into_iter().map(one).collect());
    }
    let wanted: Option<Wanted> =
        request.topics.map(|t| t.into_iter().map(|t| (t.name, t.partition_indexes)).collect());
    let asked = wanted.clone().unwrap_or_default();
    match fetch_group(context, &request.group_id, wanted, request.require_stable) {
        Ok(topics) => answer.with_topics(topics.into_iter().map(topic).collect()),
        // Version 1 can say so of partitions only.
        Err(code) if version < 2 => {
            let failed = |(name, partitions): (TopicName, Vec<i32>)| {
                topic((name, partitions.into_iter().map(|p| Fetched::without(p, code)).collect()))
            };
            answer.with_topics(asked.into_iter().map(failed).collect())
        }
        Err(code) => answer.with_error_code(code),
    }
}

fn topic_of_group((name, partitions): (TopicName, Vec<Fetched>)) -> OffsetFetchResponseTopics {
    let partition = |fetched: Fetched| {
        OffsetFetchResponsePartitions::default()
            .with_partition_index(fetched.partition)
            .with_committed_offset(fetched.position.offset)
            .with_committed_leader_epoch(fetched.position.leader_epoch)
            .with_metadata(Some(text(fetched.position.metadata)))
            .with_error_code(fetched.error)
    };
    let partitions = partitions.into_iter().map(partition).collect();
    OffsetFetchResponseTopics::default().with_name(name).with_partitions(partitions)
}

fn topic((name, partitions): (TopicName, Vec<Fetched>)) -> OffsetFetchResponseTopic {
    let partition = |fetched: Fetched| {
        OffsetFetchResponsePartition::default()
            .with_partition_index(fetched.partition)
            .with_committed_offset(fetched.position.offset)
            .with_committed_leader_epoch(fetched.position.leader_epoch)
            .with_metadata(Some(text(fetched.position.metadata)))
            .with_error_code(fetched.error)
    };
    let partitions = partitions.into_iter().map(partition).collect();
    OffsetFetchResponseTopic::default().with_name(name).with_partitions(partitions)
}

fn fetch_group(
    context: &Context,
    group: &str,
    wanted: Option<Wanted>,
    stable: bool,
) -> Result<Vec<(TopicName, Vec<Fetched>)>, i16> {
    context.cluster.with(|state| {
        refuse(context, state, API, group, false)?;
        let wanted = wanted.unwrap_or_else(|| all(state, group));
        let one = |(name, partitions): (TopicName, Vec<i32>)| {
            let fetched = partitions.into_iter().map(|p| fetch_one(context, state, group, &name, p, stable));
            let fetched = fetched.collect();
            (name, fetched)
        };
        Ok(wanted.into_iter().map(one).collect())
    })
}

/// Every partition with an offset.
fn all(state: &State, group: &str) -> Wanted {
    let mut wanted = Wanted::new();
    let Some(group) = state.groups.get(group) else { return wanted };
    for (topic, partition) in group.offsets.partitions() {
        match wanted.last_mut() {
            Some((last, partitions)) if ***last == **topic => partitions.push(*partition),
            _ => wanted.push((TopicName(text(&**topic)), vec![*partition])),
        }
    }
    wanted
}

fn fetch_one(
    context: &Context,
    state: &State,
    group: &str,
    topic: &str,
    partition: i32,
    stable: bool,
) -> Fetched {
    if let Some(code) = context.injected(API, topic, partition) {
        return Fetched::without(partition, code);
    }
    let Some(group) = state.groups.get(group) else { return Fetched::without(partition, 0) };
    let key = (topic.to_owned(), partition);
    if stable && group.offsets.unstable(&key) {
        return Fetched::without(partition, code(ResponseError::UnstableOffsetCommit));
    }
    match group.offsets.get(&key) {
        Some(position) => Fetched { partition, position: position.clone(), error: 0 },
        None => Fetched::without(partition, 0),
    }
}
