//! One drain: a copier is started on a full topic and stopped when the destination has every record.
//!
//! Guarantees: bounded in time; the copier is gone when a drain returns, however it returns; a copy that differs, is
//! incomplete or holds more than the origin never counts as a result without saying so.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::cases::Case;
use crate::interrupt;
use crate::lab::{Lab, partitions};
use crate::meter::{Reading, Spent, peak_memory};
use crate::peers::{Job, Peer};
use crate::process::Guarded;
use crate::verify::{self, Digest};

/// Longest time until a copier's first record is there.
const START_LIMIT: Duration = Duration::from_secs(90);

/// Longest pause once something has arrived.
const STALL_LIMIT: Duration = Duration::from_secs(45);

/// Longest time for a copier to stop by itself.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// The slowest copier that is waited for, raw bytes per second.
const SLOWEST: u64 = 4_000_000;

/// Above this share of all cores, other work makes a run doubtful.
pub(crate) const DISTURBED_ABOVE: f64 = 0.10;

/// A full topic at the origin.
#[derive(Debug)]
pub(crate) struct Prefilled {
    /// Name and shape of the case.
    pub(crate) case: &'static Case,
    /// Records.
    pub(crate) records: u64,
    /// Bytes of its segments: what has to be moved by whoever passes batches on.
    pub(crate) wire_bytes: u64,
    /// Bytes of the values.
    pub(crate) raw_bytes: u64,
    /// End offset of each partition.
    pub(crate) ends: Vec<i64>,
    /// Bytes as a reader sees them.
    pub(crate) digests: Vec<Digest>,
}

/// The figures of one run. MB and GB are powers of ten, MiB is not.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Drain {
    /// The case's name.
    pub(crate) case: &'static str,
    /// The copier.
    pub(crate) peer: Peer,
    /// Which interleaved round, from 1.
    pub(crate) round: u32,
    /// From the start of the process to the first record at the destination, s.
    pub(crate) first_record_s: f64,
    /// From the first record to the last, s.
    pub(crate) active_s: f64,
    /// Origin segment bytes in the active time.
    pub(crate) wire_mb_s: f64,
    /// Bytes of values in the active time.
    pub(crate) raw_mb_s: f64,
    /// Records in the active time.
    pub(crate) records_s: f64,
    /// CPU of the copier in the active time, s.
    pub(crate) cpu_s: f64,
    /// CPU of the copier from its start, s.
    pub(crate) cpu_with_start_s: f64,
    /// `cpu_s` for each GB of origin segments.
    pub(crate) cpu_per_wire_gb: f64,
    /// `cpu_with_start_s` for each GB of origin segments.
    pub(crate) cpu_with_start_per_wire_gb: f64,
    /// Peak resident memory of the copier.
    pub(crate) peak_rss_mib: f64,
    /// CPU of the origin's processes from the copier's start, s.
    pub(crate) origin_cpu_s: f64,
    /// CPU of the destination's processes from the copier's start, s.
    pub(crate) destination_cpu_s: f64,
    /// CPU of everything else but the benchmark, as a share of all cores, from the copier's start.
    pub(crate) other_cpu_share: f64,
    /// Whether that is too much.
    pub(crate) disturbed: bool,
    /// Bytes of the copy's segments; 0 for a relay.
    pub(crate) destination_wire_bytes: u64,
    /// Bytes of the original's segments.
    pub(crate) origin_wire_bytes: u64,
    /// Time that the copier took to stop when asked to, s; none: it had to be killed.
    pub(crate) stop_s: Option<f64>,
    /// Verdict of the independent reader: `identical`, `DIFFERENT (…)`, or `-` for a relay.
    pub(crate) content: String,
}

/// Times and CPU of one run, before they become figures.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) first_record: Duration,
    pub(crate) active: Spent,
    pub(crate) whole: Spent,
    pub(crate) peak_memory: u64,
}

