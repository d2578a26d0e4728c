//! The connector of both test plugins: divides, watches `tasks.file`, fails and reports as its settings say.

use std::time::Duration;

use connect_api::config_def::ValidatedValue;
use connect_api::{ConfigMap, ConnectError, Connector, ConnectorContext, ConnectorOffset, async_trait};
use tokio::task::JoinHandle;

use super::events::{Events, TASK_ID};
use super::fault::Fault;
use super::keys::{NUM_TASKS, TASKS_FILE};

/// Time between two looks at `tasks.file`.
const LOOK: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct TestConnector {
    config: ConfigMap,
    events: Events,
    fault: Fault,
    watch: Option<JoinHandle<()>>,
}

/// The number of tasks that the settings want, whatever the worker allows.
fn wanted_tasks(config: &ConfigMap) -> Option<usize> {
    let text = match config.get(TASKS_FILE) {
        Some(file) => std::fs::read_to_string(file).ok(),
        None => config.get(NUM_TASKS).cloned(),
    };
    text.and_then(|text| text.trim().parse().ok())
}

#[async_trait]
impl Connector for TestConnector {
    async fn start(&mut self, context: ConnectorContext, config: ConfigMap) -> Result<(), ConnectError> {
        self.events = Events::of(&config);
        self.fault = Fault::of(&config)?;
        self.events.write("connector.start", []);
        self.fault.strike("connector.start").await?;
        if config.contains_key(TASKS_FILE) {
            let config = config.clone();
            let mut known = wanted_tasks(&config);
            self.watch = Some(tokio::spawn(async move {
                loop {
                    tokio::time::sleep(LOOK).await;
                    let wanted = wanted_tasks(&config);
                    if wanted.is_some() && wanted != known {
                        known = wanted;
                        context.request_task_reconfiguration();
                    }
                }
            }));
        }
        self.config = config;
        Ok(())
    }

    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>, ConnectError> {
        self.events.write("taskConfigs", [("max", max_tasks.into())]);
        self.fault.strike("taskConfigs").await?;
        let tasks = wanted_tasks(&self.config).unwrap_or(max_tasks);
        let numbered = |id: usize| {
            let mut config = self.config.clone();
            config.insert(TASK_ID.to_owned(), id.to_string());
            config
        };
        Ok((0..tasks).map(numbered).collect())
    }

    async fn stop(&mut self) -> Result<(), ConnectError> {
        self.events.write("connector.stop", []);
        if let Some(watch) = self.watch.take() {
            watch.abort();
        }
        self.fault.strike("connector.stop").await
    }
}

/// Both plugins' `validate`: an error that is wanted shows at the key `fault`.
pub(super) fn validate(config: &ConfigMap, values: &mut [ValidatedValue]) {
    let Err(error) = Fault::of(config).and_then(|fault| fault.strike_now("validate")) else {
        return;
    };
    if let Some(value) = values.iter_mut().find(|value| value.name == "fault" && value.errors.is_empty()) {
        value.errors.push(error.to_string());
    }
}

/// Both plugins' `alter_offsets`: any offset is fine.
pub(super) async fn alter_offsets(
    config: &ConfigMap,
    offsets: &[ConnectorOffset],
) -> Result<bool, ConnectError> {
    Events::of(config).write("alterOffsets", [("offsets", offsets.len().into())]);
    Fault::of(config)?.strike("alterOffsets").await?;
    Ok(true)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_are_as_many_as_the_file_says_and_changes_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let [tasks, events] = ["tasks", "events"].map(|name| folder.path().join(name));
        std::fs::write(&tasks, "2\n").unwrap();
        let config = ConfigMap::from([
            (TASKS_FILE.to_owned(), tasks.to_str().unwrap().to_owned()),
            ("events.file".to_owned(), events.to_str().unwrap().to_owned()),
            ("name".to_owned(), "c".to_owned()),
        ]);
        let (errors, _raised) = tokio::sync::mpsc::unbounded_channel();
        let context = ConnectorContext { reconfigure: Default::default(), errors };
        let mut connector = TestConnector::default();
        connector.start(context.clone(), config.clone()).await.unwrap();
        assert_eq!(connector.task_configs(1).await.unwrap().len(), 2);
        std::fs::write(&tasks, "5").unwrap();
        tokio::time::timeout(Duration::from_secs(20), context.reconfigure.notified()).await.unwrap();
        let configs = connector.task_configs(1).await.unwrap();
        assert_eq!((configs.len(), configs[4][TASK_ID].as_str()), (5, "4"));
        connector.stop().await.unwrap();
        let said = std::fs::read_to_string(&events).unwrap();
        let said: Vec<serde_json::Value> =
            said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let names: Vec<_> = said.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(names, ["connector.start", "taskConfigs", "taskConfigs", "connector.stop"]);
        assert!(said.iter().all(|event| event["connector"] == "c" && event["task"].is_null()));
    }
}
