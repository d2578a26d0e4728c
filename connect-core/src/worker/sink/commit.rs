//! Commits of a sink task's offsets: beside the records while it runs, waited for when partitions are closed.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use connect_api::{ConnectError, TopicPartition};
use tokio::time::{Instant, timeout_at};
use tracing::{error, warn};

use super::positions::Offsets;
use super::state::{SinkLoop, UnderWay};

impl SinkLoop {
    pub(super) async fn start_commit(&mut self) -> Result<(), ConnectError> {
        let sequence = self.run.metrics.commit_sequence.fetch_add(1, Relaxed) + 1;
        let begun = Instant::now();
        let Some(offsets) = self.pre_commit(None, begun).await? else { return Ok(()) };
        let consumer = self.consumer.clone();
        let asked: Vec<_> = offsets.iter().map(|(partition, offset)| (partition.clone(), *offset)).collect();
        let done = Box::pin(async move { consumer.commit(asked).await });
        self.commit = Some(UnderWay { sequence, begun, offsets, done });
        Ok(())
    }

    /// Offsets to commit; `None`: nothing, for there is nothing new, or the task refused and was rewound.
    /// Nothing new counts as a commit that is done.
    async fn pre_commit(
        &mut self,
        only: Option<&[TopicPartition]>,
        begun: Instant,
    ) -> Result<Option<Offsets>, ConnectError> {
        if let Some(reporter) = &self.reporter {
            reporter.settled().await?;
        }
        if let Some(dead_letters) = &self.run.dead_letters {
            dead_letters.settled().await;
        }
        let current = self.positions.current(only);
        match self.run.task.pre_commit(current).await {
            Ok(allowed) => {
                let offsets = self.positions.committable(&self.run.id, allowed);
                if offsets.is_empty() {
                    self.note_committed(begun, &offsets);
                    return Ok(None);
                }
                Ok(Some(offsets))
            }
            Err(error) => {
                error!(
                    "{}: offset commit failed, going back to the last committed offsets: {error}",
                    self.run.id
                );
                self.run.metrics.committed(Duration::ZERO, false);
                let closing = only.is_some();
                for (partition, offset) in self.positions.back_to_committed(only) {
                    if !closing {
                        self.consumer.seek(&partition, offset)?;
                    }
                }
                Ok(None)
            }
        }
    }

    pub(super) fn commit_done(&mut self, result: Result<(), String>) {
        let Some(UnderWay { begun, offsets, sequence, .. }) = self.commit.take() else { return };
        match result {
            Ok(()) => self.note_committed(begun, &offsets),
            Err(error) => {
                self.run.metrics.committed(begun.elapsed(), false);
                error!("{}: commit {sequence} of offsets failed: {error}", self.run.id);
            }
        }
    }

    fn note_committed(&mut self, begun: Instant, offsets: &Offsets) {
        self.positions.committed(offsets);
        let metrics = &self.run.metrics;
        metrics.committed(begun.elapsed(), true);
        metrics.commits_completed.add(1);
        metrics.set_active(self.positions.uncommitted());
    }

    pub(super) fn give_up_at(&self) -> Option<Instant> {
        self.commit.as_ref().map(|commit| commit.begun + self.run.flush_timeout)
    }

    /// Its answer, should it come, is no longer heard.
    pub(super) fn commit_timed_out(&mut self) {
        if let Some(commit) = self.commit.take() {
            let UnderWay { begun, sequence, .. } = commit;
            warn!("{}: commit {sequence} of offsets timed out (offset.flush.timeout.ms)", self.run.id);
            self.run.metrics.commits_skipped.add(1);
            self.run.metrics.committed(begun.elapsed(), false);
        }
    }

    /// Commits what partitions that are about to be closed have, and waits for it.
    pub(super) async fn commit_now(&mut self, partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        let deadline =
            self.run.stop.deadline().map_or(Instant::now() + self.run.flush_timeout, |_| self.end());
        if let Some(UnderWay { done, .. }) = &mut self.commit
            && let Ok(result) = timeout_at(deadline, done).await
        {
            self.commit_done(result);
        }
        self.run.metrics.commit_sequence.fetch_add(1, Relaxed);
        let begun = Instant::now();
        let Ok(offsets) = timeout_at(deadline, self.pre_commit(Some(partitions), begun)).await else {
            warn!("{}: no time was left to commit offsets", self.run.id);
            return Ok(());
        };
        let Some(offsets) = offsets? else { return Ok(()) };
        let asked: Vec<_> = offsets.iter().map(|(partition, offset)| (partition.clone(), *offset)).collect();
        let result = match timeout_at(deadline, self.consumer.commit(asked)).await {
            Ok(result) => result,
            Err(_) => Err("not in time".to_owned()),
        };
        match result {
            Ok(()) => self.note_committed(begun, &offsets),
            Err(error) => {
                self.run.metrics.committed(begun.elapsed(), false);
                warn!("{}: offsets were not committed on closing: {error}", self.run.id);
            }
        }
        Ok(())
    }
}

/// Waits for the commit that is under way; without one, for ever.
pub(super) async fn commit_under_way(commit: &mut Option<UnderWay>) -> Result<(), String> {
    match commit {
        Some(commit) => (&mut commit.done).await,
        None => futures::future::pending().await,
    }
}
