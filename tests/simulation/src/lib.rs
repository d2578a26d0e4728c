//! Deterministic simulation: the real replicator between two simulated clusters, in one thread, on a simulated network
//! and clock. Everything that happens follows from one number: the plan (clusters, topics, settings, workload, faults)
//! is drawn from it, and so is every chance on the way.
//!
//! One process runs one plan ([`run::run`], called by the executable `plan`), because some sources of chance belong to a
//! process: the keys of hash maps, the seed of Tokio's schedulers. `mad-turmoil` puts the number behind all of them.
//! The executable `simulate` starts such processes, two at a time, and adds up what they say.
//!
//! While a plan runs and after it, [`oracle`] compares what the origin ever held with what the destination has.

pub mod clusters;
mod deeds;
pub mod draw;
pub mod event_log;
pub mod faults;
pub mod network;
pub mod oracle;
pub mod plan;
pub mod records;
pub mod run;
pub mod subject;
pub mod writer;
