//! Faults, one at a time, on real clusters and the real executable, with an oracle that reads both sides through
//! librdkafka: processes killed, brokers restarted, frozen and moved away from, topics deleted under the copy.
//!
//! Each test asserts that its fault happened and that enough records moved (I12). Tests that break brokers have
//! clusters of their own and run one after another; the others share the pair of all tests.

mod brokers;
mod crash;
mod group;
mod isolation;
mod leaders;
mod load;
mod oracle;
mod origin_log;
mod security;
mod stop;
mod subject;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kafka_clusters::{ClusterBuilder, Version};

use crate::support::Pair;
use crate::support::clusters::builder;

/// One heavy test at a time: each starts brokers of its own, and a starving broker proves nothing.
fn heavy() -> MutexGuard<'static, ()> {
    static HEAVY: Mutex<()> = Mutex::new(());
    HEAVY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pair to break: one broker each, the origin on ZooKeeper, the destination on KRaft.
fn own_pair() -> Pair {
    own_pair_of(builder(Version::V39Zk), builder(Version::V43))
}

fn own_pair_of(origin: ClusterBuilder, destination: ClusterBuilder) -> Pair {
    let other = std::thread::spawn(move || destination.start().expect("the destination starts"));
    let origin = origin.start().expect("the origin starts");
    Pair { name: "own", origin: Arc::new(origin), destination: Arc::new(other.join().unwrap()) }
}
