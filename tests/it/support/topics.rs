//! Topics, their settings and offsets, through librdkafka.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use kafka_clusters::Cluster;
use rdkafka::admin::{
    AdminClient, AdminOptions, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::reader::{Isolation, consumer};
use super::wait_for;

const LIMIT: Duration = Duration::from_secs(30);

fn client(cluster: &Cluster) -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", cluster.bootstrap()).create().unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(LIMIT)).operation_timeout(Some(LIMIT))
}

/// Creates a topic and waits until it has leaders.
pub(crate) fn create(cluster: &Cluster, topic: &str, partitions: i32, configs: &[(&str, &str)]) {
    let factor = i32::try_from(cluster.brokers().len().min(3)).unwrap();
    let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(factor));
    for (key, value) in configs {
        new = new.set(key, value);
    }
    let results = wait(client(cluster).create_topics([&new], &options())).unwrap();
    for result in results {
        result.unwrap();
    }
    wait_for(
        || (self::partitions_if_any(cluster, topic) == Some(partitions)).then_some(()),
        || format!("{topic} has not got its leaders"),
    );
}

/// Adds partitions up to `total`.
pub(crate) fn grow(cluster: &Cluster, topic: &str, total: usize) {
    let results =
        wait(client(cluster).create_partitions([&NewPartitions::new(topic, total)], &options())).unwrap();
    for result in results {
        result.unwrap();
    }
}

/// Deletes a topic.
pub(crate) fn delete(cluster: &Cluster, topic: &str) {
    for result in wait(client(cluster).delete_topics(&[topic], &options())).unwrap() {
        result.unwrap();
    }
}

/// Deletes the records of a partition below `offset`.
pub(crate) fn delete_records(cluster: &Cluster, topic: &str, partition: i32, offset: i64) {
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(topic, partition, Offset::Offset(offset)).unwrap();
    wait(client(cluster).delete_records(&offsets, &options())).unwrap();
}

/// Settings that were made on the topic itself.
pub(crate) fn configs(cluster: &Cluster, topic: &str) -> BTreeMap<String, String> {
    let results =
        wait(client(cluster).describe_configs([&ResourceSpecifier::Topic(topic)], &options())).unwrap();
    let mut found = BTreeMap::new();
    for resource in results {
        for entry in resource.unwrap().entries {
            if matches!(entry.source, rdkafka::admin::ConfigSource::DynamicTopic) {
                found.insert(entry.name, entry.value.unwrap_or_default());
            }
        }
    }
    found
}

/// Number of partitions, all of them with leaders; `None` when there is no such topic.
pub(crate) fn partitions_if_any(cluster: &Cluster, topic: &str) -> Option<i32> {
    let client = client(cluster);
    let metadata = client.inner().fetch_metadata(Some(topic), LIMIT).ok()?;
    let topic = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none())?;
    let all = !topic.partitions().is_empty() && topic.partitions().iter().all(|p| p.leader() >= 0);
    all.then(|| i32::try_from(topic.partitions().len()).unwrap())
}

/// Number of partitions of a topic that must exist.
pub(crate) fn partitions(cluster: &Cluster, topic: &str) -> i32 {
    wait_for(|| partitions_if_any(cluster, topic), || format!("there is no topic {topic}"))
}

/// Names of all topics.
pub(crate) fn names(cluster: &Cluster) -> Vec<String> {
    let client = client(cluster);
    let metadata = client.inner().fetch_metadata(None, LIMIT).unwrap();
    metadata.topics().iter().map(|topic| topic.name().to_owned()).collect()
}

/// Ends (high watermarks) of all partitions, by number.
pub(crate) fn ends(cluster: &Cluster, topic: &str) -> Vec<i64> {
    let consumer = consumer(cluster, Isolation::Uncommitted);
    let end = |number| consumer.fetch_watermarks(topic, number, LIMIT).unwrap().1;
    (0..partitions(cluster, topic)).map(end).collect()
}

/// Commits positions for a group, as `(partition, next offset)`.
pub(crate) fn commit(cluster: &Cluster, group: &str, topic: &str, positions: &[(i32, i64)]) {
    let consumer = group_consumer(cluster, group);
    let mut offsets = TopicPartitionList::new();
    for (partition, offset) in positions {
        offsets.add_partition_offset(topic, *partition, Offset::Offset(*offset)).unwrap();
    }
    consumer.commit(&offsets, CommitMode::Sync).unwrap();
}

/// The position that a group has committed; `None` without one.
pub(crate) fn committed(cluster: &Cluster, group: &str, topic: &str, partition: i32) -> Option<i64> {
    let mut asked = TopicPartitionList::new();
    asked.add_partition(topic, partition);
    let found = group_consumer(cluster, group).committed_offsets(asked, LIMIT).unwrap();
    match found.elements().first()?.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}

fn group_consumer(cluster: &Cluster, group: &str) -> rdkafka::consumer::BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .create()
        .unwrap()
}
