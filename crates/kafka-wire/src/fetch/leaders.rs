//! Places where a fetcher's partitions are read: lanes to their leaders by metadata, looked for again after
//! every fault, for as long as it takes.

use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::fetcher::{Fetcher, Outcome, PROBLEM_PAUSE, Partition};
use super::lane::{Lane, LaneId};
use super::{FetchEvent, FetchProblem, News};
use crate::cluster::Metadata;
use crate::error::WireError;
use crate::error_code::ErrorCode;

/// Time that a partition may be without an answer before the caller is told: an election, or a broker's quick
/// restart, is the ordinary life of a cluster.
const PATIENCE: Duration = Duration::from_secs(2);

impl Fetcher {
    /// Pins partitions to lanes of their leaders, and looks for leaders where none is known.
    pub(super) fn assign(&mut self) {
        let now = Instant::now();
        let due = |partition: &Partition| !partition.stopped && partition.look_up_at <= now;
        let keys = self.leaderless.iter().copied().filter(|key| self.partitions.get(key).is_some_and(due));
        let keys: Vec<usize> = keys.collect();
        if keys.is_empty() {
            return;
        }
        let metadata = self.cluster.metadata();
        let mut unknown = Vec::new();
        for key in keys {
            let Some(partition) = self.partitions.get_mut(&key) else { continue };
            match place(partition, &metadata) {
                None => unknown.push(partition.topic.to_string()),
                Some(broker) => {
                    let lane = (broker, key % self.settings.lanes_per_broker.max(1));
                    partition.lane = Some(lane);
                    if !partition.topic_id.is_nil() {
                        self.by_id.insert(partition.topic_id, partition.topic.clone());
                    }
                    self.leaderless.remove(&key);
                    let new = || Lane::new(self.budget.share());
                    self.lanes.entry(lane).or_insert_with(new).partitions.insert(key);
                }
            }
        }
        self.share_budget();
        if !unknown.is_empty() && !self.looking_up {
            unknown.sort_unstable();
            unknown.dedup();
            self.look_up(unknown);
        }
    }

    fn share_budget(&mut self) {
        self.lanes.retain(|_, lane| lane.is_needed());
        let reading = self.lanes.values().filter(|lane| !lane.partitions.is_empty()).count();
        let limit = (self.settings.budget_bytes / reading.max(1)).min(self.settings.lane_buffer_bytes);
        self.lanes.values().for_each(|lane| lane.budget.set_limit(limit));
    }

    fn look_up(&mut self, topics: Vec<String>) {
        let cluster = self.cluster.clone();
        self.looking_up = true;
        self.operations.push(Box::pin(async move {
            let result = cluster.fetch_metadata(Some(&topics)).await.map(|_| ());
            Outcome::Metadata(topics, result)
        }));
    }

