//! What a sink connector's offsets need of the cluster and the shared client has no call for: all offsets of a group,
//! forgetting some, forgetting the group.

use std::collections::BTreeMap;

use kafka_wire::admin::TopicPartition;
use kafka_wire::cluster::Cluster;
use kafka_wire::kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_wire::kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_wire::kafka_protocol::messages::{
    DeleteGroupsRequest, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest,
};
use kafka_wire::kafka_protocol::protocol::StrBytes;
use kafka_wire::{ErrorCode, WireError};

const COORDINATOR_NOT_AVAILABLE: i16 = 15;
const NOT_COORDINATOR: i16 = 16;

fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

fn check(cluster: &Cluster, group: &str, what: &str, code: i16) -> Result<(), WireError> {
    if code == 0 {
        return Ok(());
    }
    if matches!(code, COORDINATOR_NOT_AVAILABLE | NOT_COORDINATOR) {
        cluster.forget_coordinator(group);
    }
    let rights = match what {
        "deletion" => "DELETE on the group",
        _ => "READ on the group and on the topics",
    };
    Err(WireError::broker(format!("{what} of group {group}"), code).needing(rights))
}

/// Every offset that a group has committed.
pub(super) async fn all_offsets(
    cluster: &Cluster,
    group: &str,
) -> Result<BTreeMap<TopicPartition, i64>, WireError> {
    cluster
        .retry(|| async {
            let request = OffsetFetchRequest::default().with_group_id(text(group).into()).with_topics(None);
            let answer = cluster.call_coordinator(group, request).await?;
            check(cluster, group, "offsets", answer.error_code)?;
            let mut found = BTreeMap::new();
            for topic in &answer.topics {
                for partition in topic.partitions.iter().filter(|partition| partition.committed_offset >= 0) {
                    check(cluster, group, "offsets", partition.error_code)?;
                    let key = (topic.name.to_string(), partition.partition_index);
                    found.insert(key, partition.committed_offset);
                }
            }
            Ok(found)
        })
        .await
}

/// Sets the offsets of some partitions. A partition that is not there is refused at once: Connect does not wait for it.
pub(super) async fn commit_offsets(
    cluster: &Cluster,
    group: &str,
    offsets: &[(TopicPartition, i64)],
) -> Result<(), WireError> {
    let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
    for ((topic, partition), offset) in offsets {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(*partition)
            .with_committed_offset(*offset)
            .with_committed_metadata(Some(text("")));
        topics.entry(topic).or_default().push(partition);
    }
    let committed = cluster.retry(|| async {
        let topics = topics.iter().map(|(name, partitions)| {
            OffsetCommitRequestTopic::default()
                .with_name(text(name).into())
                .with_partitions(partitions.clone())
        });
        let request = OffsetCommitRequest::default()
            .with_group_id(text(group).into())
            .with_generation_id_or_member_epoch(-1)
            .with_topics(topics.collect());
        let answer = cluster.call_coordinator(group, request).await?;
        let mut codes = answer.topics.iter().flat_map(|topic| &topic.partitions).map(|p| p.error_code);
        settled(codes.try_for_each(|code| check(cluster, group, "offsets", code)))
    });
    committed.await?
}

/// What trying again does not change; the outer error is that of an attempt.
fn settled(outcome: Result<(), WireError>) -> Result<Result<(), WireError>, WireError> {
    match outcome {
        Err(error) if error.code() == Some(ErrorCode::UnknownTopicOrPartition) => Ok(Err(error)),
        other => other.map(Ok),
    }
}

/// Forgets the offsets of some partitions.
pub(super) async fn delete_offsets(
    cluster: &Cluster,
    group: &str,
    partitions: &[TopicPartition],
) -> Result<(), WireError> {
    let mut topics: BTreeMap<&str, Vec<OffsetDeleteRequestPartition>> = BTreeMap::new();
    for (topic, partition) in partitions {
        let partition = OffsetDeleteRequestPartition::default().with_partition_index(*partition);
        topics.entry(topic).or_default().push(partition);
    }
    cluster
        .retry(|| async {
            let topics = topics.iter().map(|(name, partitions)| {
                OffsetDeleteRequestTopic::default()
                    .with_name(text(name).into())
                    .with_partitions(partitions.clone())
            });
            let request = OffsetDeleteRequest::default()
                .with_group_id(text(group).into())
                .with_topics(topics.collect());
            let answer = cluster.call_coordinator(group, request).await?;
            check(cluster, group, "offsets", answer.error_code)?;
            let mut codes = answer.topics.iter().flat_map(|topic| &topic.partitions).map(|p| p.error_code);
            settled(codes.try_for_each(|code| check(cluster, group, "offsets", code)))
        })
        .await?
}

/// Forgets a group with all its offsets.
pub(super) async fn delete_group(cluster: &Cluster, group: &str) -> Result<(), WireError> {
    cluster
        .retry(|| async {
            let request = DeleteGroupsRequest::default().with_groups_names(vec![text(group).into()]);
            let answer = cluster.call_coordinator(group, request).await?;
            for result in &answer.results {
                check(cluster, group, "deletion", result.error_code)?;
            }
            Ok(())
        })
        .await
}
