//! Shapes that deserve a test of their own: many partitions, large messages, and bytes that librdkafka cannot write.

use bytes::Bytes;
use kafka_wire::batch::{BatchBuilder, Codec, Headers, OutgoingBatch};

use super::{assert_identical, varied};
use crate::support::segments::batches;
use crate::support::writer::raw;
use crate::support::{
    Isolation, Pair, Record, Setup, Time, Writer, both, kraft_to_zk, records, topics, zk_to_kraft,
};

#[test]
fn twelve_partitions_keep_their_order_with_three_tasks() {
    let pair = zk_to_kraft();
    let setup = Setup::new(&pair, "twelve").args(["--cluster.threads", "3"]);
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 12, &[]);
    let writer = Writer::new(&pair.origin, &[("batch.num.messages", "50")]);
    let write = |from: usize| {
        for number in from..from + 6000 {
            writer.send(&topic, (number % 12) as i32, &varied(number));
        }
        writer.flush();
    };
    write(0);
    let replicator = setup.whitelist(&[&topic]).start();
    replicator.wait_tasks(3);
    write(6000);
    replicator.wait_position(&topic, &[1000; 12]);
    let copy = assert_identical(&pair, &topic, Isolation::Uncommitted);
    assert_eq!(copy.values().map(Vec::len).sum::<usize>(), 12_000);
    replicator.stop();
}

fn large_messages(pair: &Pair) {
    let setup = Setup::new(pair, "large");
    let all = ["none", "gzip"].map(|codec| (setup.topic(codec), codec));
    for (topic, codec) in &all {
        topics::create(&pair.origin, topic, 1, &[]);
        let writer = Writer::new(&pair.origin, &[("compression.type", codec)]);
        // Bytes that do not compress.
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let records: Vec<_> = (0..6)
            .map(|key| Record::new([key], (0..900 * 1024).map(|_| noise()).collect::<Vec<_>>()))
            .collect();
        writer.write(topic, &records);
    }
    let replicator = setup.clone().whitelist(&[&all[0].0, &all[1].0]).start();
    for (topic, _) in &all {
        replicator.wait_position(topic, &[6]);
        assert_identical(pair, topic, Isolation::Uncommitted);
    }
    replicator.stop();
}

#[test]
fn messages_of_900_kilobytes() {
    both().iter().for_each(large_messages);
}

/// Header keys that are not UTF-8, and the times -1 and 0, each in a batch of its own and together.
fn strange_batches(codec: Codec) -> Vec<OutgoingBatch> {
    let headers = Headers::from_pairs([
        (&b"\xff\xfe"[..], Some(&b"v"[..])),
        (&b"\xff\xfe"[..], None),
        (&b"\x80"[..], Some(&b""[..])),
    ]);
    let none = Headers::empty();
    let shapes: [&[(i64, &Headers)]; 5] = [
        &[(-1, &none)],
        &[(0, &none)],
        &[(-1, &none), (-1, &headers), (-1, &none)],
        &[(0, &headers), (1_600_000_000_000, &none), (0, &none)],
        &[(5, &headers); 40],
    ];
    let batch = |shape: &[(i64, &Headers)]| {
        let mut builder = BatchBuilder::new(codec);
        for (time, headers) in shape {
            builder.push(*time, Some(b"key"), Some(&[b'v'; 100]), headers).unwrap();
        }
        builder.finish().unwrap()
    };
    shapes.into_iter().map(batch).collect()
}

fn strange_bytes(pair: &Pair) {
    let setup = Setup::new(pair, "strange").replication("replicator.batches", "preserve");
    let all = [("none", Codec::None), ("lz4", Codec::Lz4), ("zstd", Codec::Zstd)];
    let all = all.map(|(name, codec)| (setup.topic(name), codec));
    for (topic, codec) in &all {
        topics::create(&pair.origin, topic, 1, &[]);
        raw::write(&pair.origin, topic, 0, strange_batches(*codec));
    }
    let replicator = setup.clone().args(["--topic.regex", &setup.topic("[a-z0-9]+")]).start();
    for (topic, _) in &all {
        replicator.wait_position(topic, &[48]);
        let origin = batches(&pair.origin, topic, 0);
        assert_eq!(origin.len(), 5);
        assert_eq!(batches(&pair.destination, &format!("{topic}.replica"), 0), origin, "{topic}");
    }
    replicator.stop();
}

#[test]
fn header_keys_that_are_not_text_and_no_or_zero_timestamps() {
    both().iter().for_each(strange_bytes);
}

/// What merging does with times and strange headers: told by the records, which are the same one behind the other.
#[test]
fn merging_keeps_absent_and_zero_timestamps() {
    let pair = kraft_to_zk();
    let setup = Setup::new(&pair, "merged-times");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    let times = |number: usize| [-1, 0, 7, 1_600_000_000_000][number % 4];
    let batch = |number: usize| {
        let mut builder = BatchBuilder::new(Codec::None);
        builder.push(times(number), None, Some(number.to_string().as_bytes()), &Headers::empty()).unwrap();
        builder.finish().unwrap()
    };
    raw::write(&pair.origin, &topic, 0, (0..400).map(batch).collect());
    let replicator = setup.whitelist(&[&topic]).start();
    replicator.wait_position(&topic, &[400]);
    assert!(batches(&pair.destination, &format!("{topic}.replica"), 0).len() < 200, "nothing was merged");
    let copy = records(&pair.destination, &format!("{topic}.replica"), Isolation::Uncommitted);
    for (number, record) in copy.iter().enumerate() {
        let time = match times(number) {
            -1 => Time::None,
            time => Time::Create(time),
        };
        assert_eq!((record.time, record.value.as_deref()), (time, Some(number.to_string().as_bytes())));
    }
    assert_identical(&pair, &topic, Isolation::Uncommitted);
    replicator.stop();
}

#[test]
fn raw_batches_are_what_they_claim() {
    // Guards the tests above against a builder that quietly writes something else.
    let bytes: Bytes = strange_batches(Codec::None)[2].to_bytes();
    assert!(bytes.windows(2).any(|window| window == b"\xff\xfe"));
    assert_eq!(&bytes[27..43], &[0xff; 16], "base and maximum timestamp are -1");
}