    /// A lane's connection failed: its partitions may have moved, so each is looked up again.
    pub(super) fn lane_failed(&mut self, id: LaneId, error: &WireError) {
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
                partition.near = None;
                partition.stale = true;
                partition.look_up_at = at;
                self.leaderless.insert(key);
                self.away(key, &error.to_string());
            }
        }
    }

    /// Takes note that a partition could not be read just now; when that has lasted, the caller and the log
    /// are told.
    pub(super) fn away(&mut self, key: usize, reason: &str) {
        let Some(partition) = self.partitions.get_mut(&key).filter(|p| !p.stopped) else { return };
        let now = Instant::now();
        if now - *partition.away_since.get_or_insert(now) < PATIENCE {
            return;
        }
        if partition.ailing.is_none() {
            let problem = FetchProblem::Unreachable(reason.to_owned());
            partition.ailing = Some(problem.clone());
            self.ready.push(FetchEvent { key, news: News::Problem(problem) });
        }
        if self.reminder.is_due() {
            warn!("waiting for the {} cluster to be read: {reason}", self.cluster.role());
        }
    }

    /// A partition was answered: what was wrong with it is over.
    pub(super) fn answers_again(&mut self, key: usize) {
        let Some(partition) = self.partitions.get_mut(&key) else { return };
        partition.away_since = None;
        if partition.ailing.take().is_some() {
            self.ready.push(FetchEvent { key, news: News::Recovered });
            if self.reminder.is_over() {
                info!("the {} cluster is read again", self.cluster.role());
            }
        }
    }

    /// Takes note of metadata that was asked for `topics`.
    pub(super) fn looked_up(&mut self, topics: &[String], result: Result<(), WireError>) {
        self.looking_up = false;
        let now = Instant::now();
        let backoff = self.cluster.settings().retry_backoff;
        let failed = result.as_ref().err().map(ToString::to_string);
        self.look_up_failures = if failed.is_some() { (self.look_up_failures + 1).min(10) } else { 0 };
        if let Some(error) = &failed {
            debug!("metadata of the {} cluster: {error}", self.cluster.role());
        }
        let mut away = Vec::new();
        let metadata = self.cluster.metadata();
        for key in &self.leaderless {
            let Some(partition) = self.partitions.get_mut(key).filter(|p| !p.stopped) else { continue };
            if topics.binary_search_by(|topic| topic.as_str().cmp(&partition.topic)).is_err() {
                continue;
            }
            if failed.is_some() {
                partition.look_up_at = now + backoff * self.look_up_failures;
                away.push(*key);
                continue;
            }
            partition.stale = false;
            let problem = problem(partition, &metadata);
            partition.stopped = matches!(problem, Some(FetchProblem::Recreated { .. }));
            if problem.is_some() {
                partition.look_up_at = now + PROBLEM_PAUSE;
            } else if metadata.leader(&partition.topic, partition.number).is_none() {
                partition.look_up_at = now + backoff;
                away.push(*key);
            }
            // Whether a partition can be reached again is for its own broker to show.
            let unreachable = matches!(partition.ailing, Some(FetchProblem::Unreachable(_)));
            if problem != partition.ailing && !(problem.is_none() && unreachable) {
                let news = problem.clone().map_or(News::Recovered, News::Problem);
                self.ready.push(FetchEvent { key: *key, news });
                partition.ailing = problem;
            }
        }
        let reason = failed.unwrap_or_else(|| "no broker leads the partition".to_owned());
        away.into_iter().for_each(|key| self.away(key, &reason));
    }
}

/// The broker to read a partition from, if that is known; takes over what metadata tells of the partition.
fn place(partition: &mut Partition, metadata: &Metadata) -> Option<i32> {
    if partition.stale {
        return None;
    }
    let leader = metadata.leader(&partition.topic, partition.number)?;
    let known = metadata.partition(&partition.topic, partition.number)?;
    if partition.topic_id.is_nil() {
        partition.topic_id = metadata.topic(&partition.topic).map(|t| t.id).unwrap_or_default();
    }
    partition.leader_epoch = known.leader_epoch;
    let near = partition.near.map(|(id, _)| id).filter(|id| metadata.brokers.contains_key(id));
    Some(near.unwrap_or(leader))
}

/// Problem of a partition's topic, as metadata tells it.
fn problem(partition: &Partition, metadata: &Metadata) -> Option<FetchProblem> {
    let Some(topic) = metadata.topics.get(&*partition.topic) else { return Some(FetchProblem::Missing) };
    match topic.error {
        Some(ErrorCode::TopicAuthorizationFailed) => Some(FetchProblem::NotAuthorized),
        Some(ErrorCode::UnknownTopicOrPartition) => Some(FetchProblem::Missing),
        _ if !partition.topic_id.is_nil() && !topic.id.is_nil() && topic.id != partition.topic_id => {
            Some(FetchProblem::Recreated { was: partition.topic_id, now: topic.id })
        }
        _ => None,
    }
}
