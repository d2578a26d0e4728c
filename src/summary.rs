//! Facts that a person wants to see when the replicator has started: which clusters, which topics, under which names.

use kafka_wire::settings::ClientSettings;
use replicator::config::ReplicatorConfig;
use replicator::monitoring::{ClusterFacts, Monitor};
use tracing::info;

/// Topics listed by name; of more, the rest is counted.
const LISTED: usize = 20;

/// Logs the summary.
pub(crate) fn log(config: &ReplicatorConfig, monitor: &Monitor) {
    let (origin, destination) = monitor.clusters();
    info!("origin:      {}", cluster(&origin, &config.origin.client));
    info!("destination: {}", cluster(&destination, &config.destination.client));
    let topics = monitor.topics();
    if topics.is_empty() && origin.id.is_empty() {
        info!("the topics are found and copied by other workers with this cluster.id, for now");
    } else {
        info!("{} topic(s) match:", topics.len());
    }
    for (topic, name) in topics.iter().take(LISTED) {
        if topic == name {
            info!("    {topic}");
        } else {
            info!("    {topic} -> {name}");
        }
    }
    if topics.len() > LISTED {
        info!("    and {} more", topics.len() - LISTED);
    }
    info!(
        "cluster.id {}, up to {} task(s), offsets in {} at the destination and in group {} at the origin",
        config.cluster_id,
        config.tasks_max,
        config.storage.offsets.name,
        config.origin.group_id.as_deref().unwrap_or(&config.cluster_id)
    );
}

/// Facts of a cluster; its addresses alone where neither connector nor task runs in this process.
fn cluster(facts: &ClusterFacts, client: &ClientSettings) -> String {
    if facts.id.is_empty() {
        let addresses = client.bootstrap_servers.iter().map(|(host, port)| format!("{host}:{port}"));
        return format!("at {}", addresses.collect::<Vec<_>>().join(","));
    }
    format!(
        "{} broker(s) at {}, Kafka {}, cluster id {}",
        facts.brokers, facts.addresses, facts.version, facts.id
    )
}
