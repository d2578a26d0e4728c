//! The fetcher: which partition is read over which lane, and what to do with each answer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kafka_protocol::messages::FetchResponse;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::budget::MemoryBudget;
use super::lane::{self, Lane, LaneId};
use super::session::Ask;
use super::{FetchEvent, FetchProblem, FetchSettings};
use crate::cluster::Cluster;
use crate::error::WireError;
use crate::frame::Connection;
use crate::reminder::Reminder;

/// Pause before a partition that cannot be read is looked at again.
pub(super) const PROBLEM_PAUSE: Duration = Duration::from_secs(2);

pub(super) struct Partition {
    pub(super) topic: Arc<str>,
    pub(super) number: i32,
    pub(super) topic_id: Uuid,
    pub(super) offset: i64,
    pub(super) last_epoch: i32,
    pub(super) leader_epoch: i32,
    pub(super) lane: Option<LaneId>,
    /// A replica nearer than the leader that the leader pointed at (KIP-392), and until when it is used.
    pub(super) near: Option<(i32, Instant)>,
    /// Paused by the caller.
    pub(super) paused: bool,
    /// Stopped by a problem, until `seek`.
    pub(super) stopped: bool,
    /// A problem that is looked at again by itself.
    pub(super) ailing: Option<FetchProblem>,
    /// Since when nothing but faults has come for it.
    pub(super) away_since: Option<Instant>,
    /// Wants a lane not before this time.
    pub(super) look_up_at: Instant,
    /// The cached metadata was shown to be wrong: ask before using it again.
    pub(super) stale: bool,
}

pub(super) enum Outcome {
    Connected(LaneId, Result<Connection, WireError>),
    Answered(LaneId, Result<FetchResponse, WireError>),
    /// Metadata of these topics, in order.
    Metadata(Vec<String>, Result<(), WireError>),
}

/// Reads partitions of one cluster. See the module for its guarantees.
pub struct Fetcher {
    pub(super) cluster: Cluster,
    pub(super) settings: FetchSettings,
    pub(super) partitions: BTreeMap<usize, Partition>,
    /// Keys of partitions without a lane.
    pub(super) leaderless: BTreeSet<usize>,
    pub(super) by_name: HashMap<Arc<str>, HashMap<i32, usize>>,
    pub(super) by_id: HashMap<Uuid, Arc<str>>,
    pub(super) lanes: BTreeMap<LaneId, Lane>,
    pub(super) operations: FuturesUnordered<BoxFuture<'static, Outcome>>,
    pub(super) looking_up: bool,
    pub(super) look_up_failures: u32,
    /// Whether the log was told that the cluster is waited for, and when.
    pub(super) reminder: Reminder,
    pub(super) budget: Arc<MemoryBudget>,
    freed: Arc<Notify>,
    pub(super) ready: Vec<FetchEvent>,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fetcher({} partitions, {} lanes)", self.partitions.len(), self.lanes.len())
    }
}

impl Fetcher {
    /// A fetcher with no partitions.
    pub fn new(cluster: Cluster, mut settings: FetchSettings) -> Self {
        // A broker that waits longer than we do would lose the connection with every idle fetch.
        settings.max_wait = settings.max_wait.min(cluster.settings().request_timeout / 2);
        let freed = Arc::new(Notify::new());
        Self {
            cluster,
            partitions: BTreeMap::new(),
            leaderless: BTreeSet::new(),
            by_name: HashMap::new(),
            by_id: HashMap::new(),
            lanes: BTreeMap::new(),
            operations: FuturesUnordered::new(),
            looking_up: false,
            look_up_failures: 0,
            reminder: Reminder::default(),
            budget: MemoryBudget::new(settings.budget_bytes, freed.clone()),
            settings,
            freed,
            ready: Vec::new(),
        }
    }

    /// Starts reading a partition at `offset`. `key` is the caller's name for it in every event.
    pub fn add(&mut self, key: usize, topic: &str, number: i32, offset: i64) {
        let partition = Partition {
            topic: topic.into(),
            number,
            topic_id: Uuid::nil(),
            offset,
            last_epoch: -1,
            leader_epoch: -1,
            lane: None,
            near: None,
            paused: false,
            stopped: false,
            ailing: None,
            away_since: None,
            look_up_at: Instant::now(),
            stale: false,
        };
        self.by_name.entry(partition.topic.clone()).or_default().insert(number, key);
        self.partitions.insert(key, partition);
        self.leaderless.insert(key);
    }

    /// Reads on from `offset`, whatever came before. Ends a problem's stop.
    pub fn seek(&mut self, key: usize, offset: i64) {
        self.ready.retain(|event| event.key != key);
        if let Some(partition) = self.partitions.get_mut(&key) {
            partition.offset = offset;
            partition.last_epoch = -1;
            partition.stopped = false;
            // Reading on in the new topic is what the caller wants.
            if matches!(partition.ailing, Some(FetchProblem::Recreated { .. })) {
                partition.ailing = None;
                partition.topic_id = Uuid::nil();
                partition.look_up_at = Instant::now();
            }
        }
    }

