//! Topics whose log has holes because the broker compacted it.

use std::time::Duration;

use rdkafka::producer::Producer;

use super::assert_identical;
use crate::support::segments::{DiskBatch, batches};
use crate::support::{Isolation, PATIENCE, Pair, Record, Setup, Writer, both, topics, wait_for};

const START: i64 = 1_600_000_000_000;
const CODECS: [&str; 2] = ["none", "lz4"];

/// Rounds of the same keys, a tombstone here and there, a second apart by their timestamps: that makes the log roll.
fn write(pair: &Pair, topics: &[String]) {
    let writers =
        CODECS.map(|codec| Writer::new(&pair.origin, &[("compression.type", codec), ("linger.ms", "50")]));
    for round in 0..4 {
        for (writer, topic) in writers.iter().zip(topics) {
            let records = (0..60).filter(|key| round == 0 || key % (round + 1) == 0).map(|key| {
                let record = Record::new(format!("k{key}"), format!("round {round} {}", "x".repeat(30)));
                let record = record.header("round", Some(&[round as u8])).at(START + i64::from(round) * 1000);
                match key % 12 {
                    6 if round == 2 => Record { value: None, ..record },
                    _ => record,
                }
            });
            writer.write(topic, &records.collect::<Vec<_>>());
        }
    }
    // One more, so that what came before is no longer in the active segment.
    for (writer, topic) in writers.iter().zip(topics) {
        writer.write(topic, &[Record::new("last", "one").at(START + 9000)]);
    }
}

/// Waits until the cleaner has been there and has nothing left to do.
fn wait_for_cleaner(pair: &Pair, topic: &str) -> Vec<DiskBatch> {
    let mut before = Vec::new();
    wait_for(
        || {
            let now = batches(&pair.origin, topic, 0);
            let cleaned = now.iter().any(|batch| !batch.is_dense()) && now == before;
            before = now.clone();
            std::thread::sleep(Duration::from_millis(900));
            cleaned.then_some(now)
        },
        || format!("the cleaner leaves {topic} alone: {:?}", batches(&pair.origin, topic, 0).len()),
    )
}

fn compacted(pair: &Pair) {
    let setup = Setup::new(pair, "compacted");
    let all = CODECS.map(|codec| setup.topic(codec));
    let configs = [
        ("cleanup.policy", "compact"),
        ("segment.ms", "200"),
        ("min.cleanable.dirty.ratio", "0.001"),
        ("max.compaction.lag.ms", "500"),
    ];
    for topic in &all {
        topics::create(&pair.origin, topic, 1, &configs);
        // Not compacted there, so that the copy can be compared at leisure.
        topics::create(&pair.destination, &format!("{topic}.replica"), 1, &[]);
    }
    write(pair, &all);
    for topic in &all {
        let holes = wait_for_cleaner(pair, topic);
        assert!(holes.iter().any(|batch| !batch.is_dense()));
    }
    let replicator = setup.whitelist(&[&all[0], &all[1]]).start();
    for topic in &all {
        replicator.wait_position(topic, &topics::ends(&pair.origin, topic));
        let copy = &assert_identical(pair, topic, Isolation::Uncommitted)[&0];
        assert!(copy.iter().any(|stored| stored.record.value.is_none()), "no tombstone");
        let all_dense =
            batches(&pair.destination, &format!("{topic}.replica"), 0).iter().all(|b| b.is_dense());
        assert!(all_dense, "{topic}: a batch with holes at the destination");
    }
    replicator.stop();
}

#[test]
fn holes_are_closed_and_records_stay() {
    let pairs = both();
    std::thread::scope(|scope| pairs.iter().for_each(|pair| drop(scope.spawn(|| compacted(pair)))));
}

#[test]
fn a_compacted_batch_travels_encoded_again() {
    let pair = &both()[0];
    let setup = Setup::new(pair, "compacted-mode").consumer("isolation.level", "read_committed");
    let topic = setup.topic("t");
    let configs =
        [("cleanup.policy", "compact"), ("segment.ms", "200"), ("min.cleanable.dirty.ratio", "0.001")];
    topics::create(&pair.origin, &topic, 1, &configs);
    topics::create(&pair.destination, &format!("{topic}.replica"), 1, &[]);
    let writer = Writer::new(&pair.origin, &[("linger.ms", "100")]);
    let keys = (0..20).map(|number| Record::new(format!("{}", number % 11), "v"));
    writer.write(&topic, &keys.collect::<Vec<_>>());
    // What comes last in the log is not copied, so that the last batch copied is the one with holes.
    let writer = Writer::new(&pair.origin, &[("transactional.id", &setup.id)]);
    writer.producer().init_transactions(PATIENCE).unwrap();
    writer.producer().begin_transaction().unwrap();
    writer.write(&topic, &[Record::new("aborted", "v").at(START + 9000)]);
    writer.producer().abort_transaction(PATIENCE).unwrap();
    wait_for_cleaner(pair, &topic);

    let replicator = setup.whitelist(&[&topic]).start();
    replicator.wait_position(&topic, &topics::ends(&pair.origin, &topic));
    assert_eq!(replicator.partition(&topic, 0)["mode"], "reencode (compacted)");
    assert_eq!(assert_identical(pair, &topic, Isolation::Committed)[&0].len(), 11);
    replicator.stop();
}
