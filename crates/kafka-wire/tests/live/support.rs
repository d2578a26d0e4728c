//! Clusters, clients and an independent reader and writer (librdkafka) for the tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kafka_clusters::{ClusterBuilder, Listener};
use kafka_wire::ErrorCode;
use kafka_wire::admin::NewTopic;
use kafka_wire::batch::{BatchBuilder, Codec, Entry, Headers, OutgoingBatch};
use kafka_wire::cluster::Cluster;
use kafka_wire::fetch::{FetchEvent, FetchSettings, Fetcher, News};
use kafka_wire::produce::{Advice, MergeSettings, ProduceSettings};
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::TcpConnector;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

/// How long a test waits for what must happen.
pub const LIMIT: Duration = Duration::from_secs(90);

pub const MERGE: Option<MergeSettings> = Some(MergeSettings { below_bytes: 65_536, max_bytes: 131_072 });

/// A running cluster.
pub struct Kafka {
    pub cluster: Arc<kafka_clusters::Cluster>,
    _turn: MutexGuard<'static, ()>,
}

impl Kafka {
    pub async fn start(builder: ClusterBuilder) -> Self {
        let turn = TURN.lock().await;
        // RUST_LOG=kafka_wire=debug shows what the client does.
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        drop(tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init());
        let cluster = tokio::task::spawn_blocking(|| builder.start().unwrap()).await.unwrap();
        Self { cluster: Arc::new(cluster), _turn: turn }
    }

    /// Runs something that blocks, while the test's other tasks go on.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&kafka_clusters::Cluster) -> T + Send + 'static,
    ) -> T {
        let cluster = self.cluster.clone();
        tokio::task::spawn_blocking(move || work(&cluster)).await.unwrap()
    }

    pub fn client(&self, extra: &[(&str, &str)]) -> Cluster {
        client(&self.cluster.bootstrap_of(Listener::Plaintext), extra)
    }

    pub async fn connected(&self) -> Cluster {
        let client = self.client(&[]);
        client.connect().await.unwrap();
        client
    }
}

/// A client that has not connected yet.
pub fn client(bootstrap: &str, extra: &[(&str, &str)]) -> Cluster {
    let mut properties = BTreeMap::from([("bootstrap.servers".to_owned(), bootstrap.to_owned())]);
    properties.extend(extra.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let settings = ClientSettings::from_properties(&properties).unwrap();
    let connector = Arc::new(TcpConnector::new(&settings).unwrap());
    Cluster::new("test", settings, connector)
}

pub async fn create(client: &Cluster, name: &str, partitions: i32, configs: &[(&str, &str)]) {
    create_copied(client, name, partitions, 1, configs).await;
}

pub async fn create_copied(
    client: &Cluster,
    name: &str,
    partitions: i32,
    copies: i16,
    configs: &[(&str, &str)],
) {
    let configs = configs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let topic = NewTopic { name: name.to_owned(), partitions, replication_factor: copies, configs };
    assert!(client.create_topic(&topic).await.unwrap(), "{name} was there already");
}

/// The record with this number in this partition: its value tells both.
pub fn value(partition: i32, number: i64) -> String {
    format!("{partition}:{number}")
}

/// Brokers that restart or clean up forget producers whose last record is a day old by its timestamp, and with them
/// what makes a batch that is sent again recognisable. So records here are of today.
fn today() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64
}

/// A batch of the records `first..first + count`.
pub fn numbered(codec: Codec, partition: i32, first: i64, count: i64) -> OutgoingBatch {
    let mut builder = BatchBuilder::new(codec);
    for number in first..first + count {
        let value = value(partition, number);
        let key = number.to_string();
        builder.push(today(), Some(key.as_bytes()), Some(value.as_bytes()), &Headers::default()).unwrap();
    }
    builder.finish().unwrap()
}

/// A batch with one record.
pub fn single(key: Option<&[u8]>, value: &[u8]) -> OutgoingBatch {
    let mut builder = BatchBuilder::new(Codec::None);
    builder.push(today(), key, Some(value), &Headers::default()).unwrap();
    builder.finish().unwrap()
}

pub fn produce_settings(merge: Option<MergeSettings>) -> ProduceSettings {
    ProduceSettings {
        lanes_per_broker: 2,
        max_request_bytes: 1 << 20,
        timeout: Duration::from_secs(10),
        merge,
        advice: Advice { cure, ..Advice::default() },
    }
}

/// Names the setting that cures a refusal, as a caller of the producer does.
fn cure(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::MessageTooLarge => Some("raise max.message.bytes"),
        ErrorCode::InvalidRecord => Some("see cleanup.policy"),
        _ => None,
    }
}

pub fn fetch_settings() -> FetchSettings {
    FetchSettings {
        max_wait: Duration::from_millis(500),
        min_bytes: 1,
        max_bytes: 4 << 20,
        partition_max_bytes: 1 << 20,
        lane_buffer_bytes: 16 << 20,
        budget_bytes: 64 << 20,
        lanes_per_broker: 2,
        read_committed: false,
        rack: String::new(),
    }
}

