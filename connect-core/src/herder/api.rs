//! The herder as the REST interface sees it, whichever kind it is: the distributed one, the standalone one, or a small one
//! in a test. Names are those of Java's `Herder`; waiting limits are REST's business, so nothing here has one.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::answers::HerderError;
use crate::answers::{
    ActiveTopics, ConfigInfos, ConfigKeyInfo, ConnectorInfo, ConnectorOffsets, ConnectorStateInfo, Created,
    InternalRequestSignature, LoggerLevel, LoggerLevels, PluginInfo, Stage, TaskInfo, TaskStateInfo,
};
use crate::api::ConfigMap;
use crate::ids::TargetState;
use crate::storage::Properties;
use crate::storage::RestartRequest;

/// An answer of a herder.
pub type HerderResult<T> = Result<T, HerderError>;

/// The part of a herder that needs neither its thread nor another worker: it looks at the configurations, statuses, plugins and
/// loggers that this worker knows, and besides forgets topics and sets levels of its own loggers. Never waits for a rebalance.
/// [`Reader`](super::reader::Reader) answers for every herder.
#[async_trait]
pub trait HerderReader: Send + Sync {
    /// Id of the Kafka cluster of `bootstrap.servers`.
    async fn kafka_cluster_id(&self) -> HerderResult<String>;

    /// Names of all connectors, sorted. A local snapshot: never waits for a rebalance.
    async fn connectors(&self) -> HerderResult<Vec<String>>;

    /// A connector with its configuration and tasks, or [`HerderError::NotFound`].
    async fn connector_info(&self, connector: &str) -> HerderResult<ConnectorInfo>;

    /// A connector's configuration as stored, variables unresolved.
    async fn connector_config(&self, connector: &str) -> HerderResult<Properties>;

    /// A connector's tasks with their configurations.
    async fn task_configs(&self, connector: &str) -> HerderResult<Vec<TaskInfo>>;

    /// The configurations of a connector's tasks by `<connector>-<n>` (`GET /connectors/{c}/tasks-config`, deprecated).
    async fn tasks_config(&self, connector: &str) -> HerderResult<BTreeMap<String, Properties>> {
        let tasks = self.task_configs(connector).await?;
        Ok(tasks.into_iter().map(|task| (task.id.to_string(), task.config)).collect())
    }

    /// A connector's status and that of its tasks; not found while nobody ever recorded one.
    async fn connector_status(&self, connector: &str) -> HerderResult<ConnectorStateInfo>;

    /// A task's status.
    async fn task_status(&self, connector: &str, task: usize) -> HerderResult<TaskStateInfo>;

    /// Current offsets of a connector.
    async fn connector_offsets(&self, connector: &str) -> HerderResult<ConnectorOffsets>;

    /// Topics that a connector has used; none for an unknown one. Whether tracking is on is REST's question.
    async fn connector_active_topics(&self, connector: &str) -> HerderResult<ActiveTopics>;

    /// Forgets the topics that a connector has used.
    async fn reset_connector_active_topics(&self, connector: &str) -> HerderResult<()>;

    /// The plugins: sinks, sources, then unless `connectors_only` transformations, predicates, converters, header converters.
    fn connector_plugins(&self, connectors_only: bool) -> Vec<PluginInfo>;

    /// The keys that a plugin of any kind defines.
    async fn connector_plugin_config(&self, plugin: &str) -> HerderResult<Vec<ConfigKeyInfo>>;

    /// Checks a connector's configuration; wrong values are part of the answer, not errors.
    async fn validate(&self, config: Properties) -> HerderResult<ConfigInfos>;

    /// All loggers with a level of their own.
    fn all_logger_levels(&self) -> LoggerLevels;

    /// One logger; `None` when nobody ever named it.
    fn logger_level(&self, logger: &str) -> Option<LoggerLevel>;

    /// Sets the level of a logger and of those below it in this worker; the names of those that changed, sorted. The level was
    /// checked before.
    fn set_worker_logger_level(&self, namespace: &str, level: &str) -> Vec<String>;
}

