//! Figures and states of every partition that is copied: written by the tasks and the connector, read by REST, the
//! progress line and the start-up summary. Reading never blocks the copy. Each connector has a [`Monitor`] of its own,
//! with what of it runs in this process.

mod facts;
mod handle;
pub(crate) mod rest;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use facts::ClusterFacts;
pub use handle::MonitorHandle;
pub use rest::routes;

/// Way on which batches of a partition travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As they are, under a new header.
    Passthrough,
    /// Several small ones as one.
    Merge,
    /// Decoded and encoded again.
    Reencode(ReencodeReason),
}

/// Why a batch cannot pass as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReencodeReason {
    /// Message format 0 or 1.
    MessageFormat,
    /// Compaction has left holes.
    Compacted,
    /// Stamped by the origin's broker, while the destination topic keeps CreateTime.
    LogAppendTime,
    /// The start position lies inside the batch.
    StartsInside,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passthrough => "passthrough",
            Self::Merge => "merge",
            Self::Reencode(ReencodeReason::MessageFormat) => "reencode (message format 0 or 1)",
            Self::Reencode(ReencodeReason::Compacted) => "reencode (compacted)",
            Self::Reencode(ReencodeReason::LogAppendTime) => "reencode (LogAppendTime)",
            Self::Reencode(ReencodeReason::StartsInside) => "reencode (starts inside a batch)",
        })
    }
}

/// Whether a partition moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionState {
    /// It does, or has nothing to do.
    Running,
    /// It will again, by itself.
    Waiting(String),
    /// Its connector is paused.
    Paused,
    /// It will not, until something is changed.
    Stopped(String),
}

/// Figures of one partition. All numbers are since the start of the process.
#[derive(Debug)]
pub struct PartitionFigures {
    /// Origin topic.
    pub topic: String,
    /// Partition number, the same on both sides.
    pub partition: i32,
    /// Destination topic.
    pub destination: String,
    /// Number of the task that copies it.
    pub task: usize,
    /// Records acknowledged by the destination.
    pub records: AtomicU64,
    /// Bytes acknowledged by the destination.
    pub bytes: AtomicU64,
    /// Batches that the destination had already (an answer was lost on the way).
    pub duplicates: AtomicU64,
    /// Origin offsets that were gone before they could be copied.
    pub expired_offsets: AtomicU64,
    /// Next offset to copy: everything below is acknowledged. -1: unknown.
    pub position: AtomicI64,
    /// End of the origin's log as far as it may be read. -1: unknown.
    pub end: AtomicI64,
    /// Time of the newest acknowledged record in ms since 1970, -1: none.
    pub newest: AtomicI64,
    /// Wall-clock time of the last acknowledgement in ms since 1970, -1: none.
    pub last_acknowledged: AtomicI64,
    paused: AtomicBool,
    text: Mutex<(PartitionState, Option<Mode>)>,
}

impl PartitionFigures {
    /// A partition of which nothing is known yet.
    pub fn new(topic: &str, partition: i32, destination: &str, task: usize) -> Self {
        Self {
            topic: topic.to_owned(),
            partition,
            destination: destination.to_owned(),
            task,
            records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            expired_offsets: AtomicU64::new(0),
            position: AtomicI64::new(-1),
            end: AtomicI64::new(-1),
            newest: AtomicI64::new(-1),
            last_acknowledged: AtomicI64::new(-1),
            paused: AtomicBool::new(false),
            text: Mutex::new((PartitionState::Running, None)),
        }
    }

    fn text(&self) -> MutexGuard<'_, (PartitionState, Option<Mode>)> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state now. What is stopped stays so when its connector is paused: a resume does not cure it.
    pub fn state(&self) -> PartitionState {
        match self.text().0.clone() {
            stopped @ PartitionState::Stopped(_) => stopped,
            _ if self.paused.load(Relaxed) => PartitionState::Paused,
            state => state,
        }
    }