    /// Stops reading a partition for a while, or goes on.
    pub fn set_paused(&mut self, key: usize, paused: bool) {
        if let Some(partition) = self.partitions.get_mut(&key) {
            partition.paused = paused;
        }
    }

    /// Stops reading a partition until [`Fetcher::seek`].
    pub fn stop(&mut self, key: usize) {
        self.ready.retain(|event| event.key != key);
        if let Some(partition) = self.partitions.get_mut(&key) {
            partition.stopped = true;
        }
    }

    /// Bytes of frames held now, by whomever, and of those that were asked for.
    pub fn held_bytes(&self) -> usize {
        self.budget.used()
    }

    /// Waits for something to handle. Cancel-safe: whatever is under way goes on at the next call.
    pub async fn next(&mut self) -> Vec<FetchEvent> {
        let freed = self.freed.clone();
        loop {
            self.assign();
            let blocked = self.dispatch();
            if !self.ready.is_empty() {
                return std::mem::take(&mut self.ready);
            }
            let deadline = self.deadline();
            tokio::select! {
                Some(outcome) = self.operations.next() => self.handle(outcome),
                () = freed.notified(), if blocked => {}
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {}
                else => futures::future::pending().await,
            }
        }
    }

    /// Starts a connection or fetch on every lane that can take one. True when a lane waits for memory.
    fn dispatch(&mut self) -> bool {
        let now = Instant::now();
        let mut blocked = false;
        for (id, lane) in &mut self.lanes {
            if lane.busy || lane.not_before.is_some_and(|at| at > now) {
                continue;
            }
            let asks = asks(&self.partitions, lane);
            if asks.is_empty() {
                continue;
            }
            let id = *id;
            let Some(connection) = lane.connection.clone().filter(|c| !c.is_closed()) else {
                lane.session.reset();
                lane.busy = true;
                let cluster = self.cluster.clone();
                self.operations
                    .push(Box::pin(async move { Outcome::Connected(id, cluster.open_broker(id.0).await) }));
                continue;
            };
            let Some(reservation) = lane.budget.reserve(lane.max_bytes(&self.settings)) else {
                blocked = true;
                continue;
            };
            lane.busy = true;
            match lane.prepare(&connection, &self.settings, asks) {
                // Sent here, not when its future is polled: brokers work while the caller handles what came
                // before.
                Ok((version, request)) => {
                    let answer = lane::fetch(connection, version, &request, reservation);
                    self.operations.push(Box::pin(async move { Outcome::Answered(id, answer.await) }));
                }
                Err(error) => {
                    self.operations.push(Box::pin(async move { Outcome::Answered(id, Err(error)) }))
                }
            }
        }
        blocked
    }

    fn deadline(&self) -> Option<Instant> {
        let now = Instant::now();
        let lanes = self.lanes.values().filter(|l| !l.busy && !l.partitions.is_empty());
        // A time that has passed holds nothing up: such a lane has nothing to ask for, or waits for memory.
        let lanes = lanes.filter_map(|l| l.not_before).filter(|at| *at > now);
        let leaderless = self.leaderless.iter().filter_map(|key| self.partitions.get(key));
        let leaderless = leaderless.filter(|p| !p.stopped && !self.looking_up).map(|p| p.look_up_at);
        lanes.chain(leaderless).min()
    }

    fn handle(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Connected(id, result) => self.connected(id, result),
            Outcome::Answered(id, Ok(answer)) => self.answered(id, answer),
            Outcome::Answered(id, Err(error)) => self.lane_failed(id, &error),
            Outcome::Metadata(topics, result) => self.looked_up(&topics, result),
        }
    }

    fn connected(&mut self, id: LaneId, result: Result<Connection, WireError>) {
        match result {
            Ok(connection) => {
                if let Some(lane) = self.lanes.get_mut(&id) {
                    lane.busy = false;
                    lane.connection = Some(Arc::new(connection));
                }
            }
            Err(error) => self.lane_failed(id, &error),
        }
    }

    /// Takes a partition off its lane; it is assigned again after `look_up_at`.
    pub(super) fn leave_lane(&mut self, key: usize, look_up_at: Instant) {
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        partition.look_up_at = look_up_at;
        self.leaderless.insert(key);
        if let Some(lane) = partition.lane.take().and_then(|id| self.lanes.get_mut(&id)) {
            lane.partitions.remove(&key);
        }
    }
}

fn asks(partitions: &BTreeMap<usize, Partition>, lane: &Lane) -> HashMap<usize, Ask> {
    let readable = |key: &usize| {
        let partition = partitions.get(key)?;
        if partition.paused || partition.stopped {
            return None;
        }
        let ask = Ask {
            topic: partition.topic.clone(),
            topic_id: partition.topic_id,
            partition: partition.number,
            offset: partition.offset,
            leader_epoch: partition.leader_epoch,
            last_fetched_epoch: partition.last_epoch,
        };
        Some((*key, ask))
    };
    lane.partitions.iter().filter_map(readable).collect()
}
