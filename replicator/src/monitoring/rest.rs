//! The monitoring extension of the REST interface: `GET /ReplicatorMetrics`, all partitions of all tasks of this worker, by
//! connector.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use connect_core::rest::{Exchange, Route, json};
use replicator_api::PartitionState as Shown;
use replicator_api::{ConnectorMetrics, PartitionMetrics, ReplicatorMetrics, TaskMetrics};

use super::facts::ClusterFacts;
use super::{Monitor, MonitorHandle, PartitionFigures, PartitionState};

/// The product's resources, for a worker that tells of all replication connectors in `monitors`.
pub fn routes(monitors: MonitorHandle) -> Vec<Route> {
    let show = move |_: Exchange| {
        let answer = metrics(&monitors);
        async move { Ok(json(answer)) }
    };
    vec![Route::get("/ReplicatorMetrics", show)]
}

fn metrics(monitors: &MonitorHandle) -> ReplicatorMetrics {
    let connectors = monitors.all().iter().map(|(name, monitor)| connector(name, monitor)).collect();
    ReplicatorMetrics { connectors }
}

fn connector(name: &str, monitor: &Monitor) -> ConnectorMetrics {
    let (origin, destination) = monitor.clusters();
    let mut tasks: BTreeMap<usize, Vec<PartitionMetrics>> = BTreeMap::new();
    for figures in monitor.partitions() {
        tasks.entry(figures.task).or_default().push(partition(&figures, &origin, &destination));
    }
    let tasks = tasks.into_iter().map(|(id, partitions)| TaskMetrics { id, partitions }).collect();
    ConnectorMetrics { name: name.to_owned(), tasks }
}

fn partition(
    figures: &PartitionFigures,
    origin: &ClusterFacts,
    destination: &ClusterFacts,
) -> PartitionMetrics {
    let (state, reason) = match figures.state() {
        PartitionState::Running => (Shown::Running, None),
        PartitionState::Paused => (Shown::Paused, None),
        PartitionState::Waiting(reason) => (Shown::Waiting, Some(reason)),
        PartitionState::Stopped(reason) => (Shown::Stopped, Some(reason)),
    };
    PartitionMetrics {
        src_topic: figures.topic.clone(),
        dest_topic: figures.destination.clone(),
        partition: figures.partition,
        state,
        reason,
        mode: figures.mode().map(|mode| mode.to_string()),
        message_lag: figures.lag().map_or(-1, |lag| i64::try_from(lag).unwrap_or(i64::MAX)),
        position: figures.position.load(Relaxed),
        end_offset: figures.end.load(Relaxed),
        records: figures.records.load(Relaxed),
        bytes: figures.bytes.load(Relaxed),
        duplicate_batches: figures.duplicates.load(Relaxed),
        expired_offsets: figures.expired_offsets.load(Relaxed),
        newest_timestamp: figures.newest.load(Relaxed),
        last_acknowledged: figures.last_acknowledged.load(Relaxed),
        src_cluster: origin.id.clone(),
        dest_cluster: destination.id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told_of(monitors: &MonitorHandle) -> Value {
        json!(metrics(monitors))
    }

    #[test]
    fn each_connector_tells_its_own_tasks() {
        let monitors = MonitorHandle::default();
        let (a, b) = (monitors.of("a"), monitors.of("b"));
        let figures = [a.open("t", 0, "t.r", 0), a.open("t", 1, "t.r", 1), b.open("t", 0, "t", 4)];
        let told = told_of(&monitors);
        assert_eq!(
            (&told["connectors"][0]["name"], &told["connectors"][1]["name"]),
            (&json!("a"), &json!("b"))
        );
        assert_eq!(told["connectors"][0]["tasks"][1]["partitions"][0]["destTopic"], "t.r");
        assert_eq!(told["connectors"][1]["tasks"][0]["id"], 4);
        a.close(&figures[1]);
        let told = told_of(&monitors);
        assert_eq!(told["connectors"][0]["tasks"].as_array().map(Vec::len), Some(1));
        drop(b);
    }
}
