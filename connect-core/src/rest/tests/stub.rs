//! A herder that writes down what it is asked and says what it was told to.

use std::sync::Mutex;

use async_trait::async_trait;

use crate::answers::*;
use crate::api::ConfigMap;
use crate::herder::api::{Herder, HerderReader, HerderResult};
use crate::ids::TargetState;
use crate::storage::{Properties, RestartRequest, State};

/// The herder.
#[derive(Default)]
pub(super) struct Stub {
    /// What it was asked, one line for each call.
    pub(super) calls: Mutex<Vec<String>>,
    /// What it answers instead of doing anything.
    pub(super) refusal: Mutex<Option<HerderError>>,
    /// True: calls never end.
    pub(super) stuck: bool,
}

impl Stub {
    async fn call<T>(&self, line: String, answer: T) -> HerderResult<T> {
        self.calls.lock().unwrap().push(line);
        if self.stuck {
            return std::future::pending().await;
        }
        match self.refusal.lock().unwrap().clone() {
            Some(refusal) => Err(refusal),
            None => Ok(answer),
        }
    }

    pub(super) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

fn info(name: &str, config: Properties) -> ConnectorInfo {
    ConnectorInfo { name: name.to_owned(), config, tasks: vec![], kind: ConnectorKind::Sink }
}

fn state() -> StateInfo {
    StateInfo { state: State::Running, worker_id: "w:1".to_owned(), trace: None, version: None }
}

fn states(name: &str) -> ConnectorStateInfo {
    ConnectorStateInfo { name: name.to_owned(), connector: state(), tasks: vec![], kind: ConnectorKind::Sink }
}

fn text(config: &Properties) -> String {
    serde_json::to_string(config).unwrap()
}

#[async_trait]
impl Herder for Stub {
    fn reader(&self) -> &dyn HerderReader {
        self
    }
    fn is_ready(&self) -> bool {
        true
    }
    fn stage(&self) -> Option<Stage> {
        let started = std::time::UNIX_EPOCH;
        self.stuck.then(|| Stage { description: "thinking".to_owned(), started, completed: None })
    }
    async fn health_check(&self) -> HerderResult<()> {
        self.call("health".to_owned(), ()).await
    }
    async fn put_connector_config(
        &self,
        connector: &str,
        config: Properties,
        target: Option<TargetState>,
        replace: bool,
    ) -> HerderResult<Created<ConnectorInfo>> {
        let line = format!("put {connector} {} {target:?} {replace}", text(&config));
        self.call(line, Created { created: true, result: info(connector, config) }).await
    }
    async fn patch_connector_config(
        &self,
        connector: &str,
        patch: Properties,
    ) -> HerderResult<Created<ConnectorInfo>> {
        let line = format!("patch {connector} {}", text(&patch));
        self.call(line, Created { created: false, result: info(connector, patch) }).await
    }
    async fn delete_connector(&self, connector: &str) -> HerderResult<()> {
        self.call(format!("delete {connector}"), ()).await
    }
    async fn request_task_reconfiguration(&self, _: &str) {}
    async fn put_task_configs(
        &self,
        connector: &str,
        configs: Vec<ConfigMap>,
        signature: Option<InternalRequestSignature>,
    ) -> HerderResult<()> {
        let signature = signature.map(|s| (s.algorithm, s.signature, s.body.len()));
        self.call(format!("put tasks {connector} {configs:?} {signature:?}"), ()).await
    }
    async fn fence_zombies(
        &self,
        connector: &str,
        signature: Option<InternalRequestSignature>,
    ) -> HerderResult<()> {
        self.call(format!("fence {connector} {}", signature.is_some()), ()).await
    }
    async fn restart_connector(&self, connector: &str) -> HerderResult<()> {
        self.call(format!("restart {connector}"), ()).await
    }
    async fn restart_task(&self, connector: &str, task: usize) -> HerderResult<()> {
        self.call(format!("restart {connector}-{task}"), ()).await
    }
    async fn restart_connector_and_tasks(&self, request: RestartRequest) -> HerderResult<ConnectorStateInfo> {
        let RestartRequest { connector, only_failed, include_tasks } = request;
        self.call(format!("restart {connector} {only_failed} {include_tasks}"), states(&connector)).await
    }
    async fn pause_connector(&self, connector: &str) -> HerderResult<()> {
        self.call(format!("pause {connector}"), ()).await
    }
    async fn resume_connector(&self, connector: &str) -> HerderResult<()> {
        self.call(format!("resume {connector}"), ()).await
    }
    async fn stop_connector(&self, connector: &str) -> HerderResult<()> {
        self.call(format!("stop {connector}"), ()).await
    }
    async fn alter_connector_offsets(
        &self,
        connector: &str,
        offsets: ConnectorOffsets,
    ) -> HerderResult<String> {
        let line = format!("alter {connector} {}", serde_json::to_string(&offsets).unwrap());
        self.call(line, "altered".to_owned()).await
    }
    async fn reset_connector_offsets(&self, connector: &str) -> HerderResult<String> {
        self.call(format!("reset {connector}"), "reset".to_owned()).await
    }
    async fn set_cluster_logger_level(&self, namespace: &str, level: &str) -> HerderResult<()> {
        self.call(format!("level {namespace} {level}"), ()).await
    }
}

#[async_trait]
impl HerderReader for Stub {
    async fn kafka_cluster_id(&self) -> HerderResult<String> {
        self.call("id".to_owned(), "cluster".to_owned()).await
    }
    async fn connectors(&self) -> HerderResult<Vec<String>> {
        self.call("connectors".to_owned(), vec!["c".to_owned()]).await
    }
    async fn connector_info(&self, connector: &str) -> HerderResult<ConnectorInfo> {
        self.call(format!("info {connector}"), info(connector, Properties::new())).await
    }
    async fn connector_config(&self, connector: &str) -> HerderResult<Properties> {
        self.call(format!("config {connector}"), Properties::new()).await
    }
    async fn task_configs(&self, connector: &str) -> HerderResult<Vec<TaskInfo>> {
        self.call(format!("tasks {connector}"), vec![]).await
    }
    async fn connector_status(&self, connector: &str) -> HerderResult<ConnectorStateInfo> {
        self.call(format!("status {connector}"), states(connector)).await
    }
    async fn task_status(&self, connector: &str, task: usize) -> HerderResult<TaskStateInfo> {
        self.call(format!("status {connector}-{task}"), TaskStateInfo { id: task, state: state() }).await
    }
    async fn connector_offsets(&self, connector: &str) -> HerderResult<ConnectorOffsets> {
        self.call(format!("offsets {connector}"), ConnectorOffsets::default()).await
    }
    async fn connector_active_topics(&self, connector: &str) -> HerderResult<ActiveTopics> {
        let topics = ActiveTopics { connector: connector.to_owned(), topics: vec!["t".to_owned()] };
        self.call(format!("topics {connector}"), topics).await
    }
    async fn reset_connector_active_topics(&self, connector: &str) -> HerderResult<()> {
        self.call(format!("reset topics {connector}"), ()).await
    }
    fn connector_plugins(&self, connectors_only: bool) -> Vec<PluginInfo> {
        let kind = if connectors_only { "sink" } else { "predicate" };
        vec![PluginInfo { class: "P".to_owned(), kind: kind.to_owned(), version: None }]
    }
    async fn connector_plugin_config(&self, plugin: &str) -> HerderResult<Vec<ConfigKeyInfo>> {
        self.call(format!("plugin {plugin}"), vec![]).await
    }
    async fn validate(&self, config: Properties) -> HerderResult<ConfigInfos> {
        let infos = ConfigInfos { name: "P".to_owned(), error_count: 0, groups: vec![], configs: vec![] };
        self.call(format!("validate {}", text(&config)), infos).await
    }
    fn all_logger_levels(&self) -> LoggerLevels {
        LoggerLevels::new()
    }
    fn logger_level(&self, logger: &str) -> Option<LoggerLevel> {
        (logger == "root").then(|| LoggerLevel { level: "INFO".to_owned(), last_modified: None })
    }
    fn set_worker_logger_level(&self, namespace: &str, level: &str) -> Vec<String> {
        vec![format!("{namespace}={level}")]
    }
}