impl Prefilled {
    /// The figures of a run on this topic.
    pub(crate) fn figures(&self, peer: Peer, round: u32, measured: &Measured) -> Drain {
        let (active, whole) = (&measured.active, &measured.whole);
        let seconds = active.seconds.max(1e-3);
        let wire_gb = self.wire_bytes as f64 / 1e9;
        let other_cpu_share = whole.other_share();
        Drain {
            case: self.case.name,
            peer,
            round,
            first_record_s: measured.first_record.as_secs_f64(),
            active_s: active.seconds,
            wire_mb_s: self.wire_bytes as f64 / 1e6 / seconds,
            raw_mb_s: self.raw_bytes as f64 / 1e6 / seconds,
            records_s: self.records as f64 / seconds,
            cpu_s: active.peer,
            cpu_with_start_s: whole.peer,
            cpu_per_wire_gb: active.peer / wire_gb,
            cpu_with_start_per_wire_gb: whole.peer / wire_gb,
            peak_rss_mib: measured.peak_memory as f64 / f64::from(1 << 20),
            origin_cpu_s: whole.origin,
            destination_cpu_s: whole.destination,
            other_cpu_share,
            disturbed: other_cpu_share > DISTURBED_ABOVE,
            destination_wire_bytes: 0,
            origin_wire_bytes: self.wire_bytes,
            stop_s: None,
            content: "-".to_owned(),
        }
    }
}

/// Copies `source` with `peer` and measures it.
///
/// # Errors
/// The copier ended, stalled or was too slow; its last words are in the error.
pub(crate) fn drain(lab: &Lab, source: &Prefilled, peer: Peer, run: &str, round: u32) -> Result<Drain> {
    let folder = lab.run_folder(run)?;
    let job = Job { topic: source.case.name, run, case: source.case, linger_ms: 20, folder: &folder };
    let topic = peer.destination_topic(&job);
    lab.destination.create(&lab.runtime, &topic)?;
    let result = copy(lab, source, peer, &job, &topic, round);
    lab.sweep(run);
    result
}

fn copy(lab: &Lab, source: &Prefilled, peer: Peer, job: &Job<'_>, topic: &str, round: u32) -> Result<Drain> {
    let command = peer.command(lab, job)?;
    let subjects = lab.subjects();
    let before = Reading::take(&subjects, None);
    let begun = Instant::now();
    let mut process = Guarded::start(peer.name(), &command, job.folder)?;
    let pid = process.pid();
    let measured = watch(lab, source, topic, &mut process, begun)
        .map(|(first, at_first)| {
            let end = Reading::take(&subjects, Some(pid));
            Measured {
                first_record: first,
                active: end.since(&at_first),
                whole: end.since(&before),
                peak_memory: peak_memory(pid).unwrap_or_default(),
            }
        })
        .with_context(|| format!("{} on {}", peer.name(), source.case.name))?;
    let stopped = process.stop(STOP_LIMIT);
    let ends = lab.destination.ends(&lab.runtime, &crate::lab::partitions(topic))?;
    let copied = verify::read(&lab.destination.cluster.bootstrap(), topic, &ends)?;
    Ok(Drain {
        destination_wire_bytes: lab.destination.segment_bytes(topic),
        stop_s: stopped.map(|time| time.as_secs_f64()),
        content: verify::compare(&source.digests, &copied),
        ..source.figures(peer, round, &measured)
    })
}

/// Waits for the first record, then for the last. Gives back when the first came, and the meters then.
fn watch(
    lab: &Lab,
    source: &Prefilled,
    topic: &str,
    process: &mut Guarded,
    begun: Instant,
) -> Result<(Duration, Reading)> {
    let (subjects, partitions) = (lab.subjects(), partitions(topic));
    let limit = START_LIMIT + Duration::from_secs(source.raw_bytes / SLOWEST);
    let mut first: Option<(Duration, Reading)> = None;
    let (mut seen, mut moved) = (0, begun);
    loop {
        let ends = lab.destination.ends(&lab.runtime, &partitions)?;
        let total: i64 = ends.iter().sum();
        if total > 0 && first.is_none() {
            first = Some((begun.elapsed(), Reading::take(&subjects, Some(process.pid()))));
        }
        if let Some(first) =
            first.filter(|_| ends.iter().zip(&source.ends).all(|(end, wanted)| end >= wanted))
        {
            return Ok(first);
        }
        if total > seen {
            (seen, moved) = (total, Instant::now());
        }
        process.check()?;
        interrupt::check()?;
        let patience = if first.is_some() { STALL_LIMIT } else { START_LIMIT };
        if moved.elapsed() > patience || begun.elapsed() > limit {
            bail!(
                "{seen} of {} records after {:.0} s; its last words:\n{}",
                source.records,
                begun.elapsed().as_secs_f64(),
                process.last_words()
            );
        }
        std::thread::sleep(Duration::from_millis(if first.is_some() { 10 } else { 5 }));
    }
}
