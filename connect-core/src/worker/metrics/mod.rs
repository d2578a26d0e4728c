//! Figures of the worker, under the names of Connect's JMX beans, rendered as Prometheus text.

mod render;
mod sampled;
mod task;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use connect_api::ConnectorType;

pub(crate) use self::render::{Lines, Page};
pub(crate) use self::sampled::Windows;
pub(crate) use self::task::{ErrorMetrics, TaskMetrics, TaskState};
use crate::ids::TaskId;

/// Starts, of connectors or of tasks.
#[derive(Debug, Default)]
struct Starts {
    attempts: AtomicU64,
    successes: AtomicU64,
    failures: AtomicU64,
}

/// Facts that are shown of a connector.
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

/// Name of the program (`app-info`), and number of figures, these included (`kafka-metrics-count`).
pub(crate) fn about(version: &str, commit: &str, start: SystemTime, others: &str) -> String {
    let mut page = Page::default();
    let mut lines = page.labelled(Vec::new());
    lines.group("app-info");
    lines.text("version", version);
    lines.text("commit-id", commit);
    let millis = start.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    lines.gauge("start-time-ms", millis as f64);
    lines.group("kafka-metrics-count");
    let own = 4;
    let others = others.lines().filter(|line| !line.starts_with('#')).count();
    lines.gauge("count", (own + others) as f64);
    page.finish()
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
            TaskState::Restarting,
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
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_worker_says_who_it_is() {
        let page = about("1.2", "abc", UNIX_EPOCH + Duration::from_millis(77), "# TYPE a gauge\na 1\na 2\n");
        for line in [
            "kafka_connect_app_info_version{version=\"1.2\"} 1\n",
            "kafka_connect_app_info_commit_id{commit_id=\"abc\"} 1\n",
            "kafka_connect_app_info_start_time_ms 77\n",
            "kafka_connect_kafka_metrics_count_count 6\n",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
        assert_eq!(page.lines().filter(|line| !line.starts_with('#')).count(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sink_counts_what_it_was_given_and_what_is_not_committed() {
        let metrics = Metrics::new(Windows { window: Duration::from_secs(30), samples: 2 });
        let task = metrics.task(&TaskId { connector: "c".to_owned(), task: 0 }, ConnectorType::Sink);
        // Of ten, four were left; two offsets are not committed yet.
        task.taken.add(10);
        task.put(4, Duration::from_millis(5));
        task.put(0, Duration::from_millis(1));
        task.set_active(2);
        let page = metrics.prometheus();
        for line in [
            "kafka_connect_sink_task_metrics_sink_record_read_total{connector=\"c\",task=\"0\"} 10\n",
            "kafka_connect_sink_task_metrics_sink_record_send_total{connector=\"c\",task=\"0\"} 4\n",
            "kafka_connect_sink_task_metrics_sink_record_active_count{connector=\"c\",task=\"0\"} 2\n",
            "kafka_connect_connector_task_metrics_batch_size_avg{connector=\"c\",task=\"0\"} 2\n",
            "kafka_connect_sink_task_metrics_put_batch_max_time_ms{connector=\"c\",task=\"0\"} 5\n",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
    }

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
            "kafka_connect_connect_worker_metrics_connector_restarting_task_count{connector=\"c\"} 0\n",
            "kafka_connect_connector_metrics_connector_class{connector=\"c\",connector_class=\"x.\\\"Y\\\"\"} 1\n",
            "kafka_connect_connect_worker_metrics_connector_startup_success_percentage 1\n",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
        metrics.forget_task(&TaskId { connector: "c".to_owned(), task: 1 });
        assert!(!metrics.prometheus().contains("task=\"1\""));
    }
}
