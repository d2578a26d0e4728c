//! Creating topics and adding partitions.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::{CreatePartitionsRequest, CreateTopicsRequest};
use kafka_protocol::protocol::StrBytes;
use tokio::time::{Instant, sleep};

use crate::cluster::{CALL_LIMIT, Cluster};
use crate::error::WireError;
use crate::error_code::ErrorCode;

const CREATE_TIMEOUT_MS: i32 = 30_000;

/// A topic to create.
#[derive(Debug, Clone)]
pub struct NewTopic {
    /// Name.
    pub name: String,
    /// Number of partitions; -1: the broker's default (brokers from 2.4).
    pub partitions: i32,
    /// Replication factor; -1: the broker's default (brokers from 2.4).
    pub replication_factor: i16,
    /// Configs that differ from the broker's defaults.
    pub configs: BTreeMap<String, String>,
}

impl Cluster {
    /// Creates a topic and waits until its partitions have leaders. True when it was created now, false when
    /// it was there already.
    pub async fn create_topic(&self, topic: &NewTopic) -> Result<bool, WireError> {
        let request = || {
            let configs = topic.configs.iter().map(|(name, value)| {
                CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
            });
            CreateTopicsRequest::default().with_timeout_ms(CREATE_TIMEOUT_MS).with_topics(vec![
                CreatableTopic::default()
                    .with_name(text(&topic.name).into())
                    .with_num_partitions(topic.partitions)
                    .with_replication_factor(topic.replication_factor)
                    .with_configs(configs.collect()),
            ])
        };
        let outcome = self
            .retry(|| async {
                let answer = self.call_controller(request()).await?;
                let Some(result) = answer.topics.first() else {
                    return Err(WireError::broker(
                        format!("create topic {}", topic.name),
                        ErrorCode::UnknownServerError,
                    ));
                };
                match ErrorCode::try_from_code(result.error_code) {
                    None => Ok(true),
                    Some(ErrorCode::TopicAlreadyExists) => Ok(false),
                    Some(code) => Err(WireError::Broker {
                        context: format!("create topic {} at the {} cluster", topic.name, self.role()),
                        code,
                        detail: result.error_message.as_ref().map(|m| m.to_string()),
                    }
                    .needing("CREATE on the topic or the cluster")),
                }
            })
            .await?;
        // One that was there may have fewer partitions than were asked for.
        let partitions = if outcome { topic.partitions.max(1) } else { 1 };
        self.wait_for_leaders(&topic.name, partitions).await?;
        Ok(outcome)
    }

    /// Raises a topic's partition count to `total`.
    pub async fn create_partitions(&self, topic: &str, total: i32) -> Result<(), WireError> {
        self.retry(|| async {
            let request =
                CreatePartitionsRequest::default().with_timeout_ms(CREATE_TIMEOUT_MS).with_topics(vec![
                    CreatePartitionsTopic::default()
                        .with_name(text(topic).into())
                        .with_count(total)
                        .with_assignments(None),
                ]);
            let answer = self.call_controller(request).await?;
            let Some(result) = answer.results.first() else { return Ok(()) };
            match ErrorCode::try_from_code(result.error_code) {
                None => Ok(()),
                Some(moved @ ErrorCode::NotController) => Err(WireError::broker("create partitions", moved)),
                Some(code) => Err(WireError::Broker {
                    context: format!("raise topic {topic} to {total} partitions"),
                    code,
                    detail: result.error_message.as_ref().map(|m| m.to_string()),
                }
                .needing("ALTER on the topic")),
            }
        })
        .await?;
        self.wait_for_leaders(topic, total).await
    }

    /// Waits until the topic has at least `partitions` partitions, each with a leader that this client can
    /// name.
    pub async fn wait_for_leaders(&self, topic: &str, partitions: i32) -> Result<(), WireError> {
        let started = Instant::now();
        loop {
            let metadata = self.refresh(Some(&[topic.to_owned()])).await?;
            let there = metadata.topic(topic).map(|t| t.partitions.len() as i32).unwrap_or_default();
            if (0..partitions.max(there)).all(|p| metadata.leader(topic, p).is_some()) {
                return Ok(());
            }
            if let Err(why) = metadata.leader_or_why(topic, 0)
                && !why.is_retriable()
            {
                return Err(why);
            }
            if started.elapsed() > CALL_LIMIT {
                return Err(WireError::broker(
                    format!("leaders of topic {topic}"),
                    ErrorCode::LeaderNotAvailable,
                ));
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

pub(super) fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}
