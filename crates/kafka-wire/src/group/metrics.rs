//! Counts and times of a membership, as Java's `AbstractCoordinator` measures them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Most samples that are kept for averages and maxima; older ones go first.
const SAMPLES: usize = 256;

/// Counts and measures since the member was made. Cheap to take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupMetrics {
    /// Answered heartbeats: `heartbeat-total`, `heartbeat-rate`, `heartbeat-response-time-max`.
    pub heartbeats: Timing,
    /// Answered JoinGroups: `join-total`, `join-rate`, `join-time-avg`, `join-time-max`.
    pub joins: Timing,
    /// Answered SyncGroups: `sync-total`, `sync-rate`, `sync-time-avg`, `sync-time-max`.
    pub syncs: Timing,
    /// Rebalances that ended with an assignment: `rebalance-total`, `rebalance-latency-total` (in
    /// [`Timing::total`]), `-avg`, `-max`.
    pub rebalances: Timing,
    /// Attempts to join that ended without one: `failed-rebalance-total`, `failed-rebalance-rate-per-hour`;
    /// without times.
    pub failed_rebalances: Timing,
    /// Time since the last rebalance ended: `last-rebalance-seconds-ago`; `None`: there was none (-1 in
    /// Java).
    pub since_last_rebalance: Option<Duration>,
    /// Time since the last heartbeat was sent: `last-heartbeat-seconds-ago`.
    pub since_last_heartbeat: Option<Duration>,
}

/// Number and duration of one kind of event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// Number, ever.
    pub count: u64,
    /// Duration of all together, ever.
    pub total: Duration,
    /// Number within [`super::GroupSettings::metrics_window`].
    pub recent: usize,
    /// Average within the window, `None` if there was nothing.
    pub average: Option<Duration>,
    /// Longest within the window, `None` if there was nothing.
    pub max: Option<Duration>,
}

#[derive(Debug, Default)]
struct Meter {
    count: u64,
    total: Duration,
    samples: VecDeque<(Instant, Duration)>,
}

impl Meter {
    fn record(&mut self, took: Duration) {
        self.count += 1;
        self.total += took;
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back((Instant::now(), took));
    }

    fn timing(&self, window: Duration) -> Timing {
        let recent = || self.samples.iter().filter(|(at, _)| at.elapsed() <= window).map(|(_, took)| *took);
        let count = recent().count();
        let average = u32::try_from(count).ok().filter(|n| *n > 0).map(|n| recent().sum::<Duration>() / n);
        Timing { count: self.count, total: self.total, recent: count, average, max: recent().max() }
    }
}

/// Meters into which a member's parts write.
#[derive(Debug)]
pub(super) struct Meters {
    window: Duration,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    heartbeats: Meter,
    joins: Meter,
    syncs: Meter,
    rebalances: Meter,
    failed: Meter,
    last_rebalance: Option<Instant>,
    last_heartbeat: Option<Instant>,
}

impl Meters {
    pub(super) fn new(window: Duration) -> Self {
        Self { window, table: Mutex::default() }
    }

    pub(super) fn heartbeat_sent(&self) {
        self.table().last_heartbeat = Some(Instant::now());
    }

    pub(super) fn heartbeat(&self, took: Duration) {
        self.table().heartbeats.record(took);
    }

    pub(super) fn join(&self, took: Duration) {
        self.table().joins.record(took);
    }

    pub(super) fn sync(&self, took: Duration) {
        self.table().syncs.record(took);
    }

    pub(super) fn rebalanced(&self, took: Duration) {
        let mut table = self.table();
        table.rebalances.record(took);
        table.last_rebalance = Some(Instant::now());
    }

    pub(super) fn failed(&self) {
        self.table().failed.record(Duration::ZERO);
    }

    pub(super) fn snapshot(&self) -> GroupMetrics {
        let table = self.table();
        GroupMetrics {
            heartbeats: table.heartbeats.timing(self.window),
            joins: table.joins.timing(self.window),
            syncs: table.syncs.timing(self.window),
            rebalances: table.rebalances.timing(self.window),
            failed_rebalances: table.failed.timing(self.window),
            since_last_rebalance: table.last_rebalance.map(|at| at.elapsed()),
            since_last_heartbeat: table.last_heartbeat.map(|at| at.elapsed()),
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn averages_look_back_and_totals_do_not() {
        let meters = Meters::new(Duration::from_secs(60));
        meters.join(Duration::from_secs(8));
        tokio::time::advance(Duration::from_secs(61)).await;
        meters.join(Duration::from_secs(1));
        meters.join(Duration::from_secs(3));
        let joins = meters.snapshot().joins;
        assert_eq!((joins.count, joins.total), (3, Duration::from_secs(12)));
        assert_eq!((joins.recent, joins.average), (2, Some(Duration::from_secs(2))));
        assert_eq!(joins.max, Some(Duration::from_secs(3)));
        assert_eq!(meters.snapshot().syncs, Timing::default());
    }
}
