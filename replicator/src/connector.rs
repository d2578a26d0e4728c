//! The topic-replication source connector: finds the topics, prepares their destinations, and divides the partitions
//! among tasks, which may run in other processes: their configurations are complete. Made by [`crate::plugin`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use connect_core::api::{ConfigMap, ConnectError, Connector, ConnectorContext};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::config::{Notice, NoticeLevel, Source};
use crate::context::{Context, Contexts, connector_name};
use crate::copy::assignment::{PARTITION_ASSIGNMENT, TASK_ID, encode};
use crate::monitoring::ClusterFacts;
use crate::topics::discovery::{Discovery, Found};

/// See the module.
pub(crate) struct ReplicatorSourceConnector {
    contexts: Arc<Contexts>,
    /// The partitions that are ready to be copied, as last found.
    found: Arc<watch::Sender<Found>>,
    running: Option<Running>,
}

struct Running {
    context: Arc<Context>,
    /// The connector's configuration, of which each task gets a copy.
    config: ConfigMap,
    watcher: JoinHandle<()>,
}

impl ReplicatorSourceConnector {
    pub(crate) fn new(contexts: Arc<Contexts>) -> Self {
        Self { contexts, found: Arc::new(watch::Sender::new(Found::default())), running: None }
    }

    async fn open(&mut self, worker: ConnectorContext, config: ConfigMap) -> Result<(), ConnectError> {
        let context = self.contexts.of(&config)?;
        tell(&context.config.notices, self.contexts.is_own(connector_name(&config)));
        let origin = context.origin().map_err(ConnectError::new)?;
        let destination = context.destination().map_err(ConnectError::new)?;
        origin.connect().await.map_err(ConnectError::new)?;
        destination.connect().await.map_err(ConnectError::new)?;
        let facts = (ClusterFacts::of(&origin).await, ClusterFacts::of(&destination).await);
        let same_cluster = facts.0.id == facts.1.id;
        context.monitor.set_origin(facts.0);
        context.monitor.set_destination(facts.1);

        let mut discovery = Discovery::new(context.clone(), origin, destination, same_cluster)?;
        let first = discovery.first().await?;
        self.found.send_replace(first);
        let interval = context.config.topics.poll_interval;
        let watcher = tokio::spawn(keep_looking(discovery, interval, self.found.clone(), worker));
        self.running = Some(Running { context, config, watcher });
        Ok(())
    }

    fn divide(&self, max_tasks: usize) -> Result<Vec<ConfigMap>, ConnectError> {
        let Some(running) = &self.running else {
            return Err(ConnectError::new("the work was to be divided before the connector was started"));
        };
        let name = connector_name(&running.config);
        let partitions = self.found.borrow().partitions.clone();
        let tasks = max_tasks.min(partitions.len());
        let mut shares: Vec<Vec<(String, i32)>> = vec![Vec::new(); tasks];
        for (index, partition) in partitions.into_iter().enumerate() {
            shares[index % tasks].push(partition);
        }
        let config = |(index, share): (usize, &Vec<(String, i32)>)| {
            let mut config = running.config.clone();
            config.insert(TASK_ID.to_owned(), format!("{name}-{index}"));
            config.insert(PARTITION_ASSIGNMENT.to_owned(), encode(share).map_err(ConnectError::new)?);
            Ok(config)
        };
        shares.iter().enumerate().map(config).collect()
    }
}

/// Looks for topics again and again, and asks for a new division of the work when something has changed.
async fn keep_looking(
    mut discovery: Discovery,
    interval: Duration,
    found: Arc<watch::Sender<Found>>,
    worker: ConnectorContext,
) {
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
}

/// Logs what is to be said about the configuration; of the executable's `own` only what its files did not say already.
fn tell(notices: &[Notice], own: bool) {
    for notice in notices.iter().filter(|notice| !own || notice.source == Some(Source::Connector)) {
        match notice.level {
            NoticeLevel::Warning => warn!("{notice}"),
            NoticeLevel::Info => info!("{notice}"),
        }
    }
}

#[async_trait]
impl Connector for ReplicatorSourceConnector {
    async fn start(&mut self, context: ConnectorContext, config: ConfigMap) -> Result<(), ConnectError> {
        self.open(context, config).await
    }

    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>, ConnectError> {
        self.divide(max_tasks)
    }

    async fn stop(&mut self) -> Result<(), ConnectError> {
        if let Some(running) = self.running.take() {
            running.watcher.abort();
            running.context.monitor.set_topics(BTreeMap::new());
        }
        Ok(())
    }
}
