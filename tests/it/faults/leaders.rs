//! Leaders that move under load, on clusters of three brokers.

use std::time::{Duration, Instant};

use kafka_clusters::{Cluster, Version};
use rdkafka::consumer::Consumer;

use super::load::{Load, Plan};
use super::oracle::{self, check};
use super::subject::Subject;
use super::{heavy, own_pair_of};
use crate::support::clusters::builder;
use crate::support::topics;

const PARTITIONS: i32 = 6;

#[test]
fn moving_leaders_lose_and_repeat_nothing() {
    let _heavy = heavy();
    let three = |version| builder(version).brokers(3).heap("256m").property("min.insync.replicas", 2);
    let pair = own_pair_of(three(Version::V43), three(Version::V43));
    let (origin, destination) = (pair.origin.bootstrap(), pair.destination.bootstrap());
    topics::create(&pair.origin, "moves", PARTITIONS, &[]);
    topics::create(&pair.destination, "moves.replica", PARTITIONS, &[]);
    let subject = Subject::new(&pair, "moves", &["moves"]).replication("replication.factor", 3);
    let mut running = subject.start_copying();
    let load = Load::start(&origin, &Plan::new("moves", PARTITIONS, 2000));
    std::thread::sleep(Duration::from_secs(1));

    // By reassignment: every partition gets its leader elsewhere, twice.
    for shift in [1, 2] {
        reassign(&pair.destination, "moves.replica", shift);
        reassign(&pair.origin, "moves", shift);
    }
    // By stopping a leader: its partitions go to others, and back with the preferred election.
    for (cluster, topic) in [(&pair.destination, "moves.replica"), (&pair.origin, "moves")] {
        let victim = leaders(cluster, topic)[0];
        cluster.broker(victim).stop().unwrap();
        wait_for_leaders(cluster, topic, |leaders| leaders.iter().all(|l| *l != victim && *l >= 0));
        cluster.broker(victim).start().unwrap();
        let elect = ["--election-type", "preferred", "--all-topic-partitions"];
        cluster.tool("kafka-leader-election", &elect).unwrap();
        wait_for_leaders(cluster, topic, |leaders| leaders.contains(&victim));
    }
    // By kill -9 of one at the destination.
    let victim = leaders(&pair.destination, "moves.replica")[0];
    pair.destination.broker(victim).kill().unwrap();
    wait_for_leaders(&pair.destination, "moves.replica", |all| all.iter().all(|l| *l != victim && *l >= 0));
    running.wait_for("the copy to catch up", Duration::from_secs(40), |r| r.lag("moves") < Some(1000));
    let owed = load.finish();

    let findings = check(&origin, &destination, ("moves", "moves.replica"), &owed);
    assert_eq!(findings.duplicate_count(), 0, "idempotence: {findings:?}");
    assert!(owed.count() > 10_000, "I12: {}", owed.count());
    running.assert_alive();
}

/// Puts the replicas of partition `p` on brokers `p + shift`, `p + shift + 1`, …, and makes the first the leader.
fn reassign(cluster: &Cluster, topic: &str, shift: i32) {
    let replica = |p: i32, n: i32| (p + shift + n) % 3 + 1;
    let partition = |p: i32| {
        let replicas = [0, 1, 2].map(|n| replica(p, n));
        serde_json::json!({"topic": topic, "partition": p, "replicas": replicas})
    };
    let plan =
        serde_json::json!({"version": 1, "partitions": (0..PARTITIONS).map(partition).collect::<Vec<_>>()});
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), plan.to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    let before = leaders(cluster, topic);
    cluster.tool("kafka-reassign-partitions", &["--reassignment-json-file", path, "--execute"]).unwrap();
    let elect = ["--election-type", "preferred", "--all-topic-partitions"];
    cluster.tool("kafka-leader-election", &elect).unwrap();
    wait_for_leaders(cluster, topic, |leaders| {
        leaders.iter().zip(0..).all(|(leader, p)| *leader == replica(p, 0))
    });
    assert_ne!(leaders(cluster, topic), before, "I12: the leaders have moved");
}

fn leaders(cluster: &Cluster, topic: &str) -> Vec<i32> {
    let consumer = oracle::consumer(&cluster.bootstrap());
    let Ok(metadata) = consumer.fetch_metadata(Some(topic), Duration::from_secs(10)) else { return vec![-1] };
    let mut all: Vec<(i32, i32)> =
        metadata.topics()[0].partitions().iter().map(|p| (p.id(), p.leader())).collect();
    all.sort_unstable();
    all.into_iter().map(|(_, leader)| leader).collect()
}

fn wait_for_leaders(cluster: &Cluster, topic: &str, done: impl Fn(&[i32]) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let now = leaders(cluster, topic);
        if now.len() == PARTITIONS as usize && done(&now) {
            return;
        }
        assert!(Instant::now() < deadline, "the leaders of {topic} are still {now:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