/// Reads everything of partitions `0..partitions` with librdkafka until each has `count` records, as `(offset, value)`.
pub async fn read_independently(
    bootstrap: String,
    topic: String,
    partitions: i32,
    count: usize,
) -> Vec<Vec<(i64, String)>> {
    tokio::task::spawn_blocking(move || {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &bootstrap).set("group.id", "independent");
        let consumer: BaseConsumer = config.create().unwrap();
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(&topic, partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let mut found = vec![Vec::new(); partitions as usize];
        let deadline = std::time::Instant::now() + LIMIT;
        while found.iter().any(|records| records.len() < count) {
            assert!(std::time::Instant::now() < deadline, "the independent reader misses records");
            let Some(Ok(message)) = consumer.poll(Duration::from_millis(200)) else { continue };
            let text = String::from_utf8(message.payload().unwrap().to_vec()).unwrap();
            found[message.partition() as usize].push((message.offset(), text));
        }
        found
    })
    .await
    .unwrap()
}

/// Checks with librdkafka that each partition holds exactly the records `0..count`, each at the offset of its number.
pub async fn expect_numbers(kafka: &Kafka, client: &Cluster, topic: &str, partitions: i32, count: i64) {
    let found =
        read_independently(kafka.cluster.bootstrap(), topic.to_owned(), partitions, count as usize).await;
    for (partition, records) in found.iter().enumerate() {
        let expected: Vec<_> = (0..count).map(|n| (n, value(partition as i32, n))).collect();
        let wrong = records.iter().zip(&expected).find(|(a, b)| a != b);
        assert!(records.len() == expected.len(), "{topic}-{partition}: {} records", records.len());
        assert!(wrong.is_none(), "{topic}-{partition}: {wrong:?}");
        let end = end_offset(client, topic, partition as i32).await;
        assert_eq!(end, count, "{topic}-{partition} ends at {end}");
    }
}

pub async fn end_offset(client: &Cluster, topic: &str, partition: i32) -> i64 {
    let partition = (topic.to_owned(), partition);
    let spec = kafka_wire::admin::OffsetSpec::Latest { read_committed: false };
    client.list_offsets(std::slice::from_ref(&partition), spec).await.unwrap()[&partition]
}

/// Writes records with librdkafka, in order.
pub async fn write_independently(
    bootstrap: &str,
    topic: &str,
    partition: i32,
    numbers: std::ops::Range<i64>,
) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("enable.idempotence", "true").set("linger.ms", "1");
    let producer: FutureProducer = config.create().unwrap();
    let texts: Vec<String> = numbers.map(|n| value(partition, n)).collect();
    let sent: Vec<_> = texts
        .iter()
        .map(|text| {
            let record = FutureRecord::<str, str>::to(topic).partition(partition).payload(text);
            producer.send_result(record).unwrap()
        })
        .collect();
    for delivery in sent {
        delivery.await.unwrap().unwrap();
    }
}

/// Collects what a fetcher reads, checking that offsets go on where they left off.
#[derive(Default)]
pub struct Collected {
    /// By key: the next offset expected, and values by offset.
    pub values: BTreeMap<usize, Vec<String>>,
    pub problems: Vec<(usize, String)>,
    /// How often a partition was told to be out of reach.
    pub away: usize,
    pub recovered: usize,
    pub answers: usize,
}

impl Collected {
    pub fn count(&self, key: usize) -> usize {
        self.values.get(&key).map_or(0, Vec::len)
    }

    pub fn take(&mut self, event: FetchEvent) {
        match event.news {
            // A ZooKeeper-mode broker that has just started may not know its topics for some seconds.
            News::Problem(problem) if problem.is_passing() => self.away += 1,
            News::Problem(problem) => self.problems.push((event.key, problem.to_string())),
            News::Recovered => self.recovered += 1,
            News::Data(data) => {
                self.answers += 1;
                let values = self.values.entry(event.key).or_default();
                assert_eq!(data.position, values.len() as i64, "of key {}", event.key);
                for entry in data.entries {
                    let Entry::Batch(batch) = entry else { panic!("an old message set") };
                    assert!(batch.crc_is_valid());
                    for record in batch.records().unwrap() {
                        let record = record.unwrap();
                        if record.offset >= values.len() as i64 {
                            assert_eq!(record.offset, values.len() as i64, "of key {}", event.key);
                            values.push(String::from_utf8(record.value.unwrap().to_vec()).unwrap());
                        }
                    }
                }
            }
        }
    }

    /// Reads until `done`; problems end it too.
    pub async fn until(&mut self, fetcher: &mut Fetcher, done: impl Fn(&Collected) -> bool) {
        let reading = async {
            while !done(self) && self.problems.is_empty() {
                for event in fetcher.next().await {
                    self.take(event);
                }
            }
        };
        tokio::time::timeout(LIMIT, reading).await.expect("the fetcher does not bring what is there");
    }

    /// Checks that key n holds the records `0..count` of partition n.
    pub fn expect(&self, partitions: i32, count: usize) {
        assert!(self.problems.is_empty(), "{:?}", self.problems);
        for partition in 0..partitions {
            let expected: Vec<_> = (0..count as i64).map(|n| value(partition, n)).collect();
            assert!(self.values[&(partition as usize)] == expected, "partition {partition}");
        }
    }
}

/// Reads `partitions` from their beginning, until each has `count` records.
pub async fn read(client: &Cluster, settings: FetchSettings, topic: &str, partitions: i32, count: usize) {
    let mut fetcher = Fetcher::new(client.clone(), settings);
    (0..partitions).for_each(|p| fetcher.add(p as usize, topic, p, 0));
    let mut collected = Collected::default();
    collected.until(&mut fetcher, |c| (0..partitions).all(|p| c.count(p as usize) >= count)).await;
    collected.expect(partitions, count);
}
