//! Partitions that look for their leader.

use std::time::Duration;

use tokio::time::Instant;

/// Partitions that lose their leader together ask for it together.
const GATHER: Duration = Duration::from_millis(5);

/// A partition that looks for its leader.
#[derive(Debug)]
pub(super) struct Leaderless {
    /// Not before this time.
    pub(super) at: Instant,
    /// The cached metadata was shown to be wrong: ask before using it again.
    pub(super) stale: bool,
    /// Look-ups in a row that brought no leader.
    pub(super) failures: u32,
}

impl Leaderless {
    /// One that never had a leader.
    pub(super) fn new() -> Self {
        Self { at: Instant::now(), stale: false, failures: 0 }
    }

    /// One whose leader failed or is elsewhere.
    pub(super) fn after_fault() -> Self {
        Self { at: Instant::now() + GATHER, stale: true, failures: 0 }
    }
}
