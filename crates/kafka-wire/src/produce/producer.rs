//! The producer: which partition is written over which lane, and what to do with each answer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};

use super::fault::{Fault, Refusal, classify};
use super::lane::{Lane, LaneId};
use super::leaders::Leaderless;
use super::partition::{Decision, Identity, Partition, Phase, Stored};
use super::request::{Part, encode};
use super::{Acknowledgement, ProduceEvent, ProduceSettings};
use crate::cluster::Cluster;
use crate::error::WireError;
use crate::error_code::ErrorCode;
use crate::failpoint::planted;
use crate::frame::{Connection, SendGate};
use crate::reminder::Reminder;

/// Failed attempts in a row after which a partition counts as waiting: its unsent batches are let go and the caller
/// is told. Below it (an election, a topic that was created a moment ago) is the ordinary life of a cluster.
pub(super) const PATIENCE: u32 = 4;

/// A zero back-off would spin.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// How often a closed gate is looked at.
const GATE_PAUSE: Duration = Duration::from_millis(100);

/// A batch that was sent: the partition, and the sequence it began with.
type Sent = (usize, i32);

pub(super) enum Outcome {
    Connected(LaneId, Result<Connection, WireError>),
    Answered(LaneId, Vec<Sent>, Result<ProduceResponse, WireError>),
    /// Metadata, asked for these partitions.
    Metadata(Vec<usize>, Result<(), WireError>),
    /// A producer id, for one partition or (`None`) for all that have none.
    ProducerId(Option<usize>, Result<Identity, WireError>),
}

/// Writes partitions of one cluster. See the module for its guarantees.
pub struct Producer {
    pub(super) cluster: Cluster,
    pub(super) settings: ProduceSettings,
    pub(super) partitions: Vec<Partition>,
    by_name: HashMap<String, HashMap<i32, usize>>,
    pub(super) lanes: BTreeMap<LaneId, Lane>,
    pub(super) operations: FuturesUnordered<BoxFuture<'static, Outcome>>,
    pub(super) identity: Option<Identity>,
    pub(super) awaits_producer_id: bool,
    pub(super) looking_up: bool,
    /// Partitions without a lane.
    pub(super) leaderless: BTreeMap<usize, Leaderless>,
    waiting: BTreeSet<(Instant, usize)>,
    pub(super) events: Vec<ProduceEvent>,
    acknowledged: Vec<Acknowledgement>,
    reminder: Reminder,
    gate: Option<SendGate>,
    /// The gate was closed: when to look again.
    held_until: Option<Instant>,
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Producer({} partitions, {} lanes)", self.partitions.len(), self.lanes.len())
    }
}

impl Producer {
    /// A producer with no partitions.
    pub fn new(cluster: Cluster, settings: ProduceSettings) -> Self {
        Self {
            cluster,
            settings,
            partitions: Vec::new(),
            by_name: HashMap::new(),
            lanes: BTreeMap::new(),
            operations: FuturesUnordered::new(),
            identity: None,
            awaits_producer_id: false,
            looking_up: false,
            leaderless: BTreeMap::new(),
            waiting: BTreeSet::new(),
            events: Vec::new(),
            acknowledged: Vec::new(),
            reminder: Reminder::default(),
            gate: None,
            held_until: None,
        }
    }

    /// From now on nothing is sent while `gate` says no. It is asked just before every request.
    pub fn with_gate(self, gate: Option<SendGate>) -> Self {
        Self { gate, ..self }
    }

    /// The number of a partition, for all other calls. The same for the same partition.
    pub fn open(&mut self, topic: &str, number: i32) -> usize {
        let known = self.by_name.get(topic).and_then(|numbers| numbers.get(&number));
        if let Some(index) = known {
            return *index;
        }
        let index = self.partitions.len();
        self.partitions.push(Partition::new(topic, number));
        self.by_name.entry(topic.to_owned()).or_default().insert(number, index);
        self.leaderless.insert(index, Leaderless::new());
        index
    }

    /// Puts a batch behind the others of its partition. `tag` comes back with its acknowledgement. A stopped
    /// partition takes nothing.
    pub fn enqueue(&mut self, partition: usize, tag: i64, batch: crate::batch::OutgoingBatch) {
        self.partitions[partition].enqueue(tag, batch);
        self.list(partition);
    }

