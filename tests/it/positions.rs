//! Where the copy stands: what is stored, in Connect's layout, and how it is gone on from.

use serde_json::{Value, json};

use crate::support::{
    Isolation, Pair, Record, Setup, Writer, both, kraft_to_zk, records, topics, wait_for, zk_to_kraft,
};

fn numbered(range: std::ops::Range<usize>) -> Vec<Record> {
    range.map(|number| Record::new(number.to_string(), "value")).collect()
}

/// Keys with their last values in one of the worker's topics, as bytes.
fn table(pair: &Pair, topic: &str) -> Vec<(String, Option<String>)> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    for record in records(&pair.destination, topic, Isolation::Committed) {
        let (key, value) = (text(record.key.unwrap()), record.value.map(text));
        found.retain(|(other, _)| *other != key);
        found.push((key, value));
    }
    found
}

fn replica_of(setup: &Setup, topic: &str) -> Vec<Record> {
    records(&setup.pair.destination, &format!("{topic}.replica"), Isolation::Uncommitted)
}

#[test]
fn offsets_have_confluents_layout_and_a_restart_copies_nothing_twice() {
    for pair in both() {
        let setup = Setup::new(&pair, "layout");
        let topic = setup.topic("t");
        topics::create(&pair.origin, &topic, 1, &[]);
        let writer = Writer::new(&pair.origin, &[]);
        writer.write(&topic, &numbered(0..10_000));
        let setup = setup.whitelist(&[&topic]);
        let replicator = setup.start();
        replicator.wait_position(&topic, &[10_000]);
        replicator.stop();
        let key = format!(r#"["replicator",{{"topic":"{topic}","partition":0}}]"#);
        let offsets = format!("{}-offsets", setup.id);
        assert_eq!(table(&pair, &offsets), [(key.clone(), Some(r#"{"offset":9999}"#.to_owned()))]);
        assert_eq!(topics::configs(&pair.destination, &offsets)["cleanup.policy"], "compact");
        assert_eq!(topics::committed(&pair.origin, &setup.group(), &topic, 0), Some(10_000));

        setup.start().stop();
        writer.write(&topic, &numbered(10_000..10_100));
        let replicator = setup.start();
        replicator.wait_position(&topic, &[10_100]);
        replicator.stop();
        assert_eq!(table(&pair, &offsets), [(key, Some(r#"{"offset":10099}"#.to_owned()))]);
        assert_eq!(replica_of(&setup, &topic), numbered(0..10_100));
    }
}

#[test]
fn lag_tools_see_the_group_at_the_origin_while_it_runs() {
    let pair = kraft_to_zk();
    let setup = Setup::new(&pair, "lag");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    let replicator = setup.clone().whitelist(&[&topic]).start();
    Writer::new(&pair.origin, &[]).write(&topic, &numbered(0..500));
    wait_for(
        || (topics::committed(&pair.origin, &setup.group(), &topic, 0) == Some(500)).then_some(()),
        || replicator.log(),
    );
    let shown =
        pair.origin.tool("kafka-consumer-groups", &["--describe", "--group", &setup.group()]).unwrap();
    let line = shown.lines().find(|line| line.contains(&topic)).unwrap_or_else(|| panic!("{shown}"));
    let columns: Vec<_> = line.split_whitespace().collect();
    assert_eq!(columns[2..6], ["0", "500", "500", "0"], "partition, position, end, lag in\n{shown}");
    replicator.stop();
}

/// Creates the offset topic as a Connect worker before us would have, with these records.
fn store_offsets(setup: &Setup, stored: &[(String, String)]) {
    let offsets = format!("{}-offsets", setup.id);
    topics::create(&setup.pair.destination, &offsets, 1, &[("cleanup.policy", "compact")]);
    let stored: Vec<_> = stored.iter().map(|(key, value)| Record::new(key, value)).collect();
    Writer::new(&setup.pair.destination, &[]).write(&offsets, &stored);
}

#[test]
fn offsets_that_another_hand_stored_are_gone_on_from() {
    for pair in both() {
        let setup = Setup::new(&pair, "foreign");
        let topic = setup.topic("t");
        topics::create(&pair.origin, &topic, 3, &[]);
        let writer = Writer::new(&pair.origin, &[("linger.ms", "200")]);
        for partition in 0..3 {
            numbered(0..100).iter().for_each(|record| writer.send(&topic, partition, record));
        }
        writer.flush();
        // Java writes the map in either order; the third partition is another connector's.
        store_offsets(
            &setup,
            &[
                (
                    format!(r#"["replicator",{{"topic":"{topic}","partition":0}}]"#),
                    r#"{"offset":12}"#.to_owned(),
                ),
                (
                    format!(r#"["replicator",{{"topic":"{topic}","partition":0}}]"#),
                    r#"{"offset":41}"#.to_owned(),
                ),
                (
                    format!(r#"["replicator", {{"partition":1,"topic":"{topic}"}}]"#),
                    r#"{ "offset" : 98 }"#.to_owned(),
                ),
                (format!(r#"["other",{{"topic":"{topic}","partition":2}}]"#), r#"{"offset":50}"#.to_owned()),
            ],
        );
        let replicator = setup.clone().whitelist(&[&topic]).start();
        replicator.wait_position(&topic, &[100, 100, 100]);
        assert_eq!(replicator.partition(&topic, 0)["mode"], "reencode (starts inside a batch)");
        let replica = format!("{topic}.replica");
        let found = crate::support::read(&pair.destination, &replica, Isolation::Uncommitted);
        for (partition, from) in [(0, 42), (1, 99), (2, 0)] {
            let copy: Vec<_> = found[&partition].iter().map(|stored| stored.record.clone()).collect();
            assert_eq!(copy, numbered(from..100), "partition {partition}");
        }
        replicator.stop();
    }
}

#[test]
fn the_group_at_the_origin_counts_first_when_asked_to_and_second_otherwise() {
    let pair = zk_to_kraft();
    let start = |name: &str, order: &str, stored: bool| {
        let setup = Setup::new(&pair, name).replication("offset.start", order);
        let topic = setup.topic("t");
        topics::create(&pair.origin, &topic, 1, &[]);
        Writer::new(&pair.origin, &[]).write(&topic, &numbered(0..50));
        topics::commit(&pair.origin, &setup.group(), &topic, &[(0, 30)]);
        if stored {
            let key = format!(r#"["replicator",{{"topic":"{topic}","partition":0}}]"#);
            store_offsets(&setup, &[(key, r#"{"offset":9}"#.to_owned())]);
        }
        let replicator = setup.clone().whitelist(&[&topic]).start();
        replicator.wait_position(&topic, &[50]);
        replicator.stop();
        replica_of(&setup, &topic)
    };
    assert_eq!(start("consumer-first", "consumer", true), numbered(30..50));
    assert_eq!(start("connect-first", "connect", true), numbered(10..50));
    assert_eq!(start("connect-empty", "connect", false), numbered(30..50));
}

#[test]
fn configurations_and_statuses_have_connects_layout() {
    let pair = zk_to_kraft();
    let setup = Setup::new(&pair, "stores").args(["--cluster.threads", "2"]);
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 2, &[]);
    let replicator = setup.clone().whitelist(&[&topic]).start();
    replicator.wait_tasks(2);
    let json = |name: &str| -> Vec<(String, Value)> {
        let table = table(&pair, &format!("{}-{name}", setup.id)).into_iter();
        table.filter_map(|(key, value)| Some((key, serde_json::from_str(&value?).unwrap()))).collect()
    };
    let of = |records: &[(String, Value)], key: &str| {
        let found = records.iter().find(|(other, _)| other == key).map(|(_, value)| value.clone());
        found.unwrap_or_else(|| panic!("no {key} in {records:#?}"))
    };
    let configs = json("configs");
    let connector = of(&configs, "connector-replicator");
    let properties = &connector["properties"];
    assert_eq!(properties["connector.class"], "io.confluent.connect.replicator.ReplicatorSourceConnector");
    assert_eq!((&properties["name"], &properties["tasks.max"]), (&json!("replicator"), &json!("2")));
    for (number, id) in [(0, "replicator-0"), (1, "replicator-1")] {
        let task = of(&configs, &format!("task-replicator-{number}"));
        assert_eq!(task["properties"]["task.id"], id);
        assert!(task["properties"]["partition.assignment"].is_string());
    }
    assert_eq!(of(&configs, "commit-replicator"), json!({"tasks": 2}));

    let worker = format!("127.0.0.1:{}", setup.port);
    for key in ["status-connector-replicator", "status-task-replicator-0", "status-task-replicator-1"] {
        let status = wait_for(
            || Some(of(&json("status"), key)).filter(|status| status["state"] == "RUNNING"),
            || format!("{key} is not RUNNING: {:#?}", json("status")),
        );
        assert_eq!(status["worker_id"], *worker);
        let fields: Vec<_> = status.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["state", "trace", "worker_id", "generation", "version"]);
    }
    replicator.stop();
    let last = of(&json("status"), "status-task-replicator-0");
    assert_eq!(last["state"], "UNASSIGNED", "after the stop");
}

#[test]
fn nothing_is_committed_at_the_origin_when_not_wanted() {
    let pair = zk_to_kraft();
    let setup = Setup::new(&pair, "no-commit").replication("offset.topic.commit", false);
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    Writer::new(&pair.origin, &[]).write(&topic, &numbered(0..20));
    let setup = setup.whitelist(&[&topic]);
    let replicator = setup.start();
    replicator.wait_position(&topic, &[20]);
    replicator.stop();
    assert_eq!(topics::committed(&pair.origin, &setup.group(), &topic, 0), None);
    assert_eq!(table(&pair, &format!("{}-offsets", setup.id))[0].1.as_deref(), Some(r#"{"offset":19}"#));
}
