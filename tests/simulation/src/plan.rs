//! A plan: everything that one number decides before the run begins. It is written to the event log, so that a failure
//! shows what it was about.

use std::fmt;
use std::time::Duration;

use kafka_wire::batch::Codec;

use crate::draw::Draw;
use crate::faults::{self, PlannedFault, What};

/// One run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The number that all follows from.
    pub number: u64,
    /// The cluster that is read.
    pub origin: PlannedCluster,
    /// The cluster that is written.
    pub destination: PlannedCluster,
    /// Topics of the origin.
    pub topics: Vec<PlannedTopic>,
    /// Settings of the replicator beside addresses and names.
    pub settings: Vec<(&'static str, String)>,
    /// `isolation.level=read_committed`: aborted records must not arrive.
    pub read_committed: bool,
    /// For how long the writers write.
    pub work: Duration,
    /// What goes wrong, by time.
    pub faults: Vec<PlannedFault>,
}

/// One cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedCluster {
    /// Number of brokers, ids from 1.
    pub brokers: i32,
    /// Answers as Kafka 3.9 does, else as 4.3.
    pub old: bool,
}

/// One topic, and how it is written.
#[derive(Debug, Clone)]
pub struct PlannedTopic {
    /// Name.
    pub name: String,
    /// Partitions.
    pub partitions: i32,
    /// Replication factor.
    pub factor: i16,
    /// `cleanup.policy=compact`.
    pub compact: bool,
    /// `message.timestamp.type=LogAppendTime`.
    pub log_append_time: bool,
    /// How its batches are compressed.
    pub codec: Codec,
    /// Records of a batch: one to this.
    pub batch_records: usize,
    /// Bytes of a value: up to this.
    pub value_bytes: usize,
    /// Batches of each partition that are there before the replicator starts.
    pub head_start: usize,
    /// The log cleaner has been over those, if it is a compacted topic; else some of the first are deleted.
    pub worn: bool,
    /// Average pause between two batches of a partition.
    pub pause: Duration,
    /// Of a hundred batches, how many open a transaction.
    pub transactions: u32,
}

impl Plan {
    /// The plan of a number.
    pub fn new(number: u64) -> Self {
        let mut draw = Draw::new(number, "clusters");
        let mut cluster = || PlannedCluster { brokers: *draw.pick(&[1, 1, 2, 2, 3]), old: draw.chance(30) };
        let (origin, destination) = (cluster(), cluster());
        let mut draw = Draw::new(number, "topics");
        let topics: Vec<PlannedTopic> =
            (0..draw.number(1..=3)).map(|index| topic(&mut draw, index, origin.brokers)).collect();
        let mut draw = Draw::new(number, "settings");
        let read_committed = draw.chance(60);
        let settings = settings(&mut draw);
        let work = draw.millis(4_000..=9_000);
        let mut plan =
            Self { number, origin, destination, topics, settings, read_committed, work, faults: Vec::new() };
        plan.faults = faults::draw(&plan);
        plan
    }

    /// All partitions, as topic and number.
    pub fn partitions(&self) -> impl Iterator<Item = (&PlannedTopic, i32)> {
        self.topics.iter().flat_map(|topic| (0..topic.partitions).map(move |number| (topic, number)))
    }

    /// True when topics are named one by one. The replicator does not start while one of those is not there, so plans that
    /// delete topics choose them by an expression.
    pub fn by_name(&self) -> bool {
        self.number.is_multiple_of(2)
            && !self.faults.iter().any(|fault| matches!(fault.what, What::Delete(_)))
    }

    /// When the last fault has ended and the writers stop.
    pub fn calm_at(&self) -> Duration {
        self.faults.iter().map(PlannedFault::ends_at).chain([self.work]).max().unwrap_or(self.work)
    }
}

fn topic(draw: &mut Draw, index: usize, brokers: i32) -> PlannedTopic {
    let codecs = [Codec::None, Codec::None, Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
    let compact = draw.chance(35);
    PlannedTopic {
        name: format!("topic-{index}"),
        partitions: *draw.pick(&[1, 1, 2, 3, 4]),
        factor: draw.number(1..=brokers.max(1) as usize) as i16,
        compact,
        log_append_time: !compact && draw.chance(15),
        codec: *draw.pick(&codecs),
        batch_records: *draw.pick(&[1, 2, 5, 20]),
        value_bytes: *draw.pick(&[0, 10, 100, 1_000]),
        head_start: draw.number(0..=12),
        worn: draw.chance(40),
        pause: draw.millis(30..=300),
        transactions: if draw.chance(35) { 20 } else { 0 },
    }
}

fn settings(draw: &mut Draw) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("tasks.max", draw.number(1..=3).to_string()),
        ("replicator.lanes.per.broker", draw.number(1..=2).to_string()),
        ("offset.flush.interval.ms", draw.pick(&["100", "1000", "5000"]).to_string()),
        ("offset.topic.commit", draw.chance(70).to_string()),
        ("topic.poll.interval.ms", draw.pick(&["1000", "3000"]).to_string()),
        ("topic.create.backoff.ms", "1000".to_owned()),
    ];
    if draw.chance(30) {
        settings.push(("replicator.batches", "preserve".to_owned()));
    }
    if draw.chance(25) {
        settings.push(("replicator.profile", "small-memory".to_owned()));
    }
    if draw.chance(35) {
        // Answers that end in the middle of a batch, and a budget that holds few of them.
        settings.push(("replicator.fetch.max.bytes", draw.pick(&["2000", "16384"]).to_string()));
        settings.push(("replicator.fetch.partition.max.bytes", draw.pick(&["700", "4096"]).to_string()));
        settings.push(("replicator.lane.buffer.bytes", draw.pick(&["1000", "5000", "32768"]).to_string()));
        settings.push(("replicator.inflight.bytes", "262144".to_owned()));
    }
    settings
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let release = |cluster: PlannedCluster| if cluster.old { "3.9" } else { "4.3" };
        writeln!(
            f,
            "plan {}: origin {} x {}, destination {} x {}, {:?} of work, read_committed={}",
            self.number,
            self.origin.brokers,
            release(self.origin),
            self.destination.brokers,
            release(self.destination),
            self.work,
            self.read_committed
        )?;
        for topic in &self.topics {
            writeln!(f, "{topic:?}")?;
        }
        let settings: Vec<String> =
            self.settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        writeln!(f, "{}", settings.join(" "))?;
        self.faults.iter().try_for_each(|fault| writeln!(f, "{fault}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_always_makes_the_same_plan() {
        for number in 0..50 {
            assert_eq!(Plan::new(number).to_string(), Plan::new(number).to_string());
        }
        assert_ne!(Plan::new(1).to_string(), Plan::new(2).to_string());
    }
}
