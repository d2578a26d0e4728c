//! The topic-replication source connector: finds the topics, prepares their destinations, and divides the
//! partitions among tasks. Known to Connect as `io.confluent.connect.replicator.ReplicatorSourceConnector`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use connect_core::api::{
    ConfigDef, ConfigMap, ConnectError, Connector, ConnectorContext, ConnectorPlugin, ConnectorType, Task,
};
use kafka_wire::cluster::{Cluster, Metadata};
use kafka_wire::kafka_protocol::messages::ApiKey;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::config::{CONNECTOR_CLASS, CONNECTOR_NAME};
use crate::context::Context;
use crate::copy::assignment::{PARTITION_ASSIGNMENT, TASK_ID, encode};
use crate::copy::task::CopyTask;
use crate::monitoring::ClusterFacts;
use crate::topics::discovery::{Discovery, Found};

/// The Java class of its tasks.
const TASK_CLASS: &str = "io.confluent.connect.replicator.ReplicatorSourceTask";

/// See the module.
pub(crate) struct ReplicatorSourceConnector {
    context: Arc<Context>,
    /// The partitions that are ready to be copied, as last found.
    found: Arc<tokio::sync::watch::Sender<Found>>,
    watcher: Option<JoinHandle<()>>,
}

impl ReplicatorSourceConnector {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        let found = Arc::new(tokio::sync::watch::Sender::new(Found::default()));
        Self { context, found, watcher: None }
    }

    async fn open(&mut self, worker: ConnectorContext) -> Result<(), ConnectError> {
        let origin = self.context.origin().map_err(ConnectError::new)?;
        let destination = self.context.destination().map_err(ConnectError::new)?;
        origin.connect().await.map_err(ConnectError::new)?;
        destination.connect().await.map_err(ConnectError::new)?;
        let facts = (facts(&origin).await, facts(&destination).await);
        self.context.monitor.set_clusters(facts.0.clone(), facts.1.clone());
        let same_cluster = facts.0.id == facts.1.id;

        let mut discovery = Discovery::new(self.context.clone(), origin, destination, same_cluster)?;
        let first = discovery.first().await?;
        self.found.send_replace(first);
        let found = self.found.clone();
        let interval = self.context.config.topics.poll_interval;
        self.watcher = Some(tokio::spawn(async move {
            loop {
                tokio::time::sleep(discovery.next_in(interval)).await;
                match discovery.again().await {
                    Ok(now) if *found.borrow() != now => {
                        info!("the topics or partitions to copy have changed: dividing the work anew");
                        found.send_replace(now);
                        worker.request_task_reconfiguration();
                    }
                    Ok(_) => {}
                    Err(error) => warn!("looking for topics: {error}"),
                }
            }
        }));
        Ok(())
    }

    fn divide(&self, max_tasks: usize) -> Result<Vec<ConfigMap>, ConnectError> {
        let partitions = self.found.borrow().partitions.clone();
        self.context.monitor.retain(|topic, number| partitions.contains(&(topic.to_owned(), number)));
        let tasks = max_tasks.min(partitions.len());
        let mut shares: Vec<Vec<(String, i32)>> = vec![Vec::new(); tasks];
        for (index, partition) in partitions.into_iter().enumerate() {
            shares[index % tasks].push(partition);
        }
        let config = |(index, share): (usize, &Vec<(String, i32)>)| {
            let assignment = encode(share).map_err(ConnectError::new)?;
            let mut config = BTreeMap::new();
            config.insert(TASK_ID.to_owned(), format!("{CONNECTOR_NAME}-{index}"));
            config.insert(PARTITION_ASSIGNMENT.to_owned(), assignment);
            Ok(config)
        };
        shares.iter().enumerate().map(config).collect()
    }
}

#[async_trait]
impl Connector for ReplicatorSourceConnector {
    async fn start(&mut self, context: ConnectorContext, _config: ConfigMap) -> Result<(), ConnectError> {
        // Its settings are those of the executable, which were checked before.
        self.open(context).await
    }

    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>, ConnectError> {
        self.divide(max_tasks)
    }

    async fn stop(&mut self) -> Result<(), ConnectError> {
        if let Some(watcher) = self.watcher.take() {
            watcher.abort();
        }
        Ok(())
    }
}

/// The connector and its tasks as the worker knows them; all share one context.
pub(crate) struct ReplicatorPlugin {
    pub(crate) context: Arc<Context>,
    pub(crate) version: String,
}

impl ConnectorPlugin for ReplicatorPlugin {
    fn class(&self) -> &str {
        CONNECTOR_CLASS
    }

    fn task_class(&self) -> &str {
        TASK_CLASS
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn kind(&self) -> ConnectorType {
        ConnectorType::Source
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn connector(&self) -> Box<dyn Connector> {
        Box::new(ReplicatorSourceConnector::new(self.context.clone()))
    }

    fn task(&self) -> Task {
        Task::Source(Box::new(CopyTask::new(self.context.clone())))
    }
}

async fn facts(cluster: &Cluster) -> ClusterFacts {
    let metadata: Arc<Metadata> = cluster.metadata();
    ClusterFacts {
        id: metadata.cluster_id.clone(),
        addresses: cluster.addresses(),
        brokers: metadata.brokers.len(),
        version: match cluster.any_versions().await {
            Some(versions) => generation(versions.highest(ApiKey::Fetch), versions.highest(ApiKey::Produce)),
            None => "unknown".to_owned(),
        },
    }
}

/// Brokers do not tell their release; the versions of Fetch and Produce that they offer place it.
fn generation(fetch: i16, produce: i16) -> String {
    match (fetch, produce) {
        (18.., _) => "4.1 or newer",
        (17, 12..) => "4.0",
        (17, _) => "3.9",
        (16, _) => "3.7 or 3.8",
        (13..=15, _) => "3.1 to 3.6",
        (12, _) => "2.7 to 3.0",
        (11, _) => "2.3 to 2.6",
        (10, _) => "2.1 or 2.2",
        _ => "older than 2.1",
    }
    .to_owned()
}
