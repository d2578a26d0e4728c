//! Which connectors this worker can make: native implementations, found by the names of their Java classes.

use crate::api::SourceConnector;

/// One kind of connector.
pub struct Plugin {
    /// Java's class name, as `connector.class` names it.
    pub class: &'static str,
    /// Java's class name of its tasks, as `task.class` of task configurations names it.
    pub task_class: &'static str,
    /// Version, as statuses show it.
    pub version: String,
    /// Makes a connector, not yet started.
    pub create: Box<dyn Fn() -> Box<dyn SourceConnector> + Send + Sync>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plugin({} {})", self.class, self.version)
    }
}

/// All kinds of connectors.
#[derive(Debug)]
pub struct Plugins(Vec<Plugin>);

impl Plugins {
    /// The kinds given.
    pub fn new(plugins: Vec<Plugin>) -> Self {
        Self(plugins)
    }

    /// The kind that `connector.class` means: the class name, its last part, or that without `Connector`.
    pub fn find(&self, class: &str) -> Option<&Plugin> {
        let means = |plugin: &&Plugin| {
            let simple = plugin.class.rsplit('.').next().unwrap_or(plugin.class);
            plugin.class == class || simple == class || simple.strip_suffix("Connector") == Some(class)
        };
        self.0.iter().find(means)
    }

    /// All class names, for messages.
    pub fn classes(&self) -> String {
        self.0.iter().map(|p| p.class).collect::<Vec<_>>().join(", ")
    }
}
