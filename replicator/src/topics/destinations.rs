//! Look-up of destination topics, for tasks whose connector runs in another process: asked once, and again for those that do
//! not exist yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use connect_core::api::ConnectError;
use kafka_wire::WireError;
use kafka_wire::admin::TopicConfig;
use kafka_wire::cluster::Cluster;
use tokio::time::sleep;
use tracing::warn;

use super::rename::RenameFormat;
use crate::context::{Context, DestinationTopic};
use crate::monitoring::ClusterFacts;

/// Pause before topics that were missing are looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The setting that decides how batches must be stamped.
pub(super) const TIMESTAMP_TYPE: &str = "message.timestamp.type";

impl DestinationTopic {
    /// A topic with these settings.
    pub(super) fn new(name: &str, configs: &BTreeMap<String, TopicConfig>) -> Self {
        let value = configs.get(TIMESTAMP_TYPE).and_then(|config| config.value.as_deref());
        Self { name: name.to_owned(), log_append_time: value == Some("LogAppendTime") }
    }
}

/// Looks for the destinations of some topics. It holds a client of its own, for as long as something is missing.
pub(crate) struct Lookup {
    context: Arc<Context>,
    destination: Cluster,
    /// Origin topic → destination topic, of those not found yet.
    missing: BTreeMap<String, String>,
    connected: bool,
}

impl Lookup {
    /// For those of `topics` that nobody in this process has looked at; `None` if there are none.
    ///
    /// # Errors
    /// When a name cannot be, or the client's certificates cannot be used.
    pub(crate) fn of(
        context: &Arc<Context>,
        topics: &BTreeSet<String>,
    ) -> Result<Option<Self>, ConnectError> {
        let rename = RenameFormat::parse(&context.config.topics.rename_format).map_err(ConnectError::new)?;
        let mut missing = BTreeMap::new();
        for topic in topics.iter().filter(|topic| context.destination_topic(topic).is_none()) {
            missing.insert(topic.clone(), rename.apply(topic).map_err(ConnectError::new)?);
        }
        if missing.is_empty() {
            return Ok(None);
        }
        let destination = context.destination().map_err(ConnectError::new)?;
        Ok(Some(Self { context: context.clone(), destination, missing, connected: false }))
    }

    /// Topics that are not found yet: origin topic → destination topic.
    pub(crate) fn missing(&self) -> &BTreeMap<String, String> {
        &self.missing
    }

    /// One look. What is found is in the context; a passing fault finds nothing.
    ///
    /// # Errors
    /// What waiting cannot cure.
    pub(crate) async fn look(&mut self) -> Result<(), ConnectError> {
        match self.ask().await {
            Ok(()) => Ok(()),
            Err(error) if error.is_retriable() => {
                warn!("looking at the destination's topics: {error}; looking again");
                Ok(())
            }
            Err(error) => Err(ConnectError::new(error)),
        }
    }

    async fn ask(&mut self) -> Result<(), WireError> {
        if !self.connected {
            self.destination.connect().await?;
            self.context.monitor.set_destination(ClusterFacts::of(&self.destination).await);
            self.connected = true;
        }
        let names: Vec<String> = self.missing.values().cloned().collect();
        let metadata = self.destination.refresh(Some(&names)).await?;
        let there: Vec<String> = names.into_iter().filter(|name| metadata.topic(name).is_some()).collect();
        if there.is_empty() {
            return Ok(());
        }
        let configs = self.destination.describe_topic_configs(&there).await?;
        let context = &self.context;
        self.missing.retain(|topic, name| match configs.get(name) {
            Some(configs) => {
                context.set_destination_topic(topic, DestinationTopic::new(name, configs));
                false
            }
            None => true,
        });
        Ok(())
    }

    /// Looks until something more is found; which topics that are.
    ///
    /// # Errors
    /// What waiting cannot cure.
    pub(crate) async fn more(mut self) -> Result<(Self, BTreeSet<String>), ConnectError> {
        let before = self.missing.clone();
        loop {
            sleep(LOOK_AGAIN).await;
            self.look().await?;
            if self.missing.len() < before.len() {
                let found = before.into_keys().filter(|topic| !self.missing.contains_key(topic)).collect();
                return Ok((self, found));
            }
        }
    }
}
