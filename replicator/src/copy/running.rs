//! A task at work: the origin's fetcher and the partitions of one share. Everything that the fetcher or the worker tells
//! comes here and becomes batches, positions, and states of partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use connect_core::api::{BatchEvent, ConnectError, RawBatch, Trouble};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use kafka_wire::WireError;
use kafka_wire::admin::{GroupOffset, OffsetSpec, TopicPartition};
use kafka_wire::cluster::Cluster;
use kafka_wire::fetch::{FetchEvent, FetchProblem, Fetched, Fetcher, News};
use tracing::{error, info, warn};

use super::classify::{Bad, Stamping};
use super::cures::at_origin;
use super::origin_log::{Evidence, Judgement, judge};
use super::partition::CopiedPartition;
use super::settings::fetch_settings;
use crate::context::Context;
use crate::origin_history::Cut;
use crate::topics::destinations::Lookup;

/// First offset and end of a partition at the origin.
type Bounds = Result<(i64, i64), WireError>;

/// Destination topics that have appeared.
type MoreFound = Result<(Lookup, BTreeSet<String>), ConnectError>;

/// A task between its start and its stop.
pub(super) struct Running {
    pub(super) context: Arc<Context>,
    pub(super) origin: Cluster,
    pub(super) fetcher: Fetcher,
    pub(super) partitions: Vec<CopiedPartition>,
    bounds: FuturesUnordered<BoxFuture<'static, (usize, Bounds)>>,
    /// Looks for destination topics that do not exist yet.
    lookup: Option<BoxFuture<'static, MoreFound>>,
    read_committed: bool,
}

impl Running {
    /// A task with no partitions yet, on a client of the origin that is connected.
    pub(super) fn new(context: Arc<Context>, origin: Cluster) -> Self {
        let fetcher = Fetcher::new(origin.clone(), fetch_settings(&context.config));
        Self {
            read_committed: context.config.origin.read_committed,
            context,
            origin,
            fetcher,
            partitions: Vec::new(),
            bounds: FuturesUnordered::new(),
            lookup: None,
        }
    }

    /// Looks for the destination topics that `lookup` misses, if any, until all are there.
    pub(super) fn look_for_more(&mut self, lookup: Lookup) {
        self.lookup = (!lookup.missing().is_empty()).then(|| lookup.more().boxed());
    }

    /// Waits for batches, or news after which figures and troubles may be others. Cancel-safe.
    pub(super) async fn poll(&mut self) -> Result<Vec<RawBatch>, ConnectError> {
        let mut out = Vec::new();
        while out.is_empty() {
            if self.partitions.is_empty() {
                futures::future::pending::<()>().await;
            }
            tokio::select! {
                events = self.fetcher.next() => {
                    for event in events {
                        self.fetched(event, &mut out);
                    }
                    // Figures and troubles may have changed: let the worker look, even without data.
                    break;
                }
                Some((index, bounds)) = self.bounds.next() => out.extend(self.found_bounds(index, bounds)),
                found = next_found(&mut self.lookup) => {
                    self.appeared(found)?;
                    break;
                }
            }
        }
        Ok(out)
    }

    /// Destination topics have appeared: their partitions begin.
    fn appeared(&mut self, found: MoreFound) -> Result<(), ConnectError> {
        let (lookup, topics) = found?;
        for (index, partition) in self.partitions.iter_mut().enumerate() {
            if let Some(known) = self.context.destination_topic(&partition.topic)
                && topics.contains(&partition.topic)
            {
                info!("{}-{}: {} is there now", partition.topic, partition.number, known.name);
                partition.stamping = Stamping::of(&known);
                partition.destination_waits(None);
                self.fetcher.set_paused(index, false);
            }
        }
        self.look_for_more(lookup);
        Ok(())
    }

    fn fetched(&mut self, event: FetchEvent, out: &mut Vec<RawBatch>) {
        let index = event.key;
        let partition = &mut self.partitions[index];
        if partition.stopped {
            return;
        }
        match event.news {
            News::Data(fetched) => self.data(index, fetched, out),
            News::Recovered => {
                if partition.recovers() {
                    info!("{}-{} can be read again", partition.topic, partition.number);
                }
            }
            News::Problem(problem) => out.extend(self.problem(index, &problem)),
        }
    }

    fn data(&mut self, index: usize, fetched: Fetched, out: &mut Vec<RawBatch>) {
        let partition = &mut self.partitions[index];
        // An answer to a question asked before a rewind.
        if fetched.position != partition.position {
            return;
        }
        match partition.take(index, fetched, self.read_committed, out) {
            Ok(()) => {}
            // Damaged on the way, perhaps: once more from there.
            Err(bad @ Bad::Crc(_)) if partition.fetched_again != Some(partition.position) => {
                warn!("{}-{}: {bad}; fetching it once more", partition.topic, partition.number);
                partition.fetched_again = Some(partition.position);
                self.fetcher.seek(index, partition.position);
            }
            Err(bad) => self.stop_partition(index, bad.to_string()),
        }
    }

