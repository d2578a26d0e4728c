//! Which topics are copied, under which names, and how their destinations are made.

use crate::support::{
    Isolation, Record, Setup, Writer, both, kraft_to_zk, read, records, topics, wait_for, zk_to_kraft,
};

fn some(count: usize) -> Vec<Record> {
    (0..count).map(|number| Record::new(number.to_string(), "value")).collect()
}

#[test]
fn regex_whitelist_and_blacklist_choose_and_new_topics_are_found() {
    for pair in both() {
        let setup = Setup::new(&pair, "chosen")
            .replication("topic.poll.interval.ms", 500)
            .expect("__consumer_offsets is never copied, although topic.whitelist names it");
        let [a1, a2, a1x, b, a3] = ["a1", "a2", "a1x", "b", "a3"].map(|name| setup.topic(name));
        for topic in [&a1, &a2, &a1x, &b] {
            topics::create(&pair.origin, topic, 1, &[]);
        }
        let writer = Writer::new(&pair.origin, &[]);
        writer.write(&a1, &some(3));
        let replicator = setup
            .clone()
            .whitelist(&[&b, "__consumer_offsets"])
            .args(["--topic.regex", &setup.topic(r"a\p{Digit}"), "--blacklist", &a2])
            .start();
        replicator.wait_position(&a1, &[3]);
        replicator.wait_position(&b, &[0]);
        let copied = |topic: &str| topics::partitions_if_any(&pair.destination, &format!("{topic}.replica"));
        assert_eq!([copied(&a1), copied(&b), copied(&a2), copied(&a1x)], [Some(1), Some(1), None, None]);
        assert_eq!(copied("__consumer_offsets"), None);

        topics::create(&pair.origin, &a3, 2, &[]);
        writer.write(&a3, &some(5));
        replicator.wait_position(&a3, &[5, 0]);
        assert_eq!(records(&pair.destination, &format!("{a1}.replica"), Isolation::Uncommitted).len(), 3);
        let found = read(&pair.destination, &format!("{a3}.replica"), Isolation::Uncommitted);
        assert_eq!(found[&0].iter().map(|stored| stored.record.clone()).collect::<Vec<_>>(), some(5));
        replicator.stop();
    }
}

#[test]
fn new_partitions_are_copied_from_their_beginning() {
    for pair in both() {
        let setup = Setup::new(&pair, "growth").replication("topic.poll.interval.ms", 2000);
        let topic = setup.topic("t");
        topics::create(&pair.origin, &topic, 1, &[]);
        let writer = Writer::new(&pair.origin, &[]);
        writer.write(&topic, &some(4));
        let replicator = setup.clone().whitelist(&[&topic]).start();
        replicator.wait_position(&topic, &[4]);
        topics::grow(&pair.origin, &topic, 3);
        assert_eq!(topics::partitions(&pair.origin, &topic), 3);
        // A producer of its own, for one that knows the topic takes minutes to see it grow.
        let writer = Writer::new(&pair.origin, &[]);
        for (number, record) in some(300).iter().enumerate() {
            writer.send(&topic, (number % 3) as i32, record);
        }
        writer.flush();
        replicator.wait_position(&topic, &[104, 100, 100]);
        let origin = read(&pair.origin, &topic, Isolation::Uncommitted);
        assert_eq!(read(&pair.destination, &format!("{topic}.replica"), Isolation::Uncommitted), origin);
        replicator.stop();
    }
}

#[test]
fn two_topics_with_one_name_are_refused() {
    let pair = zk_to_kraft();
    let setup = Setup::new(&pair, "collision").replication("topic.rename.format", "collision-all");
    let (a, b) = (setup.topic("a"), setup.topic("b"));
    topics::create(&pair.origin, &a, 1, &[]);
    topics::create(&pair.origin, &b, 1, &[]);
    let answer = setup.whitelist(&[&a, &b]).run();
    assert_eq!(answer.code, Some(78), "{answer:?}");
    let sentence = format!("topics {a} and {b} would both be written to collision-all at the destination");
    assert!(answer.stderr.contains(&sentence), "{}", answer.stderr);
    assert_eq!(topics::partitions_if_any(&pair.destination, "collision-all"), None);
}

#[test]
fn names_that_kafka_forbids_are_refused() {
    let pair = kraft_to_zk();
    let setup = Setup::new(&pair, "bad-name");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    let format =
        |format: &str| setup.clone().replication("topic.rename.format", format).whitelist(&[&topic]).run();
    let answer = format("${topic}/copy");
    assert_eq!(answer.code, Some(78), "{answer:?}");
    assert!(
        answer.stderr.contains("topic.rename.format=${topic}/copy: '/' cannot be part"),
        "{}",
        answer.stderr
    );
    let answer = format(&format!("{}${{topic}}", "x".repeat(240)));
    assert_eq!(answer.code, Some(78), "{answer:?}");
    assert!(answer.stderr.contains("which Kafka does not allow"), "{}", answer.stderr);
    assert!(answer.stderr.contains("change topic.rename.format"), "{}", answer.stderr);
}

#[test]
fn a_replication_factor_beyond_the_destination_is_said_with_its_setting() {
    let pair = zk_to_kraft();
    let setup = Setup::new(&pair, "factor")
        .replication("dest.topic.replication.factor", 3)
        .expect("dest.topic.replication.factor=3 is more than the destination's 1 broker(s)");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    let replicator = setup.whitelist(&[&topic]).start();
    replicator.wait_for_log("dest.topic.replication.factor=3 is more");
    assert_eq!(topics::partitions_if_any(&pair.destination, &format!("{topic}.replica")), None);
    replicator.stop();
}

#[test]
fn settings_of_topics_are_carried() {
    for pair in both() {
        let setup = Setup::new(&pair, "configs");
        let topic = setup.topic("t");
        let own =
            [("retention.ms", "123456789"), ("cleanup.policy", "compact"), ("max.message.bytes", "2000000")];
        topics::create(&pair.origin, &topic, 5, &own);
        let replicator = setup.whitelist(&[&topic]).start();
        let replica = format!("{topic}.replica");
        assert_eq!(topics::partitions(&pair.destination, &replica), 5);
        let there = topics::configs(&pair.destination, &replica);
        for (key, value) in own.into_iter().chain([("message.timestamp.type", "CreateTime")]) {
            assert_eq!(there.get(key).map(String::as_str), Some(value), "{key} in {there:?}");
        }
        replicator.stop();
    }
}

#[test]
fn without_auto_creation_a_topic_is_waited_for() {
    let pair = kraft_to_zk();
    let setup = Setup::new(&pair, "no-creation")
        .replication("topic.create.backoff.ms", 300)
        .args(["--topic.auto.create", "false"])
        .expect("topic.auto.create=false forbids to create it");
    let topic = setup.topic("t");
    let replica = format!("{topic}.replica");
    topics::create(&pair.origin, &topic, 1, &[]);
    Writer::new(&pair.origin, &[]).write(&topic, &some(7));
    let replicator = setup.whitelist(&[&topic]).start();
    replicator.wait_for_log("topic.auto.create=false forbids");
    assert_eq!(topics::partitions_if_any(&pair.destination, &replica), None);
    topics::create(&pair.destination, &replica, 1, &[]);
    replicator.wait_position(&topic, &[7]);
    wait_for(
        || (records(&pair.destination, &replica, Isolation::Uncommitted) == some(7)).then_some(()),
        || replicator.log(),
    );
    replicator.stop();
}
