//! Faults of the demo, as they are played.

use std::time::Duration;

use kafka_sim::{Action, Cluster, Fault, Link};
use tokio::time::sleep;
use tracing::info;

use super::clusters::Clusters;
use super::options::Scenario;

/// Time before the first fault, and between two.
const QUIET: Duration = Duration::from_secs(5);
/// Time that a fault lasts.
const FAULT: Duration = Duration::from_secs(4);
const SLOW: Duration = Duration::from_millis(200);
const NARROW: u64 = 64 * 1024;
const ORDERS: &str = "shop.orders";

/// Plays the scenario until it is dropped.
pub(super) async fn play(scenario: Scenario, clusters: Clusters) {
    let Clusters { origin, destination, .. } = &clusters;
    loop {
        sleep(QUIET).await;
        match scenario {
            Scenario::BrokerRestart => restart(destination, "the destination").await,
            Scenario::OriginRestart => restart(origin, "the origin").await,
            Scenario::LeaderMove => {
                info!("fault: all leaders move to the other broker");
                move_leaders(origin);
                move_leaders(destination);
            }
            Scenario::SlowLink => {
                let slow = Link { delay: SLOW, bytes_per_second: NARROW, ..Link::default() };
                let what =
                    "the link to the destination has 200 ms more delay and 64 KiB/s for each connection";
                linked(destination, slow, what).await;
            }
            Scenario::CutLink => {
                let cut = Link { outbound_cut: true, ..Link::default() };
                linked(destination, cut, "the destination's answers do not arrive").await;
            }
            Scenario::LostAnswers => {
                let said = "the destination stores batches and closes the connection without an answer";
                faulty(destination, Action::ApplyThenDisconnect, said).await;
            }
            Scenario::Throttle => {
                let pause = Action::Throttle(Duration::from_millis(500));
                faulty(destination, pause, "the destination asks for a pause of 500 ms after each request")
                    .await;
            }
            Scenario::Errors => {
                let said = "the destination has too few replicas in sync (NOT_ENOUGH_REPLICAS)";
                faulty(destination, Action::Error(19), said).await;
            }
            // What the replicator stops at, once is enough.
            Scenario::TruncateOrigin => return truncate(origin),
            Scenario::RecreateTopic => {
                info!("fault: {ORDERS} is deleted at the origin and created again");
                origin.recreate_topic(ORDERS);
                return;
            }
            Scenario::DeleteRecords => {
                unread(origin, "deleted", |cluster, partition, end| {
                    cluster.delete_records(ORDERS, partition, end);
                })
                .await
            }
            Scenario::Corrupt => {
                unread(origin, "damaged", |cluster, partition, end| {
                    cluster.corrupt(ORDERS, partition, end - 1);
                })
                .await
            }
        }
    }
}

async fn restart(cluster: &Cluster, role: &str) {
    info!("fault: {role}'s broker is killed");
    cluster.kill(1);
    sleep(FAULT).await;
    cluster.restart(1);
    info!("repaired: {role}'s broker is up again");
}

fn move_leaders(cluster: &Cluster) {
    for (topic, partitions) in cluster.topics() {
        for partition in 0..partitions as i32 {
            let other = 3 - cluster.leader(&topic, partition);
            cluster.move_leader(&topic, partition, other);
        }
    }
}

async fn linked(cluster: &Cluster, link: Link, what: &str) {
    info!("fault: {what}");
    cluster.faults().set_link(1, link);
    sleep(FAULT).await;
    cluster.faults().set_link(1, Link::default());
    info!("repaired: the link is as it was");
}

async fn faulty(cluster: &Cluster, action: Action, what: &str) {
    info!("fault: {what}");
    let id = cluster.faults().add(Fault::of(kafka_sim::ApiKey::Produce, action));
    sleep(FAULT).await;
    cluster.faults().remove(id);
    info!("repaired");
}

fn truncate(origin: &Cluster) {
    if let Some((start, _, end)) = origin.offsets(ORDERS, 0) {
        let to = origin.truncate(ORDERS, 0, (end - 100).max(start)).unwrap_or(end);
        info!("fault: {ORDERS}-0 loses everything from offset {to} on (its end was {end})");
    }
}

/// Keeps the replicator from reading for a while, and then does something to what it has not read.
async fn unread(origin: &Cluster, what: &str, act: impl Fn(&Cluster, i32, i64)) {
    info!("fault: the origin cannot be read for {} s", FAULT.as_secs());
    let unreadable = Fault::of(kafka_sim::ApiKey::Fetch, Action::Error(6));
    let id = origin.faults().add(unreadable);
    sleep(FAULT).await;
    if let Some((_, _, end)) = origin.offsets(ORDERS, 0) {
        info!("fault: {ORDERS}-0 has unread records {what}, up to offset {end}");
        act(origin, 0, end);
    }
    origin.faults().remove(id);
}
