//! What every end-to-end test stands on: clusters, the executable, and independent readers and writers.
// The fault tests and the feature tests use different parts.
#![allow(dead_code)]

pub(crate) mod clusters;
pub(crate) mod finished;
pub(crate) mod log;
pub(crate) mod reader;
pub(crate) mod record;
pub(crate) mod replicator;
pub(crate) mod segments;
pub(crate) mod setup;
pub(crate) mod topics;
pub(crate) mod writer;

use std::time::{Duration, Instant};

pub(crate) use clusters::{Pair, both, kraft_to_zk, zk_to_kraft};
pub(crate) use reader::{Isolation, read, records};
pub(crate) use record::{Record, Stored, Time};
pub(crate) use replicator::Replicator;
pub(crate) use setup::Setup;
pub(crate) use writer::Writer;

/// How long a test waits for something that should come soon. Generous: the machine may be busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `ready` gives something; after [`PATIENCE`] panics with what `otherwise` says.
pub(crate) fn wait_for<T>(mut ready: impl FnMut() -> Option<T>, otherwise: impl FnOnce() -> String) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ready() {
            return found;
        }
        if Instant::now() >= deadline {
            panic!("waited {PATIENCE:?} in vain: {}", otherwise());
        }
        std::thread::sleep(Duration::from_millis(25));
    }
}
