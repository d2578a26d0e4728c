//! The monitoring extension of the REST interface: `GET /ReplicatorMetrics`, all partitions of all tasks of this worker, by
//! connector.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{Monitor, MonitorHandle, PartitionFigures, PartitionState};

/// The extension's routes.
pub(super) fn routes(monitors: MonitorHandle) -> Router {
    Router::new().route("/ReplicatorMetrics", get(metrics)).with_state(monitors)
}

async fn metrics(State(monitors): State<MonitorHandle>) -> Json<Value> {
    let connectors: Vec<Value> =
        monitors.all().iter().map(|(name, monitor)| connector(name, monitor)).collect();
    Json(json!({"connectors": connectors}))
}

fn connector(name: &str, monitor: &Monitor) -> Value {
    let (origin, destination) = monitor.clusters();
    let mut tasks: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
    for figures in monitor.partitions() {
        let mut entry = partition(&figures);
        entry["srcCluster"] = json!(origin.id);
        entry["destCluster"] = json!(destination.id);
        tasks.entry(figures.task).or_default().push(entry);
    }
    let tasks: Vec<Value> =
        tasks.into_iter().map(|(id, partitions)| json!({"id": id, "partitions": partitions})).collect();
    json!({"name": name, "tasks": tasks})
}

/// One partition: counts since the start, `messageLag` and positions in offsets (-1 while unknown).
fn partition(figures: &PartitionFigures) -> Value {
    let (state, reason) = match figures.state() {
        PartitionState::Running => ("RUNNING", None),
        PartitionState::Paused => ("PAUSED", None),
        PartitionState::Waiting(reason) => ("WAITING", Some(reason)),
        PartitionState::Stopped(reason) => ("STOPPED", Some(reason)),
    };
    json!({
        "srcTopic": figures.topic,
        "destTopic": figures.destination,
        "partition": figures.partition,
        "state": state,
        "reason": reason,
        "mode": figures.mode().map(|mode| mode.to_string()),
        "messageLag": figures.lag().map_or(-1, |lag| i64::try_from(lag).unwrap_or(i64::MAX)),
        "position": figures.position.load(Relaxed),
        "endOffset": figures.end.load(Relaxed),
        "records": figures.records.load(Relaxed),
        "bytes": figures.bytes.load(Relaxed),
        "duplicateBatches": figures.duplicates.load(Relaxed),
        "expiredOffsets": figures.expired_offsets.load(Relaxed),
        "newestTimestamp": figures.newest.load(Relaxed),
        "lastAcknowledged": figures.last_acknowledged.load(Relaxed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_connector_tells_its_own_tasks() {
        let monitors = MonitorHandle::default();
        let (a, b) = (monitors.of("a"), monitors.of("b"));
        let figures = [a.open("t", 0, "t.r", 0), a.open("t", 1, "t.r", 1), b.open("t", 0, "t", 4)];
        let Json(told) = metrics(State(monitors.clone())).await;
        assert_eq!(
            (&told["connectors"][0]["name"], &told["connectors"][1]["name"]),
            (&json!("a"), &json!("b"))
        );
        assert_eq!(told["connectors"][0]["tasks"][1]["partitions"][0]["destTopic"], "t.r");
        assert_eq!(told["connectors"][1]["tasks"][0]["id"], 4);
        a.close(&figures[1]);
        let Json(told) = metrics(State(monitors)).await;
        assert_eq!(told["connectors"][0]["tasks"].as_array().map(Vec::len), Some(1));
        drop(b);
    }
}