    /// Its connector is paused, or goes on.
    pub fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Relaxed);
    }

    /// Changes the state. A stop is final: only another stop replaces it.
    pub fn set_state(&self, state: PartitionState) {
        let mut text = self.text();
        if !matches!((&text.0, &state), (PartitionState::Stopped(_), s) if !matches!(s, PartitionState::Stopped(_)))
        {
            text.0 = state;
        }
    }

    /// The mode of the last batch.
    pub fn mode(&self) -> Option<Mode> {
        self.text().1
    }

    /// Notes the mode of a batch.
    pub fn set_mode(&self, mode: Mode) {
        self.text().1 = Some(mode);
    }

    /// Origin offsets not yet copied; `None` while unknown.
    pub fn lag(&self) -> Option<u64> {
        let (position, end) = (self.position.load(Relaxed), self.end.load(Relaxed));
        (position >= 0 && end >= 0).then(|| u64::try_from(end - position).unwrap_or_default())
    }

    /// Everything to start again under another task, with the counts kept.
    fn handed_to(&self, task: usize) -> Self {
        let copy = Self::new(&self.topic, self.partition, &self.destination, task);
        for (to, from) in [
            (&copy.records, &self.records),
            (&copy.bytes, &self.bytes),
            (&copy.duplicates, &self.duplicates),
            (&copy.expired_offsets, &self.expired_offsets),
        ] {
            to.store(from.load(Relaxed), Relaxed);
        }
        copy
    }
}

/// Totals over the partitions that are copied here, with what was copied here of others before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Partitions.
    pub partitions: usize,
    /// Partitions that stopped for good.
    pub stopped: usize,
    /// Partitions that wait.
    pub waiting: usize,
    /// Records acknowledged since the start, also of partitions that are no longer copied here.
    pub records: u64,
    /// Bytes acknowledged since the start, also of partitions that are no longer copied here.
    pub bytes: u64,
    /// Offsets not yet copied, over the partitions where it is known.
    pub lag: u64,
    /// Partitions of which the lag is not known.
    pub lag_unknown: usize,
}

type Partitions = BTreeMap<(String, i32), Arc<PartitionFigures>>;

/// The figures of one connector in this process.
#[derive(Debug, Default)]
pub struct Monitor {
    /// Those that a task copies here now, and those that one did before.
    partitions: RwLock<(Partitions, Partitions)>,
    clusters: RwLock<(ClusterFacts, ClusterFacts)>,
    topics: RwLock<BTreeMap<String, String>>,
}

impl Monitor {
    /// Figures of a partition that `task` is about to copy.
    pub fn open(&self, topic: &str, partition: i32, destination: &str, task: usize) -> Arc<PartitionFigures> {
        let mut partitions = self.partitions.write().unwrap_or_else(PoisonError::into_inner);
        let (open, past) = &mut *partitions;
        let key = (topic.to_owned(), partition);
        let figures = match past.remove(&key).as_ref().or(open.get(&key)) {
            Some(known) if known.destination == destination => known.handed_to(task),
            _ => PartitionFigures::new(topic, partition, destination, task),
        };
        let figures = Arc::new(figures);
        open.insert(key, figures.clone());
        figures
    }

    /// A task no longer copies a partition. Without effect when another has opened it since.
    pub fn close(&self, figures: &Arc<PartitionFigures>) {
        let mut partitions = self.partitions.write().unwrap_or_else(PoisonError::into_inner);
        let (open, past) = &mut *partitions;
        let key = (figures.topic.clone(), figures.partition);
        if open.get(&key).is_some_and(|known| Arc::ptr_eq(known, figures)) {
            open.remove(&key);
            past.insert(key, figures.clone());
        }
    }

    /// All partitions that are copied here, by topic and number.
    pub fn partitions(&self) -> Vec<Arc<PartitionFigures>> {
        self.partitions.read().unwrap_or_else(PoisonError::into_inner).0.values().cloned().collect()
    }

    /// Sums over all partitions.
    pub fn totals(&self) -> Totals {
        let (open, past) = self.partitions.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut totals = Totals::default();
        for figures in past.values() {
            totals.records += figures.records.load(Relaxed);
            totals.bytes += figures.bytes.load(Relaxed);
        }
        for figures in open.values() {
            totals.partitions += 1;
            totals.records += figures.records.load(Relaxed);
            totals.bytes += figures.bytes.load(Relaxed);
            match figures.lag() {
                Some(lag) => totals.lag += lag,
                None => totals.lag_unknown += 1,
            }
            match figures.state() {
                PartitionState::Running | PartitionState::Paused => {}
                PartitionState::Waiting(_) => totals.waiting += 1,
                PartitionState::Stopped(_) => totals.stopped += 1,
            }
        }
        totals
    }

