//! Brokers that stop, are killed, freeze, or are not there: nothing is lost, doubled or out of order.

use std::time::{Duration, Instant};

use kafka_clusters::Version;
use kafka_wire::cluster::Cluster;

use crate::load::{self, Load};
use crate::support::{Kafka, client, create, expect_numbers};

const PARTITIONS: i32 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_broker_in_zookeeper_mode() {
    let kafka = Kafka::start(kafka_clusters::Cluster::builder().version(Version::V39Zk)).await;
    let client = kafka.connected().await;
    survives(&kafka, &client, "stopped", |broker| {
        broker.stop().unwrap();
        broker.start().unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_broker_in_kraft_mode() {
    let kafka = Kafka::start(kafka_clusters::Cluster::builder()).await;
    let client = kafka.client(&[("request.timeout.ms", "2000")]);
    client.connect().await.unwrap();
    survives(&kafka, &client, "killed", |broker| {
        broker.kill().unwrap();
        broker.start().unwrap();
    })
    .await;
    survives(&kafka, &client, "frozen", |broker| {
        broker.suspend().unwrap();
        std::thread::sleep(Duration::from_secs(5));
        broker.resume().unwrap();
    })
    .await;
    a_long_outage_is_told_and_ends(&kafka, &client).await;
    a_client_waits_for_a_cluster_that_is_down(&kafka).await;
}

async fn survives(
    kafka: &Kafka,
    client: &Cluster,
    topic: &str,
    fault: impl FnOnce(&kafka_clusters::Broker) + Send + 'static,
) {
    create(client, topic, PARTITIONS, &[]).await;
    load::survives(kafka, client, topic, PARTITIONS, |cluster| fault(cluster.broker(1))).await;
}

async fn a_long_outage_is_told_and_ends(kafka: &Kafka, client: &Cluster) {
    create(client, "outage", 2, &[]).await;
    let mut load = Load::new(client, "outage", 2, None);
    load.write(100).await;
    kafka.run(|cluster| cluster.broker(1).kill().unwrap()).await;
    let started = Instant::now();
    while load.waits < 2 {
        assert!(started.elapsed() < Duration::from_secs(60), "an outage is not told: {:?}", load.feeds);
        load.fill(1_000);
        load.step(Duration::from_millis(50)).await;
    }
    assert!(!load.rewinds.is_empty(), "what was never sent is let go");
    kafka.run(|cluster| cluster.broker(1).start().unwrap()).await;
    load.write(1_000).await;
    assert!(load.resumed >= 2);
    expect_numbers(kafka, client, "outage", 2, 1_000).await;
}

async fn a_client_waits_for_a_cluster_that_is_down(kafka: &Kafka) {
    let late = client(&kafka.cluster.bootstrap(), &[]);
    kafka.run(|cluster| cluster.broker(1).stop().unwrap()).await;
    let waiting = late.connect();
    tokio::pin!(waiting);
    assert!(tokio::time::timeout(Duration::from_secs(2), &mut waiting).await.is_err(), "waits");
    kafka.run(|cluster| cluster.broker(1).start().unwrap()).await;
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("connects when it is up").unwrap();
}
