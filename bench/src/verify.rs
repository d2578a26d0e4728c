//! Reads a topic with an independent client and hashes all that a consumer can see, record by record, in order.
//!
//! Called after every drain; what the origin holds is read once for each case.

use std::hash::{DefaultHasher, Hasher};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, Timestamp, TopicPartitionList};

use crate::cases::PARTITIONS;
use crate::interrupt;

/// Longest pause of a reader.
const PATIENCE: Duration = Duration::from_secs(20);

/// Contents of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Digest {
    /// Records.
    pub(crate) count: i64,
    /// Over key, value, headers, timestamp and its type, of every record in order.
    pub(crate) hash: u64,
}

/// Reads `topic` up to these end offsets. Two readers share the partitions.
pub(crate) fn read(bootstrap: &str, topic: &str, ends: &[i64]) -> Result<Vec<Digest>> {
    let half = |odd: i32| (0..PARTITIONS).filter(move |number| number % 2 == odd).collect::<Vec<_>>();
    let (even, odd) = std::thread::scope(|scope| {
        let even = scope.spawn(|| read_some(bootstrap, topic, ends, &half(0)));
        (even.join(), read_some(bootstrap, topic, ends, &half(1)))
    });
    let mut digests = even.ok().context("a reader panicked")??;
    for (digest, other) in digests.iter_mut().zip(odd?) {
        if other.count > 0 {
            *digest = other;
        }
    }
    Ok(digests)
}

/// A consumer of these partitions, from their beginning, with no group to wait for.
pub(crate) fn consumer(
    bootstrap: &str,
    topic: &str,
    numbers: &[i32],
    settings: &[(&str, &str)],
) -> Result<BaseConsumer> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "replicator-bench-reader")
        .set("enable.auto.commit", "false")
        .set("check.crcs", "true");
    for (key, value) in settings {
        config.set(*key, *value);
    }
    let consumer: BaseConsumer = config.create().context("cannot make a reader")?;
    let mut assignment = TopicPartitionList::new();
    for number in numbers {
        assignment.add_partition_offset(topic, *number, Offset::Beginning)?;
    }
    consumer.assign(&assignment)?;
    Ok(consumer)
}

fn read_some(bootstrap: &str, topic: &str, ends: &[i64], numbers: &[i32]) -> Result<Vec<Digest>> {
    let settings = [
        ("fetch.queue.backoff.ms", "2"),
        ("queued.min.messages", "1000000"),
        ("queued.max.messages.kbytes", "32768"),
    ];
    let consumer = consumer(bootstrap, topic, numbers, &settings)?;
    let expected: i64 = numbers.iter().map(|number| ends[*number as usize]).sum();
    let mut digests = vec![Digest::default(); PARTITIONS as usize];
    let (mut seen, mut last) = (0, Instant::now());
    while seen < expected {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => {
                let digest = &mut digests[message.partition() as usize];
                digest.hash = hash(digest.hash, &message);
                digest.count += 1;
                seen += 1;
                last = Instant::now();
            }
            Some(Err(error)) => bail!("reading {topic}: {error}"),
            None if interrupt::asked() => bail!("interrupted"),
            None if last.elapsed() > PATIENCE => {
                bail!("reading {topic} stopped at {seen} of {expected} records")
            }
            None => {}
        }
    }
    Ok(digests)
}

/// Everything is hashed with its length and with whether it is there at all.
fn hash(before: u64, message: &impl Message) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(before);
    field(&mut hasher, message.key());
    field(&mut hasher, message.payload());
    let (kind, millis) = match message.timestamp() {
        Timestamp::NotAvailable => (0, -1),
        Timestamp::CreateTime(millis) => (1, millis),
        Timestamp::LogAppendTime(millis) => (2, millis),
    };
    hasher.write_u8(kind);
    hasher.write_i64(millis);
    if let Some(headers) = message.headers() {
        for header in headers.iter() {
            field(&mut hasher, Some(header.key.as_bytes()));
            field(&mut hasher, header.value);
        }
    }
    hasher.finish()
}

fn field(hasher: &mut DefaultHasher, bytes: Option<&[u8]>) {
    hasher.write_i64(bytes.map_or(-1, |bytes| bytes.len() as i64));
    hasher.write(bytes.unwrap_or_default());
}

/// `identical`, or in which partitions and how they differ.
pub(crate) fn compare(origin: &[Digest], destination: &[Digest]) -> String {
    let differing: Vec<String> = origin
        .iter()
        .zip(destination)
        .enumerate()
        .filter(|(_, (origin, destination))| origin != destination)
        .map(|(number, (origin, destination))| {
            if origin.count == destination.count {
                format!("partition {number}: other content")
            } else {
                format!("partition {number}: {} records, not {}", destination.count, origin.count)
            }
        })
        .collect();
    if differing.is_empty() && origin.len() == destination.len() {
        "identical".to_owned()
    } else {
        format!("DIFFERENT ({})", differing.join("; "))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rdkafka::message::{Header, OwnedHeaders, OwnedMessage};

    type Bytes = Option<&'static [u8]>;

    fn message(key: Bytes, value: Bytes, millis: i64, headers: &[(&str, Bytes)]) -> u64 {
        let mut owned = OwnedHeaders::new();
        for (key, value) in headers {
            owned = owned.insert(Header { key, value: *value });
        }
        let timestamp = Timestamp::CreateTime(millis);
        let own = |bytes: Bytes| bytes.map(<[u8]>::to_vec);
        hash(7, &OwnedMessage::new(own(value), own(key), "t".to_owned(), timestamp, 0, 0, Some(owned)))
    }

    #[test]
    fn whatever_a_consumer_can_see_changes_the_hash() {
        let (a, b): (Bytes, Bytes) = (Some(b"1"), Some(b"2"));
        let all = [
            message(a, a, 5, &[("h", a), ("h", b)]),
            message(a, a, 5, &[("h", b), ("h", a)]),
            message(a, a, 5, &[("h", b)]),
            message(a, a, 5, &[("h", a), ("h", None)]),
            message(a, a, 6, &[("h", a), ("h", b)]),
            message(a, b, 5, &[("h", a), ("h", b)]),
            message(None, a, 5, &[("h", a), ("h", b)]),
            message(Some(b""), a, 5, &[("h", a), ("h", b)]),
            message(Some(b"11"), Some(b""), 5, &[]),
            message(Some(b"1"), Some(b"1"), 5, &[]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(all[index + 1..].iter().all(|other| other != one), "{index}");
        }
    }

    #[test]
    fn a_comparison_names_the_partition() {
        let one = vec![Digest { count: 2, hash: 1 }, Digest { count: 3, hash: 2 }];
        let (mut other, mut short) = (one.clone(), one.clone());
        other[1].hash = 9;
        short[0].count = 1;
        assert_eq!(compare(&one, &one), "identical");
        assert_eq!(compare(&one, &other), "DIFFERENT (partition 1: other content)");
        assert_eq!(compare(&one, &short), "DIFFERENT (partition 0: 1 records, not 2)");
        assert!(compare(&one, &[]).starts_with("DIFFERENT"));
    }
}
