//! Transactions with commits and aborts, under both isolation levels.

use rdkafka::producer::Producer;

use super::{assert_identical, varied};
use crate::support::segments::batches;
use crate::support::{
    Isolation, PATIENCE, Pair, Record, Setup, Writer, kraft_to_zk, read, topics, wait_for, zk_to_kraft,
};

fn transactional(pair: &Pair, id: &str) -> Writer {
    let writer = Writer::new(&pair.origin, &[("transactional.id", id), ("compression.type", "lz4")]);
    writer.producer().init_transactions(PATIENCE).unwrap();
    writer
}

/// Two producers take turns inside their transactions, and a third writes without one between them.
fn write(setup: &Setup, topic: &str) {
    let pair = &setup.pair;
    let (a, b) = (transactional(pair, &setup.topic("a")), transactional(pair, &setup.topic("b")));
    let plain = Writer::new(&pair.origin, &[]);
    let mut number = 0;
    let mut some = |writer: &Writer, name: &str| {
        let records: Vec<Record> =
            (0..20).map(|i| varied(number + i).header("writer", Some(name.as_bytes()))).collect();
        number += 20;
        writer.write(topic, &records);
    };
    for round in 0..6 {
        a.producer().begin_transaction().unwrap();
        b.producer().begin_transaction().unwrap();
        for _ in 0..3 {
            some(&a, "a");
            some(&b, "b");
            some(&plain, "plain");
        }
        // The one that began first ends last every other time; each combination of ends comes up.
        let end = |writer: &Writer, commit: bool| match commit {
            true => writer.producer().commit_transaction(PATIENCE).unwrap(),
            false => writer.producer().abort_transaction(PATIENCE).unwrap(),
        };
        if round % 2 == 0 {
            end(&a, round % 3 == 0);
            some(&plain, "between");
            end(&b, round < 3);
        } else {
            end(&b, round % 3 == 0);
            end(&a, round < 3);
        }
    }
}

fn transactions(pair: &Pair, isolation: Isolation) {
    let setup = Setup::new(pair, isolation.name()).consumer("isolation.level", isolation.name());
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    write(&setup, &topic);
    let replicator = setup.clone().whitelist(&[&topic]).start();
    replicator.wait_position(&topic, &topics::ends(&pair.origin, &topic));
    write(&setup, &topic);

    let ends = topics::ends(&pair.origin, &topic);
    replicator.wait_position(&topic, &ends);
    assert_identical(pair, &topic, isolation);
    let partition = replicator.partition(&topic, 0);
    assert_eq!(partition["messageLag"], 0, "behind the last marker: {partition}");

    let (all, committed) = (Isolation::Uncommitted, Isolation::Committed);
    let counts = [all, committed].map(|view| read(&pair.origin, &topic, view)[&0].len());
    assert!(counts[1] < counts[0] && counts[1] > 0, "{counts:?}: nothing was aborted, or everything");
    assert!(batches(&pair.origin, &topic, 0).iter().any(|batch| batch.is_control()));
    for batch in batches(&pair.destination, &format!("{topic}.replica"), 0) {
        assert_eq!(batch.attributes & 0x30, 0, "a transactional or control batch at the destination");
    }
    replicator.stop();
    let position = topics::committed(&pair.origin, &setup.group(), &topic, 0);
    assert_eq!(position, Some(ends[0]), "committed at the origin, behind the last marker");
}

#[test]
fn read_uncommitted_copies_what_was_aborted_too() {
    transactions(&zk_to_kraft(), Isolation::Uncommitted);
}

#[test]
fn read_committed_copies_what_was_committed_from_zookeeper_to_kraft() {
    transactions(&zk_to_kraft(), Isolation::Committed);
}

#[test]
fn read_committed_copies_what_was_committed_from_kraft_to_zookeeper() {
    transactions(&kraft_to_zk(), Isolation::Committed);
}

#[test]
fn read_committed_waits_for_the_end_of_an_open_transaction() {
    let pair = kraft_to_zk();
    let setup = Setup::new(&pair, "open-transaction").consumer("isolation.level", "read_committed");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    let replicator = setup.clone().whitelist(&[&topic]).start();
    let writer = transactional(&pair, &setup.id);
    let plain = Writer::new(&pair.origin, &[]);
    plain.write(&topic, &[Record::new("before", "1")]);
    writer.producer().begin_transaction().unwrap();
    writer.write(&topic, &[Record::new("inside", "2")]);
    plain.write(&topic, &[Record::new("behind", "3")]);

    replicator.wait_position(&topic, &[1]);
    std::thread::sleep(std::time::Duration::from_secs(1));
    let replica = format!("{topic}.replica");
    assert_eq!(
        topics::ends(&pair.destination, &replica),
        [1],
        "something behind the open transaction was copied"
    );
    writer.producer().commit_transaction(PATIENCE).unwrap();
    wait_for(
        || (topics::ends(&pair.destination, &replica) == [3]).then_some(()),
        || format!("the rest does not come:\n{}", replicator.log()),
    );
    assert_identical(&pair, &topic, Isolation::Committed);
    replicator.stop();
}
