//! Figures of the group and of this worker's part in it: `connect-worker-rebalance-metrics` and `connect-coordinator-metrics` of
//! Connect, and automatic restarts, which are ours.

use std::sync::PoisonError;
use std::time::Duration;

use kafka_wire::group::{GroupMetrics, Timing};
use tokio::time::Instant;

use super::core::{Core, DistributedHerder};
use crate::worker::metrics::{Lines, Page};

/// Figures that the core tells of itself.
#[derive(Debug, Default)]
pub(super) struct Figures {
    protocol: &'static str,
    leader: String,
    epoch: i32,
    connectors: usize,
    tasks: usize,
    rebalancing: Option<Instant>,
    completed: u64,
    total: Duration,
    longest: Duration,
    last_end: Option<Instant>,
    auto_restarts: u64,
}

impl Core {
    /// Takes note of what figures show.
    pub(super) fn note_figures(&self) {
        let mut figures = self.shared.figures.lock().unwrap_or_else(PoisonError::into_inner);
        figures.protocol = self.group.protocol.setting();
        figures.leader = self.leader_url().unwrap_or_default();
        figures.epoch = self.group.generation;
        figures.connectors = self.group.running.connectors.len();
        figures.tasks = self.group.running.tasks.len();
        figures.auto_restarts = self.auto_restarts.total;
        match (self.group.resolved, figures.rebalancing) {
            (false, None) => figures.rebalancing = Some(Instant::now()),
            (true, Some(began)) => {
                let took = began.elapsed();
                figures.rebalancing = None;
                figures.completed += 1;
                figures.total += took;
                figures.longest = figures.longest.max(took);
                figures.last_end = Some(Instant::now());
            }
            _ => {}
        }
    }
}

impl DistributedHerder {
    /// The figures as Prometheus text.
    pub fn prometheus(&self) -> String {
        let mut page = Page::default();
        let mut lines = page.labelled(Vec::new());
        lines.group("connect-worker-rebalance-metrics");
        {
            let figures = self.shared.figures.lock().unwrap_or_else(PoisonError::into_inner);
            figures.render(&mut lines);
        }
        let client = format!("connect-{}", self.shared.settings.worker_id);
        let mut lines = page.labelled(vec![("client-id", client)]);
        lines.group("connect-coordinator-metrics");
        {
            let figures = self.shared.figures.lock().unwrap_or_else(PoisonError::into_inner);
            lines.gauge("assigned-connectors", figures.connectors as f64);
            lines.gauge("assigned-tasks", figures.tasks as f64);
        }
        let window = self.shared.settings.metrics_window;
        coordinator(&mut lines, &self.shared.session.metrics(), window);
        page.finish()
    }
}

impl Figures {
    fn render(&self, lines: &mut Lines<'_>) {
        lines.text("connect-protocol", &self.protocol.to_ascii_uppercase());
        lines.text("leader-name", &self.leader);
        lines.gauge("epoch", f64::from(self.epoch));
        lines.counter("completed-rebalances-total", self.completed);
        lines.gauge("rebalancing", if self.rebalancing.is_some() { 1.0 } else { 0.0 });
        lines.gauge("rebalance-max-time-ms", self.longest.as_secs_f64() * 1e3);
        let average = self.total.as_secs_f64() * 1e3 / (self.completed.max(1) as f64);
        lines.gauge("rebalance-avg-time-ms", average);
        let since = self.last_end.map_or(f64::INFINITY, |end| end.elapsed().as_secs_f64() * 1e3);
        lines.gauge("time-since-last-rebalance-ms", since);
        lines.group("connect-worker-metrics");
        lines.counter("task-auto-restart-total", self.auto_restarts);
    }
}

fn coordinator(lines: &mut Lines<'_>, group: &GroupMetrics, window: Duration) {
    let millis = |time: Option<Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    let rate = |timing: &Timing| timing.recent as f64 / window.as_secs_f64().max(1e-3);
    let timed = |lines: &mut Lines<'_>, name: &str, timing: &Timing| {
        lines.gauge(&format!("{name}-time-avg"), millis(timing.average));
        lines.gauge(&format!("{name}-time-max"), millis(timing.max));
        lines.counter(&format!("{name}-total"), timing.count);
        lines.gauge(&format!("{name}-rate"), rate(timing));
    };
    lines.gauge("heartbeat-response-time-max", millis(group.heartbeats.max));
    lines.counter("heartbeat-total", group.heartbeats.count);
    lines.gauge("heartbeat-rate", rate(&group.heartbeats));
    timed(lines, "join", &group.joins);
    timed(lines, "sync", &group.syncs);
    lines.gauge("rebalance-latency-avg", millis(group.rebalances.average));
    lines.gauge("rebalance-latency-max", millis(group.rebalances.max));
    lines.gauge("rebalance-latency-total", millis(Some(group.rebalances.total)));
    lines.counter("rebalance-total", group.rebalances.count);
    lines.gauge("rebalance-rate-per-hour", rate(&group.rebalances) * 3_600.0);
    lines.counter("failed-rebalance-total", group.failed_rebalances.count);
    lines.gauge("failed-rebalance-rate-per-hour", rate(&group.failed_rebalances) * 3_600.0);
    let seconds = |time: Option<Duration>| time.map_or(-1.0, |time| time.as_secs() as f64);
    lines.gauge("last-rebalance-seconds-ago", seconds(group.since_last_rebalance));
    lines.gauge("last-heartbeat-seconds-ago", seconds(group.since_last_heartbeat));
}
