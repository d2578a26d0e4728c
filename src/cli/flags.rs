//! The parameters of the `replicator` executable, with the environment variables that stand in for them. A flat list.

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A properties file, with the well-known place where a container has it.
    File(&'static str),
    /// One value.
    Value,
    /// A comma-separated list; several occurrences add up.
    List,
    /// `true` or `false`; without a value, `true`.
    Switch,
}

/// One parameter.
#[derive(Debug)]
pub(super) struct Flag {
    /// Name without dashes.
    pub(super) name: &'static str,
    /// Property that it sets; for files, the name again.
    pub(super) key: &'static str,
    /// Environment variable that is read when the parameter is absent.
    pub(super) env: &'static str,
    pub(super) kind: Kind,
    pub(super) value_name: &'static str,
    pub(super) heading: &'static str,
    pub(super) help: &'static str,
}

const CLUSTERS: &str = "Clusters";
const TOPICS: &str = "Topics";
const RUNNING: &str = "Running";

const fn flag(
    name: &'static str,
    key: &'static str,
    env: &'static str,
    kind: Kind,
    (heading, value_name): (&'static str, &'static str),
    help: &'static str,
) -> Flag {
    Flag { name, key, env, kind, value_name, heading, help }
}

use Kind::{File, List, Switch, Value};

pub(super) const FLAGS: &[Flag] = &[
    flag(
        "consumer.config",
        "consumer.config",
        "CONSUMER_CONFIG",
        File("/etc/replicator/consumer.properties"),
        (CLUSTERS, "FILE"),
        "Properties of the consumer that reads the origin cluster (required)",
    ),
    flag(
        "producer.config",
        "producer.config",
        "PRODUCER_CONFIG",
        File("/etc/replicator/producer.properties"),
        (CLUSTERS, "FILE"),
        "Properties of the producer that writes the destination cluster (required)",
    ),
    flag(
        "cluster.id",
        "cluster.id",
        "CLUSTER_ID",
        Value,
        (CLUSTERS, "NAME"),
        "Name of this group of replicators; those with the same name share the work (required)",
    ),
    flag(
        "replication.config",
        "replication.config",
        "REPLICATION_CONFIG",
        File("/etc/replicator/replication.properties"),
        (CLUSTERS, "FILE"),
        "All other settings; parameters given here win over this file",
    ),
    flag(
        "consumer.monitoring.config",
        "consumer.monitoring.config",
        "CONSUMER_MONITORING_CONFIG",
        File("/etc/replicator/consumer-monitoring.properties"),
        (CLUSTERS, "FILE"),
        "Accepted, without effect",
    ),
    flag(
        "producer.monitoring.config",
        "producer.monitoring.config",
        "PRODUCER_MONITORING_CONFIG",
        File("/etc/replicator/producer-monitoring.properties"),
        (CLUSTERS, "FILE"),
        "Accepted, without effect",
    ),
    flag(
        "whitelist",
        "topic.whitelist",
        "WHITELIST",
        List,
        (TOPICS, "TOPICS"),
        "Topics to copy, separated by commas; each must exist",
    ),
    flag(
        "topic.regex",
        "topic.regex",
        "TOPIC_REGEX",
        Value,
        (TOPICS, "REGEX"),
        "Copy topics whose whole name matches this Java regular expression",
    ),
    flag(
        "blacklist",
        "topic.blacklist",
        "BLACKLIST",
        List,
        (TOPICS, "TOPICS"),
        "Topics never to copy, separated by commas; wins over the other two",
    ),
    flag(
        "topic.rename.format",
        "topic.rename.format",
        "TOPIC_RENAME_FORMAT",
        Value,
        (TOPICS, "FORMAT"),
        "Name at the destination; ${topic} is the name at the origin [default: ${topic}]",
    ),
    flag(
        "topic.auto.create",
        "topic.auto.create",
        "TOPIC_AUTO_CREATE",
        Switch,
        (TOPICS, "BOOL"),
        "Create missing topics at the destination [default: true]",
    ),
    flag(
        "topic.preserve.partitions",
        "topic.preserve.partitions",
        "TOPIC_PRESERVE_PARTITIONS",
        Switch,
        (TOPICS, "BOOL"),
        "Keep number and numbers of partitions [default: true]",
    ),
    flag(
        "topic.create.backoff.ms",
        "topic.create.backoff.ms",
        "TOPIC_CREATE_BACKOFF_MS",
        Value,
        (TOPICS, "MS"),
        "Pause after a failed creation or expansion [default: 120000]",
    ),
    flag(
        "topic.config.sync",
        "topic.config.sync",
        "TOPIC_CONFIG_SYNC",
        Switch,
        (TOPICS, "BOOL"),
        "Keep topic configurations in step [default: true]",
    ),
    flag(
        "topic.config.sync.interval.ms",
        "topic.config.sync.interval.ms",
        "TOPIC_CONFIG_SYNC_INTERVAL_MS",
        Value,
        (TOPICS, "MS"),
        "How often [default: 120000]",
    ),
    flag(
        "topic.poll.interval.ms",
        "topic.poll.interval.ms",
        "TOPIC_POLL_INTERVAL_MS",
        Value,
        (TOPICS, "MS"),
        "How often the origin is asked for new topics and partitions [default: 120000]",
    ),
    flag(
        "topic.timestamp.type",
        "topic.timestamp.type",
        "TOPIC_TIMESTAMP_TYPE",
        Value,
        (TOPICS, "TYPE"),
        "CreateTime or LogAppendTime, for topics at the destination [default: CreateTime]",
    ),
    flag(
        "cluster.threads",
        "tasks.max",
        "CLUSTER_THREADS",
        Value,
        (RUNNING, "COUNT"),
        "Tasks over all replicators with this cluster id together [default: 1]",
    ),
    flag(
        "confluent.license",
        "confluent.license",
        "CONFLUENT_LICENSE",
        Value,
        (RUNNING, "KEY"),
        "Accepted, without effect: no licence is needed",
    ),
];
