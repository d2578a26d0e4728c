//! Topics that source tasks write to: created by the worker when `topic.creation.*` of the connector says how (KIP-158).

use std::collections::{BTreeMap, HashSet};

use connect_api::{ConfigMap, ConnectError};
use connect_plugins::java::regex::JavaRegex;
use kafka_wire::admin::NewTopic;
use kafka_wire::cluster::Cluster;
use kafka_wire::{ErrorCode, WireError};
use tracing::{info, warn};

use crate::worker::settings::{list, parsed, with_prefix};

const TOPIC_AUTHORIZATION_FAILED: i16 = 29;
const PARTITIONS: &str = "partitions";
const REPLICATION: &str = "replication.factor";

/// One group of topics.
#[derive(Debug)]
struct Group {
    name: String,
    include: Vec<JavaRegex>,
    exclude: Vec<JavaRegex>,
    partitions: i32,
    replication_factor: i16,
    configs: BTreeMap<String, String>,
}

/// Creates topics for one source task.
pub(crate) struct TopicCreation {
    groups: Vec<Group>,
    cluster: Option<Cluster>,
    known: HashSet<String>,
}

impl std::fmt::Debug for TopicCreation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TopicCreation").field("groups", &self.groups).finish_non_exhaustive()
    }
}

impl TopicCreation {
    /// Nothing is created here; brokers may.
    pub(crate) fn disabled() -> Self {
        Self { groups: Vec::new(), cluster: None, known: HashSet::new() }
    }

    /// What a connector's configuration says; disabled when it says nothing.
    pub(crate) fn from_config(
        config: &ConfigMap,
        cluster: impl FnOnce() -> Result<Cluster, ConnectError>,
    ) -> Result<Self, ConnectError> {
        let default = with_prefix(config, "topic.creation.default.");
        if !default.contains_key(PARTITIONS) || !default.contains_key(REPLICATION) {
            return Ok(Self::disabled());
        }
        let mut groups = Vec::new();
        for name in list(config, "topic.creation.groups").into_iter().filter(|name| name != "default") {
            let own = with_prefix(config, &format!("topic.creation.{name}."));
            groups.push(Group::new(&name, &own, &default)?);
        }
        groups.push(Group { include: vec![pattern(".*")?], ..Group::new("default", &default, &default)? });
        Ok(Self { groups, cluster: Some(cluster()?), known: HashSet::new() })
    }

    /// True when [`TopicCreation::ensure`] would have to ask the cluster.
    pub(crate) fn is_unknown(&self, topic: &str) -> bool {
        self.cluster.is_some() && !self.known.contains(topic)
    }

    /// Makes sure that a topic exists. Cancel-safe.
    pub(crate) async fn ensure(&mut self, topic: &str) -> Result<(), ConnectError> {
        let Some(cluster) = self.cluster.as_ref().filter(|_| !self.known.contains(topic)) else {
            return Ok(());
        };
        let describe = |error| {
            ConnectError::new(format!("Error while attempting to create/find topic(s) '{topic}'"))
                .caused_by(ConnectError::new(error))
        };
        let metadata = cluster.refresh(Some(&[topic.to_owned()])).await.map_err(describe)?;
        if metadata.topics.get(topic).is_some_and(|found| found.error_code == TOPIC_AUTHORIZATION_FAILED) {
            let refused = format!(
                "Not authorized to describe topic(s) '{topic}' on the brokers {}",
                cluster.addresses()
            );
            return Err(ConnectError::new(refused));
        }
        let exists = metadata.topic(topic).is_some_and(|found| !found.partitions.is_empty());
        if !exists {
            match self.groups.iter().find(|group| group.has(topic)) {
                Some(group) => {
                    let created = cluster.create_topic(&group.topic(topic)).await.map_err(|error| {
                        if may_not_create(&error) { group.refused(topic, error) } else { describe(error) }
                    })?;
                    if created {
                        info!("created topic {topic} as topic creation group '{}' says", group.name);
                    }
                }
                None => warn!("no topic creation group takes topic {topic}; brokers may create it"),
            }
        }
        self.known.insert(topic.to_owned());
        Ok(())
    }
}

