//! One suite of scenarios for Kafka Connect workers: REST requests, connectors that move data, the bytes that a worker
//! leaves in topics and files. The transcripts of Kafka's own workers (3.9.2) are recorded in `golden/`; the workers of this
//! project must give the same, line by line, or the difference stands with its reason in `known.rs`.
//!
//! Called by `tests/differential.rs`; `tests/fleet` takes from here how workers are started and asked.
//!
//! Environment, for work on the suite:
//! - `CONNECT_SCENARIOS=validate,smt_Cast` runs only families of these names and scenarios whose titles contain one of them;
//! - `CONNECT_RECORD=1` (Java) records instead of comparing only;
//! - `CONNECT_DIFFERENCES=FILE` writes what differs to a file, by kind;
//! - `CONNECT_TIMES=1` and `CONNECT_LOGS=1` print how long each took, and the workers' logs.
//!
//! `cargo test -p connect-differential java` needs about five minutes for Java's workers to start and to wait for themselves.

// The whole crate is a test: what cannot go on panics, and the scenario is reported as ended early.
#![allow(clippy::unwrap_used, clippy::print_stderr)]
// Fields whose names say all.
#![allow(missing_docs)]

mod golden;
pub mod http;
pub mod kafka;
mod known;
mod lab;
mod run;
mod scenarios;
mod settings;
mod text;
mod transcript;

pub use lab::{Side, command};
pub use run::{Difference, check, stale_differences, table};
