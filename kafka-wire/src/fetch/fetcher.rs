//! The fetcher: which partition is read over which lane, and what to do with each answer.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kafka_protocol::messages::FetchResponse;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};
use uuid::Uuid;

use super::answer::{Verdict, judge};
use super::budget::MemoryBudget;
use super::lane::{self, Lane, LaneId};
use super::session::Ask;
use super::{FetchEvent, FetchProblem, FetchSettings, News};
use crate::cluster::Cluster;
use crate::error::{WireError, code_name};
use crate::frame::Connection;

/// How soon a partition that cannot be read is looked at again.
const PROBLEM_PAUSE: Duration = Duration::from_secs(2);

struct Partition {
    topic: Arc<str>,
    number: i32,
    topic_id: Uuid,
    offset: i64,
    last_epoch: i32,
    leader_epoch: i32,
    lane: Option<LaneId>,
    /// Paused by the caller.
    paused: bool,
    /// Stopped by a problem, until `seek`.
    stopped: bool,
    /// A problem that is looked at again by itself.
    ailing: Option<FetchProblem>,
    /// Wants metadata not before this time.
    look_up_at: Instant,
}

enum Outcome {
    Connected(LaneId, Result<Connection, WireError>),
    Answered(LaneId, Result<FetchResponse, WireError>),
    Metadata(Result<(), WireError>),
}

/// Reads partitions of one cluster. See the module for its guarantees.
pub struct Fetcher {
    cluster: Cluster,
    settings: FetchSettings,
    partitions: BTreeMap<usize, Partition>,
    by_name: HashMap<String, BTreeMap<i32, usize>>,
    lanes: BTreeMap<LaneId, Lane>,
    operations: FuturesUnordered<BoxFuture<'static, Outcome>>,
    looking_up: bool,
    look_up_failures: u32,
    /// The cached metadata was shown to be wrong: ask before using it again.
    stale: bool,
    freed: Arc<Notify>,
    ready: Vec<FetchEvent>,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fetcher({} partitions, {} lanes)", self.partitions.len(), self.lanes.len())
    }
}

impl Fetcher {
    /// A fetcher with no partitions.
    pub fn new(cluster: Cluster, settings: FetchSettings) -> Self {
        Self {
            cluster,
            settings,
            partitions: BTreeMap::new(),
            by_name: HashMap::new(),
            lanes: BTreeMap::new(),
            operations: FuturesUnordered::new(),
            looking_up: false,
            look_up_failures: 0,
            stale: false,
            freed: Arc::new(Notify::new()),
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
            paused: false,
            stopped: false,
            ailing: None,
            look_up_at: Instant::now(),
        };
        self.partitions.insert(key, partition);
        self.by_name.entry(topic.to_owned()).or_default().insert(number, key);
    }

