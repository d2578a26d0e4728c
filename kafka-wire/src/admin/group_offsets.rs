//! Committed offsets of consumer groups, read and written as an admin does: without being a member.

use std::collections::BTreeMap;

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{OffsetCommitRequest, OffsetFetchRequest};

use super::TopicPartition;
use super::topics::text;
use crate::cluster::Cluster;
use crate::error::WireError;

const COORDINATOR_NOT_AVAILABLE: i16 = 15;
const NOT_COORDINATOR: i16 = 16;

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
        let request = || {
            let topics = topics.iter().map(|(name, partitions)| {
                OffsetFetchRequestTopic::default()
                    .with_name(text(name).into())
                    .with_partition_indexes(partitions.clone())
            });
            OffsetFetchRequest::default()
                .with_group_id(text(group).into())
                .with_topics(Some(topics.collect()))
        };
        self.retry(|| async {
            let answer = self.call_coordinator(group, request()).await?;
            let context = || format!("committed offsets of group {group} at the {} cluster", self.role());
            self.check_group(group, answer.error_code, context)?;
            let mut found = BTreeMap::new();
            for topic in &answer.topics {
                for p in &topic.partitions {
                    self.check_group(group, p.error_code, context)?;
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

    /// Commits offsets for a group that has no active members.
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
        self.retry(|| async {
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
            for p in answer.topics.iter().flat_map(|t| &t.partitions) {
                self.check_group(group, p.error_code, context)?;
            }
            Ok(())
        })
        .await
    }

    fn check_group(&self, group: &str, code: i16, context: impl Fn() -> String) -> Result<(), WireError> {
        if code == 0 {
            return Ok(());
        }
        if matches!(code, COORDINATOR_NOT_AVAILABLE | NOT_COORDINATOR) {
            self.forget_coordinator(group);
        }
        let rights = "READ on the group and on the topics (to commit), or DESCRIBE (to look)";
        Err(WireError::broker(context(), code).needing(rights))
    }
}
