//! The task: an origin fetcher with the partitions of one share, each batch judged and handed to the worker.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use async_trait::async_trait;
use connect_core::api::{
    Acknowledged, ConfigMap, ConnectError, OffsetReader, Polled, RawBatch, SourceTask, SourceTaskContext,
    Trouble,
};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kafka_wire::WireError;
use kafka_wire::admin::{GroupOffset, OffsetSpec, TopicPartition};
use kafka_wire::cluster::Cluster;
use kafka_wire::fetch::{FetchEvent, FetchProblem, FetchSettings, Fetched, Fetcher, News};
use tracing::{error, info, warn};

use super::assignment::{PARTITION_ASSIGNMENT, TASK_ID, decode};
use super::classify::{Bad, Stamping};
use super::partition::CopiedPartition;
use crate::context::{Context, Cut};
use crate::offsets::start_positions;
use crate::patience::patiently;

/// A task of the replicator. Made by the connector; everything happens between `start` and `stop`.
pub(crate) struct CopyTask {
    context: Arc<Context>,
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
    read_committed: bool,
}

impl CopyTask {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self { context, running: None }
    }

    async fn open(&mut self, config: ConfigMap, offsets: Arc<dyn OffsetReader>) -> Result<(), ConnectError> {
        let share = config.get(PARTITION_ASSIGNMENT).map(String::as_str).unwrap_or_default();
        let share = decode(share).map_err(|e| {
            ConnectError::new(format!("{PARTITION_ASSIGNMENT} of the task cannot be read: {e}"))
        })?;
        let task = config.get(TASK_ID).and_then(|id| id.rsplit('-').next()).and_then(|n| n.parse().ok());
        let origin = self.context.origin().map_err(ConnectError::new)?;
        origin.connect().await.map_err(ConnectError::new)?;
        let settings = &self.context.config;
        let group = settings.origin.group_id.as_deref().unwrap_or(&settings.cluster_id);
        let positions = start_positions(&origin, group, settings.offsets.start, &offsets, &share).await?;

        let mut fetcher = Fetcher::new(origin.clone(), self.fetch_settings());
        let mut partitions = Vec::with_capacity(share.len());
        for (index, key) in share.iter().enumerate() {
            let (topic, number) = key;
            let target = self.context.destination_topic(topic).ok_or_else(|| {
                ConnectError::new(format!(
                    "no destination topic is known for {topic}, which the task is to copy"
                ))
            })?;
            let figures = self.context.monitor.open(topic, *number, &target.name, task.unwrap_or_default());
            let stamping = match target.log_append_time {
                true => Stamping::LogAppendTime,
                false => Stamping::CreateTime,
            };
            let position = positions.get(key).copied().unwrap_or_default();
            fetcher.add(index, topic, *number, position);
            partitions.push(CopiedPartition::new(figures, stamping, position));
        }
        let read_committed = settings.origin.read_committed;
        let context = self.context.clone();
        let bounds = FuturesUnordered::new();
        let mut running = Running { context, origin, fetcher, partitions, bounds, read_committed };
        running.stop_recreated().await?;
        running.stop_cut();
        self.running = Some(running);
        Ok(())
    }

    fn fetch_settings(&self) -> FetchSettings {
        let (origin, copy) = (&self.context.config.origin, &self.context.config.copy);
        FetchSettings {
            max_wait: origin.fetch_max_wait,
            min_bytes: origin.fetch_min_bytes,
            max_bytes: usize::try_from(copy.fetch_max_bytes).unwrap_or(usize::MAX),
            partition_max_bytes: copy.fetch_partition_max_bytes,
            lane_buffer_bytes: copy.lane_buffer_bytes,
            budget_bytes: copy.inflight_bytes / self.context.config.tasks_max.max(1),
            lanes_per_broker: copy.lanes_per_broker,
            read_committed: origin.read_committed,
            rack: origin.client_rack.clone(),
        }
    }
}

impl Running {
    /// Topics that are others than this process knew under their names: their positions mean nothing any more.
    async fn stop_recreated(&mut self) -> Result<(), ConnectError> {
        let names: BTreeSet<String> = self.partitions.iter().map(|p| p.topic.clone()).collect();
        let names: Vec<String> = names.into_iter().collect();
        let metadata = patiently("the origin's topics", || self.origin.refresh(Some(&names))).await?;
        for index in 0..self.partitions.len() {
            let topic = &self.partitions[index].topic;
            let now = metadata.topic(topic).map(|t| t.id).unwrap_or_default();
            let was = self.context.known_topic_id(topic, now);
            if !now.is_nil() && was != now {
                self.problem(index, &FetchProblem::Recreated { was, now });
            }
        }
        Ok(())
    }

    /// Partitions that an earlier task found to be truncated below their positions.
    fn stop_cut(&mut self) {
        for index in 0..self.partitions.len() {
            let partition = &self.partitions[index];
            let key = (partition.topic.clone(), partition.number);
            if let Some(cut) = self.context.cut_before(&key, partition.position) {
                self.stop_partition(index, cut.reason);
            }
        }
    }

    /// The origin's log is not what was read, from `offset` on.
    fn cut(&mut self, index: usize, offset: i64, reason: String) {
        let partition = &self.partitions[index];
        let key = (partition.topic.clone(), partition.number);
        self.context.remember_cut(key, Cut { offset, reason: reason.clone() });
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
                let key = (partition.topic.clone(), partition.number);
                let origin = self.origin.clone();
                self.bounds.push(Box::pin(async move { (index, bounds(&origin, key).await) }));
            }
            passing if passing.is_passing() => {
                // A whole cluster out of reach is told once by the fetcher, not by each of its partitions.
                if !matches!(passing, FetchProblem::Unreachable(_)) {
                    warn!("{}-{} waits: {problem}", partition.topic, partition.number);
                }
                partition.origin_fails(problem);
            }
            FetchProblem::Recreated { .. } => {
                let reason =
                    format!("{problem}; nothing of the new topic is copied until the stored offset is reset");
                self.stop_partition(index, reason);
            }
            FetchProblem::Diverged { end_offset, .. } => {
                let reason = format!("{problem}; nothing is copied until its stored offset is reset");
                self.cut(index, *end_offset, reason);
            }
            other => self.stop_partition(index, other.to_string()),
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

    fn commit(&mut self, group: String) -> BoxFuture<'static, Result<(), ConnectError>> {
        let mut offsets: BTreeMap<TopicPartition, GroupOffset> = BTreeMap::new();
        for partition in &mut self.partitions {
            if let Some(offset) = partition.uncommitted.take() {
                let key = (partition.topic.clone(), partition.number);
                offsets.insert(key, GroupOffset { offset, leader_epoch: -1 });
            }
        }
        let origin = self.origin.clone();
        Box::pin(async move {
            if offsets.is_empty() {
                return Ok(());
            }
            origin.commit_group_offsets(&group, &offsets).await.map_err(ConnectError::new)
        })
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
        let settings = &self.context.config;
        match (&mut self.running, settings.offsets.commit_to_origin) {
            (Some(running), true) => {
                let group = settings.origin.group_id.clone().unwrap_or(settings.cluster_id.clone());
                running.commit(group)
            }
            _ => Box::pin(async { Ok(()) }),
        }
    }

    async fn stop(&mut self) {
        // Connections close when the fetcher is dropped.
        self.running = None;
    }
}
