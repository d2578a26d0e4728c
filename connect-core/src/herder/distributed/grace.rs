//! Until when work goes on although the coordinator is out of reach, and whether batches may be sent at this moment. Set by the
//! core, read by tasks.

use std::sync::{Arc, Mutex, PoisonError};

use kafka_wire::group::Session;
use kafka_wire::produce::SendGate;
use tokio::time::Instant;

/// Handles to one value.
#[derive(Debug, Clone, Default)]
pub(super) struct Grace(Arc<Mutex<Option<Instant>>>);

impl Grace {
    pub(super) fn until(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, until: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Says yes while nobody else can have this worker's tasks: in a session, and while the coordinator is known to be out of
    /// reach. A process that was suspended for longer than its session is in neither when it wakes.
    pub(super) fn gate(&self, session: Session) -> SendGate {
        let grace = self.clone();
        Arc::new(move || session.is_live() || grace.until().is_some_and(|end| Instant::now() < end))
    }
}
