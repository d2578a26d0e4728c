//! The report for people (Markdown on standard output) and for programs (JSON in a file).

use std::fmt::Write;
use std::fs;

use serde::Serialize;

use crate::bars::Bar;
use crate::cases::{CASES, Case};
use crate::drain::Drain;
use crate::latency::{Latency, Percentiles};
use crate::meter::cores;
use crate::peers::Peer;
use crate::summary::{Drains, Figure, Ratio, Spread};

/// Place and means of the measurement.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Conditions {
    processor: String,
    cores: usize,
    memory_gib: f64,
    kernel: String,
    origin: String,
    destination: String,
    origin_storage: &'static str,
    destination_storage: &'static str,
    broker_heap: &'static str,
    rounds: u32,
    records_scale: f64,
    seconds: f64,
}

/// Everything that one start of the benchmark found out.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    /// The machine and the clusters.
    pub(crate) conditions: Conditions,
    /// Every drain.
    pub(crate) drains: Vec<Drain>,
    /// Every latency run.
    pub(crate) latencies: Vec<Latency>,
    /// Runs that gave no figures, and why.
    pub(crate) failures: Vec<String>,
    /// Bars, asked and reached.
    pub(crate) bars: Vec<Bar>,
}

impl Conditions {
    /// Of this machine.
    pub(crate) fn here(origin_on_disk: bool, rounds: u32, records_scale: f64) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
        };
        let kib: f64 =
            field(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name"),
            cores: cores(),
            memory_gib: kib / f64::from(1 << 20),
            kernel: read("/proc/sys/kernel/osrelease")
                .trim()
                .split('-')
                .next()
                .unwrap_or_default()
                .to_owned(),
            origin: kafka_clusters::Version::V39Zk.to_string(),
            destination: kafka_clusters::Version::V43.to_string(),
            origin_storage: if origin_on_disk { "disk" } else { "memory" },
            destination_storage: "memory",
            broker_heap: "512 MiB",
            rounds,
            records_scale,
            seconds: 0.0,
        }
    }

    /// Sets how long it all took.
    pub(crate) fn took(&mut self, seconds: f64) {
        self.seconds = seconds;
    }
}

