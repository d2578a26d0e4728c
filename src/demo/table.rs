//! The table: topics, how fast they are copied, how far behind, how late.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering::Relaxed;

use replicator::monitoring::{Monitor, PartitionState};
use tokio::time::Instant;

use crate::progress::{grouped, size};

/// Characters of a reason; the log has all of it.
const REASON: usize = 40;

/// One topic.
#[derive(Debug, Clone, Default, PartialEq)]
struct Row {
    destination: String,
    records: u64,
    bytes: u64,
    lag: Option<u64>,
    /// From the producer's timestamp to the destination's acknowledgement, of the newest record of the partition that is
    /// slowest, ms.
    latency_ms: Option<i64>,
    /// Partitions that do not run, and why the first does not.
    troubled: usize,
    trouble: Option<String>,
    records_per_s: f64,
    bytes_per_s: f64,
}

impl Row {
    fn state(&self) -> String {
        match &self.trouble {
            None => "RUNNING".to_owned(),
            Some(trouble) => {
                let short: String = trouble.chars().take(REASON).collect();
                let more = if short.len() < trouble.len() { "…" } else { "" };
                format!("{} {short}{more}", self.troubled)
            }
        }
    }
}

/// All topics at one time.
#[derive(Debug, Clone)]
pub(super) struct Table {
    at: Instant,
    rows: BTreeMap<String, Row>,
}

impl Table {
    /// The figures at the start.
    pub(super) fn empty(at: Instant) -> Self {
        Self { at, rows: BTreeMap::new() }
    }

    /// The figures now, without rates.
    pub(super) fn of(monitor: &Monitor) -> Self {
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        for figures in monitor.partitions() {
            let row = rows.entry(figures.topic.clone()).or_insert_with(|| Row {
                destination: figures.destination.clone(),
                lag: Some(0),
                ..Row::default()
            });
            row.records += figures.records.load(Relaxed);
            row.bytes += figures.bytes.load(Relaxed);
            row.lag = row.lag.zip(figures.lag()).map(|(sum, lag)| sum + lag);
            let (newest, acknowledged) =
                (figures.newest.load(Relaxed), figures.last_acknowledged.load(Relaxed));
            if newest > 0 && acknowledged > 0 {
                let late = (acknowledged - newest).max(0);
                row.latency_ms = Some(row.latency_ms.map_or(late, |other| other.max(late)));
            }
            let (state, reason) = match figures.state() {
                PartitionState::Running | PartitionState::Paused => continue,
                PartitionState::Waiting(reason) => ("WAITING", reason),
                PartitionState::Stopped(reason) => ("STOPPED", reason),
            };
            row.troubled += 1;
            row.trouble.get_or_insert_with(|| format!("{state}: {reason}"));
        }
        Self { at: Instant::now(), rows }
    }

    /// The same with the rates since `before`.
    pub(super) fn since(mut self, before: &Table) -> Self {
        let seconds = (self.at - before.at).as_secs_f64().max(1e-3);
        for (topic, row) in &mut self.rows {
            let (records, bytes) = before.rows.get(topic).map_or((0, 0), |r| (r.records, r.bytes));
            row.records_per_s = row.records.saturating_sub(records) as f64 / seconds;
            row.bytes_per_s = row.bytes.saturating_sub(bytes) as f64 / seconds;
        }
        self
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["topic", "copied to", "records", "records/s", "bytes/s", "lag", "latency", "state"];
        let [topic, to, records, rate, bytes, lag, latency, state] = head;
        write!(
            f,
            "{topic:<14} {to:<22} {records:>10} {rate:>10} {bytes:>10} {lag:>8} {latency:>9}  {state}"
        )?;
        for (topic, row) in &self.rows {
            let lag = row.lag.map_or_else(|| "?".to_owned(), grouped);
            let latency = row.latency_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms"));
            write!(
                f,
                "\n{topic:<14} {:<22} {:>10} {:>10} {:>10} {lag:>8} {latency:>9}  {}",
                row.destination,
                grouped(row.records),
                grouped(row.records_per_s.round() as u64),
                size(row.bytes_per_s),
                row.state(),
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_sum_partitions_and_name_the_first_trouble() {
        let monitor = Monitor::default();
        for partition in 0..2 {
            let figures = monitor.open("a", partition, "a.replica", 0);
            figures.records.store(600, Relaxed);
            figures.position.store(10, Relaxed);
            figures.end.store(15, Relaxed);
        }
        monitor.open("a", 1, "a.replica", 0).set_state(PartitionState::Stopped("too large".to_owned()));
        let table = Table::of(&monitor);
        let text = table.clone().since(&table).to_string();
        let row = text.lines().nth(1).unwrap_or_default();
        assert!(
            row.starts_with("a ") && row.contains("1,200") && row.contains("1 STOPPED: too large"),
            "{text}"
        );
    }
}
