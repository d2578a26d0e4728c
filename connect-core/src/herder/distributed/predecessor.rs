//! An earlier life of this worker, which the group may still count as a member.

use std::time::Duration;

use kafka_wire::WireError;
use kafka_wire::cluster::Cluster;
use tokio::time::timeout;
use tracing::{debug, info};

/// Time for removing an earlier life of this worker.
const REMOVAL_LIMIT: Duration = Duration::from_secs(2);

/// An earlier life of this worker that ended without leaving the group. It had the same advertised address, whose port this process
/// now holds, so it is gone; without this the others would wait for it until its session ends.
pub(super) struct Predecessor {
    pub(super) cluster: Cluster,
    pub(super) group: String,
    pub(super) client_id: String,
}

impl Predecessor {
    /// Removes it from the group, if there is one. Whatever goes wrong only costs the wait.
    pub(super) async fn remove(&self) {
        let removal = async {
            for member in self.cluster.group_members(&self.group).await? {
                if member.client_id == self.client_id {
                    info!(
                        "removing {}, an earlier life of this worker, from group '{}'",
                        member.member_id, self.group
                    );
                    let reason = "its worker was started again";
                    self.cluster.remove_group_member(&self.group, &member.member_id, reason).await?;
                }
            }
            Ok::<(), WireError>(())
        };
        match timeout(REMOVAL_LIMIT, removal).await {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => debug!("an earlier life of this worker cannot be looked for: {reason}"),
            Err(_) => debug!("the group's coordinator does not answer"),
        }
    }
}
