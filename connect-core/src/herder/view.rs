//! What REST may see of the herder: snapshots that are always there at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::plugins::Plugins;
use crate::storage::{ConfigState, Properties, Status, StatusId, StatusStore};

/// Read access to connectors, configurations and statuses.
#[derive(Clone, Debug)]
pub struct HerderView {
    configs: watch::Receiver<Arc<ConfigState>>,
    statuses: StatusStore,
    plugins: Arc<Plugins>,
    ready: Arc<AtomicBool>,
}

/// A connector's configuration and its tasks'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorView {
    /// Connector name.
    pub name: String,
    /// Configuration as stored.
    pub config: Properties,
    /// Configurations of its tasks, 0 first.
    pub tasks: Vec<Properties>,
    /// `source`, or `unknown` when its class is.
    pub kind: &'static str,
}

impl HerderView {
    pub(super) fn new(
        configs: watch::Receiver<Arc<ConfigState>>,
        statuses: StatusStore,
        plugins: Arc<Plugins>,
        ready: Arc<AtomicBool>,
    ) -> Self {
        Self { configs, statuses, plugins, ready }
    }

    /// True when start-up has got as far as starting connectors.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Names of all connectors, sorted.
    pub fn connectors(&self) -> Vec<String> {
        self.configs.borrow().connectors().map(str::to_owned).collect()
    }

    /// A connector, `None` if there is none of this name.
    pub fn connector(&self, name: &str) -> Option<ConnectorView> {
        let configs = self.configs.borrow();
        let config = configs.connector(name)?;
        let class = config.get("connector.class").and_then(|class| class.as_deref());
        let known = class.and_then(|class| self.plugins.connector(class).ok());
        Some(ConnectorView {
            name: name.to_owned(),
            config: config.clone(),
            tasks: configs.tasks(name).into_iter().cloned().collect(),
            kind: known.map_or("unknown", |plugin| plugin.kind().name()),
        })
    }

    /// A connector's status, `None` if none was ever recorded.
    pub fn connector_status(&self, name: &str) -> Option<Status> {
        self.statuses.get(&StatusId::Connector(name.to_owned()))
    }

    /// The statuses of a connector's tasks, by number.
    pub fn task_statuses(&self, connector: &str) -> Vec<(usize, Status)> {
        self.statuses.tasks(connector)
    }

    /// A task's status, `None` if none was ever recorded.
    pub fn task_status(&self, connector: &str, task: usize) -> Option<Status> {
        self.statuses.get(&StatusId::Task(connector.to_owned(), task))
    }
}
