//! Added latency at a fixed rate: an open-loop generator at the origin, a reader at either end, one clock.
//!
//! Every millisecond one batch of five records of 1 KB goes to the next of twelve partitions, whether or not the last one was
//! answered; a record carries its number and thereby the time at which it *should* have been sent, so that a stall shows up
//! in every record it delays. Added latency is, record by record, when the destination's reader had it less when the origin's
//! reader had it. The control run has no copier and only the origin's reader.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use kafka_wire::batch::{BatchBuilder, Codec, Headers, OutgoingBatch};
use kafka_wire::cluster::Cluster as Client;
use kafka_wire::produce::{ProduceEvent, Producer};
use rdkafka::consumer::BaseConsumer;
use rdkafka::message::Message;
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval_at};

use crate::cases::{self, Case, Content, PARTITIONS};
use crate::drain::DISTURBED_ABOVE;
use crate::fill;
use crate::interrupt;
use crate::lab::Lab;
use crate::meter::{Reading, Spent, peak_memory};
use crate::payload::Payload;
use crate::peers::{Job, Peer};
use crate::process::Guarded;
use crate::verify::consumer;

const RECORD_BYTES: usize = 1000;
const RECORDS_PER_BATCH: u64 = 5;
const LINGER_MS: u32 = 5;

/// How long the first record may take to get through, and the last ones after the generator's end.
const START_LIMIT: Duration = Duration::from_secs(90);
const TAIL_LIMIT: Duration = Duration::from_secs(10);

/// How long to generate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// Not measured, before.
    pub(crate) warm_up: Duration,
    /// Measured.
    pub(crate) measured: Duration,
}

/// Percentiles, ms.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p99_9: f64,
    pub(crate) max: f64,
}

/// One latency run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Latency {
    /// Who copied; none in a control run.
    pub(crate) peer: Option<Peer>,
    /// Which round, from 1.
    pub(crate) round: u32,
    /// Destination's reader less origin's reader.
    pub(crate) added_ms: Option<Percentiles>,
    /// Destination's reader less scheduled time.
    pub(crate) whole_ms: Option<Percentiles>,
    /// Origin's reader less scheduled time.
    pub(crate) origin_ms: Percentiles,
    /// Records in the measured time.
    pub(crate) records: u64,
    /// Those of them that a reader never had.
    pub(crate) missing: u64,
    /// Those that the destination's reader had before the origin's; they count as 0 added.
    pub(crate) negative: u64,
    /// The copier's CPU as a share of one core.
    pub(crate) cpu_share: f64,
    /// Peak resident memory of the copier.
    pub(crate) peak_rss_mib: f64,
    /// CPU of everything else but the benchmark (generator and readers are part of it), as a share of all cores.
    pub(crate) other_cpu_share: f64,
    /// Whether that is too much.
    pub(crate) disturbed: bool,
}

/// When each record arrived, µs after `zero`; 0: it has not.
#[derive(Debug)]
struct Arrivals {
    zero: Instant,
    at: Vec<AtomicU64>,
    seen: AtomicU64,
}

impl Arrivals {
    fn new(zero: Instant, records: u64) -> Arc<Self> {
        let at = (0..records).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self { zero, at, seen: AtomicU64::new(0) })
    }

    fn note(&self, number: u64) {
        self.seen.fetch_add(1, Ordering::Relaxed);
        if let Some(slot) = self.at.get(number as usize) {
            let now = self.zero.elapsed().as_micros() as u64;
            // Of a duplicate the first counts.
            let _ = slot.compare_exchange(0, now.max(1), Ordering::Release, Ordering::Relaxed);
        }
    }

    fn get(&self, number: u64) -> Option<u64> {
        self.at.get(number as usize).map(|slot| slot.load(Ordering::Acquire)).filter(|at| *at > 0)
    }
}

