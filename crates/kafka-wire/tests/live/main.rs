//! The client against real brokers: what it writes others read and the other way round, and what happens when brokers
//! stop, move, freeze or refuse. Each test starts a cluster of its own; they take turns, for a cluster is heavy.
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

mod basics;
mod faults;
mod load;
mod refusals;
mod security;
mod support;
mod three;