    /// True when everything enqueued is acknowledged, or was told to be rewound or stopped.
    pub fn is_idle(&self) -> bool {
        self.events.is_empty() && self.partitions.iter().all(Partition::is_idle)
    }

    /// Waits for news. Cancel-safe: whatever is under way goes on at the next call.
    pub async fn next(&mut self) -> Vec<ProduceEvent> {
        loop {
            self.wake();
            self.assign();
            self.dispatch();
            if !self.events.is_empty() {
                return std::mem::take(&mut self.events);
            }
            let deadline = self.deadline();
            tokio::select! {
                Some(outcome) = self.operations.next() => self.handle(outcome),
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {}
                else => futures::future::pending().await,
            }
        }
    }

    /// Puts a partition into its lane's list if it has something to send.
    pub(super) fn list(&mut self, index: usize) {
        let partition = &mut self.partitions[index];
        let Some(id) = partition.lane else { return };
        if partition.listed == Some(id) || !partition.can_send() || partition.identity.is_none() {
            return;
        }
        if let Some(lane) = self.lanes.get_mut(&id) {
            partition.listed = Some(id);
            lane.ready.push_back(index);
        }
    }

    /// Ends the waits that are over.
    fn wake(&mut self) {
        let now = Instant::now();
        while let Some((at, index)) = self.waiting.first().copied().filter(|(at, _)| *at <= now) {
            self.waiting.remove(&(at, index));
            let partition = &mut self.partitions[index];
            if matches!(partition.phase, Phase::Waiting(_)) {
                partition.phase = Phase::Ready;
                self.let_try(index);
                self.list(index);
            }
        }
    }

    /// With nothing left to send, no acknowledgement will tell that a wait is over: let the caller try.
    pub(super) fn let_try(&mut self, index: usize) {
        let partition = &mut self.partitions[index];
        let may = partition.phase == Phase::Ready && partition.lane.is_some() && partition.identity.is_some();
        if may && partition.told_waiting && partition.is_idle() && !planted("lost-wake-up") {
            partition.told_waiting = false;
            self.events.push(ProduceEvent::Resumed { partition: index });
        }
    }

    fn dispatch(&mut self) {
        let now = Instant::now();
        let open = self.gate.as_ref().is_none_or(|is_open| is_open());
        self.held_until = (!open).then_some(now + GATE_PAUSE);
        if !open {
            return;
        }
        let ids: Vec<LaneId> =
            self.lanes.iter().filter(|(_, l)| l.has_room(now)).map(|(id, _)| *id).collect();
        for id in ids {
            self.dispatch_lane(id, now);
        }
    }

