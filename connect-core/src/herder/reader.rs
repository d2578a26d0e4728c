//! Answers what needs neither the herder's thread nor another worker, from snapshots: one implementation for the distributed and the standalone herder.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use super::api::{HerderReader, HerderResult};
use super::{plugins, reading};
use crate::answers::{
    ActiveTopics, ConfigInfos, ConfigKeyInfo, ConnectorInfo, ConnectorOffsets, ConnectorStateInfo,
    HerderError, LoggerLevel, LoggerLevels, PluginInfo, TaskInfo, TaskStateInfo,
};
use crate::loggers;
use crate::storage::{ConfigState, Properties, StatusStore};
use crate::worker::Worker;

/// Everything that answers are read from.
pub(super) struct Reader {
    /// Id of the cluster of `bootstrap.servers`.
    pub(super) cluster_id: String,
    /// Knows plugins, offsets and variables.
    pub(super) worker: Worker,
    /// Newest state of the config topic.
    pub(super) configs: watch::Receiver<Arc<ConfigState>>,
    /// Newest statuses of all workers.
    pub(super) statuses: StatusStore,
}

impl Reader {
    /// The configurations as of now.
    pub(super) fn state(&self) -> Arc<ConfigState> {
        self.configs.borrow().clone()
    }
}

#[async_trait]
impl HerderReader for Reader {
    async fn kafka_cluster_id(&self) -> HerderResult<String> {
        Ok(self.cluster_id.clone())
    }

    async fn connectors(&self) -> HerderResult<Vec<String>> {
        Ok(self.state().connectors().map(str::to_owned).collect())
    }

    async fn connector_info(&self, connector: &str) -> HerderResult<ConnectorInfo> {
        reading::connector_info(&self.state(), self.worker.plugins(), connector)
    }

    async fn connector_config(&self, connector: &str) -> HerderResult<Properties> {
        let state = self.state();
        state.connector(connector).cloned().ok_or_else(|| HerderError::unknown_connector(connector))
    }

    async fn task_configs(&self, connector: &str) -> HerderResult<Vec<TaskInfo>> {
        reading::task_infos(&self.state(), connector)
    }

    async fn connector_status(&self, connector: &str) -> HerderResult<ConnectorStateInfo> {
        reading::connector_state(&self.state(), self.worker.plugins(), &self.statuses, connector)
    }

    async fn task_status(&self, connector: &str, task: usize) -> HerderResult<TaskStateInfo> {
        reading::task_state(&self.statuses, connector, task)
    }

    async fn connector_offsets(&self, connector: &str) -> HerderResult<ConnectorOffsets> {
        let config = self.connector_config(connector).await?;
        reading::connector_offsets(&self.worker, connector, &reading::plain(&config)).await
    }

    async fn connector_active_topics(&self, connector: &str) -> HerderResult<ActiveTopics> {
        let topics = self.statuses.topics(connector);
        Ok(ActiveTopics { connector: connector.to_owned(), topics })
    }

    async fn reset_connector_active_topics(&self, connector: &str) -> HerderResult<()> {
        self.statuses.reset_topics(connector);
        Ok(())
    }

    fn connector_plugins(&self, connectors_only: bool) -> Vec<PluginInfo> {
        plugins::list(self.worker.plugins(), connectors_only)
    }

    async fn connector_plugin_config(&self, plugin: &str) -> HerderResult<Vec<ConfigKeyInfo>> {
        plugins::keys(self.worker.plugins(), plugin)
    }

    async fn validate(&self, config: Properties) -> HerderResult<ConfigInfos> {
        reading::validate(&self.worker, &config).await
    }

    fn all_logger_levels(&self) -> LoggerLevels {
        loggers::all()
    }

    fn logger_level(&self, logger: &str) -> Option<LoggerLevel> {
        loggers::level(logger)
    }

    fn set_worker_logger_level(&self, namespace: &str, level: &str) -> Vec<String> {
        loggers::set_level(namespace, level)
    }
}
