//! Topic configs: what they are, and changing them one by one.

use std::collections::BTreeMap;

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{DescribeConfigsRequest, IncrementalAlterConfigsRequest};

use super::topics::text;
use crate::cluster::Cluster;
use crate::error::WireError;
use crate::error_code::ErrorCode;

const RESOURCE_TOPIC: i8 = 2;
const RESOURCE_BROKER: i8 = 4;
const SOURCE_TOPIC: i8 = 1;
const OPERATION_SET: i8 = 0;

/// Source of a config value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigSource {
    /// Set on the topic itself.
    Topic,
    /// From a broker's settings or built-in defaults.
    Inherited,
}

/// One config of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicConfig {
    /// The value, absent where the broker hides it.
    pub value: Option<String>,
    /// Its source.
    pub source: ConfigSource,
}

impl Cluster {
    /// All configs of topics, by topic and name. A topic whose configs cannot be read is an error that names
    /// it.
    pub async fn describe_topic_configs(
        &self,
        topics: &[String],
    ) -> Result<BTreeMap<String, BTreeMap<String, TopicConfig>>, WireError> {
        let resources = topics.iter().map(|name| {
            DescribeConfigsResource::default()
                .with_resource_type(RESOURCE_TOPIC)
                .with_resource_name(text(name))
                .with_configuration_keys(None)
        });
        let request = DescribeConfigsRequest::default().with_resources(resources.collect());
        let answer = self.call_any(request).await?;
        let mut out = BTreeMap::new();
        for result in answer.results {
            let name = result.resource_name.to_string();
            if let Some(code) = ErrorCode::try_from_code(result.error_code) {
                return Err(WireError::Broker {
                    context: format!("describe configs of topic {name} at the {} cluster", self.role()),
                    code,
                    detail: result.error_message.as_ref().map(|m| m.to_string()),
                }
                .needing("DESCRIBE_CONFIGS on the topic"));
            }
            let configs = result.configs.iter().map(|config| {
                let source = match config.config_source {
                    SOURCE_TOPIC => ConfigSource::Topic,
                    _ => ConfigSource::Inherited,
                };
                let value = config.value.as_ref().map(|v| v.to_string());
                (config.name.to_string(), TopicConfig { value, source })
            });
            out.insert(name, configs.collect());
        }
        Ok(out)
    }

    /// One setting of one broker, as it is in force there.
    pub async fn describe_broker_config(&self, broker: i32, name: &str) -> Result<Option<String>, WireError> {
        let request = DescribeConfigsRequest::default().with_resources(vec![
            DescribeConfigsResource::default()
                .with_resource_type(RESOURCE_BROKER)
                .with_resource_name(text(&broker.to_string()))
                .with_configuration_keys(Some(vec![text(name)])),
        ]);
        let answer = self.retry(|| async { self.broker(broker).await?.call(&request).await }).await?;
        let configs = answer.results.into_iter().flat_map(|r| r.configs);
        Ok(configs.into_iter().find(|c| c.name.as_str() == name).and_then(|c| c.value).map(|v| v.to_string()))
    }

    /// Sets configs of a topic, leaving its others alone.
    pub async fn set_topic_configs(
        &self,
        topic: &str,
        configs: &BTreeMap<String, String>,
    ) -> Result<(), WireError> {
        let set = configs.iter().map(|(name, value)| {
            AlterableConfig::default()
                .with_name(text(name))
                .with_config_operation(OPERATION_SET)
                .with_value(Some(text(value)))
        });
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![
            AlterConfigsResource::default()
                .with_resource_type(RESOURCE_TOPIC)
                .with_resource_name(text(topic))
                .with_configs(set.collect()),
        ]);
        let answer = self.call_any(request).await?;
        let mut answers = answer.responses.iter();
        match answers.find_map(|r| Some((r, ErrorCode::try_from_code(r.error_code)?))) {
            None => Ok(()),
            Some((refused, code)) => Err(WireError::Broker {
                context: format!("set configs of topic {topic} at the {} cluster", self.role()),
                code,
                detail: refused.error_message.as_ref().map(|m| m.to_string()),
            }
            .needing("ALTER_CONFIGS on the topic")),
        }
    }
}
