//! Start positions of a task: the position stored in the offset topic of the worker, the one committed for the group at the
//! origin, or the beginning of the log, in the order that `offset.start` asks for. [`alter`] is for users who change them.

pub(crate) mod alter;

use std::collections::BTreeMap;
use std::sync::Arc;

use connect_core::api::{ConnectError, OffsetReader};
use kafka_wire::admin::{OffsetSpec, TopicPartition};
use kafka_wire::cluster::Cluster;
use tracing::info;

use crate::config::OffsetStart;
use crate::copy::source_partition;
use crate::retry::retry_passing;

/// Start positions of `partitions`.
pub(crate) async fn start_positions(
    origin: &Cluster,
    group: &str,
    start: OffsetStart,
    stored: &Arc<dyn OffsetReader>,
    partitions: &[TopicPartition],
) -> Result<BTreeMap<TopicPartition, i64>, ConnectError> {
    let mut found = BTreeMap::new();
    let sources = match start {
        OffsetStart::Connect => [Store::Worker, Store::Group],
        OffsetStart::Consumer => [Store::Group, Store::Worker],
    };
    for source in sources {
        let missing: Vec<TopicPartition> =
            partitions.iter().filter(|p| !found.contains_key(*p)).cloned().collect();
        if missing.is_empty() {
            break;
        }
        let (name, positions) = match source {
            Store::Worker => ("the worker's offset topic", from_worker(stored, &missing).await?),
            Store::Group => ("the origin's group", from_group(origin, group, &missing).await?),
        };
        if !positions.is_empty() {
            info!("{} partitions go on from positions in {name}", positions.len());
        }
        found.extend(positions);
    }
    let missing: Vec<TopicPartition> =
        partitions.iter().filter(|p| !found.contains_key(*p)).cloned().collect();
    if !missing.is_empty() {
        let earliest = retry_passing("first offsets at the origin", || {
            origin.list_offsets(&missing, OffsetSpec::Earliest)
        })
        .await?;
        info!("{} partitions start at the beginning of the log", earliest.len());
        found.extend(earliest);
    }
    Ok(found)
}

enum Store {
    Worker,
    Group,
}

/// The stored value is the last offset copied; the position is the next.
async fn from_worker(
    stored: &Arc<dyn OffsetReader>,
    partitions: &[TopicPartition],
) -> Result<BTreeMap<TopicPartition, i64>, ConnectError> {
    let keys: Vec<_> = partitions.iter().map(|(topic, number)| source_partition(topic, *number)).collect();
    let values = stored.offsets(&keys).await?;
    let mut found = BTreeMap::new();
    for (partition, value) in partitions.iter().zip(values) {
        let Some(value) = value else { continue };
        match value.get("offset").and_then(serde_json::Value::as_i64) {
            Some(last) => {
                found.insert(partition.clone(), last + 1);
            }
            None => {
                return Err(ConnectError::new(format!(
                    "the offset stored for {}-{} is {}, where {{\"offset\":<number>}} was expected",
                    partition.0,
                    partition.1,
                    serde_json::Value::Object(value)
                )));
            }
        }
    }
    Ok(found)
}

async fn from_group(
    origin: &Cluster,
    group: &str,
    partitions: &[TopicPartition],
) -> Result<BTreeMap<TopicPartition, i64>, ConnectError> {
    let found = retry_passing("the offsets of the origin's group (src.consumer.group.id)", || {
        origin.group_offsets(group, partitions)
    })
    .await?;
    Ok(found.into_iter().map(|(partition, offset)| (partition, offset.offset)).collect())
}
