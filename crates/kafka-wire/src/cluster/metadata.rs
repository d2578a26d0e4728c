//! Brokers, topics, partitions and leaders, as the last answers told.

use std::collections::{BTreeMap, HashMap};

use kafka_protocol::messages::MetadataResponse;
use uuid::Uuid;

use crate::error::WireError;
use crate::error_code::ErrorCode;

/// A broker's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Rack, empty if none.
    pub rack: String,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionMetadata {
    /// Broker id of the leader, -1 while there is none.
    pub leader: i32,
    /// Leader epoch, -1 where the broker is too old to tell.
    pub leader_epoch: i32,
    /// Number of replicas.
    pub replicas: usize,
}

/// One topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMetadata {
    /// Topic id, nil where the broker is too old to have them.
    pub id: Uuid,
    /// The broker's own mark of internal topics.
    pub internal: bool,
    /// Error that the brokers answer for the topic: it does not exist, it may not be seen. `None`: it is
    /// there.
    pub error: Option<ErrorCode>,
    /// Partitions by number.
    pub partitions: BTreeMap<i32, PartitionMetadata>,
}

/// Knowledge of a cluster.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// The cluster's id.
    pub cluster_id: String,
    /// Broker id of the controller, -1 if unknown.
    pub controller: i32,
    /// Brokers by id.
    pub brokers: BTreeMap<i32, Broker>,
    /// Topics by name.
    pub topics: BTreeMap<String, TopicMetadata>,
    names: HashMap<Uuid, String>,
}

impl Metadata {
    pub(super) fn from_response(response: MetadataResponse) -> Self {
        let broker = |b: &kafka_protocol::messages::metadata_response::MetadataResponseBroker| {
            let rack = b.rack.as_ref().map(|r| r.to_string()).unwrap_or_default();
            let port = u16::try_from(b.port).unwrap_or_default();
            (b.node_id.0, Broker { host: b.host.to_string(), port, rack })
        };
        let mut metadata = Self {
            cluster_id: response.cluster_id.as_ref().map(|id| id.to_string()).unwrap_or_default(),
            controller: response.controller_id.0,
            brokers: response.brokers.iter().map(broker).collect(),
            ..Self::default()
        };
        for topic in response.topics {
            let Some(name) = &topic.name else { continue };
            let partitions = topic.partitions.iter().map(|p| {
                let partition = PartitionMetadata {
                    leader: p.leader_id.0,
                    leader_epoch: p.leader_epoch,
                    replicas: p.replica_nodes.len(),
                };
                (p.partition_index, partition)
            });
            let entry = TopicMetadata {
                id: topic.topic_id,
                internal: topic.is_internal,
                error: ErrorCode::try_from_code(topic.error_code),
                partitions: partitions.collect(),
            };
            metadata.topics.insert(name.to_string(), entry);
        }
        metadata.index();
        metadata
    }

    /// This, brought up to date by a newer answer: an answer about all topics replaces them, one about some
    /// updates those.
    pub(super) fn updated(&self, mut fresh: Self, all_topics: bool) -> Self {
        if !all_topics {
            for (name, topic) in &self.topics {
                fresh.topics.entry(name.clone()).or_insert_with(|| topic.clone());
            }
        }
        fresh.index();
        fresh
    }

    fn index(&mut self) {
        self.names =
            self.topics.iter().filter(|(_, t)| !t.id.is_nil()).map(|(n, t)| (t.id, n.clone())).collect();
    }

    /// A topic that exists.
    pub fn topic(&self, name: &str) -> Option<&TopicMetadata> {
        self.topics.get(name).filter(|t| t.error.is_none())
    }

    /// True for a topic that may not be seen, which also hides that there may be none.
    pub fn is_hidden(&self, topic: &str) -> bool {
        self.topics.get(topic).is_some_and(|found| found.error == Some(ErrorCode::TopicAuthorizationFailed))
    }

    /// Name of the topic with an id.
    pub fn topic_name(&self, id: Uuid) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }

    /// A partition of a topic that exists.
    pub fn partition(&self, topic: &str, partition: i32) -> Option<&PartitionMetadata> {
        self.topic(topic)?.partitions.get(&partition)
    }

    /// As [`Self::leader`]; the error says why there is none, and whether waiting may cure it.
    ///
    /// # Errors
    /// What the brokers say of the topic where that is final (it may not be seen), else LEADER_NOT_AVAILABLE.
    pub fn leader_or_why(&self, topic: &str, partition: i32) -> Result<i32, WireError> {
        self.leader(topic, partition).ok_or_else(|| {
            let what = format!("leader of {topic}-{partition}");
            match self.topics.get(topic).and_then(|t| t.error) {
                Some(code) if !code.is_retriable() => {
                    WireError::broker(what, code).needing("DESCRIBE on the topic")
                }
                _ => WireError::broker(what, ErrorCode::LeaderNotAvailable),
            }
        })
    }

    /// The broker that leads a partition, if there is one now.
    pub fn leader(&self, topic: &str, partition: i32) -> Option<i32> {
        self.partition(topic, partition).map(|p| p.leader).filter(|l| self.brokers.contains_key(l))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_partition_has_no_leader_is_final_where_its_topic_may_not_be_seen() {
        let topic = |error| TopicMetadata {
            id: Uuid::nil(),
            internal: false,
            error: Some(error),
            partitions: BTreeMap::new(),
        };
        let topics = [
            ("hidden".to_owned(), topic(ErrorCode::TopicAuthorizationFailed)),
            ("new".to_owned(), topic(ErrorCode::UnknownTopicOrPartition)),
        ];
        let metadata = Metadata { topics: topics.into(), ..Metadata::default() };
        let why = |name| metadata.leader_or_why(name, 0).expect_err("there is no leader");
        assert!(!why("hidden").is_retriable());
        assert!(why("hidden").to_string().contains("DESCRIBE"));
        assert!(why("new").is_retriable() && why("unknown").is_retriable());
    }
}
