//! The two clusters of a run, and the faults that are theirs. Their state lives outside of the hosts that serve them.

use kafka_sim::{Action, ApiKey, Clock, Cluster, Fault, Release};

use crate::event_log::EventLog;
use crate::faults::Side;
use crate::plan::{Plan, PlannedCluster};

/// Part of the client id of everything the replicator sends.
pub const CLIENT: &str = "subject";

/// Port of every broker; hosts have addresses of their own.
pub const PORT: u16 = 9092;

/// When the simulated world begins, ms since 1970.
const BEGINNING: i64 = 1_760_000_000_000;

/// Both clusters.
#[derive(Debug, Clone)]
pub struct Clusters {
    /// The one that is read.
    pub origin: Cluster,
    /// The one that is written.
    pub destination: Cluster,
}

impl Clusters {
    /// Both clusters with the origin's topics.
    pub fn new(plan: &Plan, log: &EventLog) -> Self {
        let origin = cluster(plan, Side::Origin, plan.origin, log);
        let destination = cluster(plan, Side::Destination, plan.destination, log);
        for topic in &plan.topics {
            let mut config = vec![("delete.retention.ms", "0")];
            if topic.compact {
                config.push(("cleanup.policy", "compact"));
            }
            if topic.log_append_time {
                config.push(("message.timestamp.type", "LogAppendTime"));
            }
            origin.create_topic(&topic.name, topic.partitions as usize, topic.factor as usize, &config);
        }
        Self { origin, destination }
    }

    /// One of them.
    pub fn of(&self, side: Side) -> &Cluster {
        match side {
            Side::Origin => &self.origin,
            Side::Destination => &self.destination,
        }
    }
}

/// The name of a broker's host.
pub fn host(side: Side, broker: i32) -> String {
    match side {
        Side::Origin => format!("origin-{broker}"),
        Side::Destination => format!("destination-{broker}"),
    }
}

fn cluster(plan: &Plan, side: Side, planned: PlannedCluster, log: &EventLog) -> Cluster {
    let log = log.clone();
    let cluster = Cluster::builder()
        .release(if planned.old { Release::V3_9 } else { Release::V4_3 })
        .brokers(planned.brokers as usize)
        .seed(plan.number.wrapping_mul(2) + side as u64)
        .property("auto.create.topics.enable", "false")
        .clock(Clock::custom(BEGINNING, move || log.now()))
        .build();
    for broker in cluster.brokers() {
        cluster.set_address(broker, &host(side, broker), PORT);
    }
    cluster
}

/// Requests of the replicator that go wrong, as the cluster knows them.
pub fn fault(api: ApiKey, action: Action, times: u32) -> Fault {
    // Errors and pauses of partitions do not know who asked.
    let client = match action {
        Action::Error(_) | Action::Throttle(_) => None,
        _ => Some(CLIENT.to_owned()),
    };
    Fault { client, ..Fault::of(api, action).times(times) }
}

/// What has happened to a cluster since the last call: `seen` counts what was told before.
pub fn news(cluster: &Cluster, side: Side, seen: &mut usize, log: &EventLog) {
    for hit in cluster.faults().log().into_iter().skip(*seen) {
        *seen += 1;
        log.say(&format!("{side:?}"), format!("broker {}: {}", hit.broker, hit.what));
    }
}
