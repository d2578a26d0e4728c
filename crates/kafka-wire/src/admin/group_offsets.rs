//! Committed offsets of consumer groups, read and written as an admin does: without being a member.

use std::collections::BTreeMap;

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{
    DeleteGroupsRequest, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest,
};

use super::TopicPartition;
use super::topics::text;
use crate::cluster::Cluster;
use crate::error::WireError;
use crate::error_code::ErrorCode;

// The rights that an authorizer asks for.
const LOOK: &str = "DESCRIBE on the group and on the topics";
const CHANGE: &str = "READ on the group and on the topics";
const DELETE_OFFSETS: &str = "DELETE on the group and READ on the topics";
const DELETE: &str = "DELETE on the group";

/// An offset that a group commits: the next one to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupOffset {
    /// Next offset to read.
    pub offset: i64,
    /// Leader epoch of the record before it, -1 if unknown.
    pub leader_epoch: i32,
}

impl Cluster {
    /// The offsets a group has committed for these partitions; those without one are absent.
    pub async fn group_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, GroupOffset>, WireError> {
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for (topic, partition) in partitions {
            topics.entry(topic).or_default().push(*partition);
        }
        let topics = topics.into_iter().map(|(name, partitions)| {
            OffsetFetchRequestTopic::default().with_name(text(name).into()).with_partition_indexes(partitions)
        });
        self.fetch_group_offsets(group, Some(topics.collect())).await
    }

    /// Every offset that a group has committed.
    pub async fn all_group_offsets(
        &self,
        group: &str,
    ) -> Result<BTreeMap<TopicPartition, GroupOffset>, WireError> {
        self.fetch_group_offsets(group, None).await
    }

    async fn fetch_group_offsets(
        &self,
        group: &str,
        topics: Option<Vec<OffsetFetchRequestTopic>>,
    ) -> Result<BTreeMap<TopicPartition, GroupOffset>, WireError> {
        self.retry(|| async {
            let request =
                OffsetFetchRequest::default().with_group_id(text(group).into()).with_topics(topics.clone());
            let answer = self.call_coordinator(group, request).await?;
            let context = || format!("committed offsets of group {group} at the {} cluster", self.role());
            self.check_group(group, answer.error_code, LOOK, context)?;
            let mut found = BTreeMap::new();
            for topic in &answer.topics {
                for p in &topic.partitions {
                    self.check_group(group, p.error_code, LOOK, context)?;
                    if p.committed_offset >= 0 {
                        let offset = GroupOffset {
                            offset: p.committed_offset,
                            leader_epoch: p.committed_leader_epoch,
                        };
                        found.insert((topic.name.to_string(), p.partition_index), offset);
                    }
                }
            }
            Ok(found)
        })
        .await
    }

    /// Commits offsets for a group that has no active members. A partition that is not there is refused at
    /// once.
    pub async fn commit_group_offsets(
        &self,
        group: &str,
        offsets: &BTreeMap<TopicPartition, GroupOffset>,
    ) -> Result<(), WireError> {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for ((topic, partition), offset) in offsets {
            topics.entry(topic).or_default().push(
                OffsetCommitRequestPartition::default()
                    .with_partition_index(*partition)
                    .with_committed_offset(offset.offset)
                    .with_committed_leader_epoch(offset.leader_epoch)
                    .with_committed_metadata(Some(text(""))),
            );
        }
        let committed = self.retry(|| async {
            let topics = topics.iter().map(|(name, partitions)| {
                OffsetCommitRequestTopic::default()
                    .with_name(text(name).into())
                    .with_partitions(partitions.clone())
            });
            let request = OffsetCommitRequest::default()
                .with_group_id(text(group).into())
                .with_generation_id_or_member_epoch(-1)
                .with_topics(topics.collect());
            let answer = self.call_coordinator(group, request).await?;
            let context = || format!("commit offsets of group {group} at the {} cluster", self.role());
            let mut codes = answer.topics.iter().flat_map(|t| &t.partitions).map(|p| p.error_code);
            settled(codes.try_for_each(|code| self.check_group(group, code, CHANGE, context)))
        });
        committed.await?
    }

    /// Forgets the offsets of some partitions. A partition that is not there is refused at once.
    pub async fn delete_group_offsets(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<(), WireError> {
        let mut topics: BTreeMap<&str, Vec<OffsetDeleteRequestPartition>> = BTreeMap::new();
        for (topic, partition) in partitions {
            let partition = OffsetDeleteRequestPartition::default().with_partition_index(*partition);
            topics.entry(topic).or_default().push(partition);
        }
        let deleted = self.retry(|| async {
            let topics = topics.iter().map(|(name, partitions)| {
                OffsetDeleteRequestTopic::default()
                    .with_name(text(name).into())
                    .with_partitions(partitions.clone())
            });
            let request = OffsetDeleteRequest::default()
                .with_group_id(text(group).into())
                .with_topics(topics.collect());
            let answer = self.call_coordinator(group, request).await?;
            let context = || format!("delete offsets of group {group} at the {} cluster", self.role());
            self.check_group(group, answer.error_code, DELETE_OFFSETS, context)?;
            let mut codes = answer.topics.iter().flat_map(|t| &t.partitions).map(|p| p.error_code);
            settled(codes.try_for_each(|code| self.check_group(group, code, DELETE_OFFSETS, context)))
        });
        deleted.await?
    }

    /// Forgets a group with all its offsets.
    pub async fn delete_group(&self, group: &str) -> Result<(), WireError> {
        self.retry(|| async {
            let request = DeleteGroupsRequest::default().with_groups_names(vec![text(group).into()]);
            let answer = self.call_coordinator(group, request).await?;
            let context = || format!("delete group {group} at the {} cluster", self.role());
            let mut codes = answer.results.iter().map(|result| result.error_code);
            codes.try_for_each(|code| self.check_group(group, code, DELETE, context))
        })
        .await
    }

    fn check_group(
        &self,
        group: &str,
        code: i16,
        rights: &str,
        context: impl Fn() -> String,
    ) -> Result<(), WireError> {
        let Some(code) = ErrorCode::try_from_code(code) else { return Ok(()) };
        if matches!(code, ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator) {
            self.forget_coordinator(group);
        }
        Err(WireError::broker(context(), code).needing(rights))
    }
}

/// Separates a refusal that trying again does not change; the outer error is that of an attempt.
fn settled(outcome: Result<(), WireError>) -> Result<Result<(), WireError>, WireError> {
    match outcome {
        Err(error) if error.code() == Some(ErrorCode::UnknownTopicOrPartition) => Ok(Err(error)),
        other => other.map(Ok),
    }
}
