//! The benchmark: starts two real clusters, fills topics, lets every copier drain them in turn, checks what arrived, and
//! says how ours compares. `docs/PERFORMANCE.md` tells the method; `scripts/bench` builds and starts this.

#![allow(clippy::print_stdout, clippy::print_stderr)] // The report and the progress are this program's output.
#![allow(clippy::disallowed_methods)] // It sleeps on threads of its own, never on a runtime's.

mod bars;
mod cases;
mod drain;
mod fill;
mod interrupt;
mod lab;
mod latency;
mod meter;
mod payload;
mod peers;
mod plan;
mod process;
mod relay;
mod report;
mod summary;
mod verify;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;

use crate::cases::Case;
use crate::drain::{Drain, Prefilled};
use crate::lab::Lab;
use crate::latency::Latency;
use crate::peers::Peer;
use crate::plan::{Args, Plan};
use crate::report::{Conditions, Report};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let plan = Args::parse().plan()?;
    plan.check()?;
    let mut bench = Bench::start(plan)?;
    for case in bench.plan.cases.clone() {
        if let Err(error) = bench.case(case) {
            bench.failed(format!("{}: {error:#}", case.name), true);
        }
        if interrupt::asked() {
            break;
        }
    }
    if bench.plan.latency && !interrupt::asked() {
        bench.latency();
    }
    bench.finish()
}

/// A started benchmark and what it has found out.
struct Bench {
    plan: Plan,
    lab: Lab,
    begun: Instant,
    runs: u32,
    drains: Vec<Drain>,
    latencies: Vec<Latency>,
    failures: Vec<String>,
    ours_failed: bool,
}

impl Bench {
    fn start(plan: Plan) -> Result<Self> {
        let begun = Instant::now();
        eprintln!("starting an origin (Kafka 3.9.2, ZooKeeper) and a destination (Kafka 4.3.0, KRaft)");
        let lab = Lab::start(plan.origin_on_disk)?;
        let mut bench = Self {
            plan,
            lab,
            begun,
            runs: 0,
            drains: Vec::new(),
            latencies: Vec::new(),
            failures: Vec::new(),
            ours_failed: false,
        };
        bench.warm_up()?;
        Ok(bench)
    }

    /// A line of progress, with the time since the start.
    fn say(&self, text: &str) {
        eprintln!("[{:>5.0} s] {text}", self.begun.elapsed().as_secs_f64());
    }

    fn failed(&mut self, text: String, ours: bool) {
        self.say(&format!("FAILED {text}"));
        self.failures.push(text);
        self.ours_failed |= ours;
    }

    /// The destination's code paths are compiled by its Java machine before the first copier needs them; filling the
    /// first topic does that for the origin.
    fn warm_up(&mut self) -> Result<()> {
        self.say("warming up");
        let (lab, case) = (&self.lab, &cases::CASES[0]);
        let topic = "warm-up";
        lab.destination.create(&lab.runtime, topic)?;
        let records = case.records_at(0.15 * self.plan.scale.min(1.0));
        lab.runtime.block_on(fill::fill(lab.destination.client.clone(), topic, case, records))?;
        let ends = lab.destination.ends(&lab.runtime, &lab::partitions(topic))?;
        verify::read(&lab.destination.cluster.bootstrap(), topic, &ends)?;
        lab.destination.delete(&lab.runtime, topic);
        Ok(())
    }

    fn case(&mut self, case: &'static Case) -> Result<()> {
        let source = self.prefill(case)?;
        for round in 1..=self.plan.rounds {
            for peer in self.plan.peers(case) {
                if interrupt::asked() {
                    break;
                }
                self.drain(&source, peer, round);
            }
        }
        self.lab.origin.delete(&self.lab.runtime, case.name);
        Ok(())
    }

