//! Several workers in one Connect group on a real broker: they are killed, suspended and asked all sorts of things, and what
//! becomes of the work is read from the topics by librdkafka and from the answers of the workers that are left.
//!
//! Every test says which kind each member is: Java's worker 3.9.2, or ours. The tests of Java's workers alone prove the tests
//! themselves and are ignored, because they take minutes:
//! `cargo test -p connect-differential --test fleet -- --ignored java`.
//!
//! Environment: `FLEET_SEED` (what is drawn by lot), `KAFKA_CLUSTERS_KEEP=1` (keep the logs).

// The whole crate is a test: what cannot go on panics.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod crowd;
mod flow;
mod group;
mod junk;
mod leaders;
mod load;
mod lots;
mod measure;
mod mixed;
mod moves;
mod rolling;
mod rollout;
mod secured;
mod sessions;
mod subjects;
mod tail;
mod topics;
mod verifiable;
mod workers;
mod zombies;
