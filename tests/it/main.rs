//! End to end: the real executable between two real Kafka clusters, judged by clients that are not ours.
//!
//! One binary, so that all tests share one pair of clusters (see [`support::clusters`]). Each test has its own topics,
//! cluster id, storage topics and REST port, and runs beside the others.
// What a test prints is shown when it fails.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod command_line;
mod demo;
mod faults;
mod identity;
mod positions;
mod posted;
mod rest;
mod selection;
mod support;
mod tutorial;
