//! Changes of the offsets of a sink connector's consumer group.

use std::collections::BTreeMap;

use connect_api::ConnectError;
use kafka_wire::admin::{GroupOffset, TopicPartition};
use kafka_wire::cluster::Cluster;
use kafka_wire::{ErrorCode, WireError};

/// Commits and removes offsets of a group.
pub(super) async fn alter_group(
    cluster: &Cluster,
    group: &str,
    offsets: BTreeMap<TopicPartition, Option<i64>>,
) -> Result<(), WireError> {
    let (mut commits, mut resets) = (BTreeMap::new(), Vec::new());
    for (partition, offset) in offsets {
        match offset {
            Some(offset) => drop(commits.insert(partition, GroupOffset { offset, leader_epoch: -1 })),
            None => resets.push(partition),
        }
    }
    if !commits.is_empty() {
        cluster.commit_group_offsets(group, &commits).await?;
    }
    if !resets.is_empty() {
        cluster.delete_group_offsets(group, &resets).await?;
    }
    Ok(())
}

/// The error for a client whose change the group refused; `verb` is `alter` or `reset`.
pub(super) fn refused(connector: &str, verb: &str, error: &WireError) -> ConnectError {
    let still_there = matches!(
        error.code(),
        Some(ErrorCode::UnknownMemberId | ErrorCode::GroupSubscribedToTopic | ErrorCode::NonEmptyGroup)
    );
    let text = if still_there {
        format!(
            "Failed to {verb} consumer group offsets for connector {connector} either because its tasks haven't stopped \
             completely yet or the connector was resumed before the request to {verb} its offsets could be \
             successfully completed. If the connector is in a stopped state, this operation can be safely retried. If \
             it doesn't eventually succeed, the Connect cluster may need to be restarted to get rid of the zombie sink \
             tasks."
        )
    } else {
        let sink = if verb == "reset" { "sink " } else { "" };
        format!("Failed to {verb} consumer group offsets for {sink}connector {connector}")
    };
    ConnectError::new(text).caused_by(ConnectError::new(error))
}
