//! Figures of one task: the groups connector-task-metrics, source-task-metrics or sink-task-metrics, and
//! task-error-metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connect_api::ConnectorType;
use tokio::time::Instant;

use super::render::Lines;
use super::sampled::{Sampled, Windows};

/// A task's state as `status` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskState {
    Unassigned,
    Running,
    Paused,
    Failed,
    Destroyed,
    /// Counted by Connect as a state of its own; here a restart is a stop and a start.
    Restarting,
}

impl TaskState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unassigned => "unassigned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Failed => "failed",
            Self::Destroyed => "destroyed",
            Self::Restarting => "restarting",
        }
    }
}

#[derive(Debug)]
struct States {
    state: TaskState,
    since: Instant,
    born: Instant,
    running: Duration,
    paused: Duration,
}

/// A number that only grows, with its rate.
#[derive(Debug)]
pub(crate) struct Meter {
    total: AtomicU64,
    recent: Sampled,
}

impl Meter {
    fn new(windows: Windows) -> Self {
        Self { total: AtomicU64::new(0), recent: Sampled::new(windows) }
    }

    pub(crate) fn add(&self, count: usize) {
        self.total.fetch_add(count as u64, Relaxed);
        self.recent.record(count as f64);
    }

    fn write(&self, lines: &mut Lines<'_>, name: &str) {
        lines.gauge(&format!("{name}-rate"), self.recent.totals().rate());
        lines.counter(&format!("{name}-total"), self.total.load(Relaxed));
    }
}

/// task-error-metrics.
#[derive(Debug, Default)]
#[allow(clippy::struct_field_names)]
pub(crate) struct ErrorMetrics {
    /// Records that could not be processed.
    pub(crate) record_failures: AtomicU64,
    /// Errors while processing records, each attempt counted.
    pub(crate) record_errors: AtomicU64,
    /// Records skipped because of errors.
    pub(crate) records_skipped: AtomicU64,
    /// Operations tried again.
    pub(crate) retries: AtomicU64,
    /// Errors logged.
    pub(crate) errors_logged: AtomicU64,
    /// Writes to the dead letter queue.
    pub(crate) dead_letters: AtomicU64,
    /// Those that failed.
    pub(crate) dead_letter_failures: AtomicU64,
    /// Ms since 1970 of the last error.
    pub(crate) last_error: AtomicU64,
}

/// All counters of one task.
#[derive(Debug)]
pub(crate) struct TaskMetrics {
    pub(crate) kind: ConnectorType,
    states: Mutex<States>,
    commit_time: Sampled,
    commits: Sampled,
    batch_size: Sampled,
    /// Records polled from the source, or read from Kafka, transformations not yet applied.
    pub(crate) taken: Meter,
    /// Records written to Kafka, or put to the sink.
    pub(crate) given: Meter,
    /// Time of one poll of the source, or one put to the sink.
    pub(crate) call_time: Sampled,
    active: AtomicU64,
    active_seen: Sampled,
    pub(crate) transaction_size: Sampled,
    pub(crate) partitions: AtomicU64,
    pub(crate) commit_sequence: AtomicU64,
    pub(crate) commits_completed: Meter,
    pub(crate) commits_skipped: Meter,
    pub(crate) errors: ErrorMetrics,
}

impl TaskMetrics {
    pub(crate) fn new(kind: ConnectorType, windows: Windows) -> Self {
        let now = Instant::now();
        let states = States {
            state: TaskState::Unassigned,
            since: now,
            born: now,
            running: Duration::ZERO,
            paused: Duration::ZERO,
        };
        let sampled = || Sampled::new(windows);
        Self {
            kind,
            states: Mutex::new(states),
            commit_time: sampled(),
            commits: sampled(),
            batch_size: sampled(),
            taken: Meter::new(windows),
            given: Meter::new(windows),
            call_time: sampled(),
            active: AtomicU64::new(0),
            active_seen: sampled(),
            transaction_size: sampled(),
            partitions: AtomicU64::new(0),
            commit_sequence: AtomicU64::new(0),
            commits_completed: Meter::new(windows),
            commits_skipped: Meter::new(windows),
            errors: ErrorMetrics::default(),
        }
    }

    pub(crate) fn set_state(&self, state: TaskState) {
        let mut states = self.states();
        let spent = states.since.elapsed();
        match states.state {
            TaskState::Running => states.running += spent,
            TaskState::Paused => states.paused += spent,
            _ => {}
        }
        states.state = state;
        states.since = Instant::now();
    }

    pub(crate) fn state(&self) -> TaskState {
        self.states().state
    }

    /// A commit of offsets took this long; it succeeded or not.
    pub(crate) fn committed(&self, time: Duration, success: bool) {
        self.commits.record(if success { 1.0 } else { 0.0 });
        if success {
            self.commit_time.record_time(time);
        }
    }

