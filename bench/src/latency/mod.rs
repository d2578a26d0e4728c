//! Added latency at a fixed rate: an open-loop generator at the origin, a reader at either end, one clock.
//!
//! Every millisecond one batch of five records of 1 KB goes to the next of twelve partitions, whether or not the last one was
//! answered; a record carries its number and thereby the time at which it *should* have been sent, so that a stall shows up
//! in every record it delays. Added latency is, record by record, when the destination's reader had it less when the origin's
//! reader had it. The control run has no copier and only the origin's reader.

mod arrivals;
mod figures;
mod generator;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

pub(crate) use self::figures::{Latency, Percentiles, Window};

use self::arrivals::Reader;
use self::figures::{Figures, RECORDS_PER_BATCH};
use self::generator::Generator;
use crate::cases::{self, Case, PARTITIONS};
use crate::drain::DISTURBED_ABOVE;
use crate::interrupt;
use crate::lab::Lab;
use crate::meter::{Reading, Spent, peak_memory};
use crate::peers::{Job, Peer};
use crate::process::Guarded;

const LINGER_MS: u32 = 5;

/// Longest time for the first record to get through, and for the last ones after the generator's end.
const START_LIMIT: Duration = Duration::from_secs(90);
const TAIL_LIMIT: Duration = Duration::from_secs(10);

/// Runs `peer`, or with `None` the control, on a fresh topic.
///
/// # Errors
/// No record came through in time, or generator, reader or copier failed.
pub(crate) fn run(lab: &Lab, peer: Option<Peer>, run: &str, round: u32, window: Window) -> Result<Latency> {
    let topic = format!("latency-{run}");
    let folder = lab.run_folder(run)?;
    let case = cases::find("u1k").context("the case u1k is gone")?;
    let job = Job { topic: &topic, run, case: &Case { ..*case }, linger_ms: LINGER_MS, folder: &folder };
    let copy = peer.map(|peer| peer.destination_topic(&job));
    lab.origin.create(&lab.runtime, &topic)?;
    let result = match &copy {
        Some(copy) => {
            lab.destination.create(&lab.runtime, copy)?;
            measure(lab, peer, &job, Some(copy), round, window)
        }
        None => measure(lab, None, &job, None, round, window),
    };
    lab.sweep(run);
    result
}

fn measure(
    lab: &Lab,
    peer: Option<Peer>,
    job: &Job<'_>,
    copy: Option<&str>,
    round: u32,
    window: Window,
) -> Result<Latency> {
    let zero = Instant::now();
    let batches = (window.warm_up + window.measured).as_millis() as u64;
    let records = batches * RECORDS_PER_BATCH;
    let start = Arc::new(AtomicI64::new(-1));
    let generator = Generator {
        client: lab.origin.client.clone(),
        topic: job.topic.to_owned(),
        start: start.clone(),
        zero,
        batches,
    };
    let mut process = match peer {
        Some(peer) => Some(Guarded::start(peer.name(), &peer.command(lab, job)?, job.folder)?),
        None => None,
    };
    let origin = Reader::start(&lab.origin.cluster.bootstrap(), job.topic, zero, records)?;
    let destination = match copy {
        Some(copy) => Some(Reader::start(&lab.destination.cluster.bootstrap(), copy, zero, records)?),
        None => None,
    };
    let thread = std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(generator.run())
    });
    let readers: Vec<&Reader> = [Some(&origin), destination.as_ref()].into_iter().flatten().collect();
    let opened = wait_open(&readers, process.as_mut());
    // Whatever happened, the generator must go on to its end.
    let begin = zero.elapsed() + Duration::from_millis(500);
    start.store(begin.as_micros() as i64, Ordering::Release);
    if let Err(error) = opened {
        drop(process);
        let _ = thread.join();
        return Err(error);
    }
    std::thread::sleep(Duration::from_millis(500) + window.warm_up);
    let pid = process.as_ref().map(Guarded::pid);
    let before = Reading::take(&lab.subjects(), pid);
    thread.join().ok().context("the generator panicked")??;
    let spent = Reading::take(&lab.subjects(), pid).since(&before);
    wait_last(&readers, records)?;
    let figures = Figures { start_us: begin.as_micros() as u64, window, records };
    let mut latency =
        figures.compute(&origin.arrivals, destination.as_ref().map(|reader| &*reader.arrivals))?;
    latency.peer = peer;
    latency.round = round;
    latency.peak_rss_mib = pid.and_then(peak_memory).unwrap_or_default() as f64 / f64::from(1 << 20);
    set_load(&mut latency, &spent);
    if let Some(process) = process {
        process.stop(Duration::from_secs(15));
    }
    Ok(latency)
}

fn set_load(latency: &mut Latency, spent: &Spent) {
    latency.cpu_share = spent.peer / spent.seconds.max(1e-3);
    latency.other_cpu_share = spent.other_share();
    latency.disturbed = latency.other_cpu_share > DISTURBED_ABOVE;
}

/// Waits until every reader has seen a probe.
fn wait_open(readers: &[&Reader], mut process: Option<&mut Guarded>) -> Result<()> {
    let begun = Instant::now();
    while readers.iter().any(|reader| reader.arrivals.seen.load(Ordering::Relaxed) == 0) {
        interrupt::check()?;
        if let Some(process) = process.as_deref_mut() {
            process.check()?;
        }
        if begun.elapsed() > START_LIMIT {
            let words = process.map(|process| process.last_words()).unwrap_or_default();
            anyhow::bail!("no record came through in {START_LIMIT:?}; last words:\n{words}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Waits for the last record at every reader, but not for ever.
fn wait_last(readers: &[&Reader], records: u64) -> Result<()> {
    let begun = Instant::now();
    // The partitions end at different records: all of the last batches must be there.
    let tail = records.saturating_sub(PARTITIONS as u64 * RECORDS_PER_BATCH)..records;
    let complete = |reader: &&Reader| tail.clone().all(|number| reader.arrivals.get(number).is_some());
    while !readers.iter().all(complete) && begun.elapsed() < TAIL_LIMIT {
        interrupt::check()?;
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