    /// Reads on from `offset`, whatever came before. Ends a problem's stop.
    pub fn seek(&mut self, key: usize, offset: i64) {
        self.ready.retain(|event| event.key != key);
        if let Some(partition) = self.partitions.get_mut(&key) {
            partition.offset = offset;
            partition.last_epoch = -1;
            partition.stopped = false;
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

    /// Bytes of frames held now, over all lanes.
    pub fn held_bytes(&self) -> usize {
        self.lanes.values().map(|lane| lane.budget.used()).sum()
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

    /// Pins partitions to lanes of their leaders, and looks for leaders where none is known.
    fn assign(&mut self) {
        let now = Instant::now();
        let homeless = |p: &Partition| p.lane.is_none() && !p.stopped && p.look_up_at <= now;
        if self.looking_up || !self.partitions.values().any(homeless) {
            return;
        }
        let metadata = self.cluster.metadata();
        let mut unknown = Vec::new();
        for (key, partition) in self.partitions.iter_mut().filter(|(_, p)| homeless(p)) {
            let known = metadata.partition(&partition.topic, partition.number);
            let leader = metadata.leader(&partition.topic, partition.number);
            let (Some(known), Some(leader), false) = (known, leader, self.stale) else {
                unknown.push(partition.topic.to_string());
                continue;
            };
            let id = metadata.topic(&partition.topic).map(|t| t.id).unwrap_or_default();
            if partition.topic_id.is_nil() {
                partition.topic_id = id;
            }
            partition.leader_epoch = known.leader_epoch;
            let lane = (leader, key % self.settings.lanes_per_broker.max(1));
            partition.lane = Some(lane);
            let budget = || MemoryBudget::new(0, self.freed.clone());
            self.lanes.entry(lane).or_insert_with(|| Lane::new(budget())).partitions.insert(*key);
        }
        self.share_budget();
        if !unknown.is_empty() {
            unknown.sort_unstable();
            unknown.dedup();
            self.look_up(unknown);
        }
    }

    fn share_budget(&mut self) {
        self.lanes.retain(|_, lane| lane.busy || !lane.partitions.is_empty());
        let share = self.settings.budget_bytes / self.lanes.len().max(1);
        let limit = share.min(self.settings.lane_buffer_bytes);
        self.lanes.values().for_each(|lane| lane.budget.set_limit(limit));
    }

    fn look_up(&mut self, topics: Vec<String>) {
        let cluster = self.cluster.clone();
        self.looking_up = true;
        self.operations.push(Box::pin(async move {
            Outcome::Metadata(cluster.fetch_metadata(Some(&topics)).await.map(|_| ()))
        }));
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
                Ok((version, request)) => self.operations.push(Box::pin(async move {
                    Outcome::Answered(id, lane::fetch(connection, version, request, reservation).await)
                })),
                Err(error) => {
                    self.operations.push(Box::pin(async move { Outcome::Answered(id, Err(error)) }))
                }
            }
        }
        blocked
    }

    fn deadline(&self) -> Option<Instant> {
        let lanes = self.lanes.values().filter(|l| !l.busy && !l.partitions.is_empty());
        let lanes = lanes.filter_map(|l| l.not_before);
        let waiting = |p: &&Partition| p.lane.is_none() && !p.stopped && !self.looking_up;
        let partitions = self.partitions.values().filter(waiting).map(|p| p.look_up_at);
        lanes.chain(partitions).min()
    }

    fn handle(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Connected(id, result) => self.connected(id, result),
            Outcome::Answered(id, Ok(answer)) => self.answered(id, answer),
            Outcome::Answered(id, Err(error)) => self.lane_failed(id, &error),
            Outcome::Metadata(result) => self.looked_up(result),
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

    /// A lane's connection failed: its partitions may have moved, so each is looked up again.
    fn lane_failed(&mut self, id: LaneId, error: &WireError) {
        if error.is_retriable() {
            debug!("fetching from broker {} of the {} cluster: {error}", id.0, self.cluster.role());
        } else {
            warn!("fetching from broker {} of the {} cluster: {error}", id.0, self.cluster.role());
        }
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.busy = false;
        lane.broken(&self.cluster);
        let at = lane.not_before.unwrap_or_else(Instant::now);
        for key in std::mem::take(&mut lane.partitions) {
            if let Some(partition) = self.partitions.get_mut(&key) {
                partition.lane = None;
                partition.look_up_at = at;
            }
        }
        self.stale = true;
    }

    fn looked_up(&mut self, result: Result<(), WireError>) {
        self.looking_up = false;
        let now = Instant::now();
        if let Err(error) = result {
            debug!("metadata of the {} cluster: {error}", self.cluster.role());
            self.look_up_failures = (self.look_up_failures + 1).min(10);
            let pause = self.cluster.settings().retry_backoff * self.look_up_failures;
            self.partitions
                .values_mut()
                .filter(|p| p.lane.is_none())
                .for_each(|p| p.look_up_at = now + pause);
            return;
        }
        self.look_up_failures = 0;
        self.stale = false;
        let metadata = self.cluster.metadata();
        let mut events = Vec::new();
        for (key, partition) in self.partitions.iter_mut().filter(|(_, p)| p.lane.is_none() && !p.stopped) {
            let topic = metadata.topics.get(&*partition.topic);
            let problem = match topic {
                None => Some(FetchProblem::Missing),
                Some(t) if t.error_code == 29 => Some(FetchProblem::NotAuthorized),
                Some(t) if t.error_code == 3 => Some(FetchProblem::Missing),
                Some(t) if !partition.topic_id.is_nil() && !t.id.is_nil() && t.id != partition.topic_id => {
                    partition.stopped = true;
                    Some(FetchProblem::Recreated { was: partition.topic_id, now: t.id })
                }
                Some(_) => None,
            };
            if problem.is_some() {
                partition.look_up_at = now + PROBLEM_PAUSE;
            } else if metadata.leader(&partition.topic, partition.number).is_none() {
                partition.look_up_at = now + self.cluster.settings().retry_backoff;
            }
            if problem != partition.ailing {
                let news = problem.clone().map_or(News::Recovered, News::Problem);
                events.push(FetchEvent { key: *key, news });
                partition.ailing = problem;
            }
        }
        self.ready.extend(events);
    }

    fn answered(&mut self, id: LaneId, answer: FetchResponse) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.busy = false;
        if answer.error_code != 0 {
            debug!("fetch session with broker {}: {}", id.0, code_name(answer.error_code));
            lane.session.reset();
            // 70 and 71: the session is gone or out of step, a new one cures it at once.
            if !matches!(answer.error_code, 70 | 71) {
                let code = answer.error_code;
                self.lane_failed(id, &WireError::broker(format!("fetch from broker {}", id.0), code));
            }
            return;
        }
        lane.healthy();
        if answer.throttle_time_ms > 0 {
            lane.not_before = Some(Instant::now() + Duration::from_millis(answer.throttle_time_ms as u64));
        }
        let asked = std::mem::take(&mut lane.session.sent);
        let mut served = Vec::new();
        for topic in answer.responses {
            let name = match topic.topic.as_str() {
                "" => asked.values().find(|a| a.topic_id == topic.topic_id).map(|a| a.topic.to_string()),
                name => Some(name.to_owned()),
            };
            let numbers = name.and_then(|name| self.by_name.get(&name)).cloned().unwrap_or_default();
            for data in topic.partitions {
                let key = numbers.get(&data.partition_index).copied();
                if let Some(key) = key.filter(|key| asked.contains_key(key)) {
                    if data.records.as_ref().is_some_and(|r| !r.is_empty()) {
                        served.push(key);
                    }
                    self.partition_answered(key, asked[&key].offset, data);
                }
            }
        }
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.session.sent = asked;
            lane.session.answered(answer.session_id, &served);
        }
    }

