//! Answers: what is acknowledged is told, and what is not is sent again, rewound or refused, each partition
//! for itself.

use std::collections::HashMap;

use kafka_protocol::messages::ProduceResponse;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::ProduceEvent;
use super::fault::{Fault, Refusal, classify};
use super::lane::LaneId;
use super::leaderless::Leaderless;
use super::partition::{Decision, Phase, Stored};
use super::producer::{PATIENCE, Producer, Sent};
use crate::error::WireError;
use crate::error_code::ErrorCode;

impl Producer {
    /// No connection to a leader: its partitions look for their leader again.
    pub(super) fn connect_failed(&mut self, id: LaneId, error: &WireError) {
        self.remind(&error.to_string());
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.connecting = false;
        lane.broken(&self.cluster);
        let at = lane.not_before.unwrap_or_else(Instant::now);
        for index in std::mem::take(&mut lane.ready) {
            let partition = &mut self.partitions[index];
            if partition.listed != Some(id) {
                continue;
            }
            partition.listed = None;
            if partition.lane == Some(id) {
                self.retry(index, error.into(), at);
            }
        }
    }

    /// Takes note of the answer to a request on a lane, or of what came instead.
    pub(super) fn answered(
        &mut self,
        id: LaneId,
        sent: Vec<Sent>,
        result: Result<ProduceResponse, WireError>,
    ) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.under_way -= 1;
            match &result {
                Ok(answer) => lane.healthy(answer.throttle_time_ms),
                // All requests under way fail together: one fault, one step of the back-off.
                Err(_) if lane.connection.is_some() => lane.broken(&self.cluster),
                Err(_) => {}
            }
        }
        match result {
            Ok(answer) => self.record(&answer, &sent),
            Err(error) => {
                debug!("producing to broker {} of the {} cluster: {error}", id.0, self.cluster.role());
                for (index, sequence) in &sent {
                    self.partitions[*index].answered(*sequence, Err(Fault::Retry((&error).into())));
                }
            }
        }
        for (index, _) in sent {
            self.settle(index);
        }
    }

    fn record(&mut self, answer: &ProduceResponse, sent: &[Sent]) {
        let mut outcomes: HashMap<usize, Result<Stored, Fault>> = HashMap::with_capacity(sent.len());
        for topic in &answer.responses {
            let Some(numbers) = self.by_name.get(topic.name.as_str()) else { continue };
            for p in &topic.partition_responses {
                let Some(index) = numbers.get(&p.index) else { continue };
                let stored = Stored { base_offset: p.base_offset, append_time: p.log_append_time_ms };
                let outcome = match ErrorCode::try_from_code(p.error_code) {
                    None => Ok(stored),
                    // The broker has had it for so long that it no longer knows where.
                    Some(ErrorCode::DuplicateSequenceNumber) => Ok(Stored { base_offset: -1, ..stored }),
                    Some(code) => Err(classify(code, p.error_message.as_deref(), self.settings.advice)),
                };
                outcomes.insert(*index, outcome);
            }
        }
        for (index, sequence) in sent {
            let missing =
                || Err(Fault::Retry("the broker's answer leaves the partition out".to_owned().into()));
            self.partitions[*index].answered(*sequence, outcomes.remove(index).unwrap_or_else(missing));
        }
    }

    /// After an answer: tells what is acknowledged and decides about what is not.
    fn settle(&mut self, index: usize) {
        let partition = &mut self.partitions[index];
        partition.acknowledged(index, &mut self.acknowledged);
        if !self.acknowledged.is_empty() {
            if std::mem::take(&mut partition.told_waiting) {
                info!("{}-{} takes batches again", partition.topic, partition.number);
                self.events.push(ProduceEvent::Resumed { partition: index });
            }
            self.events.extend(self.acknowledged.drain(..).map(ProduceEvent::Acknowledged));
        }
        match partition.decide() {
            None | Some(Decision::Continue) => {}
            Some(Decision::Retry(reason)) => {
                let pause = self.pause(self.partitions[index].attempts);
                self.retry(index, reason, Instant::now() + pause);
            }
            Some(Decision::NewProducer(reason)) => {
                info!("{}-{}: {reason}, going on with a new producer id", partition.topic, partition.number);
                self.init_producer_id(Some(index));
            }
            Some(Decision::Rewind { tag, reason }) => {
                let rewound = self.settings.advice.rewound;
                warn!("{}-{}: {reason}; {rewound}", partition.topic, partition.number);
                self.events.push(ProduceEvent::Rewind { partition: index, tag, reason });
            }
            Some(Decision::Stop { tag, reason }) => {
                self.events.push(ProduceEvent::Stopped { partition: index, tag, reason });
            }
        }
        self.list(index);
    }

    /// Waits until `at`, then looks for the leader and sends again.
    fn retry(&mut self, index: usize, reason: Refusal, at: Instant) {
        let partition = &mut self.partitions[index];
        partition.attempts += 1;
        partition.phase = Phase::Waiting(at);
        partition.lane = None;
        let impatient = partition.attempts >= PATIENCE;
        self.waiting.insert((at, index));
        self.leaderless.insert(index, Leaderless::after_fault());
        if impatient {
            self.tell_waiting(index, reason);
        }
    }

    /// Tells the caller that a partition waits, and lets go of the memory that its batches hold.
    pub(super) fn tell_waiting(&mut self, index: usize, reason: Refusal) {
        let partition = &mut self.partitions[index];
        if partition.phase == Phase::Stopped {
            return;
        }
        if !partition.told_waiting {
            partition.told_waiting = true;
            warn!("{}-{} waits: {reason}", partition.topic, partition.number);
            self.events.push(ProduceEvent::Waiting { partition: index, reason: reason.clone() });
        }
        if let Some(tag) = partition.let_go() {
            self.events.push(ProduceEvent::Rewind { partition: index, tag, reason });
        }
    }
}
