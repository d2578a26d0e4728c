//! The Connect workers: command line, logging, and the life of the process. Exit codes are those of Apache's launchers.

mod cli;
mod life;

use std::ffi::OsString;
use std::process::ExitCode;

use self::cli::Invocation;

/// Runs `connect-distributed` to its end.
pub fn distributed(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Invocation::distributed(args) {
        Ok(invocation) => life::distributed(&invocation),
        Err(exit) => exit.print(),
    }
}

/// Runs `connect-standalone` to its end.
pub fn standalone(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Invocation::standalone(args) {
        Ok(invocation) => life::standalone(&invocation),
        Err(exit) => exit.print(),
    }
}
