//! The worker with scripted connectors on a simulated cluster that speaks over TCP. Tests need nothing but kafka-sim: their
//! names begin with `sim_`.
#![allow(clippy::unwrap_used)]

mod exactly_once;
mod lifecycle;
mod offsets;
mod scripted;
mod sinks;
mod sources;
mod support;
