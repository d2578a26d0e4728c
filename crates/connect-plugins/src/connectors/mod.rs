//! The built-in connectors: `file` for use, `tools` and `testing` for tests of workers.

use std::sync::Arc;

use connect_api::ConnectorPlugin;

pub mod file;
pub mod testing;
pub mod tools;

/// Environment variable that adds [`test_plugins`] to a worker when it is `1` or `true`.
pub const TEST_PLUGINS_VARIABLE: &str = "CONNECT_TEST_PLUGINS";

/// Those that every worker has.
pub fn plugins() -> Vec<Arc<dyn ConnectorPlugin>> {
    vec![Arc::new(file::FileStreamSource), Arc::new(file::FileStreamSink)]
}

/// Those made only for tests of workers: Kafka's `org.apache.kafka.connect.tools`, which its release leaves out too, and
/// connectors that fail on demand and report what happens to them.
pub fn test_plugins() -> Vec<Arc<dyn ConnectorPlugin>> {
    vec![
        Arc::new(tools::VerifiableSource),
        Arc::new(tools::VerifiableSink),
        Arc::new(tools::SchemaSource),
        Arc::new(tools::MockSource),
        Arc::new(tools::MockSink),
        Arc::new(testing::TestSource),
        Arc::new(testing::TestSink),
    ]
}

/// [`plugins`], with [`test_plugins`] if the value of [`TEST_PLUGINS_VARIABLE`] asks for them. Executables call it.
pub fn plugins_for(variable: Option<&str>) -> Vec<Arc<dyn ConnectorPlugin>> {
    let mut all = plugins();
    if matches!(variable, Some("1" | "true")) {
        all.extend(test_plugins());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_plugins_are_there_only_on_demand() {
        let count = |variable| plugins_for(variable).len();
        assert_eq!((count(None), count(Some("0")), count(Some("1"))), (2, 2, 9));
        for plugin in plugins_for(Some("true")) {
            let (class, task) = (plugin.class(), plugin.task_class());
            assert!(class.ends_with("Connector") && task.ends_with("Task"), "{class} {task}");
            let kind = match plugin.task() {
                connect_api::Task::Source(_) | connect_api::Task::Batches(_) => {
                    connect_api::ConnectorType::Source
                }
                connect_api::Task::Sink(_) => connect_api::ConnectorType::Sink,
            };
            assert_eq!(plugin.kind(), kind, "{class}");
        }
    }
}
