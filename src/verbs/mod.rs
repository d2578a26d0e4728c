//! Verbs of the `replicator` executable, one file each. Without a verb it copies, as upstream's executable does.

mod copy;
mod demo;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::{self, Invocation, Surroundings};
use crate::demo::DemoOptions;
use crate::process::exit::{Exit, code};
use crate::process::log;

/// A command line that was understood.
#[derive(Clone, Debug)]
enum Verb {
    /// None was named: upstream's parameters.
    Copy(Box<Invocation>),
    Demo(DemoOptions),
}

/// Runs the `replicator` executable to its end; the first of `args` is the program's name.
pub fn replicator(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let exists = |path: &Path| path.exists();
    match parse(args, Surroundings { env: &log::env, exists: &exists }) {
        Ok(Verb::Copy(invocation)) => copy::run(&invocation),
        Ok(Verb::Demo(options)) => demo::run(options),
        Err(exit) => exit.print(),
    }
}

/// Understands `args`.
///
/// # Errors
/// With what to print instead of starting: help, version, or what was not understood.
fn parse(args: impl IntoIterator<Item = OsString>, around: Surroundings<'_>) -> Result<Verb, Exit> {
    let args: Vec<OsString> = args.into_iter().collect();
    // Upstream's parameters belong to no verb, and a verb takes none of them.
    let mut command = cli::command()
        .args_conflicts_with_subcommands(true)
        .disable_help_subcommand(true)
        .subcommand(DemoOptions::command());
    cli::check_asked(&args, &mut command, around)?;
    let matches = command.try_get_matches_from(args).map_err(|error| Exit::from_clap(&error, code::USAGE))?;
    match matches.subcommand() {
        Some((DemoOptions::VERB, matches)) => DemoOptions::from_matches(matches).map(Verb::Demo),
        _ => cli::invocation(&matches, around).map(|invocation| Verb::Copy(Box::new(invocation))),
    }
}
