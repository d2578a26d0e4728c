//! Command lines of the executables. Each turns arguments and environment into an invocation, or into an [`Exit`]
//! that says what to print and which code to leave with. Nothing here reads a configuration file.

mod exit;
mod flags;
mod help;
mod log;
mod run;
#[cfg(test)]
mod tests;

pub use exit::{Exit, code};
pub(crate) use log::from_environment as log_filter;
pub use log::{LogFormat, LogSettings};
pub use run::{Invocation, Surroundings, parse, parse_in};
