//! Runs one plan and says how it went. One plan, one process: see the library.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Parser;
use mad_turmoil::time::SimClocksGuard;
use rand::SeedableRng;
use rand::rngs::StdRng;
use simulation::plan::Plan;

/// Runs one plan of the simulation.
#[derive(Debug, Parser)]
struct Arguments {
    /// The plan's number.
    #[arg(long)]
    number: u64,
    /// A defect to plant: commit-before-ack, sequence-reuse, skip-partial-batch, merge-across-hole or lost-wake-up.
    #[arg(long)]
    bug: Option<String>,
    /// Show the plan and do not run it.
    #[arg(long)]
    show: bool,
    /// Write the whole event log.
    #[arg(long)]
    log: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().collect();
    // Before anything draws on chance: the keys of hash maps are fixed at the first one.
    let number = arguments.iter().skip_while(|a| *a != "--number").nth(1).and_then(|n| n.parse().ok());
    mad_turmoil::rand::set_rng(StdRng::seed_from_u64(number.unwrap_or_default()));
    let clocks = SimClocksGuard::init();
    let arguments = Arguments::parse_from(arguments);
    if arguments.show {
        write!(std::io::stdout(), "{}", Plan::new(arguments.number))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(bug) = &arguments.bug {
        fail::cfg(bug, "return").map_err(|error| anyhow!("{bug}: {error}"))?;
    }
    let outcome = simulation::run::run(arguments.number)?;
    let mut out = std::io::stdout().lock();
    if arguments.log {
        out.write_all(outcome.log.as_bytes())?;
    }
    let (word, what) = match &outcome.violation {
        None => ("passed", String::new()),
        Some(violation) => ("FAILED", format!(" {violation}")),
    };
    writeln!(
        out,
        "{word} {} records={} duplicates={} faults={} seconds={:.1} log={:08x}{what}",
        arguments.number,
        outcome.copied,
        outcome.duplicates,
        outcome.faults,
        outcome.took.as_secs_f64(),
        crc32c::crc32c(outcome.log.as_bytes())
    )
    .context("writing the verdict")?;
    out.flush()?;
    let code = if outcome.violation.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    drop(clocks);
    Ok(code)
}
