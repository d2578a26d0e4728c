//! The load of the fault tests: records whose every byte follows from their partition and number, produced with
//! `acks=all` by librdkafka, each acknowledgement noted as an obligation.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, UNIX_EPOCH};

use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};

/// Timestamp of record 0; each record is one millisecond later. Not long ago, or retention would delete them.
fn first_timestamp() -> i64 {
    static FIRST: OnceLock<i64> = OnceLock::new();
    *FIRST.get_or_init(|| i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap() - 3_600_000)
}

/// A small generator of numbers (SplitMix64): the same seed, the same numbers.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed from the clock, or from `FAULTS_SEED` to repeat a run; printed, so that a failure can be repeated.
    pub(super) fn seeded(test: &str) -> Self {
        let seed = std::env::var("FAULTS_SEED").ok().and_then(|s| s.parse().ok());
        let seed = seed.unwrap_or(UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 % 1_000_000);
        println!("{test}: FAULTS_SEED={seed}");
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low)
    }
}

/// What record `id` of a partition is, recomputed on both sides.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Vec<u8>,
    pub(super) headers: Vec<(String, Option<Vec<u8>>)>,
    pub(super) timestamp: i64,
}

pub(super) fn expected(partition: i32, id: u64) -> Expected {
    let mut random = Random::new((u64::from(partition as u32) << 40) ^ id);
    let length = random.between(0, 700) as usize;
    let mut value = id.to_be_bytes().to_vec();
    while value.len() < 8 + length {
        value.extend_from_slice(&random.next().to_be_bytes());
    }
    value.truncate(8 + length);
    let key = (!id.is_multiple_of(5)).then(|| format!("key-{partition}-{id}").into_bytes());
    let headers = match id % 3 {
        0 => Vec::new(),
        1 => vec![("a".to_owned(), Some(id.to_be_bytes().to_vec())), ("a".to_owned(), None)],
        _ => vec![("empty".to_owned(), Some(Vec::new()))],
    };
    Expected { key, value, headers, timestamp: first_timestamp() + id as i64 }
}

/// Which record these bytes claim to be.
pub(super) fn id_of(value: &[u8]) -> Option<u64> {
    value.get(..8)?.try_into().ok().map(u64::from_be_bytes)
}

/// What the origin owes the destination: per partition, the ids that were acknowledged.
#[derive(Debug, Clone, Default)]
pub(super) struct Obligations {
    pub(super) acknowledged: Vec<BTreeSet<u64>>,
}

impl Obligations {
    fn none(partitions: i32) -> Self {
        Self { acknowledged: vec![BTreeSet::new(); partitions as usize] }
    }

    /// Owes what `more` owes, too.
    pub(super) fn merge(&mut self, more: Self) {
        self.acknowledged.iter_mut().zip(more.acknowledged).for_each(|(ids, more)| ids.extend(more));
    }

    pub(super) fn count(&self) -> usize {
        self.acknowledged.iter().map(BTreeSet::len).sum()
    }
}

struct Notes(Mutex<Obligations>);

struct Context(Arc<Notes>);

impl ClientContext for Context {
    /// Faults are the point of these tests: librdkafka's own words about them would only bury the oracle's.
    fn log(&self, _: rdkafka::config::RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, _: KafkaError, _: &str) {}
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<u64>;

    fn delivery(&self, result: &DeliveryResult<'_>, id: Box<u64>) {
        if let Ok(message) = result {
            let partition = message.partition() as usize;
            self.0.0.lock().unwrap().acknowledged[partition].insert(*id);
        }
    }
}

/// What to produce.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) topic: String,
    pub(super) partitions: i32,
    /// Number of the first record of each partition.
    pub(super) first: u64,
    /// Records a second, over all partitions.
    pub(super) rate: u64,
    /// `none`, `lz4`, …
    pub(super) codec: &'static str,
}

