//! The course of the copy, told while it goes: a line that is rewritten on a terminal, a log line now and then otherwise.

use std::sync::Arc;
use std::time::Duration;

use replicator::monitoring::{Monitor, Totals};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::info;

use crate::process::console::Console;

const REWRITE: Duration = Duration::from_millis(500);
const LOG: Duration = Duration::from_secs(10);
/// Lag below which an estimate of the time left would only flicker.
const WORTH_AN_ESTIMATE: u64 = 1000;

/// Tells until it is dropped.
pub(crate) async fn tell(console: Console, monitor: Arc<Monitor>) {
    let period = if console.is_terminal() { REWRITE } else { LOG };
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = (Instant::now(), monitor.totals());
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let now = (Instant::now(), monitor.totals());
        let speed = Speed::between(&before.1, &now.1, now.0 - before.0);
        let moved = now.1 != before.1;
        before = now;
        if console.is_terminal() {
            console.show(line(&now.1, &speed));
        } else if moved {
            info!(
                records_per_s = speed.records.round(),
                bytes_per_s = speed.bytes.round(),
                lag = now.1.lag,
                eta = eta(&now.1, &speed).unwrap_or_else(|| "-".to_owned()),
                records = now.1.records,
                partitions_stopped = now.1.stopped,
                partitions_waiting = now.1.waiting,
                "copied"
            );
        }
    }
}

/// Rates per second.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Speed {
    records: f64,
    bytes: f64,
    /// By how much the lag falls: what is copied less what is produced meanwhile.
    lag_falls: f64,
}

impl Speed {
    fn between(before: &Totals, now: &Totals, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64().max(1e-3);
        Self {
            records: now.records.saturating_sub(before.records) as f64 / seconds,
            bytes: now.bytes.saturating_sub(before.bytes) as f64 / seconds,
            lag_falls: (before.lag as f64 - now.lag as f64) / seconds,
        }
    }
}

fn line(totals: &Totals, speed: &Speed) -> String {
    let mut out = format!(
        "{} records/s  {}/s  lag {}",
        grouped(speed.records as u64),
        size(speed.bytes),
        grouped(totals.lag)
    );
    if let Some(eta) = eta(totals, speed) {
        out.push_str(&format!("  ETA {eta}"));
    }
    out.push_str(&format!(
        "  copied {} records of {} partitions",
        grouped(totals.records),
        totals.partitions
    ));
    if totals.waiting > 0 {
        out.push_str(&format!("  {} waiting", totals.waiting));
    }
    if totals.stopped > 0 {
        out.push_str(&format!("  {} STOPPED", totals.stopped));
    }
    out
}

/// Time until the lag is gone, when there is enough of it to tell.
fn eta(totals: &Totals, speed: &Speed) -> Option<String> {
    if totals.lag < WORTH_AN_ESTIMATE {
        return None;
    }
    if speed.lag_falls <= 0.0 {
        return Some("never at this rate".to_owned());
    }
    let seconds = (totals.lag as f64 / speed.lag_falls).ceil() as u64;
    Some(match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    })
}

/// Bytes in a unit that suits them.
pub(crate) fn size(bytes: f64) -> String {
    match bytes {
        b if b >= 1e9 => format!("{:.2} GB", b / 1e9),
        b if b >= 1e6 => format!("{:.1} MB", b / 1e6),
        b if b >= 1e3 => format!("{:.1} kB", b / 1e3),
        b => format!("{b:.0} B"),
    }
}

/// Digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(records: u64, lag: u64) -> Totals {
        Totals { records, lag, bytes: records * 1000, partitions: 12, ..Totals::default() }
    }

    #[test]
    fn the_line_tells_rates_lag_and_time_left() {
        let (before, now) = (totals(0, 1_000_000), totals(250_000, 800_000));
        let speed = Speed::between(&before, &now, Duration::from_secs(1));
        let expected =
            "250,000 records/s  250.0 MB/s  lag 800,000  ETA 4 s  copied 250,000 records of 12 partitions";
        assert_eq!(line(&now, &speed), expected);
    }

    #[test]
    fn a_lag_that_grows_is_never_caught_up() {
        let (before, now) = (totals(0, 5_000), totals(10, 9_000));
        let speed = Speed::between(&before, &now, Duration::from_secs(1));
        assert_eq!(eta(&now, &speed).as_deref(), Some("never at this rate"));
        assert_eq!(eta(&totals(0, 10), &speed), None);
    }
}
