//! Making destination topics: created with the origin's partition count and settings, grown when the origin grows.

use std::collections::BTreeMap;
use std::sync::Arc;

use connect_core::api::ConnectError;
use kafka_wire::admin::{ConfigSource, NewTopic, TopicConfig};
use kafka_wire::cluster::{Cluster, Metadata};
use kafka_wire::{ErrorCode, WireError};
use tracing::{info, warn};

use super::destinations::TIMESTAMP_TYPE;
use crate::context::{Context, DestinationTopic};
use crate::retry::retry_passing;

const AFTER_MAX: &str = "message.timestamp.after.max.ms";
const MAX_MESSAGE_BYTES: &str = "max.message.bytes";

/// Settings that mean something at the origin only: its brokers' ids, or a name that 4.0 removed.
const NOT_CARRIED: [&str; 5] = [
    "leader.replication.throttled.replicas",
    "follower.replication.throttled.replicas",
    "message.format.version",
    "message.timestamp.difference.max.ms",
    TIMESTAMP_TYPE,
];

/// Whether a destination can take data.
pub(super) enum Readiness {
    Ready,
    Failed {
        /// Why not.
        reason: String,
        /// Partitions that it has and that can be copied to all the same: its growth was refused, say.
        partitions: i32,
    },
}

/// Number of partitions of a topic, if it is there.
fn count(metadata: &Metadata, topic: &str) -> Option<i32> {
    metadata.topic(topic).map(|topic| i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX))
}

/// Prepares destination topics.
pub(super) struct Preparation {
    context: Arc<Context>,
    origin: Cluster,
    destination: Cluster,
}

impl Preparation {
    pub(super) fn new(context: Arc<Context>, origin: Cluster, destination: Cluster) -> Self {
        Self { context, origin, destination }
    }

    /// Makes the destination of each of `names` (origin → destination) ready.
    pub(super) async fn prepare(
        &self,
        names: &BTreeMap<String, String>,
        origin: &Metadata,
    ) -> Result<Vec<(String, Readiness)>, ConnectError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let targets: Vec<String> = names.values().cloned().collect();
        let there =
            retry_passing("the destination's topics", || self.destination.refresh(Some(&targets))).await?;
        let mut out = Vec::with_capacity(names.len());
        for (topic, name) in names {
            let readiness = match self.prepare_topic(topic, name, origin, &there).await {
                Ok(()) => Readiness::Ready,
                Err(reason) => {
                    let known = self.context.destination_topic(topic).is_some();
                    Readiness::Failed {
                        reason,
                        partitions: count(&there, name).filter(|_| known).unwrap_or(0),
                    }
                }
            };
            out.push((topic.clone(), readiness));
        }
        Ok(out)
    }

    async fn prepare_topic(
        &self,
        topic: &str,
        name: &str,
        origin: &Metadata,
        there: &Metadata,
    ) -> Result<(), String> {
        let source = origin.topic(topic).ok_or("it is not at the origin")?;
        let wanted = i32::try_from(source.partitions.len()).unwrap_or(i32::MAX);
        let has = count(there, name);
        if has.is_none() {
            self.create(topic, name, wanted, source.partitions.values().map(|p| p.replicas).max()).await?;
        }
        if has.is_none() || self.context.destination_topic(topic).is_none() {
            self.look_at(topic, name).await?;
        }
        match has {
            Some(has) if has < wanted => self.grow(name, has, wanted).await,
            _ => Ok(()),
        }
    }

    /// Takes note of the destination's settings.
    async fn look_at(&self, topic: &str, name: &str) -> Result<(), String> {
        let names = [name.to_owned()];
        let configs = self.destination.describe_topic_configs(&names).await.map_err(|e| e.to_string())?;
        let configs = configs.get(name).cloned().unwrap_or_default();
        let value = |key: &str| configs.get(key).and_then(|c| c.value.as_deref());
        self.context.set_destination_topic(topic, DestinationTopic::new(name, &configs));
        if let Some(codec) = value("compression.type").filter(|c| *c != "producer") {
            warn!(
                "{name} has compression.type={codec} at the destination: its broker compresses every batch that comes \
                 in another codec again; compression.type=producer avoids that"
            );
        }
        Ok(())
    }

    async fn grow(&self, name: &str, has: i32, wanted: i32) -> Result<(), String> {
        if !self.context.config.topics.preserve_partitions {
            return Err(format!(
                "{name} has {has} partitions at the destination, the origin {wanted}, and \
                 topic.preserve.partitions=false forbids to add them"
            ));
        }
        self.destination.create_partitions(name, wanted).await.map_err(|e| e.to_string())?;
        info!("{name} has {wanted} partitions at the destination now, as at the origin (it had {has})");
        Ok(())
    }

    async fn create(
        &self,
        topic: &str,
        name: &str,
        partitions: i32,
        replicas: Option<usize>,
    ) -> Result<(), String> {
        let settings = &self.context.config.topics;
        if !settings.auto_create {
            return Err(format!(
                "{name} does not exist at the destination, and topic.auto.create=false forbids to create it"
            ));
        }
        let origin_configs = self
            .origin
            .describe_topic_configs(&[topic.to_owned()])
            .await
            .map_err(|e| format!("its settings cannot be read at the origin: {e}"))?;
        let origin_configs = origin_configs.get(topic).cloned().unwrap_or_default();
        let mut new = NewTopic {
            name: name.to_owned(),
            partitions,
            replication_factor: self.replication_factor(name, replicas.unwrap_or(1))?,
            configs: carried(&origin_configs, &settings.timestamp_type.to_string()),
        };
        loop {
            match self.destination.create_topic(&new).await {
                Ok(created) => {
                    if created {
                        info!(
                            "created {name} at the destination: {partitions} partitions, replication factor {}",
                            new.replication_factor
                        );
                    }
                    return Ok(());
                }
                Err(error) => match unknown_config(&error, &new.configs) {
                    Some(key) => {
                        warn!("{name}: the destination does not know {key}, so it is not carried over");
                        new.configs.remove(&key);
                    }
                    None => return Err(error.to_string()),
                },
            }
        }
    }

    /// The configured factor, else the origin's, which the destination may be too small for.
    fn replication_factor(&self, name: &str, origins: usize) -> Result<i16, String> {
        let brokers = self.destination.metadata().brokers.len();
        let wanted = self.context.config.topics.replication_factor;
        if wanted > 0 {
            return match usize::try_from(wanted) {
                Ok(factor) if factor > brokers => Err(format!(
                    "dest.topic.replication.factor={wanted} is more than the destination's {brokers} broker(s)"
                )),
                _ => Ok(wanted),
            };
        }
        if origins > brokers {
            warn!(
                "{name} gets replication factor {brokers}: the origin's {origins} is more than the destination has \
                 brokers (dest.topic.replication.factor sets another)"
            );
        }
        Ok(i16::try_from(origins.min(brokers)).unwrap_or(1))
    }
}

