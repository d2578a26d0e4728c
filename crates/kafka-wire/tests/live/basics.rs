//! Everything that works while nothing is broken.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka_clusters::Version;
use kafka_wire::admin::{ConfigSource, GroupOffset, NewTopic, OffsetSpec};
use kafka_wire::cluster::Cluster;
use kafka_wire::fetch::Fetcher;

use crate::load::Load;
use crate::support::{
    Collected, Kafka, MERGE, create, end_offset, expect_numbers, fetch_settings, read, write_independently,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zookeeper_mode() {
    all(Version::V39Zk).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kraft_mode() {
    all(Version::V43).await;
}

async fn all(version: Version) {
    let kafka = Kafka::start(kafka_clusters::Cluster::builder().version(version)).await;
    let client = kafka.connected().await;
    assert!(!client.id().is_empty());
    written_is_read(&kafka, &client).await;
    merged_is_the_same(&kafka, &client).await;
    compressed_by_others_is_read(&kafka, &client).await;
    an_idle_fetcher_gets_what_comes(&kafka, &client).await;
    topics_and_configs(&client).await;
    offsets(&client).await;
}

async fn written_is_read(kafka: &Kafka, client: &Cluster) {
    create(client, "plain", 3, &[]).await;
    let mut load = Load::new(client, "plain", 3, None);
    load.write(5_000).await;
    assert!(load.producer.is_idle());
    assert_eq!((load.merged, load.duplicates, load.rewinds.len()), (0, 0, 0));
    expect_numbers(kafka, client, "plain", 3, 5_000).await;
    read(client, fetch_settings(), "plain", 3, 5_000).await;
    let small = kafka_wire::fetch::FetchSettings {
        max_bytes: 2_000,
        partition_max_bytes: 1_000,
        lanes_per_broker: 1,
        ..fetch_settings()
    };
    read(client, small, "plain", 3, 5_000).await;
}

async fn merged_is_the_same(kafka: &Kafka, client: &Cluster) {
    create(client, "merged", 2, &[]).await;
    let mut load = Load::new(client, "merged", 2, MERGE);
    load.ahead = 2_000;
    load.write(20_000).await;
    assert!(load.merged > 0, "nothing was merged");
    expect_numbers(kafka, client, "merged", 2, 20_000).await;
    read(client, fetch_settings(), "merged", 2, 20_000).await;
}

async fn compressed_by_others_is_read(kafka: &Kafka, client: &Cluster) {
    for codec in ["gzip", "lz4", "snappy", "zstd"] {
        let topic = format!("by-others-{codec}");
        create(client, &topic, 1, &[("compression.type", codec)]).await;
        write_independently(&kafka.cluster.bootstrap(), &topic, 0, 0..500).await;
        read(client, fetch_settings(), &topic, 1, 500).await;
    }
}

async fn an_idle_fetcher_gets_what_comes(kafka: &Kafka, client: &Cluster) {
    create(client, "idle", 2, &[]).await;
    let mut fetcher = Fetcher::new(client.clone(), fetch_settings());
    fetcher.add(0, "idle", 0, 0);
    fetcher.add(1, "idle", 1, 0);
    let mut collected = Collected::default();
    for number in 0..4 {
        // Idle for longer than a long poll; `next` is dropped in the middle of it.
        let idle = collected.until(&mut fetcher, |_| false);
        assert!(tokio::time::timeout(Duration::from_millis(700), idle).await.is_err());
        write_independently(&kafka.cluster.bootstrap(), "idle", 0, number..number + 1).await;
        collected.until(&mut fetcher, |c| c.count(0) > number as usize).await;
    }
    collected.values.entry(1).or_default();
    assert_eq!((collected.count(0), collected.count(1)), (4, 0));
    assert!(collected.answers < 40, "an idle fetcher answers {} times", collected.answers);
}

async fn topics_and_configs(client: &Cluster) {
    create(client, "settings", 2, &[("retention.ms", "3600000")]).await;
    let again = NewTopic {
        name: "settings".to_owned(),
        partitions: 5,
        replication_factor: 1,
        configs: BTreeMap::new(),
    };
    let outcome = tokio::time::timeout(Duration::from_secs(20), client.create_topic(&again)).await;
    assert!(!outcome.expect("a topic that is there, with fewer partitions, is waited for").unwrap());
    client.create_partitions("settings", 4).await.unwrap();
    assert_eq!(client.metadata().topic("settings").unwrap().partitions.len(), 4);
    let fewer = client.create_partitions("settings", 3).await.unwrap_err();
    assert!(fewer.to_string().contains("INVALID_PARTITIONS"), "{fewer}");

    let configs = BTreeMap::from([("max.message.bytes".to_owned(), "12345".to_owned())]);
    client.set_topic_configs("settings", &configs).await.unwrap();
    let topics = ["settings".to_owned(), "plain".to_owned()];
    // A controller has taken it; the broker that is asked hears of it a moment later.
    let described = async {
        loop {
            let found = client.describe_topic_configs(&topics).await.unwrap();
            if found["settings"]["max.message.bytes"].value.as_deref() == Some("12345") {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(20), described).await.expect("12345 bytes");
    let of = |topic: &str, name: &str| found[topic][name].clone();
    assert_eq!(of("settings", "max.message.bytes").source, ConfigSource::Topic);
    assert_eq!(of("settings", "retention.ms").value.as_deref(), Some("3600000"), "others are left alone");
    assert_eq!(of("plain", "retention.ms").source, ConfigSource::Inherited);
    let wrong = BTreeMap::from([("retention.ms".to_owned(), "none".to_owned())]);
    let error = client.set_topic_configs("settings", &wrong).await.unwrap_err();
    assert!(error.to_string().contains("retention.ms"), "{error}");
    let broker = client.metadata().brokers.keys().copied().next().unwrap();
    let ports = client.describe_broker_config(broker, "listeners").await.unwrap();
    assert!(ports.unwrap().contains("PLAINTEXT"));
    let missing = client.describe_topic_configs(&["no-such-topic".to_owned()]).await;
    assert!(missing.unwrap_err().to_string().contains("no-such-topic"));
}

async fn offsets(client: &Cluster) {
    assert_eq!(end_offset(client, "plain", 2).await, 5_000);
    let all: Vec<_> = (0..3).map(|p| ("plain".to_owned(), p)).collect();
    let first = client.list_offsets(&all, OffsetSpec::Earliest).await.unwrap();
    assert_eq!(first.values().copied().collect::<Vec<_>>(), [0, 0, 0]);
    let committed = client.list_offsets(&all, OffsetSpec::Latest { read_committed: true }).await.unwrap();
    assert_eq!(committed[&("plain".to_owned(), 0)], 5_000);

    let offset = |offset, leader_epoch| GroupOffset { offset, leader_epoch };
    let stored = BTreeMap::from([(all[0].clone(), offset(17, 0)), (all[2].clone(), offset(4_000, -1))]);
    client.commit_group_offsets("the-group", &stored).await.unwrap();
    assert_eq!(client.group_offsets("the-group", &all).await.unwrap(), stored);
    assert!(client.group_offsets("another-group", &all).await.unwrap().is_empty());
}
