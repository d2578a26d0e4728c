//! The Connect workers: command line, logging, and the life of the process. Exit codes are those of Apache's launchers.

mod cli;
mod life;

use std::ffi::OsString;
use std::process::ExitCode;

pub use connect_core::plugins::Plugins;

use self::cli::Invocation;

/// Runs `connect-distributed` to its end.
pub fn distributed(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    distributed_with(args, |plugins| plugins)
}

/// As [`distributed`], with further plugins: `add` is given those that come along.
pub fn distributed_with(
    args: impl IntoIterator<Item = OsString>,
    add: impl FnOnce(Plugins) -> Plugins,
) -> ExitCode {
    match Invocation::distributed(args) {
        Ok(invocation) => life::distributed(&invocation, add),
        Err(exit) => exit.print(),
    }
}

/// Runs `connect-standalone` to its end.
pub fn standalone(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    standalone_with(args, |plugins| plugins)
}

/// As [`standalone`], with further plugins: `add` is given those that come along.
pub fn standalone_with(
    args: impl IntoIterator<Item = OsString>,
    add: impl FnOnce(Plugins) -> Plugins,
) -> ExitCode {
    match Invocation::standalone(args) {
        Ok(invocation) => life::standalone(&invocation, add),
        Err(exit) => exit.print(),
    }
}
