//! First and end offsets of partitions.

use std::collections::{BTreeMap, HashMap};

use kafka_protocol::messages::ListOffsetsRequest;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};

use super::TopicPartition;
use super::topics::text;
use crate::cluster::Cluster;
use crate::error::WireError;
use crate::error_code::ErrorCode;

/// Which offset is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetSpec {
    /// The first offset still in the log.
    Earliest,
    /// The end that a reader of this isolation sees: high watermark, or last stable offset.
    Latest {
        /// True: the last stable offset.
        read_committed: bool,
    },
}

impl Cluster {
    /// Offsets of partitions, asked from their leaders. Passing faults are retried; a partition that stays
    /// without an answer is an error that names it.
    pub async fn list_offsets(
        &self,
        partitions: &[TopicPartition],
        spec: OffsetSpec,
    ) -> Result<BTreeMap<TopicPartition, i64>, WireError> {
        let mut topics: Vec<String> = partitions.iter().map(|(t, _)| t.clone()).collect();
        topics.sort_unstable();
        topics.dedup();
        self.retry(|| async {
            let mut by_leader: HashMap<i32, Vec<&TopicPartition>> = HashMap::new();
            let mut metadata = self.metadata();
            if partitions.iter().any(|(t, p)| metadata.leader(t, *p).is_none()) {
                metadata = self.fetch_metadata(Some(&topics)).await?;
            }
            for partition in partitions {
                let leader = metadata.leader_or_why(&partition.0, partition.1)?;
                by_leader.entry(leader).or_default().push(partition);
            }
            let mut found = BTreeMap::new();
            for (leader, asked) in by_leader {
                let result = match self.broker(leader).await {
                    Ok(connection) => connection.call(&request(&asked, spec)).await,
                    Err(error) => Err(error),
                };
                let outcome = result.and_then(|answer| {
                    for topic in answer.topics {
                        for p in topic.partitions {
                            let name = topic.name.to_string();
                            if let Some(code) = ErrorCode::try_from_code(p.error_code) {
                                let what = format!("offsets of {name}-{}", p.partition_index);
                                let refused = WireError::broker(what, code);
                                return Err(refused.needing("DESCRIBE on the topic"));
                            }
                            found.insert((name, p.partition_index), p.offset);
                        }
                    }
                    Ok(())
                });
                if let Err(error) = outcome {
                    self.fetch_metadata(Some(&topics)).await?;
                    return Err(error);
                }
            }
            Ok(found)
        })
        .await
    }
}

fn request(partitions: &[&TopicPartition], spec: OffsetSpec) -> ListOffsetsRequest {
    let timestamp = match spec {
        OffsetSpec::Earliest => -2,
        OffsetSpec::Latest { .. } => -1,
    };
    let mut topics: BTreeMap<&str, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for (topic, partition) in partitions {
        topics
            .entry(topic)
            .or_default()
            .push(ListOffsetsPartition::default().with_partition_index(*partition).with_timestamp(timestamp));
    }
    let topics = topics.into_iter().map(|(name, partitions)| {
        ListOffsetsTopic::default().with_name(text(name).into()).with_partitions(partitions)
    });
    ListOffsetsRequest::default()
        .with_replica_id((-1).into())
        .with_isolation_level(i8::from(matches!(spec, OffsetSpec::Latest { read_committed: true })))
        .with_topics(topics.collect())
}
