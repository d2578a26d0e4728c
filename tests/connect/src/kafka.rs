//! Topics from outside, with librdkafka, which shares no code with either worker.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};

use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

const LIMIT: Duration = Duration::from_secs(30);

/// A record to write, or one that was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    pub partition: i32,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds since 1970.
    pub time: i64,
}

impl Record {
    /// The time of every record that is written without another: 2020-01-02T03:04:05.678Z.
    pub const TIME: i64 = 1_577_934_245_678;

    pub fn value(value: impl AsRef<[u8]>) -> Self {
        Self { value: Some(value.as_ref().to_vec()), time: Self::TIME, ..Self::default() }
    }

    pub fn null() -> Self {
        Self { time: Self::TIME, ..Self::default() }
    }

    pub fn key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.key = Some(key.as_ref().to_vec());
        self
    }

    pub fn header(mut self, name: &str, value: Option<&[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.map(<[u8]>::to_vec)));
        self
    }
}

/// The clients of a suite; scenarios share them.
pub struct Kafka {
    /// `bootstrap.servers`.
    pub bootstrap: String,
    admin: AdminClient<DefaultClientContext>,
    watcher: BaseConsumer,
    producer: ThreadedProducer<DefaultProducerContext>,
}

impl Kafka {
    pub fn new(bootstrap: String) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &bootstrap);
        let (admin, watcher) = (config.create().unwrap(), config.create().unwrap());
        let producer = config.set("linger.ms", "5").set("enable.idempotence", "true").create().unwrap();
        Self { bootstrap, admin, watcher, producer }
    }

    /// Creates a topic and waits for its leaders.
    pub fn create(&self, topic: &str, partitions: i32) {
        self.create_with(topic, partitions, &[]);
    }

    /// [`Self::create`] with settings.
    pub fn create_with(&self, topic: &str, partitions: i32, configs: &[(&str, &str)]) {
        let mut new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        for (key, value) in configs {
            new = new.set(key, value);
        }
        for result in wait(self.admin.create_topics([&new], &options())).unwrap() {
            result.unwrap();
        }
        let deadline = Instant::now() + LIMIT;
        while self.partitions(topic) != Some(partitions) {
            assert!(Instant::now() < deadline, "{topic} has not got its leaders");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Number of partitions, all with leaders; `None` without such a topic.
    pub fn partitions(&self, topic: &str) -> Option<i32> {
        let metadata = self.watcher.fetch_metadata(Some(topic), LIMIT).ok()?;
        let topic =
            metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none())?;
        let all = !topic.partitions().is_empty() && topic.partitions().iter().all(|p| p.leader() >= 0);
        all.then(|| topic.partitions().len() as i32)
    }

    /// Settings made on the topic itself.
    pub fn configs(&self, topic: &str) -> BTreeMap<String, String> {
        let asked = ResourceSpecifier::Topic(topic);
        let resources =
            wait(self.admin.describe_configs([&asked], &options())).unwrap().into_iter().flatten();
        let entries = resources.flat_map(|resource| resource.entries);
        let own = entries.filter(|entry| matches!(entry.source, ConfigSource::DynamicTopic));
        own.map(|entry| (entry.name, entry.value.unwrap_or_default())).collect()
    }

    /// The sum of the ends of a topic's partitions; 0 without such a topic.
    pub fn end(&self, topic: &str) -> i64 {
        let end = |number| self.watcher.fetch_watermarks(topic, number, LIMIT).map_or(0, |(_, high)| high);
        (0..self.partitions(topic).unwrap_or(0)).map(end).sum()
    }

    /// What a group has committed for partition 0.
    pub fn committed(&self, group: &str, topic: &str) -> Option<i64> {
        let mut asked = TopicPartitionList::new();
        asked.add_partition(topic, 0);
        let found = self.consumer(group).committed_offsets(asked, LIMIT).unwrap();
        match found.elements().first()?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    }

    /// Writes records and waits until they are acknowledged.
    pub fn write(&self, topic: &str, records: &[Record]) {
        for record in records {
            let mut message =
                BaseRecord::<[u8], [u8]>::to(topic).partition(record.partition).timestamp(record.time);
            message.key = record.key.as_deref();
            message.payload = record.value.as_deref();
            if !record.headers.is_empty() {
                let add = |headers: OwnedHeaders, (key, value): &(String, Option<Vec<u8>>)| {
                    headers.insert(Header { key, value: value.as_ref() })
                };
                let headers = OwnedHeaders::new_with_capacity(record.headers.len());
                message.headers = Some(record.headers.iter().fold(headers, add));
            }
            self.producer.send(message).map_err(|(error, _)| error).unwrap();
        }
        self.producer.flush(LIMIT).unwrap();
    }

    /// Reads a topic from its start until it has given `count` committed records and is at its end, or `limit` has passed.
    pub fn read(&self, topic: &str, count: usize, limit: Duration) -> Vec<Record> {
        let deadline = Instant::now() + limit;
        let partitions = loop {
            match self.partitions(topic) {
                Some(partitions) => break partitions,
                None if Instant::now() > deadline => return Vec::new(),
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        };
        let consumer = self.consumer("reader");
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let (mut found, mut ends) = (Vec::new(), 0);
        while (found.len() < count || ends < partitions) && Instant::now() < deadline {
            match consumer.poll(Duration::from_millis(50)) {
                Some(Ok(message)) => found.push(record(&message)),
                Some(Err(KafkaError::PartitionEOF(_))) => ends += 1,
                _ => {}
            }
        }
        found.sort_by_key(|record| record.partition);
        found
    }

    fn consumer(&self, group: &str) -> BaseConsumer {
        ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap)
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "50")
            .create()
            .unwrap()
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(LIMIT)).operation_timeout(Some(LIMIT))
}

fn record(message: &impl Message) -> Record {
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
    });
    Record {
        partition: message.partition(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers,
        time: message.timestamp().to_millis().unwrap_or(-1),
    }
}
