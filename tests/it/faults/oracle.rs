//! The oracle: reads origin and destination with librdkafka and checks the invariants of a copy.
//!
//! - I1: every acknowledged record is at the destination;
//! - I2: nothing else is;
//! - I3: key, value, headers and timestamp are what its number says;
//! - I4: records stand in the origin's order; where one stands again, everything from it on does (a re-sent suffix);
//! - I5: a stored offset names a record that is at the destination.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::load::{Expected, Obligations, expected, id_of};

/// How long a record may take to arrive once nothing is broken any more (I7).
const LIVENESS: Duration = Duration::from_secs(60);

pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _: rdkafka::config::RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, _: rdkafka::error::KafkaError, _: &str) {}
}

impl ConsumerContext for Quiet {}

/// Reads all partitions of a topic from the beginning and goes on where it stopped.
pub(super) struct TopicReader {
    consumer: BaseConsumer<Quiet>,
    topic: String,
    /// Ids by partition, as they stand in the log.
    pub(super) ids: Vec<Vec<u64>>,
    next: Vec<i64>,
}

impl TopicReader {
    pub(super) fn new(bootstrap: &str, topic: &str, partitions: i32) -> Self {
        let consumer = consumer(bootstrap);
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let count = partitions as usize;
        Self { consumer, topic: topic.to_owned(), ids: vec![Vec::new(); count], next: vec![0; count] }
    }

    /// Reads up to the ends as they are now, checking I3 on the way.
    pub(super) fn catch_up(&mut self) {
        let deadline = Instant::now() + LIVENESS;
        for partition in 0..self.ids.len() {
            let end = self.end(partition as i32, deadline);
            while self.next[partition] < end {
                assert!(
                    Instant::now() < deadline,
                    "{}-{partition} at {:?} cannot be read to {end}",
                    self.topic,
                    self.next
                );
                self.step(Duration::from_millis(200));
            }
        }
    }

    /// Reads until each partition has shown the last of `owed`; tells whether that came in time.
    pub(super) fn read_until(&mut self, owed: &Obligations, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let last: Vec<Option<u64>> = owed.acknowledged.iter().map(|ids| ids.last().copied()).collect();
        let mut highest: Vec<Option<u64>> = self.ids.iter().map(|ids| ids.iter().max().copied()).collect();
        while highest.iter().zip(&last).any(|(has, wants)| has < wants) {
            if Instant::now() > deadline {
                return false;
            }
            if let Some((partition, id)) = self.step(Duration::from_millis(200)) {
                highest[partition] = highest[partition].max(Some(id));
            }
        }
        true
    }

    pub(super) fn count(&self) -> usize {
        self.ids.iter().map(Vec::len).sum()
    }

