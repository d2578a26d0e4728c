//! `MockSourceConnector` and `MockSinkConnector`: carry no data. With `mock_mode` = `connector-failure` the connector fails,
//! with `task-failure` its one task, in both cases `delay_ms` (default 15000) after the start.

use std::time::Duration;

use connect_api::helpers;
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Connector, ConnectorContext, ConnectorPlugin, ConnectorType,
    SinkRecord, SinkTask, SinkTaskContext, SourceRecord, SourceTask, SourceTaskContext, Task, async_trait,
};
use tokio::task::JoinHandle;
use tokio::time::Instant;

const CONNECTOR_FAILURE: &str = "connector-failure";
const TASK_FAILURE: &str = "task-failure";
const DEFAULT_DELAY: Duration = Duration::from_millis(15_000);

/// Time after its start at which this part fails; `None`: never.
fn delay(config: &ConfigMap, mode: &str) -> Result<Option<Duration>, ConnectError> {
    if config.get("mock_mode").map(String::as_str) != Some(mode) {
        return Ok(None);
    }
    let delay = if config.contains_key("delay_ms") {
        Duration::from_millis(super::number(config, "delay_ms", "MockConnector")?)
    } else {
        DEFAULT_DELAY
    };
    Ok(Some(delay))
}

fn failure(what: &str) -> ConnectError {
    ConnectError::of("java.lang.RuntimeException", format!("mock_mode made this {what} fail"))
}

macro_rules! plugin {
    ($plugin:ident, $task:ident, $kind:ident, $class:literal) => {
        #[doc = concat!("`org.apache.kafka.connect.tools.", $class, "Connector`.")]
        #[derive(Debug)]
        pub struct $plugin;

        impl ConnectorPlugin for $plugin {
            fn class(&self) -> &str {
                concat!("org.apache.kafka.connect.tools.", $class, "Connector")
            }

            fn task_class(&self) -> &str {
                concat!("org.apache.kafka.connect.tools.", $class, "Task")
            }

            fn kind(&self) -> ConnectorType {
                ConnectorType::$kind
            }

            fn config_def(&self) -> ConfigDef {
                ConfigDef::new()
            }

            fn connector(&self) -> Box<dyn Connector> {
                Box::<MockConnector>::default()
            }

            fn task(&self) -> Task {
                Task::$kind(Box::<$task>::default())
            }
        }
    };
}

plugin!(MockSource, MockSourceTask, Source, "MockSource");
plugin!(MockSink, MockSinkTask, Sink, "MockSink");

#[derive(Debug, Default)]
struct MockConnector {
    config: ConfigMap,
    timer: Option<JoinHandle<()>>,
}

#[async_trait]
impl Connector for MockConnector {
    async fn start(&mut self, context: ConnectorContext, config: ConfigMap) -> Result<(), ConnectError> {
        if let Some(delay) = delay(&config, CONNECTOR_FAILURE)? {
            self.timer = Some(tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                context.raise_error(failure("connector"));
            }));
        }
        self.config = config;
        Ok(())
    }

    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>, ConnectError> {
        helpers::one_task(&self.config, max_tasks)
    }

    async fn stop(&mut self) -> Result<(), ConnectError> {
        if let Some(timer) = self.timer.take() {
            timer.abort();
        }
        Ok(())
    }
}

/// `org.apache.kafka.connect.tools.MockSourceTask`.
#[derive(Debug, Default)]
pub struct MockSourceTask {
    fails_at: Option<Instant>,
}

#[async_trait]
impl SourceTask for MockSourceTask {
    async fn start(&mut self, _context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        self.fails_at = delay(&config, TASK_FAILURE)?.map(|delay| Instant::now() + delay);
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>, ConnectError> {
        match self.fails_at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
        Err(failure("task"))
    }
}

/// `org.apache.kafka.connect.tools.MockSinkTask`.
#[derive(Debug, Default)]
pub struct MockSinkTask {
    fails_at: Option<Instant>,
    context: SinkTaskContext,
}

#[async_trait]
impl SinkTask for MockSinkTask {
    async fn start(&mut self, context: SinkTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        let delay = delay(&config, TASK_FAILURE)?;
        self.fails_at = delay.map(|delay| Instant::now() + delay);
        self.context = context;
        self.ask_to_be_called(delay);
        Ok(())
    }

    async fn put(&mut self, _records: Vec<SinkRecord>) -> Result<(), ConnectError> {
        match self.fails_at {
            Some(at) if at <= Instant::now() => Err(failure("task")),
            Some(at) => {
                self.ask_to_be_called(Some(at - Instant::now()));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl MockSinkTask {
    /// Without records `put` would be called only when offsets are due.
    fn ask_to_be_called(&self, before: Option<Duration>) {
        if let Some(before) = before {
            self.context.with(|requests| requests.timeout = Some(before.min(Duration::from_millis(250))));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn config(mode: &str, delay: Option<&str>) -> ConfigMap {
        let mut config = ConfigMap::from([("mock_mode".to_owned(), mode.to_owned())]);
        config.extend(delay.map(|delay| ("delay_ms".to_owned(), delay.to_owned())));
        config
    }

    fn offsets() -> SourceTaskContext {
        helpers::MemoryOffsets::default().context()
    }

    #[tokio::test(start_paused = true)]
    async fn the_connector_fails_after_its_delay() {
        for (mode, delay, expected) in [
            (CONNECTOR_FAILURE, Some("300"), Some(300)),
            (CONNECTOR_FAILURE, None, Some(15_000)),
            (TASK_FAILURE, Some("300"), None),
        ] {
            let (errors, mut raised) = tokio::sync::mpsc::unbounded_channel();
            let context = ConnectorContext { reconfigure: Default::default(), errors };
            let mut connector = MockSource.connector();
            let begin = Instant::now();
            connector.start(context, config(mode, delay)).await.unwrap();
            assert_eq!(connector.task_configs(4).await.unwrap().len(), 1);
            let error = tokio::time::timeout(Duration::from_secs(60), raised.recv()).await.unwrap();
            assert_eq!(error.is_some(), expected.is_some());
            if let Some(expected) = expected {
                assert_eq!(begin.elapsed(), Duration::from_millis(expected));
                assert_eq!(error.unwrap().class(), "java.lang.RuntimeException");
            }
            connector.stop().await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn tasks_fail_after_their_delay() {
        let mut source = MockSourceTask::default();
        source.start(offsets(), config(TASK_FAILURE, Some("300"))).await.unwrap();
        let begin = Instant::now();
        assert!(source.poll().await.is_err());
        assert_eq!(begin.elapsed(), Duration::from_millis(300));

        let context = SinkTaskContext::default();
        let mut sink = MockSinkTask::default();
        sink.start(context.clone(), config(TASK_FAILURE, Some("300"))).await.unwrap();
        let mut waits = Vec::new();
        while sink.put(vec![]).await.is_ok() {
            let wait = context.with(|requests| requests.timeout.take()).unwrap();
            waits.push(wait.as_millis());
            tokio::time::sleep(wait).await;
        }
        assert_eq!(waits, [250, 50]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_mode_nothing_fails() {
        let mut source = MockSourceTask::default();
        source.start(offsets(), ConfigMap::new()).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_secs(99), source.poll()).await.is_err());
        let mut sink = MockSinkTask::default();
        sink.start(SinkTaskContext::default(), ConfigMap::new()).await.unwrap();
        sink.put(vec![]).await.unwrap();
        let error = source.start(offsets(), config(TASK_FAILURE, Some("x"))).await.unwrap_err();
        assert!(error.to_string().contains("delay_ms"), "{error}");
    }
}
