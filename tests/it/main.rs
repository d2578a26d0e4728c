//! End to end: the real executable between two real Kafka clusters, judged by clients that are not ours.
//!
//! One binary, so that all tests share one pair of clusters (see [`support::clusters`]). Each test has its own topics,
//! cluster id, storage topics and REST port, and runs beside the others.
#![allow(clippy::unwrap_used)]

mod faults;
mod support;
mod tutorial;
