//! Partitions of a sink task: given, taken away, and read from elsewhere.

use std::mem;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use connect_api::{ConnectError, TopicPartition};
use tracing::warn;

use super::consumer::{NO_OFFSET, Rebalanced};
use super::state::SinkLoop;

/// Pause before a question to the cluster is repeated.
const RETRY: Duration = Duration::from_millis(500);

impl SinkLoop {
    pub(super) fn rewind(&mut self, partition: &TopicPartition, offset: i64) -> Result<(), ConnectError> {
        if !self.positions.has(partition) {
            warn!("{}: {}-{} is not assigned", self.run.id, partition.topic, partition.partition);
            return Ok(());
        }
        self.positions.rewind(partition, offset);
        self.consumer.seek(partition, offset)
    }

    pub(super) async fn rebalanced(&mut self, event: Rebalanced) -> Result<(), ConnectError> {
        match event {
            Rebalanced::Assigned(partitions) => self.assigned(partitions).await,
            Rebalanced::Revoked { partitions, lost } => {
                let closed = self.close(&partitions, lost).await;
                self.consumer.unassign(&partitions)?;
                closed
            }
        }
    }

    async fn assigned(&mut self, partitions: Vec<TopicPartition>) -> Result<(), ConnectError> {
        let mut positions = Vec::new();
        while !partitions.is_empty() && !self.run.stop.is_requested() {
            match self.consumer.positions(&partitions).await {
                Ok(found) => {
                    positions = found;
                    break;
                }
                Err(error) if error.class() == NO_OFFSET => return Err(error),
                Err(error) => {
                    warn!("{}: cannot find out where to read on, asking again: {error}", self.run.id);
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
        self.positions.add(&positions);
        self.assignment_changed();
        if !partitions.is_empty() {
            self.run.task.open(&partitions).await?;
        }
        // Where the task wants to read on from is where reading begins.
        let wanted = self.context.with(|requests| mem::take(&mut requests.offsets));
        for (partition, offset) in &mut positions {
            if let Some(wanted) = wanted.get(partition) {
                self.positions.rewind(partition, *wanted);
                *offset = *wanted;
            }
        }
        self.consumer.assign(&positions)?;
        if self.paused || self.redeliver_at.is_some() {
            self.consumer.pause(partitions.iter(), true)?;
        }
        Ok(())
    }

    fn assignment_changed(&mut self) {
        let assigned = self.positions.assigned();
        self.run.metrics.partitions.store(assigned.len() as u64, Relaxed);
        self.context.with(|requests| requests.assignment = assigned);
    }

    /// Commits and closes partitions; those lost without a commit.
    async fn close(&mut self, partitions: &[TopicPartition], lost: bool) -> Result<(), ConnectError> {
        if partitions.is_empty() {
            return Ok(());
        }
        let committed = if lost { Ok(()) } else { self.commit_now(partitions).await };
        let closed = self.run.task.close(partitions).await;
        self.positions.remove(partitions);
        self.assignment_changed();
        let removed = |topic: &str, partition: i32| {
            partitions.iter().any(|gone| gone.topic == topic && gone.partition == partition)
        };
        self.batch.retain(|record| !removed(&record.original_topic, record.original_partition));
        self.batch_offsets.retain(|partition, _| !partitions.contains(partition));
        if self.batch.is_empty() && self.redeliver_at.take().is_some() && !self.paused {
            self.consumer.pause(self.positions.unpaused().iter(), false)?;
        }
        committed.and(closed)
    }

    pub(super) async fn close_all(&mut self) -> Result<(), ConnectError> {
        let assigned = self.positions.assigned();
        self.close(&assigned, false).await
    }
}
