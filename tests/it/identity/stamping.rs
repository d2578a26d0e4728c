//! Topics whose brokers stamp records: at the origin, at the destination, at both.

use super::{assert_identical, varied};
use crate::support::{Isolation, Pair, Record, Setup, Time, Writer, both, records, topics};

const STAMPED: [(&str, &str); 1] = [("message.timestamp.type", "LogAppendTime")];

fn write(pair: &Pair, topic: &str, codec: &str) {
    let settings = [("compression.type", codec), ("batch.num.messages", "40"), ("linger.ms", "20")];
    Writer::new(&pair.origin, &settings).write(topic, &(0..200).map(varied).collect::<Vec<_>>());
}

/// What the origin's consumers see as the broker's time becomes the time of creation.
fn origin_stamps(pair: &Pair) {
    let setup = Setup::new(pair, "stamped-origin");
    let all = ["none", "zstd"].map(|codec| setup.topic(codec));
    for (topic, codec) in all.iter().zip(["none", "zstd"]) {
        topics::create(&pair.origin, topic, 1, &STAMPED);
        write(pair, topic, codec);
    }
    let replicator = setup.whitelist(&[&all[0], &all[1]]).start();
    for topic in &all {
        replicator.wait_position(topic, &[200]);
        let mode = replicator.partition(topic, 0)["mode"].clone();
        // Small uncompressed batches of a backlog are merged once they are encoded again.
        let merged = *topic == all[0] && mode == "merge";
        assert!(mode == "reencode (LogAppendTime)" || merged, "{topic}: {mode}");
        let origin = records(&pair.origin, topic, Isolation::Uncommitted);
        let copy = records(&pair.destination, &format!("{topic}.replica"), Isolation::Uncommitted);
        let expected = origin.into_iter().map(|record| match record.time {
            Time::Append(time) => record.at(time),
            other => panic!("the origin did not stamp: {other:?}"),
        });
        assert_eq!(copy, expected.collect::<Vec<_>>());
    }
    replicator.stop();
}

#[test]
fn times_that_the_origin_stamped_are_kept() {
    both().iter().for_each(origin_stamps);
}

fn destination_stamps(pair: &Pair) {
    let setup = Setup::new(pair, "stamped-copy").replication("topic.timestamp.type", "LogAppendTime");
    let (created, stamped) = (setup.topic("created"), setup.topic("stamped"));
    topics::create(&pair.origin, &created, 1, &[]);
    topics::create(&pair.origin, &stamped, 1, &STAMPED);
    write(pair, &created, "lz4");
    write(pair, &stamped, "lz4");
    let replicator = setup.whitelist(&[&created, &stamped]).start();
    for topic in [&created, &stamped] {
        replicator.wait_position(topic, &[200]);
        assert_eq!(replicator.partition(topic, 0)["mode"], "passthrough", "{topic}");
        let replica = format!("{topic}.replica");
        let type_there = topics::configs(&pair.destination, &replica)["message.timestamp.type"].clone();
        assert_eq!(type_there, "LogAppendTime");
        let copy = records(&pair.destination, &replica, Isolation::Uncommitted);
        assert!(copy.iter().all(|record| matches!(record.time, Time::Append(_))), "{topic}: not stamped");
        let timeless = |record: Record| Record { time: Time::None, ..record };
        let origin = records(&pair.origin, topic, Isolation::Uncommitted).into_iter().map(timeless);
        assert!(copy.into_iter().map(timeless).eq(origin), "{topic}: not the same records");
    }
    replicator.stop();
}

#[test]
fn a_destination_that_stamps_gets_batches_as_they_are() {
    both().iter().for_each(destination_stamps);
}

#[test]
fn times_of_creation_are_kept_where_the_destination_exists() {
    let pair = &both()[1];
    let setup = Setup::new(pair, "create-time");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    topics::create(&pair.destination, &format!("{topic}.replica"), 1, &[]);
    write(pair, &topic, "none");
    let replicator = setup.whitelist(&[&topic]).start();
    replicator.wait_position(&topic, &[200]);
    assert_identical(pair, &topic, Isolation::Uncommitted);
    replicator.stop();
}

/// Not about time, but about the other thing that a destination topic may do to batches.
#[test]
fn a_destination_that_compresses_again_is_warned_about_and_keeps_the_records() {
    let pair = &both()[0];
    let setup = Setup::new(pair, "recompressed").expect("compression.type=gzip at the destination");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    topics::create(&pair.destination, &format!("{topic}.replica"), 1, &[("compression.type", "gzip")]);
    write(pair, &topic, "lz4");
    let replicator = setup.whitelist(&[&topic]).start();
    replicator.wait_position(&topic, &[200]);
    assert_identical(pair, &topic, Isolation::Uncommitted);
    replicator.stop();
}
