//! The task: an origin fetcher with the partitions of one share, each batch judged and handed to the worker. Its
//! configuration tells it everything: its connector may run in another process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use async_trait::async_trait;
use connect_core::api::{
    Acknowledged, BatchWriter, ConfigMap, ConnectError, OffsetReader, Polled, RawBatch, SourceTask,
    SourceTaskContext, Trouble,
};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use kafka_wire::WireError;
use kafka_wire::admin::{GroupOffset, OffsetSpec, TopicPartition};
use kafka_wire::cluster::Cluster;
use kafka_wire::fetch::{FetchEvent, FetchProblem, FetchSettings, Fetched, Fetcher, News};
use tracing::{error, info, warn};

use super::assignment::{PARTITION_ASSIGNMENT, TASK_ID, decode};
use super::classify::{Bad, Stamping};
use super::cures::at_origin;
use super::partition::CopiedPartition;
use crate::config::ReplicatorConfig;
use crate::context::{Context, Contexts, DestinationTopic};
use crate::memory::Cut;
use crate::monitoring::ClusterFacts;
use crate::offsets::start_positions;
use crate::patience::patiently;
use crate::plugin::produce_settings;
use crate::topics::destinations::Lookup;

/// A task of the replicator. Everything happens between `start` and `stop`.
pub(crate) struct CopyTask {
    contexts: Arc<Contexts>,
    running: Option<Running>,
}

/// First offset and end of a partition at the origin.
type Bounds = Result<(i64, i64), WireError>;

struct Running {
    context: Arc<Context>,
    origin: Cluster,
    fetcher: Fetcher,
    partitions: Vec<CopiedPartition>,
    bounds: FuturesUnordered<BoxFuture<'static, (usize, Bounds)>>,
    /// Looks for destination topics that do not exist yet.
    lookup: Option<BoxFuture<'static, MoreFound>>,
    read_committed: bool,
}

/// Destination topics that have appeared.
type MoreFound = Result<(Lookup, BTreeSet<String>), ConnectError>;

impl CopyTask {
    pub(crate) fn new(contexts: Arc<Contexts>) -> Self {
        Self { contexts, running: None }
    }

    async fn open(&mut self, config: ConfigMap, offsets: Arc<dyn OffsetReader>) -> Result<(), ConnectError> {
        let share = config.get(PARTITION_ASSIGNMENT).map(String::as_str).unwrap_or_default();
        let share = decode(share).map_err(|e| {
            ConnectError::new(format!("{PARTITION_ASSIGNMENT} of the task cannot be read: {e}"))
        })?;
        let task = config.get(TASK_ID).and_then(|id| id.rsplit('-').next()).and_then(|n| n.parse().ok());
        let context = self.contexts.of(&config)?;
        let origin = context.origin().map_err(ConnectError::new)?;
        origin.connect().await.map_err(ConnectError::new)?;
        context.monitor.set_origin(ClusterFacts::of(&origin).await);
        let start = context.config.offsets.start;
        let positions = start_positions(&origin, context.group(), start, &offsets, &share).await?;
        let topics: BTreeSet<String> = share.iter().map(|(topic, _)| topic.clone()).collect();
        let mut lookup = Lookup::of(&context, &topics)?;
        if let Some(lookup) = &mut lookup {
            lookup.look().await?;
        }

        let fetcher = Fetcher::new(origin.clone(), fetch_settings(&context.config));
        let mut running = Running {
            read_committed: context.config.origin.read_committed,
            context,
            origin,
            fetcher,
            partitions: Vec::with_capacity(share.len()),
            bounds: FuturesUnordered::new(),
            lookup: None,
        };
        let missing = lookup.as_ref().map(|lookup| lookup.missing().clone()).unwrap_or_default();
        for key in share {
            let position = positions.get(&key).copied().unwrap_or_default();
            running.add(key, position, task.unwrap_or_default(), &missing)?;
        }
        running.stop_recreated().await?;
        running.stop_cut();
        running.lookup = lookup.filter(|lookup| !lookup.missing().is_empty()).map(|l| l.more().boxed());
        self.running = Some(running);
        Ok(())
    }
}

fn fetch_settings(config: &ReplicatorConfig) -> FetchSettings {
    let (origin, copy) = (&config.origin, &config.copy);
    FetchSettings {
        max_wait: origin.fetch_max_wait,
        min_bytes: origin.fetch_min_bytes,
        max_bytes: usize::try_from(copy.fetch_max_bytes).unwrap_or(usize::MAX),
        partition_max_bytes: copy.fetch_partition_max_bytes,
        lane_buffer_bytes: copy.lane_buffer_bytes,
        budget_bytes: copy.inflight_bytes / config.tasks_max.max(1),
        lanes_per_broker: copy.lanes_per_broker,
        read_committed: origin.read_committed,
        rack: origin.client_rack.clone(),
    }
}

fn stamping(topic: &DestinationTopic) -> Stamping {
    match topic.log_append_time {
        true => Stamping::LogAppendTime,
        false => Stamping::CreateTime,
    }
}