impl Report {
    /// Markdown.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out).expect("writing into a string does not fail");
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        self.write_conditions(out)?;
        for case in CASES.iter().filter(|case| self.drains.iter().any(|drain| drain.case == case.name)) {
            self.write_case(out, case)?;
        }
        if !self.latencies.is_empty() {
            self.write_latencies(out)?;
        }
        if !self.failures.is_empty() {
            writeln!(out, "\n## Runs without figures\n")?;
            for failure in &self.failures {
                writeln!(out, "- {}", failure.replace('\n', "\n  "))?;
            }
        }
        self.write_bars(out)
    }

    fn write_conditions(&self, out: &mut String) -> std::fmt::Result {
        let of = &self.conditions;
        writeln!(
            out,
            "# Benchmark\n\n{} cores ({}), {:.0} GiB, Linux {}. Origin {} in {}, destination {} in {}, one broker each, heap {}. \
             {} interleaved rounds, records × {}; {:.0} s in all. MB and GB are powers of ten.",
            of.cores,
            of.processor,
            of.memory_gib,
            of.kernel,
            of.origin,
            of.origin_storage,
            of.destination,
            of.destination_storage,
            of.broker_heap,
            of.rounds,
            of.records_scale,
            of.seconds
        )
    }

    fn write_case(&self, out: &mut String, case: &Case) -> std::fmt::Result {
        writeln!(
            out,
            "\n## {}: {}\n\n\
             | copier | n | MB/s wire | MB/s raw | k records/s | CPU-s / wire GB | with start | peak MiB | first record s | CPU-s brokers o / d | \
             other CPU % | content | speed ours/peer | CPU peer/ours |\n\
             |---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
            case.name, case.about
        )?;
        let mut peers: Vec<Peer> =
            self.drains.iter().filter(|run| run.case == case.name).map(|run| run.peer).collect();
        peers.sort_unstable();
        peers.dedup();
        peers.into_iter().try_for_each(|peer| self.write_peer(out, case, peer))
    }

    fn write_peer(&self, out: &mut String, case: &Case, peer: Peer) -> std::fmt::Result {
        let runs = Drains(&self.drains);
        let of = |digits: usize, figure: Figure| cell(runs.spread(case.name, peer, figure), digits);
        let all: Vec<&Drain> = runs.of(case.name, peer).collect();
        let disturbed = all.iter().filter(|run| run.disturbed).count();
        let mark = if disturbed > 0 { format!(" ({disturbed} disturbed)") } else { String::new() };
        let mut contents: Vec<&str> = all.iter().map(|run| run.content.as_str()).collect();
        contents.sort_unstable();
        contents.dedup();
        let ratio = |ratio| match peer {
            Peer::Ours => "1".to_owned(),
            _ => cell(runs.ratios(case.name, ratio, &[peer]), 1),
        };
        writeln!(
            out,
            "| {} | {}{mark} | {} | {} | {} | {} | {} | {} | {} | {} / {} | {} | {} | {} | {} |",
            peer.name(),
            all.len(),
            of(0, |run| run.wire_mb_s),
            of(0, |run| run.raw_mb_s),
            of(0, |run| run.records_s / 1e3),
            of(2, |run| run.cpu_per_wire_gb),
            of(2, |run| run.cpu_with_start_per_wire_gb),
            of(0, |run| run.peak_rss_mib),
            of(2, |run| run.first_record_s),
            of(1, |run| run.origin_cpu_s),
            of(1, |run| run.destination_cpu_s),
            of(0, |run| run.other_cpu_share * 100.0),
            contents.join(", "),
            ratio(Ratio::Throughput),
            ratio(Ratio::Cpu),
        )
    }

    fn write_latencies(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "\n## Latency at 5 MB/s (5000 records/s of 1 KB, 12 partitions), ms: p50 / p90 / p99 / p99.9 / max\n\n\
             | copier | round | added | whole path | to the origin's reader | records (missing, negative) | CPU % of a core | peak MiB | other CPU % |\n\
             |---|---|---|---|---|---|---|---|---|"
        )?;
        for run in &self.latencies {
            writeln!(
                out,
                "| {} | {}{} | {} | {} | {} | {} ({}, {}) | {:.0} | {:.0} | {:.0} |",
                run.peer.map_or("control", Peer::name),
                run.round,
                if run.disturbed { " (disturbed)" } else { "" },
                percentiles(run.added_ms.as_ref()),
                percentiles(run.whole_ms.as_ref()),
                percentiles(Some(&run.origin_ms)),
                run.records,
                run.missing,
                run.negative,
                run.cpu_share * 100.0,
                run.peak_rss_mib,
                run.other_cpu_share * 100.0,
            )?;
        }
        Ok(())
    }

    fn write_bars(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n## Bars\n\n| bar | reached | |\n|---|---|---|")?;
        for bar in &self.bars {
            let reached = bar.reached.map_or_else(|| "-".to_owned(), |reached| format!("{reached:.3}"));
            let verdict = match bar.verdict {
                crate::bars::Verdict::Pass => "PASS",
                crate::bars::Verdict::Fail => "**FAIL**",
                crate::bars::Verdict::NotRun => "not run",
            };
            writeln!(out, "| {} | {reached} | {verdict} |", bar.what)?;
        }
        Ok(())
    }
}

/// `median (min-max)`, or the figure alone where there is but one.
fn cell(spread: Option<Spread>, digits: usize) -> String {
    match spread {
        None => "-".to_owned(),
        Some(Spread { median, min, max }) if min == max => format!("{median:.digits$}"),
        Some(Spread { median, min, max }) => format!("{median:.digits$} ({min:.digits$}-{max:.digits$})"),
    }
}

fn percentiles(of: Option<&Percentiles>) -> String {
    of.map_or_else(
        || "-".to_owned(),
        |of| format!("{:.2} / {:.2} / {:.1} / {:.1} / {:.0}", of.p50, of.p90, of.p99, of.p99_9, of.max),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::drain;

    #[test]
    fn a_report_has_a_line_for_each_copier_and_each_bar() {
        let drains = vec![
            drain("u1k", Peer::Ours, 1, 500.0, 1.0),
            drain("u1k", Peer::Ours, 2, 400.0, 1.0),
            drain("u1k", Peer::Mm2, 1, 50.0, 20.0),
        ];
        let bars = crate::bars::evaluate(&drains, &[], false);
        let report = Report {
            conditions: Conditions::here(false, 2, 1.0),
            drains,
            latencies: vec![],
            failures: vec!["mm2 on z1k: it ended".to_owned()],
            bars,
        };
        let text = report.text();
        assert!(text.contains("| ours | 2 | 450 (400-500) |"), "{text}");
        assert!(text.contains("| mm2 | 1 | 50 |") && text.contains("| 10.0 | 20.0 |"), "{text}");
        assert!(text.contains("- mm2 on z1k") && text.contains("| not run |"), "{text}");
        assert!(serde_json::to_string(&report).is_ok_and(|json| json.contains("\"verdict\":\"PASS\"")));
    }
}
