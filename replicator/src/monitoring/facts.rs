//! Facts that are told of a cluster: for the start-up summary and `/ReplicatorMetrics`. Connector and tasks note it when they have
//! connected.

use std::sync::Arc;

use kafka_wire::cluster::{Cluster, Metadata};
use kafka_wire::kafka_protocol::messages::ApiKey;

/// One cluster as the summary shows it. All empty: nothing of this process has connected to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterFacts {
    /// Cluster id.
    pub id: String,
    /// Bootstrap addresses.
    pub addresses: String,
    /// Number of brokers.
    pub brokers: usize,
    /// Generation of its brokers, from what it offers: `4.x`.
    pub version: String,
}

impl ClusterFacts {
    /// Of a cluster that is connected.
    pub(crate) async fn of(cluster: &Cluster) -> Self {
        let metadata: Arc<Metadata> = cluster.metadata();
        Self {
            id: metadata.cluster_id.clone(),
            addresses: cluster.addresses(),
            brokers: metadata.brokers.len(),
            version: match cluster.any_versions().await {
                Some(versions) => {
                    generation(versions.highest(ApiKey::Fetch), versions.highest(ApiKey::Produce))
                }
                None => "unknown".to_owned(),
            },
        }
    }
}

/// Brokers do not tell their release; the versions of Fetch and Produce that they offer place it.
fn generation(fetch: i16, produce: i16) -> String {
    match (fetch, produce) {
        (18.., _) => "4.1 or newer",
        (17, 12..) => "4.0",
        (17, _) => "3.9",
        (16, _) => "3.7 or 3.8",
        (13..=15, _) => "3.1 to 3.6",
        (12, _) => "2.7 to 3.0",
        (11, _) => "2.3 to 2.6",
        (10, _) => "2.1 or 2.2",
        _ => "older than 2.1",
    }
    .to_owned()
}
