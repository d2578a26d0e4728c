//! Runs many plans, each in a process of its own, two at a time, and adds up how they went.
//!
//! This executable keeps away from the library: whatever links it lives in simulated time.

mod children;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;

use self::children::{Children, Verdict};

/// How often the progress line is written when nobody watches.
const QUIET_STEP: u64 = 50;

/// Runs plans of the deterministic simulation. Each number is a plan of clusters, topics, settings, workload and faults;
/// the same number is the same run, byte for byte.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// How many plans.
    #[arg(default_value_t = 200)]
    count: u64,
    /// The first plan's number.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Replay this plan alone, with its whole event log.
    #[arg(long)]
    number: Option<u64>,
    /// Plant a defect: commit-before-ack, sequence-reuse, skip-partial-batch, merge-across-hole or lost-wake-up.
    #[arg(long)]
    bug: Option<String>,
    /// A line for each plan.
    #[arg(long, short)]
    verbose: bool,
    /// Stop at the first plan that fails.
    #[arg(long)]
    first: bool,
    /// Plans at the same time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

#[derive(Default)]
struct Totals {
    passed: u64,
    failed: Vec<Verdict>,
    figures: BTreeMap<String, f64>,
}

impl Totals {
    fn add(&mut self, verdict: Verdict) {
        for (name, value) in &verdict.figures {
            *self.figures.entry(name.clone()).or_default() += value;
        }
        if verdict.passed { self.passed += 1 } else { self.failed.push(verdict) }
    }

    fn figure(&self, name: &str) -> f64 {
        self.figures.get(name).copied().unwrap_or_default()
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let begun = Instant::now();
    let numbers = match arguments.number {
        Some(number) => number..number + 1,
        None => arguments.from..arguments.from + arguments.count,
    };
    let mut totals = Totals::default();
    let mut children = Children::new(numbers, arguments.bug.as_deref(), arguments.jobs)?;
    let mut out = std::io::stdout();
    while let Some(verdict) = children.next()? {
        if arguments.number.is_some() {
            out.write_all(verdict.log.as_bytes()).context("writing the event log")?;
        }
        report(&arguments, &verdict, &mut out)?;
        let failed = !verdict.passed;
        totals.add(verdict);
        progress(&arguments, &totals, &mut out)?;
        if failed && arguments.first {
            break;
        }
    }
    drop(children);
    writeln!(
        out,
        "{} passed, {} failed in {:.1?}: {} records copied ({} of them more than once), {} faults, {:.0} simulated \
         seconds",
        totals.passed,
        totals.failed.len(),
        begun.elapsed(),
        totals.figure("records"),
        totals.figure("duplicates"),
        totals.figure("faults"),
        totals.figure("seconds")
    )?;
    Ok(if totals.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What one plan has to say: a failure shows its faults and how to see it again.
fn report(arguments: &Arguments, verdict: &Verdict, out: &mut impl Write) -> anyhow::Result<()> {
    if verdict.passed && !arguments.verbose && arguments.number.is_none() {
        return Ok(());
    }
    writeln!(out, "{}", verdict.line)?;
    if !verdict.passed && arguments.number.is_none() {
        let told = ["plan ", "fault ", "replicator ", "oracle ", "panic "];
        let story = verdict.log.lines().filter(|line| {
            line.split_whitespace().nth(1).is_some_and(|who| told.iter().any(|t| t.trim_end() == who))
        });
        for line in story {
            writeln!(out, "    {line}")?;
        }
        let bug = arguments.bug.as_ref().map(|bug| format!(" --bug {bug}")).unwrap_or_default();
        writeln!(out, "    again: scripts/simulate --number {}{bug}", verdict.number)?;
    }
    Ok(())
}

fn progress(
    arguments: &Arguments,
    totals: &Totals,
    out: &mut (impl Write + IsTerminal),
) -> anyhow::Result<()> {
    let done = totals.passed + totals.failed.len() as u64;
    if arguments.verbose || arguments.number.is_some() {
        return Ok(());
    }
    let line = format!("{done} of {} plans, {} failed", arguments.count, totals.failed.len());
    if out.is_terminal() {
        write!(out, "\r{line}\x1b[K{}", if done == arguments.count { "\n" } else { "" })?;
        out.flush()?;
    } else if done.is_multiple_of(QUIET_STEP) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
