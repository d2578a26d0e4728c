//! Prints figures of the source tree and fails where they are above the bounds of CONTRIBUTING.md. `scripts/structure` calls it.
//!
//! Product code only: tests, examples, fuzz targets and modules under `#[cfg(test)]` are left out.
#![allow(clippy::print_stdout, reason = "its figures are what it is for")]

mod bounds;
mod imports;
mod source;
mod tree;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::bounds::Verdict;

fn main() -> anyhow::Result<ExitCode> {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let sources = tree::read(Path::new("."), &folders)?;
    let verdicts = bounds::judge(&sources, &imports::rings(&sources));
    println!("{} files", sources.len());
    for verdict in &verdicts {
        println!("{verdict}");
    }
    let held = verdicts.iter().all(Verdict::holds);
    if !held {
        println!("\nA figure is above its bound (CONTRIBUTING.md, \"How the code is written\").");
    }
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
