//! The three stores of a worker, opened together.

use futures::try_join;
use kafka_wire::cluster::Cluster;
use kafka_wire::log::TopicLog;

use super::{
    ConfigStore, InternalTopic, OffsetStore, Purpose, RecordLog, StatusStore, StorageError, ensure_topic,
};
use crate::config::{StorageTopic, StorageTopics};

/// A worker's configurations, offsets and statuses.
#[derive(Debug)]
pub struct Stores {
    /// `config.storage.*`
    pub configs: ConfigStore,
    /// `offset.storage.*`
    pub offsets: OffsetStore,
    /// `status.storage.*`
    pub statuses: StatusStore,
}

impl Stores {
    /// Opens the stores on topics of `cluster`, which are created compacted where they are missing. The current
    /// runtime does the stores' work from then on. Fails when a topic cannot serve, see [`StorageError`].
    pub async fn open(cluster: &Cluster, topics: &StorageTopics) -> Result<Self, StorageError> {
        let (configs, offsets, statuses) = try_join!(
            open_log(cluster, Purpose::Configs, &topics.configs),
            open_log(cluster, Purpose::Offsets, &topics.offsets),
            open_log(cluster, Purpose::Statuses, &topics.statuses),
        )?;
        Self::on_logs(configs, offsets, statuses).await
    }

    /// Opens the stores on logs of any kind.
    pub async fn on_logs(
        configs: Box<dyn RecordLog>,
        offsets: Box<dyn RecordLog>,
        statuses: Box<dyn RecordLog>,
    ) -> Result<Self, StorageError> {
        let (configs, offsets, statuses) =
            try_join!(ConfigStore::open(configs), OffsetStore::open(offsets), StatusStore::open(statuses))?;
        Ok(Self { configs, offsets, statuses })
    }
}

async fn open_log(
    cluster: &Cluster,
    purpose: Purpose,
    settings: &StorageTopic,
) -> Result<Box<dyn RecordLog>, StorageError> {
    let topic = InternalTopic {
        name: settings.name.clone(),
        purpose,
        partitions: settings.partitions,
        replication_factor: settings.replication_factor,
        configs: settings.configs.clone(),
    };
    ensure_topic(cluster, &topic).await?;
    Ok(Box::new(TopicLog::open(cluster.clone(), &settings.name).await?))
}