    fn problem(&mut self, index: usize, problem: &FetchProblem) -> Option<RawBatch> {
        let partition = &mut self.partitions[index];
        let evidence = match *problem {
            FetchProblem::OutOfRange(_) => {
                let (key, origin) = (partition.key(), self.origin.clone());
                self.bounds.push(Box::pin(async move { (index, bounds(&origin, key).await) }));
                return None;
            }
            FetchProblem::Recreated { was, now } => Evidence::OtherTopic { was, now, first: None },
            FetchProblem::Diverged { position, epoch, end_offset } => {
                Evidence::Diverged { position, epoch, end: end_offset }
            }
            ref passing if passing.is_passing() => {
                // A whole cluster out of reach is told once by the fetcher, not by each of its partitions.
                if !matches!(passing, FetchProblem::Unreachable(_)) {
                    warn!("{}-{} waits: {}", partition.topic, partition.number, at_origin(problem));
                }
                partition.origin_fails(problem);
                return None;
            }
            _ => {
                self.stop_partition(index, at_origin(problem));
                return None;
            }
        };
        let judgement = judge(partition.position, &evidence);
        self.apply(index, judgement)
    }

    /// The position is outside the log, and here are its bounds.
    fn found_bounds(&mut self, index: usize, bounds: Bounds) -> Option<RawBatch> {
        let partition = &self.partitions[index];
        match bounds {
            Ok((first, end)) => self.apply(index, judge(partition.position, &Evidence::Range { first, end })),
            Err(error) => {
                warn!("{}-{}: {error}; asking again", partition.topic, partition.number);
                self.fetcher.seek(index, partition.position);
                None
            }
        }
    }

    /// Does as was judged. Offsets that are gone are a batch without payload, which moves the position over them.
    pub(super) fn apply(&mut self, index: usize, judgement: Judgement) -> Option<RawBatch> {
        let partition = &mut self.partitions[index];
        match judgement {
            Judgement::Resume => {
                self.fetcher.seek(index, partition.position);
                None
            }
            Judgement::Gap { from, to, cause } => {
                error!(
                    "{}-{}: offsets {from} to {to} {cause}; going on at {}",
                    partition.topic,
                    partition.number,
                    to + 1
                );
                let gap = partition.pass_gap(index, from, to);
                self.fetcher.seek(index, partition.position);
                Some(gap)
            }
            Judgement::Stop { reason, cut } => {
                if let Some(offset) = cut {
                    let cut = Cut { offset, reason: reason.clone() };
                    self.context.history.remember_cut(partition.key(), cut);
                }
                self.stop_partition(index, reason);
                None
            }
        }
    }

    /// Takes the worker's news of a partition.
    pub(super) fn told(&mut self, index: usize, event: BatchEvent) {
        let partition = &mut self.partitions[index];
        match event {
            BatchEvent::Stored(batch) => partition.stored(&batch),
            BatchEvent::Moved { last_offset } => partition.moved(last_offset),
            BatchEvent::Waiting { reason } => {
                partition.destination_waits(Some(reason.to_string()));
                self.fetcher.set_paused(index, true);
            }
            BatchEvent::Resumed => {
                partition.destination_waits(None);
                self.fetcher.set_paused(index, false);
            }
            BatchEvent::Rewind { offset } => {
                partition.position = offset;
                self.fetcher.seek(index, offset);
            }
            BatchEvent::Refused(refused) => self.stop_partition(index, refused.to_string()),
        }
    }

    /// Ends the copy of one partition; the others go on.
    pub(super) fn stop_partition(&mut self, index: usize, reason: String) {
        let partition = &mut self.partitions[index];
        error!("{}-{} is stopped, the others go on: {reason}", partition.topic, partition.number);
        partition.stop(reason);
        self.fetcher.stop(index);
    }

    /// Partitions that do not move, for the task's status.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let held: Vec<String> = self.partitions.iter().filter_map(CopiedPartition::trouble).collect();
        if held.is_empty() {
            return None;
        }
        let all = self.partitions.len();
        let everything = self.partitions.iter().all(|p| p.stopped);
        Some(Trouble {
            text: format!("{} of {all} partitions do not move:\n{}", held.len(), held.join("\n")),
            everything,
        })
    }

    /// Commits at the origin, for its group, the positions that have moved since they were last committed there.
    pub(super) fn commit(&self) -> BoxFuture<'static, Result<(), ConnectError>> {
        let mut offsets = BTreeMap::new();
        let mut moved = Vec::new();
        for partition in &self.partitions {
            let offset = partition.copied;
            if offset != partition.committed.load(Relaxed) {
                offsets.insert(partition.key(), GroupOffset { offset, leader_epoch: -1 });
                moved.push((partition.committed.clone(), offset));
            }
        }
        let (origin, group) = (self.origin.clone(), self.context.group().to_owned());
        Box::pin(async move {
            if offsets.is_empty() {
                return Ok(());
            }
            origin.commit_group_offsets(&group, &offsets).await.map_err(ConnectError::new)?;
            moved.iter().for_each(|(committed, offset)| committed.store(*offset, Relaxed));
            Ok(())
        })
    }
}

impl Drop for Running {
    /// However the task ended, what it copied is no longer copied here.
    fn drop(&mut self) {
        for partition in &self.partitions {
            self.context.monitor.close(&partition.figures);
        }
    }
}

/// Waits for what a lookup finds; without one, for ever. Cancel-safe.
async fn next_found(lookup: &mut Option<BoxFuture<'static, MoreFound>>) -> MoreFound {
    match lookup {
        Some(looking) => {
            let found = looking.await;
            *lookup = None;
            found
        }
        None => std::future::pending().await,
    }
}

/// First offset and end of a partition.
async fn bounds(origin: &Cluster, key: TopicPartition) -> Bounds {
    let keys = [key];
    let first = origin.list_offsets(&keys, OffsetSpec::Earliest).await?;
    let end = origin.list_offsets(&keys, OffsetSpec::Latest { read_committed: false }).await?;
    let value = |map: BTreeMap<TopicPartition, i64>| map.into_values().next().unwrap_or_default();
    Ok((value(first), value(end)))
}
