//! Three brokers: leaders move under load, and reading from a replica that is near.

use std::time::Duration;

use kafka_wire::cluster::Cluster;
use kafka_wire::fetch::{FetchSettings, Fetcher};

use crate::load::{self, Load};
use crate::support::{Collected, Kafka, LIMIT, create_copied, expect_numbers, fetch_settings};

const PARTITIONS: i32 = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaders_move_under_load() {
    let mut builder = kafka_clusters::Cluster::builder()
        .brokers(3)
        .property("replica.selector.class", "org.apache.kafka.common.replica.RackAwareReplicaSelector");
    for id in 1..=3 {
        builder = builder.broker_property(id, "broker.rack", format!("rack-{id}"));
    }
    let kafka = Kafka::start(builder).await;
    let client = kafka.client(&[("request.timeout.ms", "3000")]);
    client.connect().await.unwrap();
    a_near_replica_is_read(&client).await;
    too_few_replicas(&kafka, &client).await;
    survives(&kafka, &client, "elected", |cluster| {
        // Leaders in another order, then back.
        for first in [2, 3, 1] {
            move_leaders(cluster, "elected", first);
        }
    })
    .await;
    survives(&kafka, &client, "stopped", |cluster| {
        cluster.broker(2).stop().unwrap();
        cluster.broker(2).start().unwrap();
    })
    .await;
    survives(&kafka, &client, "killed", |cluster| {
        cluster.broker(3).kill().unwrap();
        std::thread::sleep(Duration::from_secs(3));
        cluster.broker(3).start().unwrap();
    })
    .await;
    survives(&kafka, &client, "frozen", |cluster| {
        cluster.broker(1).suspend().unwrap();
        std::thread::sleep(Duration::from_secs(12));
        cluster.broker(1).resume().unwrap();
    })
    .await;
}

async fn too_few_replicas(kafka: &Kafka, client: &Cluster) {
    create_copied(client, "insync", 2, 3, &[("min.insync.replicas", "3")]).await;
    let mut load = Load::new(client, "insync", 2, None);
    load.write(100).await;
    kafka.run(|cluster| cluster.broker(3).stop().unwrap()).await;
    let waiting = async {
        let mut end = 100;
        while load.waits == 0 {
            end = (end + 10).min(2_000);
            load.fill(end);
            load.step(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.expect("the wait is told");
    kafka.run(|cluster| cluster.broker(3).start().unwrap()).await;
    load.write(2_000).await;
    assert!(load.resumed >= 1);
    expect_numbers(kafka, client, "insync", 2, 2_000).await;
}

/// Makes broker `first` and those after it the preferred leaders, in turn, and elects them.
fn move_leaders(cluster: &kafka_clusters::Cluster, topic: &str, first: i32) {
    let replicas = |p: i32| {
        let order: Vec<String> = (0..3).map(|i| ((first - 1 + p + i) % 3 + 1).to_string()).collect();
        format!("{{\"topic\":\"{topic}\",\"partition\":{p},\"replicas\":[{}]}}", order.join(","))
    };
    let all: Vec<String> = (0..PARTITIONS).map(replicas).collect();
    let file = cluster.folder().join("reassign.json");
    std::fs::write(&file, format!("{{\"version\":1,\"partitions\":[{}]}}", all.join(","))).unwrap();
    let file = file.display().to_string();
    cluster.tool("kafka-reassign-partitions", &["--reassignment-json-file", &file, "--execute"]).unwrap();
    let elect = ["--election-type", "preferred", "--all-topic-partitions"];
    cluster.tool("kafka-leader-election", &elect).unwrap();
}

async fn a_near_replica_is_read(client: &Cluster) {
    create_copied(client, "near", PARTITIONS, 3, &[]).await;
    Load::new(client, "near", PARTITIONS, None).write(500).await;
    let near = |rack: &str| FetchSettings { rack: rack.to_owned(), lanes_per_broker: 1, ..fetch_settings() };
    for (rack, lanes) in [("rack-2", " 1 lanes"), ("", " 3 lanes")] {
        let mut fetcher = Fetcher::new(client.clone(), near(rack));
        (0..PARTITIONS).for_each(|p| fetcher.add(p as usize, "near", p, 0));
        let mut collected = Collected::default();
        collected.until(&mut fetcher, |c| (0..PARTITIONS).all(|p| c.count(p as usize) == 500)).await;
        collected.expect(PARTITIONS, 500);
        // One broker serves all six partitions, or all three do, each its own.
        assert!(format!("{fetcher:?}").contains(lanes), "rack {rack:?}: {fetcher:?}");
    }
}

async fn survives(
    kafka: &Kafka,
    client: &Cluster,
    topic: &str,
    fault: impl FnOnce(&kafka_clusters::Cluster) + Send + 'static,
) {
    create_copied(client, topic, PARTITIONS, 3, &[("min.insync.replicas", "2")]).await;
    load::survives(kafka, client, topic, PARTITIONS, fault).await;
}
