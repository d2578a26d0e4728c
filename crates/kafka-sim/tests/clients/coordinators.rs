//! librdkafka's groups and transactions against kafka-sim, while coordinators move and brokers end.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use kafka_sim::{Cluster, Coordinated, Release};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

const PATIENCE: Duration = Duration::from_secs(30);

async fn cluster(release: Release) -> Cluster {
    let cluster = Cluster::builder().release(release).brokers(3).build();
    cluster.listen(&[]).await.unwrap();
    cluster.create_topic("in", 4, 3, &[]);
    cluster.create_topic("out", 2, 3, &[]);
    cluster
}

fn config(cluster: &Cluster, settings: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", cluster.bootstrap());
    for (name, value) in settings {
        config.set(*name, *value);
    }
    config
}

fn consumer(cluster: &Cluster, group: &str) -> BaseConsumer {
    let settings = [
        ("group.id", group),
        ("auto.offset.reset", "earliest"),
        ("isolation.level", "read_committed"),
        ("enable.auto.commit", "false"),
        ("session.timeout.ms", "6000"),
        ("heartbeat.interval.ms", "200"),
    ];
    config(cluster, &settings).create().unwrap()
}

fn produce(cluster: &Cluster, topic: &str, values: std::ops::Range<usize>) {
    let producer: BaseProducer = config(cluster, &[("enable.idempotence", "true")]).create().unwrap();
    for value in values {
        let payload = value.to_string();
        let partition = (value % 4) as i32;
        producer.send(BaseRecord::<(), _>::to(topic).payload(&payload).partition(partition)).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

/// Polls consumers until `done`, and panics if that takes too long.
fn poll(consumers: &[&BaseConsumer], mut each: impl FnMut(usize), done: impl Fn() -> bool, what: &str) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "waited for {what}");
        for consumer in consumers {
            if let Some(Ok(message)) = consumer.poll(Duration::from_millis(20)) {
                each(String::from_utf8_lossy(message.payload().unwrap()).parse().unwrap());
            }
        }
    }
}

fn owned(consumer: &BaseConsumer) -> usize {
    consumer.assignment().unwrap().count()
}

fn a_group_goes_on(cluster: &Cluster) {
    let (one, two) = (consumer(cluster, "g"), consumer(cluster, "g"));
    one.subscribe(&["in"]).unwrap();
    two.subscribe(&["in"]).unwrap();
    poll(&[&one, &two], |_| {}, || owned(&one) == 2 && owned(&two) == 2, "two parts each");
    let coordinator = cluster.coordinator(Coordinated::Group, "g");
    let next = coordinator % 3 + 1;
    let seen = std::cell::RefCell::new(BTreeSet::new());
    let see = |value| _ = seen.borrow_mut().insert(value);
    // librdkafka 2.12 does not ask again for committed offsets when it is told that their coordinator has moved, and
    // stalls; so it has to be past that, which it is when it has read something of each partition.
    produce(cluster, "in", 0..4);
    poll(&[&one, &two], see, || seen.borrow().len() == 4, "four records before the move");
    cluster.move_coordinator(Coordinated::Group, "g", next);
    produce(cluster, "in", 4..10);
    poll(&[&one, &two], see, || seen.borrow().len() == 10, "six records after the move");
    cluster.kill(next);
    produce(cluster, "in", 10..20);
    poll(&[&one, &two], see, || seen.borrow().len() == 20, "ten more after a broker's end");
    one.commit_consumer_state(rdkafka::consumer::CommitMode::Sync).unwrap();
    drop(two);
    poll(&[&one], see, || owned(&one) == 4, "all parts for who is left");
}

fn a_transaction_commits_offsets(cluster: &Cluster) {
    produce(cluster, "in", 0..4);
    let reader = consumer(cluster, "copy");
    reader.subscribe(&["in"]).unwrap();
    let read = std::cell::Cell::new(0);
    poll(&[&reader], |_| read.set(read.get() + 1), || read.get() == 4, "the records to copy");
    let writer: ThreadedProducer<DefaultProducerContext> =
        config(cluster, &[("transactional.id", "copier")]).create().unwrap();
    writer.init_transactions(PATIENCE).unwrap();
    for (commit, value) in [(false, "1"), (true, "2")] {
        writer.begin_transaction().unwrap();
        writer.send(BaseRecord::<(), _>::to("out").payload(value).partition(0)).unwrap();
        let mut offsets = TopicPartitionList::new();
        offsets.add_partition_offset("in", 0, Offset::Offset(2)).unwrap();
        let metadata = reader.group_metadata().unwrap();
        writer.send_offsets_to_transaction(&offsets, &metadata, PATIENCE).unwrap();
        if commit {
            writer.commit_transaction(PATIENCE).unwrap()
        } else {
            writer.abort_transaction(PATIENCE).unwrap()
        }
        let committed = reader.committed(PATIENCE).unwrap();
        let offset = committed.find_partition("in", 0).unwrap().offset();
        assert_eq!(offset, if commit { Offset::Offset(2) } else { Offset::Invalid });
        cluster.move_coordinator(Coordinated::Transaction, "copier", 3);
    }
    let reader = consumer(cluster, "other");
    reader.subscribe(&["out"]).unwrap();
    let seen = std::cell::RefCell::new(Vec::new());
    poll(&[&reader], |v| seen.borrow_mut().push(v), || !seen.borrow().is_empty(), "what was committed");
    assert_eq!(*seen.borrow(), [2]);
}

async fn run(release: Release, what: fn(&Cluster)) {
    let cluster = cluster(release).await;
    tokio::task::spawn_blocking(move || what(&cluster)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_goes_on_3_9() {
    run(Release::V3_9, a_group_goes_on).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_goes_on_4_3() {
    run(Release::V4_3, a_group_goes_on).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_commits_offsets_3_9() {
    run(Release::V3_9, a_transaction_commits_offsets).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_commits_offsets_4_3() {
    run(Release::V4_3, a_transaction_commits_offsets).await;
}
