//! A strict, small Kafka cluster inside one process: for `replicator demo`, for tests that do things to a
//! broker that no real one lets them do, and for deterministic simulation. Its state is in memory. It is a
//! development and test part and is never to be offered for production.
//!
//! Strict means: what a real broker refuses, this refuses with the same error code, and the conformance suite
//! (`tests/conformance`) says so by asking both the same questions. [`Release`] chooses whose answers it
//! gives where Kafka 3.9 and 4.3 differ.
//!
//! Deterministic means: with a paused clock, streams of the caller's and the same seed, the same requests get
//! the same answers; nothing here asks for time or chance elsewhere.
//!
//! The rooms: `server` speaks on one stream, `api` has a file for each family of requests, `log` is one
//! partition, `state` is everything that a cluster knows, `world` is what a test can do to it and `faults`
//! what it can have go wrong.

mod api;
mod blueprint;
mod builder;
mod clock;
mod cluster;
pub mod config;
mod coordination;
mod faults;
mod internal_topics;
mod listen;
mod log;
mod parts;
mod protocol;
mod server;
mod state;
mod timers;
mod world;

pub use builder::Builder;
pub use clock::Clock;
pub use cluster::Cluster;
/// Names of requests, for [`Fault`].
pub use kafka_protocol::messages::ApiKey;

pub use coordination::Coordinated;
pub use faults::{Action, Fault, FaultId, Faults, Hit, Link};
pub use protocol::Release;
