//! Decides whether a copy is one. It reads the stored logs of both clusters, never the replicator's word for them.
//!
//! | invariant | where | how |
//! |---|---|---|
//! | I1 conservation | [`Oracle::missing`] | every visible record of the origin is at the destination, at the end |
//! | I2 no invention | [`Oracle::look`] | every record of the destination was visible at the origin |
//! | I3 byte identity | [`Oracle::look`] | key, value, headers, timestamp and partition are the same |
//! | I4 order | [`Oracle::look`] | first occurrences keep the origin's order; a producer leaves nothing out |
//! | I5 ledger | [`Oracle::look`] | at every commit, everything up to it is at the destination |
//! | I7 liveness | `run` | after the faults, fresh records arrive within a time |
//! | I8 truth | `run` | a partition that does not move is not shown as running |
//! | I9 honest gaps | [`Oracle::gaps`] | what was never copied was announced with its offsets |
//! | I10 service | `run` | no panic, no failed task, a stop within its limit |
//! | I11 isolation | `run` | I1 and I7 hold for the others when one partition is refused |
//! | I12 | `run` | the faults happened and enough records moved |
//!
//! I6, no duplicates for a read-committed reader, belongs to an exactly-once mode, which the product does not have.

mod commits;
mod destination;
mod origin;

use std::collections::BTreeMap;
use std::fmt;

use kafka_sim::Cluster;

use self::commits::Commits;
pub use self::commits::OFFSETS_TOPIC;
use self::destination::Delivered;
use self::origin::History;
use crate::clusters::Clusters;
use crate::plan::Plan;

/// A partition of the origin, and of the destination under the same name.
pub type Partition = (String, i32);

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// `I1` to `I12`.
    pub invariant: &'static str,
    /// What was seen.
    pub what: String,
}

