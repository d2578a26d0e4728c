//! librdkafka: producers with every codec, groups, transactions, administration.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use kafka_sim::Release;
use rdkafka::admin::{
    AdminClient, AdminOptions, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use crate::Served;

const PATIENCE: Duration = Duration::from_secs(20);

fn config(served: &Served, settings: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", served.bootstrap());
    settings.iter().for_each(|(key, value)| {
        config.set(*key, *value);
    });
    config
}

fn producer(served: &Served, settings: &[(&str, &str)]) -> BaseProducer {
    config(served, settings).create().unwrap()
}

fn consumer(served: &Served, group: &str, settings: &[(&str, &str)]) -> BaseConsumer {
    let mut config = config(served, settings);
    config.set("group.id", group).set("auto.offset.reset", "earliest").set("enable.auto.commit", "false");
    config.create().unwrap()
}

fn send(producer: &BaseProducer, topic: &str, values: impl IntoIterator<Item = String>) {
    for value in values {
        let record = BaseRecord::to(topic).key(&value).payload(&value);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

/// Polls until `count` values came; then a little longer, for what should not come.
fn receive(consumer: &BaseConsumer, count: usize) -> Vec<String> {
    let mut values = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while values.len() < count && Instant::now() < deadline {
        values.extend(poll(consumer, Duration::from_millis(200)));
    }
    values.extend(poll(consumer, Duration::from_millis(300)));
    values
}

fn poll(consumer: &BaseConsumer, wait: Duration) -> Option<String> {
    let message = consumer.poll(wait)?.unwrap();
    Some(String::from_utf8(message.payload().unwrap().to_vec()).unwrap())
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{prefix}-{index}")).collect()
}

fn for_both(test: impl Fn(Served)) {
    for release in [Release::V3_9, Release::V4_3] {
        test(Served::start(release, 1));
    }
}

#[test]
fn sim_rdkafka_every_codec_there_and_back() {
    for_both(|served| {
        for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
            served.cluster.create_topic(codec, 1, 1, &[]);
            let idempotent =
                producer(&served, &[("compression.type", codec), ("enable.idempotence", "true")]);
            let values: Vec<String> = names(&"compressible".repeat(5), 300);
            send(&idempotent, codec, values.clone());
            let reader = consumer(&served, "unused", &[]);
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(codec, 0, Offset::Beginning).unwrap();
            reader.assign(&list).unwrap();
            assert_eq!(receive(&reader, 300), values, "{codec}");
            assert_eq!(reader.fetch_watermarks(codec, 0, PATIENCE).unwrap(), (0, 300));
        }
    });
}

#[test]
fn sim_rdkafka_group_with_two_members_and_commits() {
    for_both(|served| {
        served.cluster.create_topic("shared", 4, 1, &[]);
        let writer = producer(&served, &[]);
        let first = consumer(&served, "g", &[("session.timeout.ms", "6000")]);
        first.subscribe(&["shared"]).unwrap();
        send(&writer, "shared", names("a", 100));
        assert_eq!(receive(&first, 100).len(), 100);
        first.commit_consumer_state(CommitMode::Sync).unwrap();
        let second = consumer(&served, "g", &[]);
        second.subscribe(&["shared"]).unwrap();
        let deadline = Instant::now() + PATIENCE;
        let shares = |consumer: &BaseConsumer| consumer.assignment().unwrap().count();
        while (shares(&first), shares(&second)) != (2, 2) && Instant::now() < deadline {
            assert_eq!(poll(&first, Duration::from_millis(50)), None, "nothing comes twice");
            assert_eq!(poll(&second, Duration::from_millis(50)), None, "nothing comes twice");
        }
        assert_eq!((shares(&first), shares(&second)), (2, 2));
        send(&writer, "shared", names("b", 100));
        let mut all = BTreeSet::new();
        let deadline = Instant::now() + PATIENCE;
        while all.len() < 100 && Instant::now() < deadline {
            all.extend(poll(&first, Duration::from_millis(10)));
            all.extend(poll(&second, Duration::from_millis(10)));
        }
        assert_eq!(all, names("b", 100).into_iter().collect());
        drop(second);
        let deadline = Instant::now() + PATIENCE;
        while shares(&first) != 4 && Instant::now() < deadline {
            poll(&first, Duration::from_millis(50));
        }
        assert_eq!(shares(&first), 4, "the share of who left comes back");
    });
}

#[test]
fn sim_rdkafka_transactions() {
    for_both(|served| {
        served.cluster.create_topic("ledger", 2, 1, &[]);
        served.cluster.create_topic("input", 1, 1, &[]);
        let writer = producer(&served, &[("transactional.id", "bank")]);
        writer.init_transactions(PATIENCE).unwrap();
        writer.begin_transaction().unwrap();
        send(&writer, "ledger", names("kept", 50));
        writer.commit_transaction(PATIENCE).unwrap();
        writer.begin_transaction().unwrap();
        send(&writer, "ledger", names("aborted", 50));
        writer.abort_transaction(PATIENCE).unwrap();
        let reader = consumer(&served, "readers", &[("isolation.level", "read_committed")]);
        reader.subscribe(&["ledger"]).unwrap();
        let seen: BTreeSet<String> = receive(&reader, 50).into_iter().collect();
        assert_eq!(seen, names("kept", 50).into_iter().collect());
        let other = consumer(&served, "others", &[("isolation.level", "read_uncommitted")]);
        other.subscribe(&["ledger"]).unwrap();
        assert_eq!(receive(&other, 100).len(), 100);

        let source = consumer(&served, "mover", &[]);
        source.subscribe(&["input"]).unwrap();
        send(&producer(&served, &[]), "input", names("in", 3));
        assert_eq!(receive(&source, 3).len(), 3);
        writer.begin_transaction().unwrap();
        send(&writer, "ledger", names("moved", 3));
        let group = source.group_metadata().unwrap();
        writer.send_offsets_to_transaction(&source.position().unwrap(), &group, PATIENCE).unwrap();
        writer.commit_transaction(PATIENCE).unwrap();
        let committed = source.committed(PATIENCE).unwrap();
        assert_eq!(committed.elements_for_topic("input")[0].offset(), Offset::Offset(3));
    });
}

#[test]
fn sim_rdkafka_fences_a_second_producer() {
    for_both(|served| {
        served.cluster.create_topic("ledger", 1, 1, &[]);
        let settings = [("transactional.id", "bank")];
        let old = producer(&served, &settings);
        old.init_transactions(PATIENCE).unwrap();
        old.begin_transaction().unwrap();
        send(&old, "ledger", names("old", 1));
        let new = producer(&served, &settings);
        new.init_transactions(PATIENCE).unwrap();
        let refused = old.commit_transaction(PATIENCE).unwrap_err();
        let KafkaError::Transaction(cause) = &refused else { panic!("{refused}") };
        assert!(cause.is_fatal(), "{refused}");
        assert_eq!(cause.code(), RDKafkaErrorCode::Fenced, "{refused}");
        new.begin_transaction().unwrap();
        send(&new, "ledger", names("new", 1));
        new.commit_transaction(PATIENCE).unwrap();
    });
}

#[test]
fn sim_rdkafka_administration() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for_both(|served| {
        let admin: AdminClient<_> = config(&served, &[]).create().unwrap();
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        runtime.block_on(async {
            let topic = NewTopic::new("made", 2, TopicReplication::Fixed(1)).set("retention.ms", "1234");
            assert!(admin.create_topics([&topic], &options).await.unwrap()[0].is_ok());
            let twice = admin.create_topics([&topic], &options).await.unwrap().remove(0);
            assert_eq!(twice.unwrap_err().1, RDKafkaErrorCode::TopicAlreadyExists);
            let grown = NewPartitions::new("made", 5);
            assert!(admin.create_partitions([&grown], &options).await.unwrap()[0].is_ok());
            let resource = ResourceSpecifier::Topic("made");
            let described = admin.describe_configs([&resource], &options).await.unwrap().remove(0).unwrap();
            let retention = described.get("retention.ms").and_then(|entry| entry.value.clone());
            assert_eq!(retention.as_deref(), Some("1234"));
        });
        let found = admin.inner().fetch_metadata(Some("made"), PATIENCE).unwrap();
        assert_eq!(found.topics()[0].partitions().len(), 5);
        runtime.block_on(async {
            assert!(admin.delete_topics(&["made"], &options).await.unwrap()[0].is_ok());
        });
        assert!(!served.cluster.topics().contains_key("made"));
    });
}
