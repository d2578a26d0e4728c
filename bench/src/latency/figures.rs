//! Latencies out of arrivals: percentiles without coordinated omission, record by record against the generator's schedule.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::arrivals::Arrivals;
use crate::peers::Peer;

/// Records that the generator sends in each millisecond's batch.
pub(super) const RECORDS_PER_BATCH: u64 = 5;

/// Times of the generator.
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
    /// The copier; none in a control run.
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

/// Everything that turns arrivals into latencies.
pub(super) struct Figures {
    pub(super) start_us: u64,
    pub(super) window: Window,
    pub(super) records: u64,
}

impl Figures {
    fn scheduled(&self, number: u64) -> u64 {
        self.start_us + number / RECORDS_PER_BATCH * 1000
    }

    pub(super) fn compute(&self, origin: &Arrivals, destination: Option<&Arrivals>) -> Result<Latency> {
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
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::time::Instant;

    use super::super::generator::PROBE;
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
