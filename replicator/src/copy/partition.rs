//! One partition of a task: from what the fetcher brings to what the worker takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use connect_core::api::{BatchPayload, Destination, RawBatch, SourcePartition, StoredBatch};
use kafka_wire::admin::TopicPartition;
use kafka_wire::fetch::{FetchProblem, Fetched};
use serde_json::{Map, Value};

use super::aborted::AbortedFilter;
use super::classify::{Bad, Outgoing, Stamping, Verdict, classify};
use super::cures::at_origin;
use crate::monitoring::{Mode, PartitionFigures, PartitionState};

/// The copy of one partition. It owns the positions; the figures only mirror them.
pub(super) struct CopiedPartition {
    pub(super) topic: String,
    pub(super) number: i32,
    pub(super) source: Arc<SourcePartition>,
    pub(super) destination: Arc<Destination>,
    pub(super) stamping: Stamping,
    pub(super) figures: Arc<PartitionFigures>,
    /// Next offset to hand to the worker.
    pub(super) position: i64,
    /// Everything below is stored at the destination or needed no copy.
    pub(super) copied: i64,
    /// [`CopiedPartition::copied`] as it was last committed at the origin.
    pub(super) committed: Arc<AtomicI64>,
    /// Start of a batch that was bad once and is being fetched again.
    pub(super) fetched_again: Option<i64>,
    pub(super) stopped: bool,
    /// Fault at the origin for the time being.
    origin_fault: Option<FetchProblem>,
    /// Reason why the destination does not take it for the time being.
    destination_fault: Option<String>,
}

impl CopiedPartition {
    /// A partition whose copy begins at `position`.
    pub(super) fn new(figures: Arc<PartitionFigures>, stamping: Stamping, position: i64) -> Self {
        let (topic, number) = (figures.topic.clone(), figures.partition);
        let destination = Destination { topic: figures.destination.clone(), partition: number };
        figures.position.store(position, Relaxed);
        Self {
            source: Arc::new(source_partition(&topic, number)),
            destination: Arc::new(destination),
            topic,
            number,
            stamping,
            figures,
            position,
            copied: position,
            committed: Arc::new(position.into()),
            fetched_again: None,
            stopped: false,
            origin_fault: None,
            destination_fault: None,
        }
    }

    /// Its name in the maps of admin requests and memories.
    pub(super) fn key(&self) -> TopicPartition {
        (self.topic.clone(), self.number)
    }

    /// Judges what a fetch brought. On a bad batch, those before it are in `out` all the same.
    pub(super) fn take(
        &mut self,
        index: usize,
        fetched: Fetched,
        read_committed: bool,
        out: &mut Vec<RawBatch>,
    ) -> Result<(), Bad> {
        let stable_only = read_committed && fetched.last_stable_offset >= 0;
        let end = if stable_only { fetched.last_stable_offset } else { fetched.high_watermark };
        self.figures.end.store(end, Relaxed);
        let mut aborted = read_committed.then(|| AbortedFilter::new(fetched.aborted));
        for entry in &fetched.entries {
            let verdict = classify(entry, self.position, aborted.as_mut(), self.stamping)?;
            self.position = verdict.last_offset + 1;
            out.push(self.raw_batch(index, verdict));
        }
        Ok(())
    }

    fn raw_batch(&self, index: usize, verdict: Verdict) -> RawBatch {
        let payload = verdict.outgoing.map(|Outgoing { batch, mode, first_record, dense }| {
            // Merging is decided later and told with the acknowledgement.
            if !(mode == Mode::Passthrough && self.figures.mode() == Some(Mode::Merge)) {
                self.figures.set_mode(mode);
            }
            BatchPayload { destination: self.destination.clone(), batch, first_record, dense }
        });
        RawBatch {
            partition: index,
            source: self.source.clone(),
            first_offset: verdict.first_offset,
            last_offset: verdict.last_offset,
            payload,
        }
    }

    /// Passes the offsets `from` to `to`, which are gone at the origin.
    pub(super) fn pass_gap(&mut self, index: usize, from: i64, to: i64) -> RawBatch {
        self.figures.expired_offsets.fetch_add((to + 1 - from).unsigned_abs(), Relaxed);
        self.position = to + 1;
        RawBatch {
            partition: index,
            source: self.source.clone(),
            first_offset: from,
            last_offset: to,
            payload: None,
        }
    }

    /// The destination has stored a batch.
    pub(super) fn stored(&mut self, ack: &StoredBatch) {
        let figures = &self.figures;
        figures.records.fetch_add(ack.records, Relaxed);
        figures.bytes.fetch_add(ack.bytes, Relaxed);
        figures.duplicates.fetch_add(u64::from(ack.duplicate), Relaxed);
        figures.newest.store(ack.max_timestamp, Relaxed);
        figures.last_acknowledged.store(now_ms(), Relaxed);
        match (ack.merged, figures.mode()) {
            (true, mode) if mode != Some(Mode::Merge) => figures.set_mode(Mode::Merge),
            (false, Some(Mode::Merge)) => figures.set_mode(Mode::Passthrough),
            _ => {}
        }
    }

    /// Nothing up to `last_offset` is left to do.
    pub(super) fn moved(&mut self, last_offset: i64) {
        self.copied = last_offset + 1;
        self.figures.position.store(self.copied, Relaxed);
    }

    /// It does not move until something is changed.
    pub(super) fn stop(&mut self, reason: String) {
        self.stopped = true;
        self.figures.set_state(PartitionState::Stopped(reason));
    }

    /// The origin does not give it for the time being.
    pub(super) fn origin_fails(&mut self, problem: &FetchProblem) {
        self.origin_fault = Some(problem.clone());
        self.show();
    }

    /// The origin gives it again. True when that is worth a word of its own.
    pub(super) fn recovers(&mut self) -> bool {
        let fault = self.origin_fault.take();
        self.show();
        fault.is_some_and(|fault| !matches!(fault, FetchProblem::Unreachable(_)))
    }

    /// The destination does not take it for the time being, or takes it again (`None`).
    pub(super) fn destination_waits(&mut self, reason: Option<String>) {
        self.destination_fault = reason;
        self.show();
    }

    /// Reason why it does not move, while it does not: for the task's status.
    pub(super) fn trouble(&self) -> Option<String> {
        if !self.stopped && self.origin_fault.is_none() && self.destination_fault.is_none() {
            return None;
        }
        let (word, reason) = match self.figures.state() {
            PartitionState::Running | PartitionState::Paused => return None,
            PartitionState::Waiting(reason) => ("waits", reason),
            PartitionState::Stopped(reason) => ("is stopped", reason),
        };
        Some(format!("{}-{} {word}: {reason}", self.topic, self.number))
    }

    fn show(&self) {
        let origin = self.origin_fault.as_ref().map(at_origin);
        let faults: Vec<String> = self.destination_fault.clone().into_iter().chain(origin).collect();
        self.figures.set_state(if faults.is_empty() {
            PartitionState::Running
        } else {
            PartitionState::Waiting(faults.join("; "))
        });
    }
}

/// The key of a partition in the offset store, as Confluent Replicator writes it.
pub(crate) fn source_partition(topic: &str, number: i32) -> SourcePartition {
    let entries = [("topic", Value::from(topic)), ("partition", Value::from(number))];
    SourcePartition(Map::from_iter(entries.map(|(key, value)| (key.to_owned(), value))))
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
