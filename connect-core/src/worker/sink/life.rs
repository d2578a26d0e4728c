//! The loop around a sink task: read, convert, transform, put, commit. One task, one thread.
//!
//! Guarantees: offsets are committed only as far as the task allows and as records were put and reported; partitions are
//! closed before another task gets them; a batch that failed for a passing fault is put again, the same records in
//! the same order.

use std::mem;
use std::panic::{AssertUnwindSafe, resume_unwind};

use connect_api::{ConfigMap, ConnectError};
use futures::FutureExt;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::warn;

use super::commit::commit_under_way;
use super::state::{SinkLoop, SinkRun};
use crate::ids::TargetState;
use crate::worker::metrics::TaskState;
use crate::worker::report::TaskReport;

/// Runs a sink task from start to stop. An error is the task's failure.
pub(crate) async fn run_sink(run: SinkRun) -> Result<TaskReport, ConnectError> {
    let config = run.config.clone();
    let mut sink = SinkLoop::new(run)?;
    let outcome = AssertUnwindSafe(sink.live_and_close(config)).catch_unwind().await;
    let end = sink.end();
    // After a panic too: a consumer that is only dropped waits for answers of a loop that is gone.
    if timeout_at(end, sink.consumer.close()).await.is_err() {
        warn!("{}: the consumer did not leave its group in time", sink.run.id);
    }
    match outcome {
        Ok(result) => result.map(|()| TaskReport::default()),
        Err(panic) => resume_unwind(panic),
    }
}

impl SinkLoop {
    async fn live_and_close(&mut self, config: ConfigMap) -> Result<(), ConnectError> {
        let result = self.live(config).await;
        let closed = self.close_all().await;
        self.run.task.stop().await;
        result.and(closed)
    }

    async fn live(&mut self, config: ConfigMap) -> Result<(), ConnectError> {
        let stop = self.run.stop.clone();
        tokio::select! {
            started = self.start(config) => started?,
            () = stop.requested() => return Ok(()),
        }
        self.run.status.started();
        self.run.metrics.set_state(TaskState::Running);
        let stopping = stop.requested();
        tokio::pin!(stopping);
        let consumer = self.consumer.clone();
        loop {
            self.apply_target_state()?;
            self.apply_requests()?;
            if self.next_commit <= Instant::now() {
                self.tick().await?;
            }
            let (commit_at, give_up_at) = (self.next_commit, self.give_up_at());
            tokio::select! {
                biased;
                () = &mut stopping => return Ok(()),
                Some(event) = self.rebalances.recv() => self.rebalanced(event).await?,
                Ok(()) = self.run.target.changed() => {}
                result = commit_under_way(&mut self.commit) => self.commit_done(result),
                () = sleep_until(give_up_at.unwrap_or_else(Instant::now)), if give_up_at.is_some() => {
                    self.commit_timed_out();
                }
                () = sleep_until(commit_at) => self.tick().await?,
                () = sleep_until(self.redeliver_at.unwrap_or_else(Instant::now)), if self.redeliver_at.is_some() => {
                    self.redeliver().await?;
                }
                () = self.run.subscription.due() => self.subscribe().await?,
                consumed = consumer.next() => if let Some(first) = consumed? {
                    self.consumed(&consumer, first).await?;
                }
            }
        }
    }

    async fn start(&mut self, config: ConfigMap) -> Result<(), ConnectError> {
        if *self.run.target.borrow_and_update() != TargetState::Started {
            self.run.status.paused();
            self.run.metrics.set_state(TaskState::Paused);
            if self.run.target.wait_for(|state| *state == TargetState::Started).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        self.run.task.start(self.context.clone(), config).await?;
        self.subscribe().await
    }

    async fn subscribe(&mut self) -> Result<(), ConnectError> {
        let topics = self.run.subscription.topics().await;
        if topics == self.subscribed {
            return Ok(());
        }
        self.consumer.subscribe(&topics)?;
        self.subscribed = topics;
        Ok(())
    }

    fn apply_target_state(&mut self) -> Result<(), ConnectError> {
        let paused = *self.run.target.borrow() != TargetState::Started;
        if paused == self.paused {
            return Ok(());
        }
        self.paused = paused;
        if paused {
            self.consumer.pause(self.positions.assigned().iter(), true)?;
            // Who pauses it sees how far it has got.
            self.next_commit = Instant::now();
            self.run.status.paused();
            self.run.metrics.set_state(TaskState::Paused);
        } else {
            if self.redeliver_at.is_none() {
                self.consumer.pause(self.positions.unpaused().iter(), false)?;
            }
            self.run.status.resumed();
            self.run.metrics.set_state(TaskState::Running);
        }
        Ok(())
    }

    /// Does what the task asked of its context since the last look.
    fn apply_requests(&mut self) -> Result<(), ConnectError> {
        let (offsets, paused, commit) = self.context.with(|requests| {
            (
                mem::take(&mut requests.offsets),
                mem::take(&mut requests.paused),
                mem::take(&mut requests.commit),
            )
        });
        for (partition, offset) in offsets {
            self.rewind(&partition, offset)?;
        }
        for (partition, pause) in paused {
            if !self.positions.has(&partition) {
                warn!("{}: {}-{} is not assigned", self.run.id, partition.topic, partition.partition);
                continue;
            }
            self.positions.set_paused(&partition, pause);
            if pause || (!self.paused && self.redeliver_at.is_none()) {
                self.consumer.pause(std::iter::once(&partition), pause)?;
            }
        }
        if commit && self.commit.is_none() {
            self.next_commit = Instant::now();
        }
        Ok(())
    }
}
