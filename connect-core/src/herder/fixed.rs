//! A worker whose connectors are fixed by its executable: REST may look, and change the levels of loggers, nothing else.

use async_trait::async_trait;

use super::HerderView;
use super::api::{Herder, HerderResult};
use super::error::HerderError;
use super::info::{
    ActiveTopics, ConfigInfos, ConfigKeyInfo, ConnectorInfo, ConnectorKind, ConnectorOffsets,
    ConnectorStateInfo, ConnectorTaskId, Created, InternalRequestSignature, LoggerLevel, LoggerLevels,
    PluginInfo, RestartRequest, Stage, TaskInfo, TaskStateInfo,
};
use crate::api::ConfigMap;
use crate::loggers;
use crate::storage::{Properties, TargetState};

/// Shows what a herder without a group runs.
#[derive(Debug)]
pub struct FixedHerder {
    view: HerderView,
    cluster_id: String,
}

impl FixedHerder {
    /// `cluster_id` is shown by `GET /`.
    pub fn new(view: HerderView, cluster_id: String) -> Self {
        Self { view, cluster_id }
    }

    fn find(&self, name: &str) -> HerderResult<super::ConnectorView> {
        self.view.connector(name).ok_or_else(|| HerderError::unknown_connector(name))
    }

    fn kind(&self, name: &str) -> ConnectorKind {
        match self.view.connector(name) {
            Some(view) if view.kind == "source" => ConnectorKind::Source,
            _ => ConnectorKind::Unknown,
        }
    }
}

fn fixed<T>() -> HerderResult<T> {
    let message =
        "The connectors of this worker are part of its executable and are changed by its own settings";
    Err(HerderError::Forbidden(message.to_owned()))
}

#[async_trait]
impl Herder for FixedHerder {
    fn is_ready(&self) -> bool {
        self.view.is_ready()
    }

    fn stage(&self) -> Option<Stage> {
        None
    }

    async fn health_check(&self) -> HerderResult<()> {
        match self.view.is_ready() {
            true => Ok(()),
            false => Err(HerderError::ServiceUnavailable("the connectors are being started".to_owned())),
        }
    }

    async fn kafka_cluster_id(&self) -> HerderResult<String> {
        Ok(self.cluster_id.clone())
    }

    async fn connectors(&self) -> HerderResult<Vec<String>> {
        Ok(self.view.connectors())
    }

    async fn connector_info(&self, connector: &str) -> HerderResult<ConnectorInfo> {
        let view = self.find(connector)?;
        let task = |task| ConnectorTaskId { connector: connector.to_owned(), task };
        let tasks = (0..view.tasks.len()).map(task).collect();
        Ok(ConnectorInfo { name: view.name, config: view.config, tasks, kind: self.kind(connector) })
    }

    async fn connector_config(&self, connector: &str) -> HerderResult<Properties> {
        Ok(self.find(connector)?.config)
    }

    async fn put_connector_config(
        &self,
        _: &str,
        _: Properties,
        _: Option<TargetState>,
        _: bool,
    ) -> HerderResult<Created<ConnectorInfo>> {
        fixed()
    }

    async fn patch_connector_config(&self, _: &str, _: Properties) -> HerderResult<Created<ConnectorInfo>> {
        fixed()
    }

    async fn delete_connector(&self, _: &str) -> HerderResult<()> {
        fixed()
    }

    async fn request_task_reconfiguration(&self, _: &str) {}

    async fn task_configs(&self, connector: &str) -> HerderResult<Vec<TaskInfo>> {
        let id = |task| ConnectorTaskId { connector: connector.to_owned(), task };
        let tasks = self.find(connector)?.tasks.into_iter().enumerate();
        Ok(tasks.map(|(task, config)| TaskInfo { id: id(task), config }).collect())
    }

    async fn put_task_configs(
        &self,
        _: &str,
        _: Vec<ConfigMap>,
        _: Option<InternalRequestSignature>,
    ) -> HerderResult<()> {
        fixed()
    }

    async fn fence_zombies(&self, _: &str, _: Option<InternalRequestSignature>) -> HerderResult<()> {
        fixed()
    }

    async fn connector_status(&self, connector: &str) -> HerderResult<ConnectorStateInfo> {
        let missing = || HerderError::NotFound(format!("No status found for connector {connector}"));
        let status = self.view.connector_status(connector).ok_or_else(missing)?;
        let tasks = self.view.task_statuses(connector).into_iter();
        Ok(ConnectorStateInfo {
            name: connector.to_owned(),
            connector: status.into(),
            tasks: tasks.map(|(id, status)| TaskStateInfo { id, state: status.into() }).collect(),
            kind: self.kind(connector),
        })
    }

    async fn task_status(&self, connector: &str, task: usize) -> HerderResult<TaskStateInfo> {
        let status = self.view.task_status(connector, task);
        let missing = || HerderError::NotFound(format!("No status found for task {connector}-{task}"));
        Ok(TaskStateInfo { id: task, state: status.ok_or_else(missing)?.into() })
    }

    async fn restart_connector(&self, _: &str) -> HerderResult<()> {
        fixed()
    }

    async fn restart_task(&self, _: &str, _: usize) -> HerderResult<()> {
        fixed()
    }

    async fn restart_connector_and_tasks(&self, _: RestartRequest) -> HerderResult<ConnectorStateInfo> {
        fixed()
    }

    async fn pause_connector(&self, _: &str) -> HerderResult<()> {
        fixed()
    }

    async fn resume_connector(&self, _: &str) -> HerderResult<()> {
        fixed()
    }

    async fn stop_connector(&self, _: &str) -> HerderResult<()> {
        fixed()
    }

    async fn connector_offsets(&self, _: &str) -> HerderResult<ConnectorOffsets> {
        fixed()
    }

    async fn alter_connector_offsets(&self, _: &str, _: ConnectorOffsets) -> HerderResult<String> {
        fixed()
    }

    async fn reset_connector_offsets(&self, _: &str) -> HerderResult<String> {
        fixed()
    }

    async fn connector_active_topics(&self, _: &str) -> HerderResult<ActiveTopics> {
        fixed()
    }

    async fn reset_connector_active_topics(&self, _: &str) -> HerderResult<()> {
        fixed()
    }

    fn connector_plugins(&self, _: bool) -> Vec<PluginInfo> {
        Vec::new()
    }

    async fn connector_plugin_config(&self, plugin: &str) -> HerderResult<Vec<ConfigKeyInfo>> {
        Err(HerderError::NotFound(format!("Unknown plugin {plugin}.")))
    }

    async fn validate(&self, _: Properties) -> HerderResult<ConfigInfos> {
        fixed()
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

    async fn set_cluster_logger_level(&self, namespace: &str, level: &str) -> HerderResult<()> {
        loggers::set_level(namespace, level);
        Ok(())
    }
}
