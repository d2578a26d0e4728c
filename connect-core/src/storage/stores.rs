//! The three stores of a worker, opened together.

use futures::try_join;
use kafka_wire::cluster::Cluster;
use kafka_wire::log::TopicLog;
use tracing::warn;

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
        if let Some((shared, first, second)) = shared(topics) {
            warn!(
                "topic {shared} is given for {first}.storage.topic and {second}.storage.topic; each needs one of its own"
            );
            // The store that Java's worker opens first says how it is made.
            for (purpose, settings) in [
                (Purpose::Offsets, &topics.offsets),
                (Purpose::Statuses, &topics.statuses),
                (Purpose::Configs, &topics.configs),
            ] {
                ensure_topic(cluster, &internal(purpose, settings)).await?;
            }
        }
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

/// A topic that is to serve two stores, and which.
fn shared(topics: &StorageTopics) -> Option<(&str, &'static str, &'static str)> {
    let all = [("config", &topics.configs), ("offset", &topics.offsets), ("status", &topics.statuses)];
    let pairs = [(0, 1), (0, 2), (1, 2)].into_iter();
    let mut same = pairs.filter(|(a, b)| all[*a].1.name == all[*b].1.name);
    same.next().map(|(a, b)| (all[a].1.name.as_str(), all[a].0, all[b].0))
}

fn internal(purpose: Purpose, settings: &StorageTopic) -> InternalTopic {
    InternalTopic {
        name: settings.name.clone(),
        purpose,
        partitions: settings.partitions,
        replication_factor: settings.replication_factor,
        configs: settings.configs.clone(),
    }
}

async fn open_log(
    cluster: &Cluster,
    purpose: Purpose,
    settings: &StorageTopic,
) -> Result<Box<dyn RecordLog>, StorageError> {
    ensure_topic(cluster, &internal(purpose, settings)).await?;
    Ok(Box::new(TopicLog::open(cluster.clone(), &settings.name).await?))
}
