//! Codecs by batch sizes, as a backlog and live; and the modes in which they travel.

use std::time::Duration;

use super::{assert_identical, varied};
use crate::support::segments::batches;
use crate::support::{Isolation, Pair, Record, Setup, Writer, kraft_to_zk, topics, zk_to_kraft};

const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

/// Name, librdkafka's settings, number of records.
type Size = (&'static str, [(&'static str, &'static str); 3], usize);

const SIZES: [Size; 3] = [
    ("single", [("batch.num.messages", "1"), ("linger.ms", "0"), ("batch.size", "16384")], 300),
    ("16k", [("batch.num.messages", "10000"), ("linger.ms", "50"), ("batch.size", "16384")], 1500),
    ("256k", [("batch.num.messages", "100000"), ("linger.ms", "300"), ("batch.size", "262144")], 4000),
];

/// librdkafka sends a batch uncompressed that would not shrink.
fn compressible(number: usize) -> Record {
    varied(number).header("padding", Some(&[b'x'; 200]))
}

/// Writes part `part` of the records of every topic of the matrix.
fn write(setup: &Setup, part: usize) {
    std::thread::scope(|scope| {
        for (size, settings, count) in SIZES {
            scope.spawn(move || {
                for codec in CODECS {
                    let settings = [&settings[..], &[("compression.type", codec)]].concat();
                    let writer = Writer::new(&setup.pair.origin, &settings);
                    let records: Vec<_> =
                        (0..count).map(|number| compressible(part * count + number)).collect();
                    writer.write(&setup.topic(&format!("{codec}-{size}")), &records);
                }
            });
        }
    });
}

fn all_topics(setup: &Setup) -> Vec<(String, &'static str, &'static str)> {
    let name =
        |codec: &'static str, size: &'static str| (setup.topic(&format!("{codec}-{size}")), codec, size);
    CODECS.into_iter().flat_map(|codec| SIZES.map(|(size, ..)| name(codec, size))).collect()
}

fn matrix(pair: &Pair) {
    let setup = Setup::new(pair, "matrix");
    let all = all_topics(&setup);
    for (topic, ..) in &all {
        topics::create(&pair.origin, topic, 1, &[]);
    }
    write(&setup, 0);
    let replicator = setup.clone().args(["--topic.regex", &setup.topic(r"\w+-\w+")]).start();
    for (topic, codec, _) in &all {
        replicator.wait_position(topic, &topics::ends(&pair.origin, topic));
        assert_eq!(replicator.partition(topic, 0)["mode"], expected_mode(pair, topic), "{topic}");
        assert!(*codec == "none" || expected_mode(pair, topic) == "passthrough", "{topic} was merged");
    }
    write(&setup, 1);
    for (topic, codec, size) in &all {
        replicator.wait_position(topic, &topics::ends(&pair.origin, topic));
        assert_identical(pair, topic, Isolation::Uncommitted);
        assert_on_disk(pair, topic, codec, size);
    }
    replicator.stop();
}

/// The mode of the last batch, told from what lies on the destination's disk.
fn expected_mode(pair: &Pair, topic: &str) -> &'static str {
    let last = |cluster, topic: &str| batches(cluster, topic, 0).last().unwrap().count;
    let merged = last(&pair.destination, &format!("{topic}.replica")) > last(&pair.origin, topic);
    if merged { "merge" } else { "passthrough" }
}

/// Compressed batches are the same on both disks; single uncompressed records were put together.
fn assert_on_disk(pair: &Pair, topic: &str, codec: &str, size: &str) {
    let origin = batches(&pair.origin, topic, 0);
    let copy = batches(&pair.destination, &format!("{topic}.replica"), 0);
    let codec_id = CODECS.iter().position(|other| *other == codec).unwrap();
    for batch in origin.iter().chain(&copy) {
        assert_eq!(usize::try_from(batch.attributes & 7).unwrap(), codec_id, "{topic}: codec");
    }
    match (codec, size) {
        ("none", "single") => assert!(copy.len() < origin.len(), "{topic}: {} batches", copy.len()),
        ("none", _) => {}
        _ => assert_eq!(copy, origin, "{topic}"),
    }
    let largest = origin.iter().map(|batch| batch.count).max().unwrap();
    let expected = match size {
        "single" => 1..=1,
        "16k" => 10..=100,
        _ => 300..=2000,
    };
    assert!(expected.contains(&largest), "{topic}: the largest batch has {largest} records");
}

#[test]
fn every_codec_and_batch_size_from_zookeeper_to_kraft() {
    matrix(&zk_to_kraft());
}

#[test]
fn every_codec_and_batch_size_from_kraft_to_zookeeper() {
    matrix(&kraft_to_zk());
}

#[test]
fn batch_boundaries_stay_where_they_are_to_be_preserved() {
    let pair = zk_to_kraft();
    let setup = Setup::new(&pair, "preserve").replication("replicator.batches", "preserve");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    let records: Vec<_> = (0..600).map(varied).collect();
    let writer = Writer::new(&pair.origin, &[("batch.num.messages", "7"), ("linger.ms", "20")]);
    writer.write(&topic, &records);
    let replicator = setup.whitelist(&[&topic]).start();
    replicator.wait_position(&topic, &[600]);
    assert_eq!(replicator.partition(&topic, 0)["mode"], "passthrough");
    let origin = batches(&pair.origin, &topic, 0);
    assert!(origin.len() >= 600 / 7, "{} batches", origin.len());
    assert_eq!(batches(&pair.destination, &format!("{topic}.replica"), 0), origin);
    assert_identical(&pair, &topic, Isolation::Uncommitted);
    replicator.stop();
}

#[test]
fn an_empty_topic_is_created_and_waited_for() {
    let pair = kraft_to_zk();
    let setup = Setup::new(&pair, "empty");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 2, &[]);
    let replicator = setup.whitelist(&[&topic]).start();
    replicator.wait_tasks(1);
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(topics::ends(&pair.destination, &format!("{topic}.replica")), [0, 0]);
    let partition = replicator.partition(&topic, 1);
    assert_eq!((&partition["state"], &partition["messageLag"]), (&"RUNNING".into(), &0.into()));
    Writer::new(&pair.origin, &[]).write(&topic, &[varied(3)]);
    replicator.wait_position(&topic, &[1, 0]);
    assert_identical(&pair, &topic, Isolation::Uncommitted);
    replicator.stop();
}
