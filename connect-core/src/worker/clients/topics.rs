//! Topics that source tasks write to: created by the worker when `topic.creation.*` of the connector says how (KIP-158).

use std::collections::{BTreeMap, HashSet};
use std::fmt::Display;
use std::str::FromStr;

use connect_api::{ConfigMap, ConnectError};
use java::regex::JavaRegex;
use kafka_wire::admin::NewTopic;
use kafka_wire::cluster::Cluster;
use kafka_wire::{ErrorCode, WireError};
use tracing::{info, warn};

use crate::worker::settings::{list, with_prefix};

const PREFIX: &str = "topic.creation.";
const DEFAULT: &str = "default";
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

    /// Reads a connector's configuration; disabled when it says nothing.
    pub(crate) fn from_config(
        config: &ConfigMap,
        cluster: impl FnOnce() -> Result<Cluster, ConnectError>,
    ) -> Result<Self, ConnectError> {
        let groups = groups(config)?;
        let cluster = if groups.is_empty() { None } else { Some(cluster()?) };
        Ok(Self { groups, cluster, known: HashSet::new() })
    }

    /// Refuses what cannot be used. Connect looks at these settings when a connector or task starts, not before.
    pub(crate) fn check(config: &ConfigMap) -> Result<(), ConnectError> {
        groups(config).map(drop)
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
        let failed = |error| failure(topic, error);
        let metadata = cluster.refresh(Some(&[topic.to_owned()])).await.map_err(failed)?;
        if metadata.is_hidden(topic) {
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
                        if may_not_create(&error) { group.refused(topic, error) } else { failed(error) }
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

/// Why a topic cannot be created or looked at.
fn failure(topic: &str, error: WireError) -> ConnectError {
    let text = match &error {
        WireError::Broker { detail: Some(detail), .. } if error.code() == Some(ErrorCode::InvalidConfig) => {
            format!("Unable to create topic(s) '{topic}': {detail}")
        }
        _ => format!("Error while attempting to create/find topic(s) '{topic}'"),
    };
    ConnectError::new(text).caused_by(ConnectError::new(error))
}

/// All groups in their order, the default one last; none when the configuration says nothing of them.
fn groups(config: &ConfigMap) -> Result<Vec<Group>, ConnectError> {
    if !config.keys().any(|key| key.starts_with(PREFIX)) {
        return Ok(Vec::new());
    }
    let replication_factor = replication_factor(config, DEFAULT, None)?;
    let default = (replication_factor, partitions(config, DEFAULT, None)?);
    let mut groups = Vec::new();
    for name in list(config, "topic.creation.groups").into_iter().filter(|name| name != DEFAULT) {
        groups.push(Group::new(&name, config, default)?);
    }
    // Patterns of the default group have no effect.
    groups.push(Group {
        name: DEFAULT.to_owned(),
        include: vec![pattern(".*")?],
        exclude: Vec::new(),
        replication_factor: default.0,
        partitions: default.1,
        configs: topic_configs(config, DEFAULT),
    });
    Ok(groups)
}

fn replication_factor(config: &ConfigMap, group: &str, inherited: Option<i16>) -> Result<i16, ConnectError> {
    let value = number(config, group, REPLICATION, "SHORT", inherited)?;
    let wrong = "Replication factor must be positive and not larger than the number of brokers in the Kafka cluster, or -1 to \
                 use the broker's default";
    if value == 0 || value < -1 { Err(invalid(value, REPLICATION, wrong)) } else { Ok(value) }
}

fn partitions(config: &ConfigMap, group: &str, inherited: Option<i32>) -> Result<i32, ConnectError> {
    let value = number(config, group, PARTITIONS, "INT", inherited)?;
    let wrong = "Number of partitions must be positive, or -1 to use the broker's default";
    if value == 0 || value < -1 { Err(invalid(value, PARTITIONS, wrong)) } else { Ok(value) }
}

fn number<T: FromStr>(
    config: &ConfigMap,
    group: &str,
    name: &str,
    kind: &str,
    inherited: Option<T>,
) -> Result<T, ConnectError> {
    let key = format!("{PREFIX}{group}.{name}");
    match config.get(&key) {
        Some(text) => {
            text.trim().parse().map_err(|_| invalid(text, &key, format!("Not a number of type {kind}")))
        }
        None => inherited.ok_or_else(|| {
            let missing = format!("Missing required configuration \"{key}\" which has no default value.");
            ConnectError::config(missing)
        }),
    }
}

/// In Connect's words, which leave the group out of a name whose value is a number.
fn invalid(value: impl Display, name: &str, why: impl Display) -> ConnectError {
    ConnectError::config(format!("Invalid value {value} for configuration {name}: {why}"))
}

/// A group's settings of topics.
fn topic_configs(config: &ConfigMap, group: &str) -> BTreeMap<String, String> {
    let mut own = with_prefix(config, &format!("{PREFIX}{group}."));
    own.retain(|key, _| !["include", "exclude", PARTITIONS, REPLICATION].contains(&key.as_str()));
    own
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

    /// A group inherits only the numbers; further settings are its own.
    fn new(name: &str, config: &ConfigMap, default: (i16, i32)) -> Result<Self, ConnectError> {
        let patterns = |key: &str| {
            let texts = list(config, &format!("{PREFIX}{name}.{key}"));
            let wrong = |error| {
                invalid(
                    format!("[{}]", texts.join(", ")),
                    key,
                    format!("Syntax error in regular expression: {error}"),
                )
            };
            texts.iter().map(|text| JavaRegex::new(text).map_err(wrong)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            name: name.to_owned(),
            include: patterns("include")?,
            exclude: patterns("exclude")?,
            replication_factor: replication_factor(config, name, Some(default.0))?,
            partitions: partitions(config, name, Some(default.1))?,
            configs: topic_configs(config, name),
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
        let [compacted, big, default] = &groups(&config).unwrap()[..] else { panic!("three groups") };
        assert!(default.has("anything") && default.configs["retention.ms"] == "5");
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
