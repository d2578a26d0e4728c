//! The producer: which partition is written over which lane, and what to do with each answer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kafka_protocol::messages::ProduceResponse;
use tokio::time::{Instant, sleep_until};
use tracing::warn;

use super::lane::{Lane, LaneId};
use super::leaderless::Leaderless;
use super::partition::{Identity, Partition, Phase};
use super::{Acknowledgement, ProduceEvent, ProduceSettings};
use crate::cluster::Cluster;
use crate::error::WireError;
use crate::failpoint::planted;
use crate::frame::{Connection, SendGate};
use crate::reminder::Reminder;

/// Failed attempts in a row after which a partition counts as waiting: its unsent batches are let go and the
/// caller is told. Below it (an election, a topic that was created a moment ago) is the ordinary life of a
/// cluster.
pub(super) const PATIENCE: u32 = 4;

/// A zero back-off would spin.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// A batch that was sent: the partition, and the sequence it began with.
pub(super) type Sent = (usize, i32);

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
    pub(super) by_name: HashMap<String, HashMap<i32, usize>>,
    pub(super) lanes: BTreeMap<LaneId, Lane>,
    pub(super) operations: FuturesUnordered<BoxFuture<'static, Outcome>>,
    pub(super) identity: Option<Identity>,
    pub(super) awaits_producer_id: bool,
    pub(super) looking_up: bool,
    /// Partitions without a lane.
    pub(super) leaderless: BTreeMap<usize, Leaderless>,
    pub(super) waiting: BTreeSet<(Instant, usize)>,
    pub(super) events: Vec<ProduceEvent>,
    pub(super) acknowledged: Vec<Acknowledgement>,
    reminder: Reminder,
    pub(super) gate: Option<SendGate>,
    /// The gate was closed: when to look again.
    pub(super) held_until: Option<Instant>,
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