    fn prefill(&self, case: &'static Case) -> Result<Prefilled> {
        let (lab, records) = (&self.lab, case.records_at(self.plan.scale));
        self.say(&format!("{}: filling {records} records ({})", case.name, case.about));
        let begun = Instant::now();
        lab.origin.create(&lab.runtime, case.name)?;
        lab.runtime.block_on(fill::fill(lab.origin.client.clone(), case.name, case, records))?;
        let filled = begun.elapsed();
        let ends = lab.origin.ends(&lab.runtime, &lab::partitions(case.name))?;
        let digests = verify::read(&lab.origin.cluster.bootstrap(), case.name, &ends)?;
        let source = Prefilled {
            case,
            records,
            wire_bytes: lab.origin.segment_bytes(case.name),
            raw_bytes: records * case.record_bytes as u64,
            ends,
            digests,
        };
        self.say(&format!(
            "{}: {:.0} MB wire, {:.0} MB raw; filled in {:.1} s, read in {:.1} s",
            case.name,
            source.wire_bytes as f64 / 1e6,
            source.raw_bytes as f64 / 1e6,
            filled.as_secs_f64(),
            (begun.elapsed() - filled).as_secs_f64(),
        ));
        Ok(source)
    }

    /// A name that no other run of these clusters has.
    fn next_run(&mut self) -> String {
        self.runs += 1;
        format!("r{}", self.runs)
    }

    fn drain(&mut self, source: &Prefilled, peer: Peer, round: u32) {
        let run = self.next_run();
        let result = match peer.relay_buffer() {
            Some(_) => relay::relay(&self.lab, source, peer, &run, round),
            None => drain::drain(&self.lab, source, peer, &run, round),
        };
        match result {
            Ok(drain) => {
                self.say(&format!(
                    "{} round {round} {:<13} {:>5.0} MB/s wire, {:>6.0} k records/s, {:>6.2} CPU-s/wire GB, {:>5.0} MiB, first record {:.2} s, {}{}",
                    drain.case,
                    peer.name(),
                    drain.wire_mb_s,
                    drain.records_s / 1e3,
                    drain.cpu_per_wire_gb,
                    drain.peak_rss_mib,
                    drain.first_record_s,
                    drain.content,
                    if drain.disturbed { ", disturbed" } else { "" },
                ));
                self.drains.push(drain);
            }
            Err(error) => self.failed(
                format!("{} round {round} {}: {error:#}", source.case.name, peer.name()),
                peer.is_ours(),
            ),
        }
    }

    fn latency(&mut self) {
        for round in 1..=self.plan.rounds {
            for peer in self.plan.latency_peers(round) {
                if interrupt::asked() {
                    return;
                }
                self.one_latency(peer, round);
            }
        }
    }

    fn one_latency(&mut self, peer: Option<Peer>, round: u32) {
        let run = self.next_run();
        let name = peer.map_or("control", Peer::name);
        match latency::run(&self.lab, peer, &run, round, self.plan.window) {
            Ok(latency) => {
                let shown = latency.added_ms.unwrap_or(latency.origin_ms);
                self.say(&format!(
                    "latency round {round} {name:<13} p50 {:.2} ms, p99 {:.1} ms, p99.9 {:.1} ms, {} missing{}",
                    shown.p50,
                    shown.p99,
                    shown.p99_9,
                    latency.missing,
                    if latency.disturbed { ", disturbed" } else { "" },
                ));
                self.latencies.push(latency);
            }
            Err(error) => {
                let ours = peer.is_some_and(Peer::is_ours);
                self.failed(format!("latency round {round} {name}: {error:#}"), ours);
            }
        }
    }

    fn finish(self) -> Result<ExitCode> {
        let mut conditions = Conditions::here(self.plan.origin_on_disk, self.plan.rounds, self.plan.scale);
        conditions.took(self.begun.elapsed().as_secs_f64());
        let report = Report {
            conditions,
            bars: bars::evaluate(&self.drains, &self.latencies, self.ours_failed),
            drains: self.drains,
            latencies: self.latencies,
            failures: self.failures,
        };
        if interrupt::asked() {
            eprintln!("interrupted; what follows is what was finished");
        }
        println!("{}", report.text());
        if let Some(path) = &self.plan.out {
            std::fs::write(path, serde_json::to_string_pretty(&report)?)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        // Dropping the clusters gives their memory back; the runtime must not wait for idle connections.
        self.lab.runtime.shutdown_timeout(Duration::from_secs(1));
        let failed = report.bars.iter().any(|bar| bar.verdict == bars::Verdict::Fail);
        Ok(if failed || interrupt::asked() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