/// A thread that reads a topic until it is told to end.
struct Reader {
    arrivals: Arc<Arrivals>,
    end: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Reader {
    fn start(bootstrap: &str, topic: &str, zero: Instant, records: u64) -> Result<Self> {
        let settings = [("fetch.wait.max.ms", "100"), ("socket.nagle.disable", "true")];
        let numbers: Vec<i32> = (0..PARTITIONS).collect();
        let consumer = consumer(bootstrap, topic, &numbers, &settings)?;
        let (arrivals, end) = (Arrivals::new(zero, records), Arc::new(AtomicBool::new(false)));
        let (sink, ended) = (arrivals.clone(), end.clone());
        let thread = std::thread::spawn(move || read(&consumer, &sink, &ended));
        Ok(Self { arrivals, end, thread: Some(thread) })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(consumer: &BaseConsumer, arrivals: &Arrivals, end: &AtomicBool) {
    while !end.load(Ordering::Acquire) {
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(50))
            && let Some(number) = message.payload().and_then(|value| value.get(..8)?.try_into().ok())
        {
            arrivals.note(u64::from_be_bytes(number));
        }
    }
}

/// The number of a record that only asks whether the way is open.
const PROBE: u64 = u64::MAX;

/// Sends records at the origin: probes until `start` is set, then the schedule that begins there.
struct Generator {
    client: Client,
    topic: String,
    /// µs after `zero` at which the schedule begins; negative: not yet known.
    start: Arc<AtomicI64>,
    zero: Instant,
    batches: u64,
}

impl Generator {
    async fn run(self) -> Result<()> {
        let mut producer = Producer::new(self.client.clone(), fill::settings());
        let partitions: Vec<usize> =
            (0..PARTITIONS).map(|number| producer.open(&self.topic, number)).collect();
        let mut payload = Payload::new(Content::Letters, RECORD_BYTES, 1);
        let mut tag = 0;
        while self.start.load(Ordering::Acquire) < 0 {
            producer.enqueue(partitions[0], tag, batch(&mut payload, PROBE, 1)?);
            tag += 1;
            pump(&mut producer, Duration::from_millis(20)).await?;
            if interrupt::asked() {
                return Ok(());
            }
        }
        let start = self.zero + Duration::from_micros(self.start.load(Ordering::Acquire).unsigned_abs());
        let mut ticks = interval_at(start.into(), Duration::from_millis(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut sent = 0;
        while sent < self.batches && !interrupt::asked() {
            tokio::select! {
                biased;
                _ = ticks.tick() => {
                    let batch = batch(&mut payload, sent * RECORDS_PER_BATCH, RECORDS_PER_BATCH)?;
                    producer.enqueue(partitions[sent as usize % partitions.len()], tag, batch);
                    tag += 1;
                    sent += 1;
                }
                events = producer.next() => settle(&events)?,
            }
        }
        while !producer.is_idle() && !interrupt::asked() {
            pump(&mut producer, Duration::from_millis(20)).await?;
        }
        Ok(())
    }
}

/// Lets the producer work for this long.
async fn pump(producer: &mut Producer, time: Duration) -> Result<()> {
    let end = tokio::time::Instant::now() + time;
    while let Ok(events) = tokio::time::timeout_at(end, producer.next()).await {
        settle(&events)?;
    }
    Ok(())
}

fn settle(events: &[ProduceEvent]) -> Result<()> {
    match events.iter().find(|event| !matches!(event, ProduceEvent::Acknowledged(_))) {
        Some(other) => anyhow::bail!("the generator was interrupted: {other:?}"),
        None => Ok(()),
    }
}

fn batch(payload: &mut Payload, first: u64, count: u64) -> Result<OutgoingBatch> {
    let (mut builder, mut value) = (BatchBuilder::new(Codec::None), Vec::with_capacity(RECORD_BYTES));
    for index in 0..count {
        payload.next_into(&mut value);
        value[..8].copy_from_slice(&first.wrapping_add(index).to_be_bytes());
        builder.push(fill::now_ms(), None, Some(&value), &Headers::default())?;
    }
    Ok(builder.finish()?)
}

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

/// What is needed to turn arrivals into latencies.
struct Figures {
    start_us: u64,
    window: Window,
    records: u64,
}

impl Figures {
    fn scheduled(&self, number: u64) -> u64 {
        self.start_us + number / RECORDS_PER_BATCH * 1000
    }

    fn compute(&self, origin: &Arrivals, destination: Option<&Arrivals>) -> Result<Latency> {
        let first = self.window.warm_up.as_millis() as u64 * RECORDS_PER_BATCH;
        let (mut added, mut whole, mut alone) = (histogram()?, histogram()?, histogram()?);
        let (mut missing, mut negative) = (0, 0);
        for number in first..self.records {
            let scheduled = self.scheduled(number);
            let there = origin.get(number);
            let copied = destination.map_or(there, |destination| destination.get(number));
            let (Some(there), Some(copied)) = (there, copied) else {
                missing += 1;
                continue;
            };
            negative += u64::from(copied < there);
            alone.saturating_record(there.saturating_sub(scheduled));
            whole.saturating_record(copied.saturating_sub(scheduled));
            added.saturating_record(copied.saturating_sub(there));
        }
        Ok(Latency {
            peer: None,
            round: 0,
            added_ms: destination.map(|_| percentiles(&added)),
            whole_ms: destination.map(|_| percentiles(&whole)),
            origin_ms: percentiles(&alone),
            records: self.records - first,
            missing,
            negative,
            cpu_share: 0.0,
            peak_rss_mib: 0.0,
            other_cpu_share: 0.0,
            disturbed: false,
        })
    }
}

/// Microseconds up to two minutes, three digits.
fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 120_000_000, 3)?)
}

fn percentiles(histogram: &Histogram<u64>) -> Percentiles {
    let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1000.0;
    Percentiles {
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        p99_9: at(0.999),
        max: histogram.max() as f64 / 1000.0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn arrivals(figures: &Figures, delay: impl Fn(u64) -> Option<u64>) -> Arc<Arrivals> {
        let arrivals = Arrivals::new(Instant::now(), figures.records);
        for number in 0..figures.records {
            let at = delay(number).map_or(0, |delay| figures.scheduled(number) + delay);
            arrivals.at[number as usize].store(at, Ordering::Relaxed);
        }
        arrivals
    }

    #[test]
    fn latency_is_per_record_and_without_the_warm_up() {
        let window = Window { warm_up: Duration::from_millis(10), measured: Duration::from_millis(100) };
        let figures = Figures { start_us: 5_000, window, records: 110 * RECORDS_PER_BATCH };
        // The warm-up is slow, two records are lost, one overtakes its original.
        let origin = arrivals(&figures, |number| Some(if number < 50 { 900_000 } else { 2_000 }));
        let copy = arrivals(&figures, |number| match number {
            60 | 61 => None,
            62 => Some(1_000),
            _ => Some(3_000),
        });
        let latency = figures.compute(&origin, Some(&copy)).unwrap();
        assert_eq!((latency.records, latency.missing, latency.negative), (500, 2, 1));
        let added = latency.added_ms.unwrap();
        assert!((0.99..1.01).contains(&added.p50) && added.max < 1.01, "{added:?}");
        assert!((2.9..3.1).contains(&latency.whole_ms.unwrap().p99));
        assert!(latency.origin_ms.max < 2.01);
    }

    #[test]
    fn a_duplicate_does_not_move_an_arrival() {
        let arrivals = Arrivals::new(Instant::now(), 2);
        arrivals.note(1);
        let first = arrivals.get(1);
        std::thread::sleep(Duration::from_millis(2));
        arrivals.note(1);
        arrivals.note(PROBE);
        assert_eq!(arrivals.get(1), first);
        assert_eq!((arrivals.get(0), arrivals.seen.load(Ordering::Relaxed)), (None, 3));
    }
}
