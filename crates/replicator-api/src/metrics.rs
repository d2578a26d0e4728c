//! `GET /ReplicatorMetrics`: every partition that the tasks of one worker copy.

use serde::{Deserialize, Serialize};

/// The whole answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicatorMetrics {
    /// Replication connectors of which something runs on this worker, by name.
    pub connectors: Vec<ConnectorMetrics>,
}

/// One replication connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorMetrics {
    /// Connector name.
    pub name: String,
    /// Tasks of it that run here, by number.
    pub tasks: Vec<TaskMetrics>,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskMetrics {
    /// Number of the task, from 0.
    pub id: usize,
    /// Partitions that it copies.
    pub partitions: Vec<PartitionMetrics>,
}

/// State of a partition's copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PartitionState {
    /// It is copied, or there is nothing to copy.
    Running,
    /// Its connector is paused.
    Paused,
    /// A passing fault holds it up; the reason says which.
    Waiting,
    /// It is not copied until somebody acts; the reason says why and what would cure it.
    Stopped,
}

/// One partition. Counts are since the task's first start in this process; times are in ms since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartitionMetrics {
    /// Topic at the origin.
    pub src_topic: String,
    /// Topic at the destination.
    pub dest_topic: String,
    /// Number of the partition, the same on both sides.
    pub partition: i32,
    /// State of its copy.
    pub state: PartitionState,
    /// Cause of a state that is not `RUNNING` or `PAUSED`, for people.
    pub reason: Option<String>,
    /// Way in which batches are copied now, and why; `null` before the first.
    pub mode: Option<String>,
    /// Offsets between the position and the end of the origin's partition; -1 while the end is not known.
    pub message_lag: i64,
    /// Next origin offset that is not yet stored at the destination; -1 while unknown.
    pub position: i64,
    /// End of the origin's partition as the last fetch saw it; -1 while unknown.
    pub end_offset: i64,
    /// Records stored at the destination.
    pub records: u64,
    /// Bytes of them on the wire.
    pub bytes: u64,
    /// Batches that the destination recognised as duplicates.
    pub duplicate_batches: u64,
    /// Origin offsets that had expired before they were copied.
    pub expired_offsets: u64,
    /// Largest record timestamp that was stored; -1 if none.
    pub newest_timestamp: i64,
    /// Time of the last acknowledgement; -1 if none.
    pub last_acknowledged: i64,
    /// Cluster id of the origin; empty before the first connection.
    pub src_cluster: String,
    /// Cluster id of the destination; empty before the first connection.
    pub dest_cluster: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer as a replicator gave it.
    const RECORDED: &str = r#"{"connectors":[{"name":"replicator","tasks":[{"id":0,"partitions":[{"srcTopic":"orders","destTopic":"orders.copy","partition":3,"state":"WAITING","reason":"no leader","mode":"passthrough","messageLag":-1,"position":17,"endOffset":-1,"records":17,"bytes":2048,"duplicateBatches":0,"expiredOffsets":4,"newestTimestamp":1732000000123,"lastAcknowledged":1732000000456,"srcCluster":"a","destCluster":"b"}]}]}]}"#;

    #[test]
    fn an_answer_is_read_and_written_byte_for_byte() {
        let read: ReplicatorMetrics = serde_json::from_str(RECORDED).unwrap();
        assert_eq!(read.connectors[0].tasks[0].partitions[0].state, PartitionState::Waiting);
        assert_eq!(serde_json::to_string(&read).unwrap(), RECORDED);
    }

    #[test]
    fn a_field_that_is_missing_is_an_error() {
        let without = RECORDED.replace(r#""position":17,"#, "");
        assert!(
            serde_json::from_str::<ReplicatorMetrics>(&without).unwrap_err().to_string().contains("position")
        );
    }
}
