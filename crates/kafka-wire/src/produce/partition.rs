//! One partition that is written: its queue, its window of batches under way, its sequence numbers. No input
//! or output here: the producer asks what to send and tells what came back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::fault::{Fault, Refusal};
use super::lane::LaneId;
use super::{Acknowledgement, MergeSettings, WINDOW};
use crate::batch::{MergePlan, OutgoingBatch, merge};
use crate::failpoint::planted;

/// Time for which a broker surely remembers a producer that sends nothing (it forgets after a day, by
/// default).
const PROOF_HOLDS: Duration = Duration::from_secs(600);

/// Producer that a partition's batches are sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) producer_id: i64,
    pub(super) epoch: i16,
}

/// A batch as enqueued.
#[derive(Debug)]
struct Part {
    tag: i64,
    records: i32,
    bytes: usize,
    max_timestamp: i64,
}

/// One batch on the wire.
#[derive(Debug)]
pub(super) struct Unit {
    parts: Vec<Part>,
    pub(super) batch: OutgoingBatch,
    pub(super) sequence: i32,
    on_wire: bool,
    sent_again: bool,
    outcome: Option<Result<Stored, Fault>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    pub(super) base_offset: i64,
    pub(super) append_time: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Sends.
    Ready,
    /// An answer was bad: waits for those under way, to decide on all of them.
    Draining,
    /// Waits before it tries again.
    Waiting(Instant),
    /// Waits for a new producer id.
    AwaitingProducerId,
    /// Takes nothing more.
    Stopped,
}

/// Consequence of the answers of a drained window.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing: go on.
    Continue,
    /// Wait, then send again.
    Retry(Refusal),
    /// Get a new producer id, then send again.
    NewProducer(Refusal),
    /// Everything from the tag on was dropped; the caller enqueues it again.
    Rewind { tag: i64, reason: Refusal },
    /// Stopped.
    Stop { tag: i64, reason: Refusal },
}

#[derive(Debug)]
pub(super) struct Partition {
    pub(super) topic: Arc<str>,
    pub(super) number: i32,
    pub(super) lane: Option<LaneId>,
    pub(super) identity: Option<Identity>,
    pub(super) phase: Phase,
    /// Failed attempts in a row.
    pub(super) attempts: u32,
    /// The caller was told that this partition waits.
    pub(super) told_waiting: bool,
    /// The lane in whose list of those with something to send this is.
    pub(super) listed: Option<LaneId>,
    queue: VecDeque<(i64, OutgoingBatch)>,
    units: VecDeque<Unit>,
    next_sequence: i32,
    /// Tag of a batch that was fetched again once already.
    fetched_again: Option<i64>,
    /// A merged batch was too large here.
    merge_off: bool,
    /// When the broker last took a batch in its sequence. `None`: not since it began with this producer id,
    /// or since a fault.
    proven: Option<Instant>,
}

impl Partition {
    pub(super) fn new(topic: &str, number: i32) -> Self {
        Self {
            topic: topic.into(),
            number,
            lane: None,
            identity: None,
            phase: Phase::Ready,
            attempts: 0,
            told_waiting: false,
            listed: None,
            queue: VecDeque::new(),
            units: VecDeque::new(),
            next_sequence: 0,
            fetched_again: None,
            merge_off: false,
            proven: None,
        }
    }

    pub(super) fn enqueue(&mut self, tag: i64, batch: OutgoingBatch) {
        if self.phase != Phase::Stopped {
            self.queue.push_back((tag, batch));
        }
    }