impl Plan {
    pub(super) fn new(topic: &str, partitions: i32, rate: u64) -> Self {
        Self { topic: topic.to_owned(), partitions, first: 0, rate, codec: "none" }
    }
}

/// A running load; it ends with [`Load::finish`].
pub(super) struct Load {
    notes: Arc<Notes>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Starts to produce, the partitions in turn.
    pub(super) fn start(bootstrap: &str, plan: &Plan) -> Self {
        let notes = Arc::new(Notes(Mutex::new(Obligations::none(plan.partitions))));
        let end = Arc::new(AtomicBool::new(false));
        let producer = producer(bootstrap, plan.codec, Context(notes.clone()));
        let (plan, stop) = (plan.clone(), end.clone());
        let thread = std::thread::spawn(move || produce(&producer, &plan, &stop));
        Self { notes, end, thread: Some(thread) }
    }

    /// Number of records acknowledged so far.
    pub(super) fn acknowledged(&self) -> usize {
        self.notes.0.lock().unwrap().count()
    }

    /// Produces no more, waits for the last acknowledgements, and tells what is owed.
    pub(super) fn finish(mut self) -> Obligations {
        self.end.store(true, Relaxed);
        self.thread.take().unwrap().join().expect("the load's thread panicked");
        self.notes.0.lock().unwrap().clone()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.end.store(true, Relaxed);
    }
}

/// Produces `records` of the plan's partitions at once and tells what is owed.
pub(super) fn produce_all(bootstrap: &str, plan: &Plan, first: u64, records: u64) -> Obligations {
    let notes = Arc::new(Notes(Mutex::new(Obligations::none(plan.partitions))));
    let producer = producer(bootstrap, plan.codec, Context(notes.clone()));
    for id in first..first + records {
        (0..plan.partitions).for_each(|partition| send(&producer, &plan.topic, partition, id));
    }
    producer.flush(Duration::from_secs(60)).expect("the load is acknowledged within a minute");
    let owed = notes.0.lock().unwrap().clone();
    assert_eq!(owed.count() as u64, records * plan.partitions as u64, "every record is acknowledged");
    owed
}

fn producer(bootstrap: &str, codec: &str, context: Context) -> ThreadedProducer<Context> {
    ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("linger.ms", "2")
        .set("compression.type", codec)
        .set("message.timeout.ms", "120000")
        .set("reconnect.backoff.max.ms", "500")
        .create_with_context(context)
        .expect("a producer can be made")
}

fn produce(producer: &ThreadedProducer<Context>, plan: &Plan, end: &AtomicBool) {
    let started = Instant::now();
    let mut sent = 0;
    while !end.load(Relaxed) {
        let due = started.elapsed().as_millis() as u64 * plan.rate / 1000;
        while sent < due && !end.load(Relaxed) {
            let partition = (sent % plan.partitions as u64) as i32;
            send(producer, &plan.topic, partition, plan.first + sent / plan.partitions as u64);
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    // What is still not acknowledged then is no obligation; it may be there or not.
    let _ = producer.flush(Duration::from_secs(60));
}

fn send(producer: &ThreadedProducer<Context>, topic: &str, partition: i32, id: u64) {
    let Expected { key, value, headers, timestamp } = expected(partition, id);
    let mut list = OwnedHeaders::new_with_capacity(headers.len());
    for (key, value) in &headers {
        list = list.insert(Header { key, value: value.as_deref() });
    }
    let mut record = BaseRecord::<[u8], [u8], Box<u64>>::with_opaque_to(topic, Box::new(id))
        .partition(partition)
        .payload(&value)
        .timestamp(timestamp)
        .headers(list);
    if let Some(key) = &key {
        record = record.key(key);
    }
    loop {
        match producer.send(record) {
            Ok(()) => return,
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                std::thread::sleep(Duration::from_millis(10));
                record = again;
            }
            Err((error, _)) => panic!("the load cannot be produced: {error}"),
        }
    }
}
