//! The replicator as a plugin of Connect: `io.confluent.connect.replicator.ReplicatorSourceConnector`. Executables register
//! it with [`plugin`]; the worker asks it for connectors and tasks, and for the way on which tasks write.

use std::sync::Arc;

use async_trait::async_trait;
use connect_core::api::config_def::ValidatedValue;
use connect_core::api::{
    ConfigDef, ConfigMap, ConnectError, Connector, ConnectorOffset, ConnectorPlugin, ConnectorType,
    ExactlyOnceSupport, Task,
};
use connect_core::plugins::Plugins;

use crate::config::{self, CONNECTOR_CLASS, Local};
use crate::connector::ReplicatorSourceConnector;
use crate::context::{Contexts, Network};
use crate::copy::task::CopyTask;
use crate::monitoring::MonitorHandle;
use crate::offsets;

/// The Java class of its tasks.
const TASK_CLASS: &str = "io.confluent.connect.replicator.ReplicatorSourceTask";

/// The byte converter's name in configurations of this connector, and its name in Connect.
const BYTE_CONVERTERS: (&str, &str) = (
    "io.confluent.connect.replicator.util.ByteArrayConverter",
    "org.apache.kafka.connect.converters.ByteArrayConverter",
);

/// The plugin, with the figures of all its connectors. `local` is what the executable's command line and files say
/// ([`ReplicatorConfig::local`]): it stands behind the configuration of the connector named `replicator`. Any other has all
/// it needs in its configuration.
pub fn plugin(
    local: Option<Local>,
    network: Network,
    version: &str,
) -> (Arc<ReplicatorPlugin>, MonitorHandle) {
    let contexts = Arc::new(Contexts::new(local, network));
    let monitors = contexts.monitors.clone();
    (Arc::new(ReplicatorPlugin { contexts, version: version.to_owned() }), monitors)
}

/// A worker's plugins with this one, and what its configurations mention.
pub fn register(plugins: Plugins, plugin: Arc<ReplicatorPlugin>) -> Plugins {
    plugins.with_connector(plugin).with_converter_name(BYTE_CONVERTERS.0, BYTE_CONVERTERS.1)
}

/// See the module.
pub struct ReplicatorPlugin {
    contexts: Arc<Contexts>,
    version: String,
}

impl std::fmt::Debug for ReplicatorPlugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReplicatorPlugin({})", self.version)
    }
}

#[async_trait]
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

    fn on_worker(&self, properties: &ConfigMap) {
        self.contexts.on_worker(properties);
    }

    fn config_def(&self) -> ConfigDef {
        config::definition(!self.contexts.has_local())
    }

    async fn validate(&self, config: &ConfigMap, values: &mut Vec<ValidatedValue>) {
        if let Err(error) = self.contexts.typed(config) {
            config::add_problems(values, &error);
        }
    }

    fn connector(&self) -> Box<dyn Connector> {
        Box::new(ReplicatorSourceConnector::new(self.contexts.clone()))
    }

    fn task(&self) -> Task {
        Task::Batches(Box::new(CopyTask::new(self.contexts.clone())))
    }

    async fn exactly_once_support(&self, _config: &ConfigMap) -> Option<ExactlyOnceSupport> {
        Some(ExactlyOnceSupport::Unsupported)
    }

    async fn alter_offsets(
        &self,
        config: &ConfigMap,
        offsets: &[ConnectorOffset],
    ) -> Result<bool, ConnectError> {
        let altered = offsets::alter::checked(offsets)?;
        let context = self.contexts.of(config)?;
        if context.config.offsets.commit_to_origin {
            offsets::alter::at_origin(&context, &altered).await?;
        }
        for partition in altered.keys() {
            context.history.forget(partition);
        }
        Ok(true)
    }
}
