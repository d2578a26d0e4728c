//! Reading a topic of one partition again and again: what was read is kept, and a look costs a few milliseconds.

use std::time::{Duration, Instant};

use kafka_clusters::Cluster;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

/// How long the last records may take, if they are not for those who read what is committed.
const QUIET: Duration = Duration::from_millis(500);

/// A record's key and value as text.
pub(crate) type Pair = (String, String);

/// The records of a topic so far.
pub(crate) struct Tail {
    consumer: BaseConsumer,
    topic: String,
    records: Vec<Pair>,
    /// All before this offset has been read or is not to be read.
    end: i64,
}

impl Tail {
    pub(crate) fn of(cluster: &Cluster, topic: &str) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap())
            .set("group.id", "reader")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "20")
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
        consumer.assign(&list).unwrap();
        Self { consumer, topic: topic.to_owned(), records: Vec::new(), end: 0 }
    }

    /// Reads up to where the topic ends now; nothing while there is no such topic.
    pub(crate) fn read(&mut self) -> Vec<Pair> {
        let limit = Duration::from_secs(10);
        let high = self.consumer.fetch_watermarks(&self.topic, 0, limit).map_or(0, |(_, high)| high);
        let mut quiet = Instant::now() + if self.end == 0 { limit } else { QUIET };
        while self.end < high && Instant::now() < quiet {
            match self.consumer.poll(Duration::from_millis(20)) {
                Some(Ok(message)) => {
                    let text = |bytes: Option<&[u8]>| {
                        String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
                    };
                    self.records.push((text(message.key()), text(message.payload())));
                    self.end = message.offset() + 1;
                    quiet = Instant::now() + QUIET;
                }
                Some(Err(KafkaError::PartitionEOF(_))) => quiet = Instant::now() + Duration::from_millis(100),
                _ => {}
            }
        }
        // What is left are marks of transactions.
        self.records.clone()
    }
}
