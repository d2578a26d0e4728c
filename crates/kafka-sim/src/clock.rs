//! The cluster's time: a start, in milliseconds since 1970, and what has passed since.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Tells the time. Cheap to clone.
#[derive(Clone)]
pub struct Clock {
    start_ms: i64,
    elapsed: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Clock {
    /// Tokio's clock, which can be paused, from `start_ms` on.
    pub fn tokio_from(start_ms: i64) -> Self {
        let started = Instant::now();
        Self { start_ms, elapsed: Arc::new(move || started.elapsed()) }
    }

    /// A clock of the caller's, for simulations in which every host has a runtime and so a clock of its own.
    pub fn custom(start_ms: i64, elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { start_ms, elapsed: Arc::new(elapsed) }
    }

    /// The real time.
    pub(crate) fn real() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::tokio_from(now.as_millis() as i64)
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.start_ms + self.elapsed().as_millis() as i64
    }

    /// Time since the cluster was made.
    pub fn elapsed(&self) -> Duration {
        (self.elapsed)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clock({} ms)", self.now_ms())
    }
}