    fn partition_answered(
        &mut self,
        key: usize,
        asked_offset: i64,
        data: kafka_protocol::messages::fetch_response::PartitionData,
    ) {
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        // Paused, stopped or sought elsewhere since the request was sent: this answer is about another position.
        if partition.offset != asked_offset || partition.paused || partition.stopped {
            return;
        }
        match judge(asked_offset, data) {
            Verdict::Tell { news, next } => {
                if let Some((offset, epoch)) = next {
                    partition.offset = offset;
                    partition.last_epoch = epoch;
                }
                match &news {
                    News::Problem(problem @ FetchProblem::NotAuthorized) => {
                        let known = partition.ailing.replace(problem.clone()).is_some();
                        self.leave_lane(key, Instant::now() + PROBLEM_PAUSE);
                        if known {
                            return;
                        }
                    }
                    News::Problem(_) => partition.stopped = true,
                    _ => {
                        if partition.ailing.take().is_some() {
                            self.ready.push(FetchEvent { key, news: News::Recovered });
                        }
                    }
                }
                self.ready.push(FetchEvent { key, news });
            }
            Verdict::Refresh(code) => {
                debug!(
                    "{}-{}: {}, looking for the leader",
                    partition.topic,
                    partition.number,
                    code_name(code)
                );
                self.refresh(key);
            }
            Verdict::CheckTopicId => self.refresh(key),
        }
    }

    fn refresh(&mut self, key: usize) {
        self.leave_lane(key, Instant::now() + self.cluster.settings().retry_backoff);
        self.stale = true;
    }

    /// Takes a partition off its lane; it is assigned again after a look-up.
    fn leave_lane(&mut self, key: usize, look_up_at: Instant) {
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        partition.look_up_at = look_up_at;
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
