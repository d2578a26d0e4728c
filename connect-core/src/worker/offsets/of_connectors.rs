//! Stores and groups of one connector: where its offsets are.

use std::collections::BTreeMap;

use connect_api::{ConfigMap, ConnectError};
use kafka_wire::cluster::Cluster;
use kafka_wire::log::TopicLog;

use super::stores::OffsetStores;
use crate::storage::{InternalTopic, OffsetStore, Purpose, ensure_topic};
use crate::worker::clients::Clients;
use crate::worker::handle::Worker;
use crate::worker::settings::{parsed, text};

impl Worker {
    /// An admin client in the connector's name, and its consumer group.
    pub(super) fn group_admin(
        &self,
        name: &str,
        config: &ConfigMap,
    ) -> Result<(Cluster, String), ConnectError> {
        let clients = Clients { worker: self.settings(), connector: config };
        let properties = clients.admin(&format!("connector-worker-adminclient-{name}"))?;
        Ok((self.cluster("connector's", &properties)?, clients.group(name)?))
    }

    /// The topic that a connector's offsets are written to first.
    pub(crate) fn offset_topic(&self, config: &ConfigMap) -> Option<String> {
        text(config, "offsets.storage.topic").map(str::to_owned).or_else(|| self.backing().topic.clone())
    }

    /// The stores of a source connector. One with a topic of its own has it created, if it is missing, and read.
    pub(crate) async fn offset_stores(
        &self,
        name: &str,
        config: &ConfigMap,
    ) -> Result<OffsetStores, ConnectError> {
        let backing = self.backing();
        let own =
            text(config, "offsets.storage.topic").filter(|topic| Some(*topic) != backing.topic.as_deref());
        let Some(topic) = own else { return Ok(OffsetStores::new(name, backing.store.clone(), None)) };
        let worker = &self.settings().properties;
        let clients = Clients { worker: self.settings(), connector: config };
        let cluster =
            self.cluster("connector's", &clients.admin(&format!("connector-adminclient-{name}"))?)?;
        let topic = InternalTopic {
            name: topic.to_owned(),
            purpose: Purpose::Offsets,
            partitions: parsed(worker, "offset.storage.partitions", 25)?,
            replication_factor: parsed(worker, "offset.storage.replication.factor", 3)?,
            configs: BTreeMap::new(),
        };
        ensure_topic(&cluster, &topic).await.map_err(ConnectError::new)?;
        let log = TopicLog::open(cluster, &topic.name).await.map_err(ConnectError::new)?;
        let store = OffsetStore::open(Box::new(log)).await.map_err(ConnectError::new)?;
        Ok(OffsetStores::new(name, store, Some(backing.store.clone())))
    }
}