impl Running {
    /// Takes a partition on. While its destination topic is in `missing`, it waits.
    fn add(
        &mut self,
        (topic, number): TopicPartition,
        position: i64,
        task: usize,
        missing: &BTreeMap<String, String>,
    ) -> Result<(), ConnectError> {
        let index = self.partitions.len();
        let known = self.context.destination_topic(&topic);
        let name = known.as_ref().map(|known| &known.name).or(missing.get(&topic)).ok_or_else(|| {
            ConnectError::new(format!("no destination topic is known for {topic}, which the task is to copy"))
        })?;
        let figures = self.context.monitor.open(&topic, number, name, task);
        let stamping = known.as_ref().map_or(Stamping::CreateTime, stamping);
        self.fetcher.add(index, &topic, number, position);
        let mut partition = CopiedPartition::new(figures, stamping, position);
        if known.is_none() {
            let reason = format!("{name} does not exist at the destination yet, or cannot be looked at");
            warn!("{topic}-{number} waits: {reason}");
            partition.destination_waits(Some(&reason));
            self.fetcher.set_paused(index, true);
        }
        self.partitions.push(partition);
        Ok(())
    }

    /// Destination topics have appeared: their partitions begin.
    fn appeared(&mut self, found: MoreFound) -> Result<(), ConnectError> {
        let (lookup, topics) = found?;
        for (index, partition) in self.partitions.iter_mut().enumerate() {
            if let Some(known) = self.context.destination_topic(&partition.topic)
                && topics.contains(&partition.topic)
            {
                info!("{}-{}: {} is there now", partition.topic, partition.number, known.name);
                partition.stamping = stamping(&known);
                partition.destination_waits(None);
                self.fetcher.set_paused(index, false);
            }
        }
        self.lookup = (!lookup.missing().is_empty()).then(|| lookup.more().boxed());
        Ok(())
    }

    /// Topics that are others than this process knew under their names: their positions mean nothing any more, unless
    /// they are at the beginning.
    async fn stop_recreated(&mut self) -> Result<(), ConnectError> {
        let names: BTreeSet<String> = self.partitions.iter().map(|p| p.topic.clone()).collect();
        let names: Vec<String> = names.into_iter().collect();
        let metadata = patiently("the origin's topics", || self.origin.refresh(Some(&names))).await?;
        for index in 0..self.partitions.len() {
            let partition = &self.partitions[index];
            let now = metadata.topic(&partition.topic).map(|t| t.id).unwrap_or_default();
            let (key, position) = (partition.key(), partition.position);
            let was = self.context.memory.known_topic_id(&key, now);
            if now.is_nil() || was == now {
                continue;
            }
            let keys = [key];
            let first = patiently("first offsets at the origin", || {
                self.origin.list_offsets(&keys, OffsetSpec::Earliest)
            });
            if first.await?.get(&keys[0]).is_some_and(|first| position <= *first) {
                let memory = &self.context.memory;
                memory.forget(&keys[0]);
                memory.known_topic_id(&keys[0], now);
            } else {
                self.problem(index, &FetchProblem::Recreated { was, now });
            }
        }
        Ok(())
    }

    /// Partitions that an earlier task found to be truncated below their positions.
    fn stop_cut(&mut self) {
        for index in 0..self.partitions.len() {
            let partition = &self.partitions[index];
            if let Some(cut) = self.context.memory.cut_before(&partition.key(), partition.position) {
                self.stop_partition(index, cut.reason);
            }
        }
    }

    /// The origin's log is not what was read, from `offset` on.
    fn cut(&mut self, index: usize, offset: i64, reason: String) {
        let key = self.partitions[index].key();
        self.context.memory.remember_cut(key, Cut { offset, reason: reason.clone() });
        self.stop_partition(index, reason);
    }