/// The settings of a new destination topic: those set on the origin topic, and those that decide whether the
/// destination takes the origin's batches at all and stand elsewhere there.
fn carried(origin: &BTreeMap<String, TopicConfig>, timestamp_type: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for (name, config) in origin {
        let own = config.source == ConfigSource::Topic;
        if let (true, Some(value), false) = (own, &config.value, NOT_CARRIED.contains(&name.as_str())) {
            out.insert(name.clone(), value.clone());
        }
    }
    let effective = |key: &str| origin.get(key).and_then(|c| c.value.as_deref());
    // Brokers before 3.6 have no bound, 3.x none by default, 4.x one hour: what the origin took must be taken.
    if effective(AFTER_MAX) != Some("3600000") {
        let bound = effective(AFTER_MAX).map_or(i64::MAX.to_string(), str::to_owned);
        out.entry(AFTER_MAX.to_owned()).or_insert(bound);
    }
    if let Some(bytes) = effective(MAX_MESSAGE_BYTES).filter(|b| b.parse().is_ok_and(|b: u64| b > 1_048_588))
    {
        out.entry(MAX_MESSAGE_BYTES.to_owned()).or_insert(bytes.to_owned());
    }
    out.insert(TIMESTAMP_TYPE.to_owned(), timestamp_type.to_owned());
    out
}

/// The setting that a broker refused for not knowing it.
fn unknown_config(error: &WireError, configs: &BTreeMap<String, String>) -> Option<String> {
    match error {
        WireError::Broker { code: ErrorCode::InvalidConfig, detail: Some(detail), .. }
            if detail.contains("nknown") =>
        {
            configs.keys().filter(|key| detail.contains(key.as_str())).max_by_key(|k| k.len()).cloned()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(value: &str, source: ConfigSource) -> TopicConfig {
        TopicConfig { value: Some(value.to_owned()), source }
    }

    #[test]
    fn own_settings_are_carried_and_inherited_ones_only_where_they_decide() {
        let origin = BTreeMap::from([
            ("retention.ms".to_owned(), config("5", ConfigSource::Topic)),
            ("segment.bytes".to_owned(), config("9", ConfigSource::Inherited)),
            ("message.format.version".to_owned(), config("3.0", ConfigSource::Topic)),
            (MAX_MESSAGE_BYTES.to_owned(), config("9999999", ConfigSource::Inherited)),
            (AFTER_MAX.to_owned(), config("9223372036854775807", ConfigSource::Inherited)),
            (TIMESTAMP_TYPE.to_owned(), config("LogAppendTime", ConfigSource::Topic)),
        ]);
        let expected = [
            (MAX_MESSAGE_BYTES, "9999999"),
            (AFTER_MAX, "9223372036854775807"),
            (TIMESTAMP_TYPE, "CreateTime"),
            ("retention.ms", "5"),
        ];
        let expected = expected.map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(carried(&origin, "CreateTime"), BTreeMap::from(expected));
    }

    #[test]
    fn a_refused_setting_is_found_in_the_brokers_words() {
        let error = WireError::Broker {
            context: String::new(),
            code: ErrorCode::InvalidConfig,
            detail: Some("Unknown topic config name: message.timestamp.after.max.ms".to_owned()),
        };
        let configs = BTreeMap::from([(AFTER_MAX.to_owned(), "1".to_owned())]);
        assert_eq!(unknown_config(&error, &configs).as_deref(), Some(AFTER_MAX));
    }
}
