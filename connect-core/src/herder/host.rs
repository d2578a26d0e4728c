//! The life of one connector instance, by default on a thread of its own: start, divide the work whenever asked, stop. What it
//! does is told to its supervisor; a panic counts as a failure.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;
use tracing::error;

use crate::api::{ConfigMap, ConnectError, Connector, ConnectorContext, ConnectorPlugin, SourceTask, Task};
use crate::worker::StopSignal;
use crate::worker::executor::{Executor, panic_text};

const RETRY_MIN: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(60);

/// What a connector instance tells its supervisor.
pub(super) enum HostEvent {
    /// `start` has succeeded.
    Started,
    /// It failed, for good.
    Failed(String),
    /// The work, divided.
    Tasks(Vec<TaskPlan>),
    /// Its thread is about to end.
    Ended,
}

/// One task's share of the work.
pub(super) struct TaskPlan {
    pub(super) config: ConfigMap,
    pub(super) task: Box<dyn SourceTask>,
}

/// What an instance is made from.
pub(super) struct Instance {
    pub(super) name: String,
    pub(super) connector: Box<dyn Connector>,
    pub(super) plugin: Arc<dyn ConnectorPlugin>,
    pub(super) config: ConfigMap,
    pub(super) max_tasks: usize,
}

/// Starts it. The error is the system's when it has no thread to give.
pub(super) fn launch(
    executor: &Executor,
    instance: Instance,
    stop: StopSignal,
    events: mpsc::UnboundedSender<HostEvent>,
) -> std::io::Result<()> {
    let name = format!("connector-{}", instance.name);
    executor.run(
        name,
        {
            let events = events.clone();
            move || Box::pin(live(instance, stop, events))
        },
        move |outcome| {
            // A supervisor that is gone has no use for the news.
            if let Err(panic) = outcome {
                let _ = events.send(HostEvent::Failed(panic_text(&*panic)));
            }
            let _ = events.send(HostEvent::Ended);
        },
    )
}

async fn live(mut instance: Instance, stop: StopSignal, events: mpsc::UnboundedSender<HostEvent>) {
    let reconfigure = Arc::new(Notify::new());
    let (errors, mut raised) = mpsc::unbounded_channel();
    let context = ConnectorContext { reconfigure: reconfigure.clone(), errors };
    let outcome = tokio::select! {
        outcome = serve(&mut instance, context, &events) => outcome,
        Some(error) = raised.recv() => Err(error),
        () = stop.requested() => Ok(()),
    };
    if let Err(reason) = outcome {
        let _ = events.send(HostEvent::Failed(reason.to_string()));
    }
    if let Err(reason) = instance.connector.stop().await {
        error!(connector = %instance.name, "the connector did not stop cleanly: {reason}");
    }
}

async fn serve(
    instance: &mut Instance,
    context: ConnectorContext,
    events: &mpsc::UnboundedSender<HostEvent>,
) -> Result<(), ConnectError> {
    instance.connector.start(context.clone(), instance.config.clone()).await?;
    let _ = events.send(HostEvent::Started);
    loop {
        let plans = instance.divide().await?;
        let _ = events.send(HostEvent::Tasks(plans));
        context.reconfigure.notified().await;
    }
}

impl Instance {
    /// Divides the work; what fails is tried again with growing pauses, while the tasks there are go on.
    async fn divide(&mut self) -> Result<Vec<TaskPlan>, ConnectError> {
        let mut pause = RETRY_MIN;
        let configs = loop {
            match self.connector.task_configs(self.max_tasks).await {
                Ok(configs) => break configs,
                Err(reason) => {
                    error!(connector = %self.name, "cannot divide the work, trying again in {pause:?}: {reason}");
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(RETRY_MAX);
        };
        if configs.len() > self.max_tasks {
            return Err(ConnectError::new(format!(
                "connector '{}' made {} task configurations, but tasks.max allows {}",
                self.name,
                configs.len(),
                self.max_tasks
            )));
        }
        let plan = |mut config: ConfigMap| {
            config.insert("task.class".to_owned(), self.plugin.task_class().to_owned());
            match self.plugin.task() {
                Task::Source(task) => Ok(TaskPlan { config, task }),
                Task::Sink(_) => Err(ConnectError::new("sink connectors are not run here")),
            }
        };
        configs.into_iter().map(plan).collect()
    }
}
