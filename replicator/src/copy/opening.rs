//! Opening a task: the partitions of its share, where each begins, and which of them cannot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use connect_core::api::{ConfigMap, ConnectError, OffsetReader};
use kafka_wire::admin::{OffsetSpec, TopicPartition};
use tracing::warn;

use super::assignment::{PARTITION_ASSIGNMENT, TASK_ID, decode};
use super::classify::Stamping;
use super::origin_log::{Evidence, Judgement, judge};
use super::partition::CopiedPartition;
use super::running::Running;
use crate::context::Contexts;
use crate::monitoring::ClusterFacts;
use crate::offsets::start_positions;
use crate::retry::retry_passing;
use crate::topics::destinations::Lookup;

/// Opens the task that a configuration describes; `offsets` answers what was committed before.
pub(super) async fn open(
    contexts: &Contexts,
    config: ConfigMap,
    offsets: Arc<dyn OffsetReader>,
) -> Result<Running, ConnectError> {
    let share = config.get(PARTITION_ASSIGNMENT).map(String::as_str).unwrap_or_default();
    let share = decode(share)
        .map_err(|e| ConnectError::new(format!("{PARTITION_ASSIGNMENT} of the task cannot be read: {e}")))?;
    let task = config.get(TASK_ID).and_then(|id| id.rsplit('-').next()).and_then(|n| n.parse().ok());
    let context = contexts.of(&config)?;
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

    let mut running = Running::new(context, origin);
    let missing = lookup.as_ref().map(|lookup| lookup.missing().clone()).unwrap_or_default();
    for key in share {
        let position = positions.get(&key).copied().unwrap_or_default();
        add(&mut running, key, position, task.unwrap_or_default(), &missing)?;
    }
    stop_recreated(&mut running).await?;
    stop_cut(&mut running);
    if let Some(lookup) = lookup {
        running.look_for_more(lookup);
    }
    Ok(running)
}

/// Takes a partition on. While its destination topic is in `missing`, it waits.
fn add(
    running: &mut Running,
    (topic, number): TopicPartition,
    position: i64,
    task: usize,
    missing: &BTreeMap<String, String>,
) -> Result<(), ConnectError> {
    let index = running.partitions.len();
    let known = running.context.destination_topic(&topic);
    let name = known.as_ref().map(|known| &known.name).or(missing.get(&topic)).ok_or_else(|| {
        ConnectError::new(format!("no destination topic is known for {topic}, which the task is to copy"))
    })?;
    let figures = running.context.monitor.open(&topic, number, name, task);
    let stamping = known.as_ref().map_or(Stamping::CreateTime, Stamping::of);
    running.fetcher.add(index, &topic, number, position);
    let mut partition = CopiedPartition::new(figures, stamping, position);
    if known.is_none() {
        let reason = format!("{name} does not exist at the destination yet, or cannot be looked at");
        warn!("{topic}-{number} waits: {reason}");
        partition.destination_waits(Some(reason));
        running.fetcher.set_paused(index, true);
    }
    running.partitions.push(partition);
    Ok(())
}

/// Stops partitions of topics that are others than this process knew under their names: their positions mean nothing any
/// more, unless they are at the beginning.
async fn stop_recreated(running: &mut Running) -> Result<(), ConnectError> {
    let names: BTreeSet<String> = running.partitions.iter().map(|p| p.topic.clone()).collect();
    let names: Vec<String> = names.into_iter().collect();
    let metadata = retry_passing("the origin's topics", || running.origin.refresh(Some(&names))).await?;
    for index in 0..running.partitions.len() {
        let partition = &running.partitions[index];
        let now = metadata.topic(&partition.topic).map(|t| t.id).unwrap_or_default();
        let (keys, position) = ([partition.key()], partition.position);
        let was = running.context.history.known_topic_id(&keys[0], now);
        if now.is_nil() || was == now {
            continue;
        }
        let first = retry_passing("first offsets at the origin", || {
            running.origin.list_offsets(&keys, OffsetSpec::Earliest)
        });
        let first = first.await?.get(&keys[0]).copied();
        match judge(position, &Evidence::OtherTopic { was, now, first }) {
            Judgement::Resume => {
                let history = &running.context.history;
                history.forget(&keys[0]);
                history.known_topic_id(&keys[0], now);
            }
            // Another topic is copied from its beginning or not at all: no gap comes of it.
            stop => {
                running.apply(index, stop);
            }
        }
    }
    Ok(())
}

/// Stops partitions that an earlier task found to be truncated below their positions.
fn stop_cut(running: &mut Running) {
    for index in 0..running.partitions.len() {
        let partition = &running.partitions[index];
        let cut = running.context.history.cut_before(&partition.key(), partition.position);
        if let Some(cut) = cut {
            running.stop_partition(index, cut.reason);
        }
    }
}