/// A herder, as REST sees it. Every call may be dropped while it waits: what was begun is then finished without being told.
/// "Privileged" methods answer [`HerderError::NotLeader`] on a worker that is not the leader, before anything is done.
#[async_trait]
pub trait Herder: Send + Sync {
    /// Answers everything that needs neither the herder's thread nor another worker.
    fn reader(&self) -> &dyn HerderReader;

    /// True once start-up is complete: in distributed mode after the first tick, in standalone mode when the connectors of the
    /// command line were created. Never waits.
    fn is_ready(&self) -> bool;

    /// Work that the herder's thread does, or did last, for the text of a time-out. Never waits.
    fn stage(&self) -> Option<Stage>;

    /// Returns when the herder's thread has come round once more.
    async fn health_check(&self) -> HerderResult<()>;

    /// Validates and stores a configuration (privileged). `target`: the state to begin with, only for a new connector.
    /// Without `allow_replace` an existing connector is [`HerderError::AlreadyExists`].
    async fn put_connector_config(
        &self,
        connector: &str,
        config: Properties,
        target: Option<TargetState>,
        allow_replace: bool,
    ) -> HerderResult<Created<ConnectorInfo>>;

    /// Changes some keys of an existing configuration; a null value removes the key (privileged).
    async fn patch_connector_config(
        &self,
        connector: &str,
        patch: Properties,
    ) -> HerderResult<Created<ConnectorInfo>>;

    /// Deletes a connector (privileged).
    async fn delete_connector(&self, connector: &str) -> HerderResult<()>;

    /// Has the connector divide its work anew. Returns at once; what fails is tried again later.
    async fn request_task_reconfiguration(&self, connector: &str);

    /// Task configurations that a follower has from its connector instance (privileged; internal). The herder checks the
    /// signature, before it looks for the connector.
    async fn put_task_configs(
        &self,
        connector: &str,
        configs: Vec<ConfigMap>,
        signature: Option<InternalRequestSignature>,
    ) -> HerderResult<()>;

    /// Fences out earlier generations of a source connector's tasks (privileged; internal). As for the signature see
    /// [`Herder::put_task_configs`].
    async fn fence_zombies(
        &self,
        connector: &str,
        signature: Option<InternalRequestSignature>,
    ) -> HerderResult<()>;

    /// Restarts the connector instance alone; may answer [`HerderError::NotAssigned`] with the owner.
    async fn restart_connector(&self, connector: &str) -> HerderResult<()>;

    /// Restarts one task; may answer [`HerderError::NotAssigned`] with the owner.
    async fn restart_task(&self, connector: &str, task: usize) -> HerderResult<()>;

    /// Restarts the connector and tasks that the request chooses (privileged, KIP-745); answers with the chosen ones
    /// shown RESTARTING.
    async fn restart_connector_and_tasks(&self, request: RestartRequest) -> HerderResult<ConnectorStateInfo>;

    /// Sets the target state PAUSED; on any worker.
    async fn pause_connector(&self, connector: &str) -> HerderResult<()>;

    /// Sets the target state STARTED; on any worker.
    async fn resume_connector(&self, connector: &str) -> HerderResult<()>;

    /// Publishes an empty set of tasks and the target state STOPPED (privileged).
    async fn stop_connector(&self, connector: &str) -> HerderResult<()>;

    /// Changes offsets of a stopped connector (privileged); the answer is the message for the client.
    async fn alter_connector_offsets(
        &self,
        connector: &str,
        offsets: ConnectorOffsets,
    ) -> HerderResult<String>;

    /// Forgets all offsets of a stopped connector (privileged); the answer is the message for the client.
    async fn reset_connector_offsets(&self, connector: &str) -> HerderResult<String>;

    /// Has every worker set a level. The level is stored as given.
    async fn set_cluster_logger_level(&self, namespace: &str, level: &str) -> HerderResult<()>;
}
