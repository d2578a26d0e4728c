//! The two clusters of the demo.

use std::net::{Ipv4Addr, TcpListener};

use kafka_sim::Cluster;

use super::options::{DemoOptions, Scenario};
use super::records::TOPICS;

/// Bytes kept of each partition: the demo may run for days.
const KEPT: &str = "8388608";
/// Partitions of compacted topics are cleaned when they have this many offsets more than at the last cleaning.
const CLEAN_EVERY: i64 = 20_000;

/// Handles to both clusters.
#[derive(Clone)]
pub(super) struct Clusters {
    pub(super) origin: Cluster,
    pub(super) destination: Cluster,
    pub(super) rest_port: u16,
    /// Ports that are not those asked for.
    pub(super) notes: Vec<String>,
}

impl Clusters {
    /// Opens all ports. The error says which cannot be opened.
    pub(super) async fn start(options: &DemoOptions) -> Result<Self, String> {
        // A leader can only move where there is another broker.
        let brokers = if options.fault == Some(Scenario::LeaderMove) { 2 } else { 1 };
        let mut notes = Vec::new();
        let origin = open("the origin", options.origin_port, brokers, &mut notes).await?;
        let destination = open("the destination", options.destination_port, brokers, &mut notes).await?;
        let rest_port = free("REST", options.rest_port, &mut notes)?;
        for topic in TOPICS {
            origin.create_topic(topic.name, topic.partitions, brokers, topic.config);
        }
        Ok(Self { origin, destination, rest_port, notes })
    }

    /// Keeps memory bounded, as brokers do in the background.
    pub(super) fn tidy(&self) {
        for cluster in [&self.origin, &self.destination] {
            cluster.apply_retention();
            for (topic, partitions) in cluster.topics() {
                for partition in (0..partitions as i32).filter(|_| topic.starts_with("shop.stock")) {
                    let Some((start, stable, end)) = cluster.offsets(&topic, partition) else { continue };
                    let dirty = end - start - cluster.stored(&topic, partition).len() as i64;
                    if dirty > CLEAN_EVERY {
                        cluster.clean(&topic, partition, stable);
                    }
                }
            }
        }
    }

    /// Ends whatever goes wrong.
    pub(super) fn repair(&self) {
        for cluster in [&self.origin, &self.destination] {
            cluster.faults().clear();
            for broker in cluster.brokers().into_iter().filter(|broker| !cluster.is_up(*broker)) {
                cluster.restart(broker);
            }
        }
    }
}

async fn open(role: &str, port: u16, brokers: usize, notes: &mut Vec<String>) -> Result<Cluster, String> {
    let factor = brokers.to_string();
    let cluster = Cluster::builder()
        .brokers(brokers)
        .seed(u64::from(port))
        .property("log.retention.bytes", KEPT)
        .property("auto.create.topics.enable", "false")
        .property("default.replication.factor", &factor)
        .build();
    let port = free(role, port, notes)?;
    cluster.listen(&[port]).await.map_err(|e| format!("{role}: {e}"))?;
    Ok(cluster)
}

/// The port asked for, or a free one with a note.
fn free(role: &str, port: u16, notes: &mut Vec<String>) -> Result<u16, String> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|l| l.local_addr());
    let taken = match bind(port) {
        Ok(address) => return Ok(address.port()),
        Err(error) => error,
    };
    let other = bind(0).map_err(|e| format!("{role}: no port can be opened: {e}"))?.port();
    notes.push(format!("Port {port} for {role} cannot be opened ({taken}); it is on {other} instead."));
    Ok(other)
}
