//! The topics under the stores: created compacted when they are missing, checked when they are there.

use std::collections::BTreeMap;

use kafka_wire::admin::NewTopic;
use kafka_wire::cluster::Cluster;
use kafka_wire::{ErrorCode, WireError};
use tracing::{info, warn};

use super::StorageError;

/// Contents of a store's topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `config.storage.*`
    Configs,
    /// `offset.storage.*`
    Offsets,
    /// `status.storage.*`
    Statuses,
}

impl Purpose {
    fn words(self) -> &'static str {
        match self {
            Self::Configs => "configurations",
            Self::Offsets => "source offsets",
            Self::Statuses => "statuses",
        }
    }

    fn topic_setting(self) -> &'static str {
        match self {
            Self::Configs => "config.storage.topic",
            Self::Offsets => "offset.storage.topic",
            Self::Statuses => "status.storage.topic",
        }
    }

    fn replication_setting(self) -> &'static str {
        match self {
            Self::Configs => "config.storage.replication.factor",
            Self::Offsets => "offset.storage.replication.factor",
            Self::Statuses => "status.storage.replication.factor",
        }
    }
}

/// A topic that a store needs.
#[derive(Debug, Clone)]
pub struct InternalTopic {
    /// Topic name.
    pub name: String,
    /// Purpose.
    pub purpose: Purpose,
    /// Partitions when it must be created; -1: the broker's default. Ignored for configurations, which have one.
    pub partitions: i32,
    /// Replication factor when it must be created; -1: the broker's default.
    pub replication_factor: i16,
    /// Further topic settings when it must be created; `cleanup.policy` has no effect.
    pub configs: BTreeMap<String, String>,
}

/// Makes sure that the topic exists and will not lose records; returns its number of partitions. A topic that may not
/// be created or described by this user is taken as it is, as long as it exists.
pub async fn ensure_topic(cluster: &Cluster, topic: &InternalTopic) -> Result<i32, StorageError> {
    let existing = partition_count(cluster, &topic.name).await?;
    let refused = if existing.is_none() { create(cluster, topic).await? } else { None };
    let Some(partitions) = partition_count(cluster, &topic.name).await? else {
        let found = if cluster.metadata().is_hidden(&topic.name) {
            "does not exist or may not be seen"
        } else {
            "does not exist"
        };
        return Err(StorageError::MissingTopic {
            found,
            topic: topic.name.clone(),
            setting: topic.purpose.topic_setting(),
            reason: refused.map_or("it vanished again".to_owned(), |e| e.to_string()),
        });
    };
    if topic.purpose == Purpose::Configs && partitions != 1 {
        return Err(StorageError::PartitionCount { topic: topic.name.clone(), partitions });
    }
    check_cleanup_policy(cluster, topic).await?;
    Ok(partitions as i32)
}

/// Number of partitions, `None` if there is no such topic (or none that this user may see).
async fn partition_count(cluster: &Cluster, name: &str) -> Result<Option<usize>, StorageError> {
    let metadata = cluster.refresh(Some(&[name.to_owned()])).await?;
    let known = metadata.topic(name).filter(|t| t.error.is_none() && !t.partitions.is_empty());
    Ok(known.map(|t| t.partitions.len()))
}

/// Creates the topic. `Some` says why the cluster would not, where it may still be there.
async fn create(cluster: &Cluster, topic: &InternalTopic) -> Result<Option<WireError>, StorageError> {
    let partitions = if topic.purpose == Purpose::Configs { 1 } else { topic.partitions };
    let mut configs = topic.configs.clone();
    configs.insert("cleanup.policy".to_owned(), "compact".to_owned());
    let new = NewTopic {
        name: topic.name.clone(),
        partitions,
        replication_factor: topic.replication_factor,
        configs,
    };
    match cluster.create_topic(&new).await {
        Ok(created) => {
            if created {
                info!(topic = %topic.name, "created the topic for {}", topic.purpose.words());
            }
            Ok(None)
        }
        Err(error) => match error.code() {
            Some(ErrorCode::InvalidReplicationFactor) => Err(StorageError::ReplicationFactor {
                topic: topic.name.clone(),
                wanted: topic.replication_factor,
                detail: error.to_string(),
                setting: topic.purpose.replication_setting(),
            }),
            Some(
                ErrorCode::TopicAuthorizationFailed
                | ErrorCode::ClusterAuthorizationFailed
                | ErrorCode::UnsupportedVersion
                | ErrorCode::PolicyViolation,
            ) => Ok(Some(error)),
            _ => Err(error.into()),
        },
    }
}

async fn check_cleanup_policy(cluster: &Cluster, topic: &InternalTopic) -> Result<(), StorageError> {
    let configs = match cluster.describe_topic_configs(std::slice::from_ref(&topic.name)).await {
        Ok(configs) => configs,
        Err(error) if !error.is_retriable() => {
            warn!(topic = %topic.name, "cannot check that cleanup.policy is compact: {error}");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let policy = configs.get(&topic.name).and_then(|c| c.get("cleanup.policy")?.value.clone());
    match policy {
        Some(policy) if policy != "compact" => Err(StorageError::CleanupPolicy {
            topic: topic.name.clone(),
            policy,
            purpose: topic.purpose.words(),
            setting: topic.purpose.topic_setting(),
        }),
        _ => Ok(()),
    }
}
