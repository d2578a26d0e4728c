//! Values over the last `metrics.num.samples` windows of `metrics.sample.window.ms`, as Kafka's metrics library counts them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Time for which values count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Windows {
    /// `metrics.sample.window.ms`.
    pub(crate) window: Duration,
    /// `metrics.num.samples`.
    pub(crate) samples: usize,
}

#[derive(Debug)]
struct Sample {
    start: Instant,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

/// Values that were recorded during the windows.
#[derive(Debug)]
pub(crate) struct Sampled {
    windows: Windows,
    samples: Mutex<VecDeque<Sample>>,
}

/// Sums over all windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Totals {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    seconds: f64,
}

impl Sampled {
    pub(crate) fn new(windows: Windows) -> Self {
        Self { windows, samples: Mutex::default() }
    }

    pub(crate) fn record(&self, value: f64) {
        let now = Instant::now();
        let mut samples = self.lock();
        if samples.back().is_none_or(|last| now - last.start >= self.windows.window) {
            samples.push_back(Sample {
                start: now,
                count: 0,
                sum: 0.0,
                min: f64::INFINITY,
                max: f64::NEG_INFINITY,
            });
            while samples.len() > self.windows.samples.max(1) {
                samples.pop_front();
            }
        }
        if let Some(sample) = samples.back_mut() {
            sample.count += 1;
            sample.sum += value;
            sample.min = sample.min.min(value);
            sample.max = sample.max.max(value);
        }
    }

    pub(crate) fn record_time(&self, time: Duration) {
        self.record(time.as_secs_f64() * 1000.0);
    }

    /// Sums over what is recent enough.
    pub(crate) fn totals(&self) -> Totals {
        let now = Instant::now();
        let window = self.windows.window;
        let all = window * u32::try_from(self.windows.samples.max(1)).unwrap_or(u32::MAX);
        let mut totals =
            Totals { count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, seconds: 0.0 };
        let mut oldest = now;
        for sample in self.lock().iter().filter(|sample| now - sample.start < all) {
            oldest = oldest.min(sample.start);
            totals.count += sample.count;
            totals.sum += sample.sum;
            totals.min = totals.min.min(sample.min);
            totals.max = totals.max.max(sample.max);
        }
        // A young series counts as if it were nearly full, so that its first value is no burst.
        let least = window * u32::try_from(self.windows.samples.saturating_sub(1)).unwrap_or(u32::MAX);
        totals.seconds = (now - oldest).max(least).as_secs_f64();
        totals
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Sample>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Totals {
    /// Sum for each second.
    pub(crate) fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.sum / self.seconds } else { 0.0 }
    }

    /// Mean; NaN without values.
    pub(crate) fn average(&self) -> f64 {
        self.sum / self.count as f64
    }

    /// Largest; NaN without values.
    pub(crate) fn max(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.max }
    }

    /// Smallest; NaN without values.
    pub(crate) fn min(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.min }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn old_windows_are_forgotten() {
        let sampled = Sampled::new(Windows { window: Duration::from_secs(30), samples: 2 });
        assert!(sampled.totals().average().is_nan() && sampled.totals().rate() == 0.0);
        sampled.record(10.0);
        sampled.record(20.0);
        assert_eq!(sampled.totals().rate(), 1.0, "30 in at least one window of 30 s");
        tokio::time::advance(Duration::from_secs(31)).await;
        sampled.record(60.0);
        let both = sampled.totals();
        assert_eq!((both.average(), both.min(), both.max()), (30.0, 10.0, 60.0));
        tokio::time::advance(Duration::from_secs(31)).await;
        assert_eq!(sampled.totals().average(), 60.0);
        tokio::time::advance(Duration::from_secs(31)).await;
        assert!(sampled.totals().max().is_nan());
    }
}