/// The cluster has the topic created by others, if at all.
fn may_not_create(error: &WireError) -> bool {
    let refused = [ErrorCode::TopicAuthorizationFailed, ErrorCode::ClusterAuthorizationFailed];
    error.code().is_some_and(|code| refused.contains(&code))
}

impl Group {
    fn refused(&self, topic: &str, error: WireError) -> ConnectError {
        let configs: Vec<_> = self.configs.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let number = |number: i32| if number < 0 { "default".to_owned() } else { number.to_string() };
        ConnectError::new(format!(
            "Task failed to create new topic (name={topic}, numPartitions={}, replicationFactor={}, \
             replicasAssignments=null, configs={{{}}}). Ensure that the task is authorized to create topics or that the \
             topic exists and restart the task",
            number(self.partitions),
            number(self.replication_factor.into()),
            configs.join(", ")
        ))
        .caused_by(ConnectError::new(error))
    }

    fn new(name: &str, own: &ConfigMap, default: &ConfigMap) -> Result<Self, ConnectError> {
        let both: ConfigMap = default.iter().chain(own).map(|(k, v)| (k.clone(), v.clone())).collect();
        let patterns = |key| list(own, key).iter().map(|text| pattern(text)).collect::<Result<Vec<_>, _>>();
        let ours = ["include", "exclude", PARTITIONS, REPLICATION];
        Ok(Self {
            name: name.to_owned(),
            include: patterns("include")?,
            exclude: patterns("exclude")?,
            partitions: parsed(&both, PARTITIONS, -1)?,
            replication_factor: parsed(&both, REPLICATION, -1)?,
            // A group inherits only the numbers; further settings are its own.
            configs: own
                .iter()
                .filter(|(k, _)| !ours.contains(&k.as_str()))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
        })
    }

    fn has(&self, topic: &str) -> bool {
        // An expression that runs away matches nothing.
        let any =
            |patterns: &[JavaRegex]| patterns.iter().any(|regex| regex.is_match(topic).unwrap_or(false));
        any(&self.include) && !any(&self.exclude)
    }

    fn topic(&self, name: &str) -> NewTopic {
        NewTopic {
            name: name.to_owned(),
            partitions: self.partitions,
            replication_factor: self.replication_factor,
            configs: self.configs.clone(),
        }
    }
}

/// A pattern of names, in Java's dialect.
pub(crate) fn pattern(text: &str) -> Result<JavaRegex, ConnectError> {
    JavaRegex::new(text)
        .map_err(|error| ConnectError::config(format!("'{text}' is not a regular expression: {error}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_first_group_that_takes_a_topic_says_how() {
        let config: ConfigMap = [
            ("topic.creation.groups", "compacted, big"),
            ("topic.creation.default.partitions", "3"),
            ("topic.creation.default.replication.factor", "-1"),
            ("topic.creation.default.retention.ms", "5"),
            ("topic.creation.compacted.include", "table-.*,\\Qdim.x\\E"),
            ("topic.creation.compacted.exclude", "table-x"),
            ("topic.creation.compacted.cleanup.policy", "compact"),
            ("topic.creation.big.include", ".*x"),
            ("topic.creation.big.partitions", "50"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
        let default = with_prefix(&config, "topic.creation.default.");
        let group = |name: &str| {
            Group::new(name, &with_prefix(&config, &format!("topic.creation.{name}.")), &default).unwrap()
        };
        let (compacted, big) = (group("compacted"), group("big"));
        assert!(
            compacted.has("table-1")
                && compacted.has("dim.x")
                && !compacted.has("dim-x")
                && !compacted.has("table-x")
        );
        assert!(big.has("table-x") && !big.has("x-"));
        let topic = big.topic("table-x");
        assert_eq!((topic.partitions, topic.replication_factor, topic.configs.len()), (50, -1, 0));
        assert_eq!(compacted.topic("dim.x").configs["cleanup.policy"], "compact");
    }
}