    /// A batch of this many records came and is active until [`TaskMetrics::finished`].
    pub(crate) fn batch(&self, records: usize) {
        self.batch_size.record(records as f64);
        self.taken.add(records);
        self.set_active(self.active.load(Relaxed) + records as u64);
    }

    /// A sink was given this many records, which are what is left of the consumed ones.
    pub(crate) fn put(&self, records: usize, time: Duration) {
        self.batch_size.record(records as f64);
        self.given.add(records);
        self.call_time.record_time(time);
    }

    /// These records of a source are stored or dropped.
    pub(crate) fn finished(&self, records: usize) {
        self.set_active(self.active.load(Relaxed).saturating_sub(records as u64));
    }

    /// Notes the number of records that are under way now: of a sink those that are put and not committed.
    pub(crate) fn set_active(&self, count: u64) {
        self.active.store(count, Relaxed);
        self.active_seen.record(count as f64);
    }

    fn states(&self) -> MutexGuard<'_, States> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shares of its life that it spent running and paused.
    fn ratios(&self) -> (f64, f64) {
        let states = self.states();
        let spent = |state, before: Duration| {
            if states.state == state { before + states.since.elapsed() } else { before }
        };
        let life = states.born.elapsed().as_secs_f64();
        let share = |time: Duration| if life > 0.0 { time.as_secs_f64() / life } else { 0.0 };
        (share(spent(TaskState::Running, states.running)), share(spent(TaskState::Paused, states.paused)))
    }

    pub(super) fn write(&self, lines: &mut Lines<'_>) {
        lines.group("connector-task-metrics");
        lines.text("status", self.state().name());
        let (running, paused) = self.ratios();
        lines.gauge("running-ratio", running);
        lines.gauge("pause-ratio", paused);
        let (time, size) = (self.commit_time.totals(), self.batch_size.totals());
        lines.gauge("offset-commit-max-time-ms", time.max());
        lines.gauge("offset-commit-avg-time-ms", time.average());
        lines.gauge("batch-size-max", size.max());
        lines.gauge("batch-size-avg", size.average());
        let success = self.commits.totals().average();
        lines.gauge("offset-commit-success-percentage", if success.is_nan() { 0.0 } else { success });
        lines.gauge("offset-commit-failure-percentage", if success.is_nan() { 0.0 } else { 1.0 - success });
        match self.kind {
            ConnectorType::Source => self.write_source(lines),
            ConnectorType::Sink => self.write_sink(lines),
        }
        self.write_errors(lines);
    }

    fn write_source(&self, lines: &mut Lines<'_>) {
        lines.group("source-task-metrics");
        self.taken.write(lines, "source-record-poll");
        self.given.write(lines, "source-record-write");
        let time = self.call_time.totals();
        lines.gauge("poll-batch-max-time-ms", time.max());
        lines.gauge("poll-batch-avg-time-ms", time.average());
        self.write_active(lines, "source-record-active-count");
        let size = self.transaction_size.totals();
        lines.gauge("transaction-size-min", size.min());
        lines.gauge("transaction-size-max", size.max());
        lines.gauge("transaction-size-avg", size.average());
    }

    fn write_sink(&self, lines: &mut Lines<'_>) {
        lines.group("sink-task-metrics");
        self.taken.write(lines, "sink-record-read");
        self.given.write(lines, "sink-record-send");
        lines.gauge("partition-count", self.partitions.load(Relaxed) as f64);
        lines.gauge("offset-commit-seq-no", self.commit_sequence.load(Relaxed) as f64);
        self.commits_completed.write(lines, "offset-commit-completion");
        self.commits_skipped.write(lines, "offset-commit-skip");
        let time = self.call_time.totals();
        lines.gauge("put-batch-max-time-ms", time.max());
        lines.gauge("put-batch-avg-time-ms", time.average());
        self.write_active(lines, "sink-record-active-count");
    }

    fn write_active(&self, lines: &mut Lines<'_>, name: &str) {
        let seen = self.active_seen.totals();
        lines.gauge(name, self.active.load(Relaxed) as f64);
        lines.gauge(&format!("{name}-max"), seen.max());
        lines.gauge(&format!("{name}-avg"), seen.average());
    }

    fn write_errors(&self, lines: &mut Lines<'_>) {
        lines.group("task-error-metrics");
        let errors = &self.errors;
        for (name, value) in [
            ("total-record-failures", &errors.record_failures),
            ("total-record-errors", &errors.record_errors),
            ("total-records-skipped", &errors.records_skipped),
            ("total-retries", &errors.retries),
            ("total-errors-logged", &errors.errors_logged),
            ("deadletterqueue-produce-requests", &errors.dead_letters),
            ("deadletterqueue-produce-failures", &errors.dead_letter_failures),
        ] {
            lines.counter(name, value.load(Relaxed));
        }
        lines.gauge("last-error-timestamp", errors.last_error.load(Relaxed) as f64);
    }
}
