//! The same against real brokers, of both lines: a member rejoins, one leaves, one dies, the broker is restarted.

use std::sync::Arc;
use std::time::Duration;

use kafka_clusters::{Cluster as Brokers, ClusterBuilder, Listener, Version};
use kafka_wire::cluster::Cluster;
use kafka_wire::group::{GroupMember, GroupSettings};
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::TcpConnector;
use tokio::time::sleep;

use crate::support::{Living, Team, Worker, settings};

fn member(brokers: &Brokers) -> Living {
    let properties = [("bootstrap.servers".to_owned(), brokers.bootstrap_of(Listener::Plaintext))].into();
    let client = ClientSettings::from_properties(&properties).unwrap();
    let connector = Arc::new(TcpConnector::new(&client).unwrap());
    // A broker takes no session below 6 s.
    let settings = GroupSettings {
        session_timeout: Duration::from_secs(6),
        heartbeat_interval: Duration::from_millis(500),
        coordinator_timeout: Duration::from_secs(60),
        ..settings()
    };
    Living::start(GroupMember::new(Cluster::new("test", client, connector), settings), Worker::default())
}

async fn lives_on(builder: ClusterBuilder) {
    // RUST_LOG=kafka_wire=debug shows what the members do.
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    drop(tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init());
    let brokers = tokio::task::spawn_blocking(|| builder.start().unwrap()).await.unwrap();
    let brokers = Arc::new(brokers);
    let mut team = Team { members: (0..3).map(|_| member(&brokers)).collect() };
    let first = team.settled(3).await;
    let leader = |team: &Team| team.joined().iter().position(|j| j.is_leader()).unwrap();
    // Of others a broker takes that as a rebalance only if their metadata has changed.
    team.members[leader(&team)].session.request_rejoin("a change");
    let second = team.next_after(first, 3).await;

    let leaving = team.members.remove(leader(&team));
    leaving.leave().await;
    let third = team.next_after(second, 2).await;

    team.members.push(member(&brokers));
    let fourth = team.next_after(third, 3).await;
    // Through the whole of it heartbeats were acknowledged.
    assert!(team.lost().is_empty());
    drop(team.members.remove(leader(&team)));
    let fifth = team.next_after(fourth, 2).await;
    assert!(team.lost().is_empty());

    let restarted = brokers.clone();
    tokio::task::spawn_blocking(move || {
        let broker = restarted.brokers().first().unwrap();
        broker.stop().unwrap();
        broker.start().unwrap();
    })
    .await
    .unwrap();
    // The session may have ended meanwhile by the members' clocks; the group is whole again in any case.
    sleep(Duration::from_secs(2)).await;
    assert!(team.settled(2).await >= fifth);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_lives_on_a_4_3_broker() {
    lives_on(Brokers::builder()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_lives_on_a_3_9_broker() {
    lives_on(Brokers::builder().version(Version::V39Zk)).await;
}
