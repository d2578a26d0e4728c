//! What the worker counts, under the names of Connect's JMX beans, rendered as Prometheus text.

mod render;
mod sampled;
mod task;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connect_api::ConnectorType;

pub(crate) use self::render::{Lines, Page};
pub(crate) use self::sampled::Windows;
pub(crate) use self::task::{ErrorMetrics, TaskMetrics, TaskState};
use super::TaskId;

/// Starts, of connectors or of tasks.
#[derive(Debug, Default)]
struct Starts {
    attempts: AtomicU64,
    successes: AtomicU64,
    failures: AtomicU64,
}

/// What is shown of a connector.
#[derive(Debug, Clone)]
pub(crate) struct ConnectorFacts {
    pub(crate) kind: ConnectorType,
    pub(crate) class: String,
    pub(crate) version: String,
    pub(crate) status: &'static str,
}

#[derive(Debug, Default)]
struct Registry {
    connectors: BTreeMap<String, ConnectorFacts>,
    tasks: BTreeMap<TaskId, Arc<TaskMetrics>>,
}

/// All metrics of a worker.
#[derive(Debug)]
pub struct Metrics {
    windows: Windows,
    connector_starts: Starts,
    task_starts: Starts,
    registry: Mutex<Registry>,
}

impl Metrics {
    pub(crate) fn new(windows: Windows) -> Self {
        Self {
            windows,
            connector_starts: Starts::default(),
            task_starts: Starts::default(),
            registry: Mutex::default(),
        }
    }

    /// Everything in Prometheus' text format.
    pub fn prometheus(&self) -> String {
        let registry = self.registry();
        let mut page = Page::default();
        let mut lines = page.labelled(Vec::new());
        lines.group("connect-worker-metrics");
        lines.gauge("connector-count", registry.connectors.len() as f64);
        lines.gauge("task-count", registry.tasks.len() as f64);
        self.connector_starts.write(&mut lines, "connector");
        self.task_starts.write(&mut lines, "task");
        for (name, facts) in &registry.connectors {
            let mut lines = page.labelled(vec![("connector", name.clone())]);
            lines.group("connector-metrics");
            lines.text("status", facts.status);
            lines.text("connector-type", facts.kind.name());
            lines.text("connector-class", &facts.class);
            lines.text("connector-version", &facts.version);
            registry.write_task_states(&mut lines, name);
        }
        for (id, task) in &registry.tasks {
            let labels = vec![("connector", id.connector.clone()), ("task", id.task.to_string())];
            task.write(&mut page.labelled(labels));
        }
        page.finish()
    }

    pub(crate) fn connector(&self, name: &str, facts: ConnectorFacts) {
        self.registry().connectors.insert(name.to_owned(), facts);
    }

    pub(crate) fn connector_status(&self, name: &str, status: &'static str) {
        if let Some(facts) = self.registry().connectors.get_mut(name) {
            facts.status = status;
        }
    }

    pub(crate) fn forget_connector(&self, name: &str) {
        self.registry().connectors.remove(name);
    }

    pub(crate) fn task(&self, id: &TaskId, kind: ConnectorType) -> Arc<TaskMetrics> {
        let metrics = Arc::new(TaskMetrics::new(kind, self.windows));
        self.registry().tasks.insert(id.clone(), metrics.clone());
        metrics
    }

    pub(crate) fn forget_task(&self, id: &TaskId) {
        self.registry().tasks.remove(id);
    }

    /// A connector was to start, with or without success.
    pub(crate) fn connector_started(&self, success: bool) {
        self.connector_starts.count(success);
    }

    /// A task was to start, with or without success.
    pub(crate) fn task_started(&self, success: bool) {
        self.task_starts.count(success);
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    fn write_task_states(&self, lines: &mut Lines<'_>, connector: &str) {
        lines.group("connect-worker-metrics");
        let states: Vec<TaskState> = self
            .tasks
            .iter()
            .filter(|(id, _)| id.connector == connector)
            .map(|(_, task)| task.state())
            .collect();
        lines.gauge("connector-total-task-count", states.len() as f64);
        let kinds = [
            TaskState::Running,
            TaskState::Paused,
            TaskState::Failed,
            TaskState::Unassigned,
            TaskState::Destroyed,
        ];
        for kind in kinds {
            let count = states.iter().filter(|state| **state == kind).count();
            lines.gauge(&format!("connector-{}-task-count", kind.name()), count as f64);
        }
    }
}

impl Starts {
    fn count(&self, success: bool) {
        self.attempts.fetch_add(1, Relaxed);
        if success { &self.successes } else { &self.failures }.fetch_add(1, Relaxed);
    }

    fn write(&self, lines: &mut Lines<'_>, what: &str) {
        let [attempts, successes, failures] =
            [&self.attempts, &self.successes, &self.failures].map(|counter| counter.load(Relaxed));
        lines.counter(&format!("{what}-startup-attempts-total"), attempts);
        lines.counter(&format!("{what}-startup-success-total"), successes);
        lines.counter(&format!("{what}-startup-failure-total"), failures);
        let share = |count: u64| if attempts == 0 { 0.0 } else { count as f64 / attempts as f64 };
        lines.gauge(&format!("{what}-startup-success-percentage"), share(successes));
        lines.gauge(&format!("{what}-startup-failure-percentage"), share(failures));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_page_has_connects_names() {
        let metrics = Metrics::new(Windows { window: Duration::from_secs(30), samples: 2 });
        let facts = ConnectorFacts {
            kind: ConnectorType::Source,
            class: "x.\"Y\"".to_owned(),
            version: "1".to_owned(),
            status: "running",
        };
        metrics.connector("c", facts);
        metrics.connector_started(true);
        let task = metrics.task(&TaskId { connector: "c".to_owned(), task: 1 }, ConnectorType::Source);
        task.set_state(TaskState::Running);
        task.batch(10);
        task.finished(4);
        tokio::time::advance(Duration::from_secs(5)).await;
        task.set_state(TaskState::Paused);
        tokio::time::advance(Duration::from_secs(5)).await;
        let page = metrics.prometheus();
        for line in [
            "# TYPE kafka_connect_source_task_metrics_source_record_poll_total counter\n\
             kafka_connect_source_task_metrics_source_record_poll_total{connector=\"c\",task=\"1\"} 10\n",
            "kafka_connect_source_task_metrics_source_record_active_count{connector=\"c\",task=\"1\"} 6\n",
            "kafka_connect_connector_task_metrics_running_ratio{connector=\"c\",task=\"1\"} 0.5\n",
            "kafka_connect_connector_task_metrics_status{connector=\"c\",task=\"1\",status=\"paused\"} 1\n",
            "kafka_connect_connect_worker_metrics_connector_paused_task_count{connector=\"c\"} 1\n",
            "kafka_connect_connector_metrics_connector_class{connector=\"c\",connector_class=\"x.\\\"Y\\\"\"} 1\n",
            "kafka_connect_connect_worker_metrics_connector_startup_success_percentage 1\n",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
        metrics.forget_task(&TaskId { connector: "c".to_owned(), task: 1 });
        assert!(!metrics.prometheus().contains("task=\"1\""));
    }
}