    fn dispatch_lane(&mut self, id: LaneId, now: Instant) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let Some(connection) = lane.connection.clone().filter(|c| !c.is_closed()) else {
            // Answers of a connection that ended come first: they decide what is sent again.
            if lane.under_way == 0 {
                lane.connecting = true;
                let cluster = self.cluster.clone();
                self.operations
                    .push(Box::pin(async move { Outcome::Connected(id, cluster.open_broker(id.0).await) }));
            }
            return;
        };
        while let Some(lane) = self.lanes.get_mut(&id).filter(|lane| lane.has_room(now)) {
            let mut turn = std::mem::take(&mut lane.ready);
            let sent = self.send(id, &connection, &mut turn);
            if let Some(lane) = self.lanes.get_mut(&id) {
                // Those that did not fit come first next time, those served go behind them.
                turn.append(&mut lane.ready);
                lane.ready = turn;
                lane.under_way += usize::from(sent);
            }
            if !sent {
                return;
            }
        }
    }

    /// Sends one request with one batch of each partition in `turn` while it fits. False: there was nothing.
    fn send(
        &mut self,
        id: LaneId,
        connection: &Arc<Connection>,
        turn: &mut std::collections::VecDeque<usize>,
    ) -> bool {
        let mut taken: Vec<(usize, crate::batch::OutgoingBatch, i32)> = Vec::with_capacity(turn.len());
        let mut bytes = 0;
        while let Some(index) = turn.pop_front() {
            let partition = &mut self.partitions[index];
            // Listed elsewhere since, or here a second time: that place counts.
            if partition.listed != Some(id) {
                continue;
            }
            partition.listed = None;
            if partition.lane != Some(id) {
                continue;
            }
            let Some(unit) = partition.take(self.settings.merge) else { continue };
            bytes += unit.batch.size();
            taken.push((index, unit.batch.clone(), unit.sequence));
            if bytes >= self.settings.max_request_bytes {
                break;
            }
        }
        if taken.is_empty() {
            return false;
        }
        taken.iter().for_each(|(index, ..)| self.list(*index));
        let result = self.transmit(connection, &mut taken);
        let sent: Vec<Sent> = taken.iter().map(|(index, _, sequence)| (*index, *sequence)).collect();
        self.operations.push(match result {
            Ok((version, pending)) => {
                let connection = connection.clone();
                Box::pin(async move {
                    let result = match pending.await {
                        Ok(mut body) => connection.decode::<ProduceRequest>(&mut body, version),
                        Err(error) => Err(error),
                    };
                    Outcome::Answered(id, sent, result)
                })
            }
            Err(error) => Box::pin(async move { Outcome::Answered(id, sent, Err(error)) }),
        });
        true
    }

    fn transmit(
        &self,
        connection: &Connection,
        taken: &mut [(usize, crate::batch::OutgoingBatch, i32)],
    ) -> Result<(i16, impl Future<Output = Result<Bytes, WireError>> + use<>), WireError> {
        let version = connection.versions().pick::<ProduceRequest>(connection.address())?;
        let name = |index: usize| (&*self.partitions[index].topic, self.partitions[index].number);
        taken.sort_unstable_by(|a, b| name(a.0).cmp(&name(b.0)));
        let parts = taken.iter().map(|(index, batch, sequence)| {
            let (topic, partition) = name(*index);
            let identity = self.partitions[*index].identity.or(self.identity);
            let (producer_id, producer_epoch) = identity.map_or((-1, -1), |i| (i.producer_id, i.epoch));
            Part { topic, partition, batch, producer_id, producer_epoch, sequence: *sequence }
        });
        let parts: Vec<Part<'_>> = parts.collect();
        let frame =
            encode(&parts, version, self.settings.timeout.as_millis() as i32).with_gate(self.gate.clone());
        Ok((version, connection.send::<ProduceRequest>(version, frame)))
    }

    fn deadline(&self) -> Option<Instant> {
        let lanes = self.lanes.values().filter(|l| !l.ready.is_empty()).filter_map(|l| l.not_before);
        let look_up = self.leaderless.values().map(|h| h.at).filter(|_| !self.looking_up);
        let now = Instant::now();
        let waiting = self.waiting.first().map(|(at, _)| *at);
        lanes.filter(|at| *at > now).chain(look_up).chain(waiting).chain(self.held_until).min()
    }

    fn handle(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Connected(id, Ok(connection)) => {
                if let Some(lane) = self.lanes.get_mut(&id) {
                    lane.connecting = false;
                    lane.connection = Some(Arc::new(connection));
                }
            }
            Outcome::Connected(id, Err(error)) => self.connect_failed(id, &error),
            Outcome::Answered(id, sent, result) => self.answered(id, sent, result),
            Outcome::Metadata(asked, result) => self.looked_up(&asked, result),
            Outcome::ProducerId(partition, result) => self.producer_id_given(partition, result),
        }
    }

    /// No connection to a leader: its partitions look for their leader again.
    fn connect_failed(&mut self, id: LaneId, error: &WireError) {
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

    fn answered(&mut self, id: LaneId, sent: Vec<Sent>, result: Result<ProduceResponse, WireError>) {
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

    /// `retry.backoff.ms`, doubled for every failure so far, up to `retry.backoff.max.ms`.
    pub(super) fn pause(&self, failures: u32) -> Duration {
        let settings = self.cluster.settings();
        let growth = 2u32.saturating_pow(failures.min(16));
        settings.retry_backoff.saturating_mul(growth).min(settings.retry_backoff_max).max(SHORTEST_PAUSE)
    }

    pub(super) fn remind(&mut self, reason: &str) {
        if self.reminder.is_due() {
            warn!("the {} cluster cannot be written now: {reason}", self.cluster.role());
        }
    }
}