    /// True when nothing is queued or under way.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.units.is_empty()
    }

    /// True when there is something that may be sent now.
    pub(super) fn can_send(&self) -> bool {
        let something =
            self.units.iter().any(Unit::to_send) || (self.units.len() < WINDOW && !self.queue.is_empty());
        self.phase == Phase::Ready && something && !self.window_is_full()
    }

    /// A broker that has no memory of a producer takes its batches in any order. So a second one goes only
    /// when the first was taken: else the first could fail for a passing fault and be stored behind the
    /// second.
    fn window_is_full(&self) -> bool {
        let under_way = self.units.iter().filter(|u| u.on_wire).count();
        under_way >= if self.proven.is_some() { WINDOW } else { 1 }
    }

    /// The next batch to send, marked as under way: one to be sent again, else a new one.
    pub(super) fn take(&mut self, merge: Option<MergeSettings>) -> Option<&Unit> {
        if self.phase != Phase::Ready || self.window_is_full() {
            return None;
        }
        if !self.units.iter().any(|u| u.on_wire) {
            self.proven = self.proven.filter(|at| at.elapsed() < PROOF_HOLDS);
        }
        let again = self.units.iter().position(Unit::to_send);
        let index = match again {
            Some(index) => index,
            None if self.units.len() < WINDOW => {
                let unit = self.next_unit(merge)?;
                self.units.push_back(unit);
                self.units.len() - 1
            }
            None => return None,
        };
        let unit = &mut self.units[index];
        unit.on_wire = true;
        Some(unit)
    }

    fn next_unit(&mut self, settings: Option<MergeSettings>) -> Option<Unit> {
        let mut plan_length = 1;
        if let Some(settings) = settings.filter(|s| self.may_merge(s)) {
            let mut plan = MergePlan::new(settings.max_bytes);
            self.queue.iter().take_while(|(_, batch)| plan.add(batch)).for_each(drop);
            plan_length = plan.batches().max(1);
        }
        let taken: Vec<(i64, OutgoingBatch)> =
            self.queue.drain(..plan_length.min(self.queue.len())).collect();
        let parts = taken.iter().map(|(tag, batch)| Part {
            tag: *tag,
            records: batch.count(),
            bytes: batch.size(),
            max_timestamp: batch.max_timestamp(),
        });
        let parts: Vec<Part> = parts.collect();
        let batch = match taken.as_slice() {
            [] => return None,
            [(_, only)] => only.clone(),
            several => {
                let batches: Vec<OutgoingBatch> = several.iter().map(|(_, b)| b.clone()).collect();
                let limit = settings.map_or(usize::MAX, |s| s.max_bytes);
                match merge(&batches, limit) {
                    Ok(merged) => merged,
                    // Records that do not add up: each batch on its own, for the broker to judge.
                    Err(_) => {
                        self.merge_off = true;
                        taken.into_iter().rev().for_each(|entry| self.queue.push_front(entry));
                        return self.next_unit(None);
                    }
                }
            }
        };
        let sequence = self.next_sequence;
        self.next_sequence = advance(sequence, batch.count());
        Some(Unit { parts, batch, sequence, on_wire: false, sent_again: false, outcome: None })
    }

    fn may_merge(&self, settings: &MergeSettings) -> bool {
        !self.merge_off
            && self.queue.len() > 1
            && self.queue.front().is_some_and(|(_, front)| front.size() < settings.below_bytes)
    }

    /// Takes note of what became of the unit that begins with `sequence`.
    pub(super) fn answered(&mut self, sequence: i32, outcome: Result<Stored, Fault>) {
        let Some(unit) = self.units.iter_mut().find(|u| u.on_wire && u.sequence == sequence) else { return };
        unit.on_wire = false;
        if outcome.is_err() {
            self.phase = Phase::Draining;
            self.proven = None;
        }
        unit.outcome = Some(outcome);
    }

    /// Acknowledgements that are due: those before which all are stored.
    pub(super) fn acknowledged(&mut self, partition: usize, out: &mut Vec<Acknowledgement>) {
        while let Some(Ok(stored)) = self.units.front().and_then(|u| u.outcome.clone()) {
            let Some(unit) = self.units.pop_front() else { return };
            self.attempts = 0;
            if self.phase == Phase::Ready {
                self.proven = Some(Instant::now());
            }
            let merged = unit.parts.len() > 1;
            let mut base_offset = stored.base_offset;
            for part in unit.parts {
                out.push(Acknowledgement {
                    partition,
                    tag: part.tag,
                    base_offset,
                    records: part.records,
                    bytes: part.bytes,
                    max_timestamp: part.max_timestamp,
                    // A fresh append to a CreateTime topic is answered without a time, a recognised one with.
                    duplicate: unit.sent_again && stored.append_time >= 0,
                    merged,
                });
                if base_offset >= 0 {
                    base_offset += i64::from(part.records);
                }
            }
        }
    }

    /// Decides once every batch under way has its answer. `None`: not yet, or nothing to decide.
    pub(super) fn decide(&mut self) -> Option<Decision> {
        if self.phase != Phase::Draining || self.units.iter().any(|u| u.on_wire) {
            return None;
        }
        let Some(Err(fault)) = self.units.front().and_then(|u| u.outcome.clone()) else {
            // The first is stored or not yet sent; what failed behind it did so because of an earlier fault.
            self.send_again();
            self.phase = Phase::Ready;
            return Some(Decision::Continue);
        };
        Some(match fault {
            Fault::Retry(reason) => {
                self.send_again();
                Decision::Retry(reason)
            }
            Fault::NewProducer(reason) => {
                self.send_again();
                self.phase = Phase::AwaitingProducerId;
                Decision::NewProducer(reason)
            }
            Fault::FetchAgain(reason) => self.fetch_again(reason),
            Fault::Refused { too_large, reason } => {
                let merged = self.units.front().is_some_and(|u| u.parts.len() > 1);
                if too_large && merged {
                    self.merge_off = true;
                    let message = format!("{reason}; sending batches unmerged");
                    self.rewind(Refusal { message, cure: None, ..reason })
                } else {
                    self.stop(reason)
                }
            }
        })
    }

    fn fetch_again(&mut self, reason: Refusal) -> Decision {
        let tag = self.units.front().and_then(|u| u.parts.first()).map(|p| p.tag);
        if tag.is_some() && tag == self.fetched_again {
            let message = format!("{reason} again after the batch was fetched anew");
            return self.stop(Refusal { message, cure: None, ..reason });
        }
        self.fetched_again = tag;
        self.rewind(reason)
    }

    /// Drops everything; the sequence goes on where the first dropped batch began.
    fn rewind(&mut self, reason: Refusal) -> Decision {
        let Some(front) = self.units.front() else { return Decision::Continue };
        let (tag, sequence) = (front.parts.first().map_or(-1, |p| p.tag), front.sequence);
        self.next_sequence = sequence;
        self.units.clear();
        self.queue.clear();
        self.phase = Phase::Ready;
        Decision::Rewind { tag, reason }
    }

    fn stop(&mut self, reason: Refusal) -> Decision {
        let tag = self.units.front().and_then(|u| u.parts.first()).map_or(-1, |p| p.tag);
        self.units.clear();
        self.queue.clear();
        self.phase = Phase::Stopped;
        Decision::Stop { tag, reason }
    }

    fn send_again(&mut self) {
        for unit in self.units.iter_mut().filter(|u| matches!(u.outcome, Some(Err(_)))) {
            unit.outcome = None;
            unit.sent_again = true;
            if planted("sequence-reuse") {
                self.next_sequence = unit.sequence;
            }
        }
    }

    /// For a longer wait: drops what was never sent (its first tag is returned) and copies what was, so that
    /// neither holds the frames that it came in.
    pub(super) fn let_go(&mut self) -> Option<i64> {
        for unit in self.units.iter_mut().filter(|u| u.parts.len() == 1) {
            unit.batch = unit.batch.detached();
        }
        let first = self.queue.front().map(|(tag, _)| *tag);
        self.queue.clear();
        first
    }

    /// Goes on as a new producer: sequences start at 0, in order.
    pub(super) fn begin_as(&mut self, identity: Identity) {
        self.identity = Some(identity);
        self.proven = None;
        self.next_sequence = 0;
        for unit in &mut self.units {
            // One that is stored keeps its answer; its place in the sequence is of the old producer.
            if unit.outcome.is_none() {
                unit.sequence = self.next_sequence;
                self.next_sequence = advance(unit.sequence, unit.batch.count());
            }
        }
        self.phase = Phase::Ready;
    }
}

impl Unit {
    fn to_send(&self) -> bool {
        !self.on_wire && self.outcome.is_none()
    }
}

/// The sequence after `count` records: wraps from 2^31-1 to 0.
fn advance(sequence: i32, count: i32) -> i32 {
    ((i64::from(sequence) + i64::from(count)) & i64::from(i32::MAX)) as i32
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "partition_tests.rs"]
mod tests;
