//! Reads topics with librdkafka, which shares no code with the replicator.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use kafka_clusters::Cluster;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Headers;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use super::PATIENCE;
use super::record::{Record, Stored};

/// What a reader wants to see of transactions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Isolation {
    Uncommitted,
    Committed,
}

impl Isolation {
    /// As `isolation.level` has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Uncommitted => "read_uncommitted",
            Self::Committed => "read_committed",
        }
    }
}

/// A consumer of a group of its own that commits nothing by itself.
pub(crate) fn consumer(cluster: &Cluster, isolation: Isolation) -> BaseConsumer {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap())
        .set("group.id", format!("reader-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)))
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("check.crcs", "true")
        .set("fetch.wait.max.ms", "50")
        .set("isolation.level", isolation.name())
        .create()
        .unwrap()
}

/// Everything in `topic` up to its end at this moment, by partition.
pub(crate) fn read(cluster: &Cluster, topic: &str, isolation: Isolation) -> BTreeMap<i32, Vec<Stored>> {
    let consumer = consumer(cluster, isolation);
    let mut partitions = TopicPartitionList::new();
    let mut found = BTreeMap::new();
    for number in 0..super::topics::partitions(cluster, topic) {
        partitions.add_partition_offset(topic, number, Offset::Beginning).unwrap();
        found.insert(number, Vec::new());
    }
    consumer.assign(&partitions).unwrap();
    let mut unfinished = found.len();
    let deadline = Instant::now() + PATIENCE;
    while unfinished > 0 {
        assert!(Instant::now() < deadline, "{topic} could not be read to its end");
        match consumer.poll(Duration::from_millis(100)) {
            None => {}
            Some(Err(KafkaError::PartitionEOF(_))) => unfinished -= 1,
            Some(Err(error)) => panic!("{topic}: {error}"),
            Some(Ok(message)) => found.entry(message.partition()).or_default().push(stored(&message)),
        }
    }
    found
}

/// [`read`] for a topic of one partition, without offsets.
pub(crate) fn records(cluster: &Cluster, topic: &str, isolation: Isolation) -> Vec<Record> {
    let mut found = read(cluster, topic, isolation);
    assert_eq!(found.len(), 1, "{topic} has several partitions");
    found.remove(&0).unwrap().into_iter().map(|stored| stored.record).collect()
}

fn stored(message: &impl Message) -> Stored {
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
    });
    let record = Record {
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers,
        time: message.timestamp().into(),
    };
    Stored { offset: message.offset(), record }
}

/// # Panics
/// If the two differ; says where first.
pub(crate) fn assert_same_records(copy: &[Stored], origin: &[Stored], what: &str) {
    for (index, (there, here)) in copy.iter().zip(origin).enumerate() {
        assert_eq!(there.record, here.record, "{what}: record {index} (origin offset {})", here.offset);
    }
    assert_eq!(copy.len(), origin.len(), "{what}: number of records");
}