    fn end(&self, partition: i32, deadline: Instant) -> i64 {
        loop {
            match self.consumer.fetch_watermarks(&self.topic, partition, Duration::from_secs(5)) {
                Ok((_, end)) => return end,
                Err(error) if Instant::now() > deadline => {
                    panic!("the end of {}-{partition} cannot be read: {error}", self.topic)
                }
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn step(&mut self, wait: Duration) -> Option<(usize, u64)> {
        let message = match self.consumer.poll(wait)? {
            Ok(message) => message,
            // No retention or deletion takes away what has not been read: there is no reason for this.
            Err(KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset)) => {
                panic!("the log of {} does not reach back to {:?}", self.topic, self.next)
            }
            // A broker that is down at this moment; the limit of the caller is the judge.
            Err(_) => return None,
        };
        let id = identity(&message);
        let partition = message.partition() as usize;
        self.ids[partition].push(id);
        self.next[partition] = message.offset() + 1;
        Some((partition, id))
    }
}

/// I3; returns the record's id.
fn identity(message: &BorrowedMessage<'_>) -> u64 {
    let place = format!("{}-{} at offset {}", message.topic(), message.partition(), message.offset());
    let value = message.payload().unwrap_or_default();
    let id = id_of(value).unwrap_or_else(|| panic!("I2: {place} holds a record that nobody produced"));
    let headers = message.headers().map(|headers| {
        let owned = |h: rdkafka::message::Header<'_, &[u8]>| (h.key.to_owned(), h.value.map(<[u8]>::to_vec));
        headers.iter().map(owned).collect()
    });
    let found = Expected {
        key: message.key().map(<[u8]>::to_vec),
        value: value.to_vec(),
        headers: headers.unwrap_or_default(),
        timestamp: message.timestamp().to_millis().unwrap_or(-1),
    };
    assert_eq!(found, expected(message.partition(), id), "I3: {place} is not record {id} as it was produced");
    id
}

/// What was found, beyond that all is well.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// By partition, how many records stand there again.
    pub(super) duplicates: Vec<usize>,
    /// By partition, how often a suffix was sent again.
    pub(super) resends: Vec<usize>,
}

impl Findings {
    pub(super) fn duplicate_count(&self) -> usize {
        self.duplicates.iter().sum()
    }
}

/// Waits until what is owed has arrived and checks I1 to I4.
pub(super) fn check(origin: &str, destination: &str, topics: (&str, &str), owed: &Obligations) -> Findings {
    let partitions = owed.acknowledged.len() as i32;
    let mut copy = TopicReader::new(destination, topics.1, partitions);
    check_with(origin, topics.0, &mut copy, owed)
}

/// [`check`] with a reader that has read a part already.
pub(super) fn check_with(
    origin: &str,
    origin_topic: &str,
    copy: &mut TopicReader,
    owed: &Obligations,
) -> Findings {
    let arrived = copy.read_until(owed, LIVENESS);
    let mut source = TopicReader::new(origin, origin_topic, owed.acknowledged.len() as i32);
    source.catch_up();
    if arrived {
        // Records that the load never saw acknowledged may come behind the last owed one.
        std::thread::sleep(Duration::from_millis(300));
        copy.catch_up();
    }
    let mut findings = Findings::default();
    for (partition, ids) in copy.ids.iter().enumerate() {
        let (duplicates, resends) = order(partition, &source.ids[partition], ids);
        findings.duplicates.push(duplicates);
        findings.resends.push(resends);
        let have: std::collections::BTreeSet<u64> = ids.iter().copied().collect();
        let missing: Vec<u64> = owed.acknowledged[partition].difference(&have).take(5).copied().collect();
        assert!(
            missing.is_empty(),
            "I1: {}-{partition} lacks {} of {} acknowledged records, the first {missing:?} (arrived in time: {arrived})",
            copy.topic,
            owed.acknowledged[partition].difference(&have).count(),
            owed.acknowledged[partition].len(),
        );
    }
    println!("oracle: {} owed, {} copied, {findings:?}", owed.count(), copy.count());
    findings
}

/// I2 and I4 of one partition; returns how many records stand there again, and how often a suffix was sent again.
fn order(partition: usize, source: &[u64], copy: &[u64]) -> (usize, usize) {
    let place: BTreeMap<u64, usize> = source.iter().enumerate().map(|(index, id)| (*id, index)).collect();
    assert_eq!(place.len(), source.len(), "the load itself has no duplicates");
    let (mut duplicates, mut resends) = (0, 0);
    // The place that comes next, and the first place never seen.
    let (mut next, mut fresh) = (0, 0);
    for (at, id) in copy.iter().enumerate() {
        let place = *place
            .get(id)
            .unwrap_or_else(|| panic!("I2: partition {partition} has record {id}, the origin not"));
        assert!(
            place <= next,
            "I4: partition {partition}, record {at} of the copy: {id} stands at {place} of the origin, where {next} \
             was due (copied so far: {fresh})"
        );
        resends += usize::from(place < next);
        duplicates += usize::from(place < fresh);
        next = place + 1;
        fresh = fresh.max(next);
    }
    (duplicates, resends)
}

/// The worker's offset topic: the newest value of each of the connector's partitions, as `(topic, partition)` → last
/// offset copied.
pub(super) fn stored_offsets(destination: &str, topic: &str) -> BTreeMap<(String, i32), i64> {
    let mut found = BTreeMap::new();
    for (key, value) in read_raw(destination, topic) {
        let key: serde_json::Value = serde_json::from_slice(&key).expect("keys of the offset topic are JSON");
        assert_eq!(key[0], "replicator", "{key}");
        let partition =
            (key[1]["topic"].as_str().unwrap().to_owned(), key[1]["partition"].as_i64().unwrap() as i32);
        let value: serde_json::Value = serde_json::from_slice(&value).expect("values are JSON");
        let offset = value["offset"].as_i64().expect("a value is {\"offset\":<number>}");
        found.insert(partition, offset);
    }
    found
}

/// All records of a topic as keys and values, in the order of each partition.
pub(super) fn read_raw(bootstrap: &str, topic: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let consumer = consumer(bootstrap);
    let wait = Duration::from_secs(10);
    let metadata = consumer.fetch_metadata(Some(topic), wait).expect("the cluster answers");
    let partitions: Vec<i32> = metadata.topics()[0].partitions().iter().map(|p| p.id()).collect();
    let mut list = TopicPartitionList::new();
    let mut open: BTreeMap<i32, i64> = BTreeMap::new();
    for partition in partitions {
        let (first, end) = consumer.fetch_watermarks(topic, partition, wait).expect("its leader answers");
        if end > first {
            list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
            open.insert(partition, end);
        }
    }
    consumer.assign(&list).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut out = Vec::new();
    while !open.is_empty() && Instant::now() < deadline {
        // A compacted end leaves nothing to poll, but the position moves.
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            out.push((
                message.key().unwrap_or_default().to_vec(),
                message.payload().unwrap_or_default().to_vec(),
            ));
        }
        let positions = consumer.position().unwrap();
        open.retain(|partition, end| {
            let position = positions.find_partition(topic, *partition).map(|p| p.offset());
            !matches!(position, Some(Offset::Offset(at)) if at >= *end)
        });
    }
    out
}

/// I5, with the process dead: every stored offset is of a record that is at the destination. Returns, by partition,
/// how many records are there beyond it: what may at most be copied again.
///
/// `topics`: the offset topic, and the origin's topic.
pub(super) fn check_stored(destination: &str, topics: (&str, &str), copy: &mut TopicReader) -> Vec<usize> {
    let stored = stored_offsets(destination, topics.0);
    copy.catch_up();
    let beyond = |(partition, ids): (usize, &Vec<u64>)| {
        let has = ids.iter().max().map_or(0, |id| id + 1);
        let key = (topics.1.to_owned(), partition as i32);
        let last = stored.get(&key).map_or(0, |last| *last as u64 + 1);
        assert!(last <= has, "I5: the stored offset of {key:?} is {last}, but only {has} records are copied");
        (has - last) as usize
    };
    copy.ids.iter().enumerate().map(beyond).collect()
}

pub(super) fn consumer(bootstrap: &str) -> BaseConsumer<Quiet> {
    ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "oracle")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_uncommitted")
        .set("fetch.wait.max.ms", "50")
        .set("reconnect.backoff.max.ms", "500")
        .create_with_context(Quiet)
        .expect("a consumer can be made")
}