    /// Origin and destination, as far as they are known.
    pub fn clusters(&self) -> (ClusterFacts, ClusterFacts) {
        self.clusters.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes the origin.
    pub fn set_origin(&self, facts: ClusterFacts) {
        self.clusters.write().unwrap_or_else(PoisonError::into_inner).0 = facts;
    }

    /// Notes the destination.
    pub fn set_destination(&self, facts: ClusterFacts) {
        self.clusters.write().unwrap_or_else(PoisonError::into_inner).1 = facts;
    }

    /// Origin topic → destination topic: of all that match where the connector runs in this process, else of those that
    /// are copied here.
    pub fn topics(&self) -> BTreeMap<String, String> {
        let matching = self.topics.read().unwrap_or_else(PoisonError::into_inner).clone();
        if !matching.is_empty() {
            return matching;
        }
        self.partitions().iter().map(|p| (p.topic.clone(), p.destination.clone())).collect()
    }

    /// Notes the topics that match; none once the connector has stopped.
    pub fn set_topics(&self, topics: BTreeMap<String, String>) {
        *self.topics.write().unwrap_or_else(PoisonError::into_inner) = topics;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_not_painted_over() {
        let figures = PartitionFigures::new("t", 0, "t", 0);
        figures.set_state(PartitionState::Waiting("w".to_owned()));
        figures.set_state(PartitionState::Stopped("s".to_owned()));
        figures.set_state(PartitionState::Running);
        assert_eq!(figures.state(), PartitionState::Stopped("s".to_owned()));
    }

    #[test]
    fn a_pause_covers_what_would_run_and_nothing_else() {
        let figures = PartitionFigures::new("t", 0, "t", 0);
        figures.set_state(PartitionState::Waiting("w".to_owned()));
        figures.set_paused(true);
        assert_eq!(figures.state(), PartitionState::Paused);
        figures.set_paused(false);
        assert_eq!(figures.state(), PartitionState::Waiting("w".to_owned()));
        figures.set_state(PartitionState::Stopped("s".to_owned()));
        figures.set_paused(true);
        assert_eq!(figures.state(), PartitionState::Stopped("s".to_owned()));
    }

    #[test]
    fn lag_is_unknown_until_both_ends_are_known() {
        let monitor = Monitor::default();
        let figures = monitor.open("t", 0, "t", 0);
        assert_eq!((figures.lag(), monitor.totals().lag_unknown), (None, 1));
        figures.position.store(4, Relaxed);
        figures.end.store(10, Relaxed);
        assert_eq!((figures.lag(), monitor.totals().lag), (Some(6), 6));
    }

    #[test]
    fn counts_survive_a_new_division_of_work_and_states_do_not() {
        let monitor = Monitor::default();
        let first = monitor.open("t", 0, "t", 0);
        first.records.store(7, Relaxed);
        first.set_state(PartitionState::Stopped("s".to_owned()));
        let second = monitor.open("t", 0, "t", 1);
        assert_eq!(second.records.load(Relaxed), 7);
        assert_eq!(second.state(), PartitionState::Running);
    }

    #[test]
    fn a_partition_that_moves_away_leaves_only_its_counts() {
        let monitor = Monitor::default();
        let first = monitor.open("t", 0, "t.r", 0);
        first.records.store(7, Relaxed);
        assert_eq!(monitor.topics(), BTreeMap::from([("t".to_owned(), "t.r".to_owned())]));
        monitor.close(&first);
        let totals = monitor.totals();
        assert_eq!((totals.partitions, totals.records, totals.lag_unknown), (0, 7, 0));
        assert!(monitor.partitions().is_empty() && monitor.topics().is_empty());
        let second = monitor.open("t", 0, "t.r", 1);
        assert_eq!((second.records.load(Relaxed), monitor.totals().records), (7, 7));
        monitor.close(&first);
        assert_eq!(monitor.partitions().len(), 1, "a task that was given up on has no say any more");
    }
}