    async fn poll(&mut self) -> Result<Polled, ConnectError> {
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
                Some((index, bounds)) = self.bounds.next() => self.resolve_range(index, bounds, &mut out),
                found = next_found(&mut self.lookup) => {
                    self.appeared(found)?;
                    break;
                }
            }
        }
        Ok(Polled::Batches(out))
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
            News::Problem(problem) => self.problem(index, &problem),
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

    fn problem(&mut self, index: usize, problem: &FetchProblem) {
        let partition = &mut self.partitions[index];
        match problem {
            FetchProblem::OutOfRange(_) => {
                let key = partition.key();
                let origin = self.origin.clone();
                self.bounds.push(Box::pin(async move { (index, bounds(&origin, key).await) }));
            }
            passing if passing.is_passing() => {
                // A whole cluster out of reach is told once by the fetcher, not by each of its partitions.
                if !matches!(passing, FetchProblem::Unreachable(_)) {
                    warn!("{}-{} waits: {}", partition.topic, partition.number, at_origin(problem));
                }
                partition.origin_fails(problem);
            }
            FetchProblem::Recreated { .. } => {
                let said = at_origin(problem);
                let reason =
                    format!("{said}; nothing of the new topic is copied until the stored offset is reset");
                self.stop_partition(index, reason);
            }
            FetchProblem::Diverged { end_offset, .. } => {
                let said = at_origin(problem);
                let reason = format!("{said}; nothing is copied until its stored offset is reset");
                self.cut(index, *end_offset, reason);
            }
            other => self.stop_partition(index, at_origin(other)),
        }
    }

    /// The position is outside the log: expired at its front, or beyond its end.
    fn resolve_range(&mut self, index: usize, bounds: Bounds, out: &mut Vec<RawBatch>) {
        let partition = &mut self.partitions[index];
        let position = partition.position;
        match bounds {
            Err(error) => {
                warn!("{}-{}: {error}; asking again", partition.topic, partition.number);
                self.fetcher.seek(index, position);
            }
            Ok((first, _)) if position < first => {
                let gone = first - position;
                error!(
                    "{}-{}: offsets {position} to {} expired at the origin before they were copied (its retention \
                     or a record deletion); going on at {first}",
                    partition.topic,
                    partition.number,
                    first - 1
                );
                partition.figures.expired_offsets.fetch_add(gone.unsigned_abs(), Relaxed);
                out.push(RawBatch {
                    partition: index,
                    source: partition.source.clone(),
                    first_offset: position,
                    last_offset: first - 1,
                    payload: None,
                });
                partition.position = first;
                self.fetcher.seek(index, first);
            }
            Ok((_, end)) if position > end => self.cut(
                index,
                end,
                format!(
                    "the position {position} is beyond the end of the origin's log ({end}): the topic was \
                     truncated or created again; nothing is copied until its stored offset is reset"
                ),
            ),
            Ok(_) => self.fetcher.seek(index, position),
        }
    }

    fn stop_partition(&mut self, index: usize, reason: String) {
        let partition = &mut self.partitions[index];
        error!("{}-{} is stopped, the others go on: {reason}", partition.topic, partition.number);
        partition.stop(reason);
        self.fetcher.stop(index);
    }

    fn trouble(&self) -> Option<Trouble> {
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

    fn commit(&self, group: String) -> BoxFuture<'static, Result<(), ConnectError>> {
        let mut offsets = BTreeMap::new();
        let mut moved = Vec::new();
        for partition in &self.partitions {
            let offset = partition.figures.position.load(Relaxed);
            if offset != partition.committed.load(Relaxed) {
                offsets.insert(partition.key(), GroupOffset { offset, leader_epoch: -1 });
                moved.push((partition.committed.clone(), offset));
            }
        }
        let origin = self.origin.clone();
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

/// What a lookup finds; without one, nothing ever. Cancel-safe.
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

impl Drop for Running {
    /// However the task ended, what it copied is no longer copied here.
    fn drop(&mut self) {
        for partition in &self.partitions {
            self.context.monitor.close(&partition.figures);
        }
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

#[async_trait]
impl SourceTask for CopyTask {
    fn batch_writer(&self) -> Result<Option<BatchWriter>, ConnectError> {
        let Some(running) = &self.running else { return Ok(None) };
        let destination = running.context.destination().map_err(ConnectError::new)?;
        Ok(Some(BatchWriter { destination, produce: produce_settings(&running.context.config) }))
    }

    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        self.open(config, context.offsets).await
    }

    async fn poll(&mut self) -> Result<Polled, ConnectError> {
        match &mut self.running {
            Some(running) => running.poll().await,
            None => Err(ConnectError::new("the task was polled before it was started")),
        }
    }

    fn acknowledged(&mut self, ack: &Acknowledged) {
        if let Some(running) = &mut self.running {
            running.partitions[ack.partition].acknowledged(ack);
        }
    }

    fn paused(&mut self, paused: bool) {
        let partitions = self.running.iter().flat_map(|running| &running.partitions);
        partitions.for_each(|partition| partition.figures.set_paused(paused));
    }

    fn moved(&mut self, partition: usize, last_offset: i64) {
        if let Some(running) = &mut self.running {
            running.partitions[partition].moved(last_offset);
        }
    }

    fn stopped(&mut self, partition: usize, reason: &str) {
        if let Some(running) = &mut self.running {
            running.stop_partition(partition, reason.to_owned());
        }
    }

    fn waiting(&mut self, partition: usize, reason: Option<&str>) {
        let Some(running) = &mut self.running else { return };
        running.fetcher.set_paused(partition, reason.is_some());
        running.partitions[partition].destination_waits(reason);
    }

    fn rewind(&mut self, partition: usize, offset: i64) {
        if let Some(running) = &mut self.running {
            running.partitions[partition].position = offset;
            running.fetcher.seek(partition, offset);
        }
    }

    fn trouble(&self) -> Option<Trouble> {
        self.running.as_ref()?.trouble()
    }

    fn commit(&mut self) -> BoxFuture<'static, Result<(), ConnectError>> {
        match &mut self.running {
            Some(running) if running.context.config.offsets.commit_to_origin => {
                running.commit(running.context.group().to_owned())
            }
            _ => Box::pin(async { Ok(()) }),
        }
    }

    async fn stop(&mut self) {
        // Connections close when the fetcher is dropped.
        self.running = None;
    }
}
