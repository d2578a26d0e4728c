//! What goes wrong in a plan: drawn from its number, limited to what the replicator promises to survive or to tell.
//! Not among them is the loss of acknowledged records at the destination, which no writer can notice.

use std::fmt;
use std::time::Duration;

use kafka_sim::{Action, ApiKey};

use crate::draw::Draw;
use crate::plan::Plan;

/// One of the two clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The one that is read.
    Origin,
    /// The one that is written.
    Destination,
}

/// Which way of a link is cut, seen from the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// What the replicator sends is lost.
    In,
    /// What the broker answers is lost.
    Out,
    /// Both.
    Both,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A broker is killed, and comes back in the end.
    KillBroker(Side, i32),
    /// Every partition of a topic gets another leader, if there is another broker.
    MoveLeaders(Side, String),
    /// The replicator's group, or the one it commits for, gets another coordinator.
    MoveCoordinator(Side),
    /// Bytes between the replicator and a broker are lost.
    Cut(Side, i32, Way),
    /// Bytes between the replicator and a broker are held back until the end.
    Hold(Side, i32),
    /// The link between the replicator and a broker is slow.
    Slow(Side, i32, Duration),
    /// Some requests of an API go wrong.
    Requests(Side, ApiKey, Action, u32),
    /// The replicator is killed, and started again in the end.
    KillReplicator,
    /// The replicator is stopped in good order, and started again in the end.
    StopReplicator,
    /// The first part of a partition's records is deleted: this many of a hundred.
    DeleteRecords(String, i32, u32),
    /// The last part of a partition's records vanishes, as in an unclean election: this many of a hundred.
    Truncate(String, i32, u32),
    /// A topic is deleted and created again.
    Recreate(String),
    /// A topic is deleted.
    Delete(String),
    /// A topic gets one more partition, and records in it.
    Grow(String),
    /// A bit of a stored batch flips, somewhere in the last part of a partition: this many of a hundred.
    Corrupt(String, i32, u32),
    /// A compacted topic is compacted.
    Compact(String),
    /// The destination refuses everything for one partition, until the end of the run.
    Refuse(String, i32, i16),
}

/// A fault with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFault {
    /// When it begins, from the start of the run.
    pub at: Duration,
    /// How long it lasts, where it has an end.
    pub lasts: Duration,
    /// What it is.
    pub what: What,
}

impl PlannedFault {
    /// True when the replicator is another process afterwards.
    fn restarts(&self) -> bool {
        matches!(self.what, What::KillReplicator | What::StopReplicator)
    }

    /// When it is over.
    pub fn ends_at(&self) -> Duration {
        self.at + self.lasts
    }
}

/// A stop in good order may take this long before the time that the replicator is away begins.
const STOP: Duration = Duration::from_millis(500);

impl fmt::Display for PlannedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {:?} for {:?}: {:?}", self.at, self.lasts, self.what)
    }
}

/// The faults of a plan, in the order of their beginning.
pub fn draw(plan: &Plan) -> Vec<PlannedFault> {
    let mut draw = Draw::new(plan.number, "faults");
    let count = draw.number(1..=6);
    let latest = plan.work.as_millis() as u64;
    let mut faults: Vec<PlannedFault> = Vec::new();
    for _ in 0..count {
        let fault = PlannedFault {
            at: draw.millis(20..=latest),
            lasts: draw.millis(50..=3_000),
            what: what(&mut draw, plan),
        };
        // Two ends of one thing would undo each other.
        let unfit = |other: &PlannedFault| conflict(other, &fault) || forgotten(other, &fault);
        if !faults.iter().any(unfit) && !too_early(&fault) {
            faults.push(fault);
        }
    }
    // Requests may not be made while they would go wrong; something must go wrong.
    if faults.iter().all(|fault| matches!(fault.what, What::Requests(..) | What::MoveLeaders(..))) {
        let (at, lasts) = (draw.millis(200..=latest), draw.millis(50..=3_000));
        faults.push(PlannedFault { at, lasts, what: What::KillReplicator });
    }
    faults.sort_by_key(|fault| fault.at);
    faults
}

/// True when a topic would be gone before anything of it was copied: such a plan shows nothing.
fn too_early(fault: &PlannedFault) -> bool {
    matches!(fault.what, What::Delete(_)) && fault.at < Duration::from_secs(1)
}