impl Violation {
    /// One of `invariant`.
    pub fn new(invariant: &'static str, what: impl Into<String>) -> Self {
        // Verdicts are lines.
        Self { invariant, what: what.into().replace('\n', " ") }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

/// What the oracle has seen of a run so far.
#[derive(Debug)]
pub struct Oracle {
    clusters: Clusters,
    read_committed: bool,
    histories: BTreeMap<Partition, History>,
    delivered: BTreeMap<Partition, Delivered>,
    commits: Commits,
}

impl Oracle {
    /// Nothing seen yet.
    pub fn new(plan: &Plan, clusters: &Clusters) -> Self {
        let partitions: Vec<Partition> =
            plan.partitions().map(|(topic, number)| (topic.name.clone(), number)).collect();
        Self {
            clusters: clusters.clone(),
            read_committed: plan.read_committed,
            histories: partitions.iter().map(|p| (p.clone(), History::default())).collect(),
            delivered: partitions.iter().map(|p| (p.clone(), Delivered::default())).collect(),
            commits: Commits::default(),
        }
    }

    /// Takes in what is new on both sides. To be called before and after whatever removes records of the origin, and
    /// often.
    ///
    /// # Errors
    /// The first violation seen.
    pub fn look(&mut self) -> Result<(), Violation> {
        for (partition, history) in &mut self.histories {
            history.look(&self.clusters.origin, partition);
        }
        for (partition, delivered) in &mut self.delivered {
            let history = &self.histories[partition];
            delivered.look(&self.clusters.destination, partition, history, self.read_committed)?;
        }
        for (partition, last) in self.commits.look(&self.clusters.destination) {
            self.check_commit(&partition, last)?;
        }
        Ok(())
    }

    /// I5: whatever can still be read at the origin up to a committed offset is at the destination.
    fn check_commit(&self, partition: &Partition, last: i64) -> Result<(), Violation> {
        let (Some(history), Some(delivered)) = (self.histories.get(partition), self.delivered.get(partition))
        else {
            return Ok(());
        };
        // Reading the origin's log is dear: only where something is missing that was once there.
        if history.written_up_to(last).all(|index| delivered.has(index)) {
            return Ok(());
        }
        let missing = history.obliged(&self.clusters.origin, partition, self.read_committed);
        // A commit may be about what was at an offset before it was lost; that the rest arrives or the partition stops
        // is seen in the end.
        let there = |(offset, index): &(i64, usize)| delivered.has(*index) || history.lost_at(*offset);
        let missing = missing.into_iter().find(|record| record.0 <= last && !there(record));
        match missing {
            None => Ok(()),
            Some((offset, _)) => Err(Violation::new(
                "I5",
                format!(
                    "{}-{}: {last} was committed, but {offset} is not at the destination",
                    partition.0, partition.1
                ),
            )),
        }
    }

    /// The origin's partition lost everything from `offset` on.
    pub fn truncated(&mut self, partition: &Partition, offset: i64) {
        if let Some(history) = self.histories.get_mut(partition) {
            history.truncated(offset);
        }
    }

    /// The origin has one partition more.
    pub fn added(&mut self, partition: &Partition) {
        self.histories.entry(partition.clone()).or_default();
        self.delivered.entry(partition.clone()).or_default();
    }

    /// The origin's topic is gone, or another one now.
    pub fn recreated(&mut self, topic: &str) {
        for (_, history) in self.histories.iter_mut().filter(|((name, _), _)| name == topic) {
            history.truncated(0);
        }
    }

    /// The origin's log cleaner has run over a topic.
    pub fn cleaned(&mut self, topic: &str) {
        for (partition, history) in self.histories.iter_mut().filter(|((name, _), _)| name == topic) {
            history.cleaned(&self.clusters.origin, partition);
        }
    }

    /// The first records of the origin's partition were deleted. Where nothing was committed yet, a replicator that starts
    /// anew cannot know of them.
    pub fn deleted(&mut self, partition: &Partition) {
        let start = start(&self.clusters.origin, partition);
        if let Some(history) = self.histories.get_mut(partition)
            && self.commits.last(partition).is_none()
        {
            history.forget_below(start);
        }
    }

    /// Partitions of which a record that can be read at the origin is not covered by a commit.
    pub fn uncommitted(&self) -> Vec<Partition> {
        let behind = |(partition, history): (&Partition, &History)| {
            let obliged = history.obliged(&self.clusters.origin, partition, self.read_committed);
            let committed = self.commits.last(partition).unwrap_or(-1);
            obliged.last().is_some_and(|(last, _)| *last > committed).then(|| partition.clone())
        };
        self.histories.iter().filter_map(behind).collect()
    }

    /// I1: offsets that can be read at the origin and are not at the destination, by partition, the lowest first.
    pub fn missing(&self) -> BTreeMap<Partition, Vec<i64>> {
        let mut missing = BTreeMap::new();
        for (partition, history) in &self.histories {
            let delivered = &self.delivered[partition];
            let obliged = history.obliged(&self.clusters.origin, partition, self.read_committed);
            let offsets: Vec<i64> = obliged
                .into_iter()
                .filter(|(_, index)| !delivered.has(*index))
                .map(|(offset, _)| offset)
                .collect();
            if !offsets.is_empty() {
                missing.insert(partition.clone(), offsets);
            }
        }
        missing
    }

    /// I9: what was deleted at the origin before it was copied must have been announced in the log, in the words "PARTITION:
    /// offsets A to B expired".
    ///
    /// # Errors
    /// The first offset that was not.
    pub fn gaps(&self, log: &str, excused: impl Fn(&Partition) -> bool) -> Result<(), Violation> {
        for (partition, history) in self.histories.iter().filter(|(partition, _)| !excused(partition)) {
            let told = told(log, partition);
            let delivered = &self.delivered[partition];
            let start = start(&self.clusters.origin, partition);
            for (offset, index) in history.expired(start, self.read_committed) {
                if !delivered.has(index) && !told.iter().any(|(from, to)| (*from..=*to).contains(&offset)) {
                    let what = format!(
                        "{}-{}: offset {offset} was deleted before it was copied, and that was not announced",
                        partition.0, partition.1
                    );
                    return Err(Violation::new("I9", what));
                }
            }
        }
        Ok(())
    }

    /// Records at the destination, duplicates included.
    pub fn copied(&self) -> usize {
        self.delivered.values().map(Delivered::count).sum()
    }

    /// Records that are at the destination more than once.
    pub fn duplicates(&self) -> usize {
        self.delivered.values().map(Delivered::duplicates).sum()
    }

    /// Commits seen.
    pub fn commits(&self) -> usize {
        self.commits.count()
    }
}

fn start(origin: &Cluster, (topic, number): &Partition) -> i64 {
    origin.offsets(topic, *number).map_or(0, |(start, ..)| start)
}

/// The ranges of offsets that the log announces as expired.
fn told(log: &str, (topic, number): &Partition) -> Vec<(i64, i64)> {
    let head = format!("{topic}-{number}: offsets ");
    let range = |line: &str| {
        let (_, rest) = line.split_once(&head)?;
        let (range, _) = rest.split_once(" expired")?;
        let (from, to) = range.split_once(" to ")?;
        Some((from.parse().ok()?, to.parse().ok()?))
    };
    log.lines().filter_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announced_gaps_are_read() {
        let log = "1.0 log ERROR replicator: t-1: offsets 3 to 17 expired at the origin\n2.0 t-11: offsets 1 to 2 expired";
        assert_eq!(told(log, &("t".to_owned(), 1)), [(3, 17)]);
    }
}