/// True when a restart may hide what the other does to the origin's log: the position that is stored has neither a
/// leader epoch nor a topic id beside it. So a log that was cut while the replicator was down, or before it has read
/// anything since, and has grown past the position looks like the one that was read. What a replicator does about it
/// that has read from the log is in the plans; this is not.
fn forgotten(a: &PlannedFault, b: &PlannedFault) -> bool {
    let rewrites = |fault: &PlannedFault| matches!(fault.what, What::Truncate(..) | What::Recreate(_));
    rewrites(a) && b.restarts() || rewrites(b) && a.restarts()
}

/// True when two faults cannot be told apart, or one would end the other.
fn conflict(a: &PlannedFault, b: &PlannedFault) -> bool {
    use What::{Cut, Hold, KillBroker, Slow};
    if a.restarts() && b.restarts() {
        return a.at <= b.ends_at() + STOP && b.at <= a.ends_at() + STOP;
    }
    match (&a.what, &b.what) {
        (
            Cut(a, m, _) | Hold(a, m) | Slow(a, m, _) | KillBroker(a, m),
            Cut(b, n, _) | Hold(b, n) | Slow(b, n, _) | KillBroker(b, n),
        ) => a == b && m == n,
        (a, b) => spoilt(a).zip(spoilt(b)).is_some_and(|(a, b)| a == b),
    }
}

/// The topic of which a part may never be copied.
fn spoilt(what: &What) -> Option<&str> {
    match what {
        What::Truncate(topic, ..)
        | What::Recreate(topic)
        | What::Delete(topic)
        | What::Grow(topic)
        | What::Corrupt(topic, ..)
        | What::Refuse(topic, ..) => Some(topic),
        _ => None,
    }
}

fn what(draw: &mut Draw, plan: &Plan) -> What {
    let side = if draw.chance(50) { Side::Origin } else { Side::Destination };
    let brokers = if side == Side::Origin { plan.origin.brokers } else { plan.destination.brokers };
    let broker = draw.number(1..=brokers.max(1) as usize) as i32;
    let topic = draw.pick(&plan.topics);
    let name = topic.name.clone();
    let partition = draw.number(0..=topic.partitions.max(1) as usize - 1) as i32;
    match draw.number(0..=99) {
        0..=11 => What::KillBroker(side, broker),
        12..=17 => What::MoveLeaders(side, name),
        18..=20 => What::MoveCoordinator(side),
        21..=27 => What::Cut(side, broker, *draw.pick(&[Way::In, Way::Out, Way::Both])),
        28..=31 => What::Hold(side, broker),
        32..=35 => What::Slow(side, broker, draw.millis(20..=200)),
        36..=51 => requests(draw, side),
        52..=64 => What::KillReplicator,
        65..=67 => What::StopReplicator,
        68..=73 => What::DeleteRecords(name, partition, draw.number(20..=100) as u32),
        74..=79 => What::Truncate(name, partition, draw.number(5..=60) as u32),
        80..=82 => What::Recreate(name),
        83..=84 => What::Delete(name),
        85..=91 => What::Grow(name),
        92..=93 => What::Corrupt(name, partition, draw.number(0..=30) as u32),
        94..=97 if topic.compact => What::Compact(name),
        94..=97 => What::MoveLeaders(side, name),
        _ => What::Refuse(name, partition, *draw.pick(&[87, 10, 29, -1])),
    }
}

fn requests(draw: &mut Draw, side: Side) -> What {
    let api = match side {
        Side::Origin => *draw.pick(&[ApiKey::Fetch, ApiKey::Fetch, ApiKey::Metadata, ApiKey::ListOffsets]),
        Side::Destination => *draw.pick(&[
            ApiKey::Produce,
            ApiKey::Produce,
            ApiKey::Produce,
            ApiKey::Metadata,
            ApiKey::InitProducerId,
        ]),
    };
    let codes: &[i16] = match api {
        ApiKey::Produce => &[6, 5, 7, 19, 20, 2, 45, 47, 59, 56],
        ApiKey::Fetch => &[6, 5, 74, 75, 56, -1],
        ApiKey::ListOffsets => &[6, 5, 74, 78],
        ApiKey::InitProducerId => &[14, 15, 16, 51],
        _ => &[5, 3],
    };
    let trouble = match draw.number(0..=9) {
        0..=3 => Action::Error(*draw.pick(codes)),
        4 => Action::Delay(draw.millis(10..=1_500)),
        5 => Action::Drop,
        6 => Action::Disconnect,
        7 => Action::ApplyThenDisconnect,
        8 => Action::Truncate(draw.number(0..=60)),
        _ => Action::Throttle(draw.millis(10..=800)),
    };
    // A batch that is damaged twice on the way is taken for a damaged batch.
    let most = if trouble == Action::Error(2) { 1 } else { 8 };
    What::Requests(side, api, trouble, draw.number(1..=most) as u32)
}
