//! Classic groups of any protocol type and their offsets.

use kafka_protocol::messages::{RequestKind, ResponseKind};

use super::Context;
use crate::state::State;

/// The groups of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Groups {}

impl Groups {
    /// Expires sessions and ends rebalances that are due.
    pub(crate) fn run_timers(_state: &mut State) {}

    /// When something is due next, ms since 1970.
    pub(crate) fn next_timer_ms(&self) -> Option<i64> {
        None
    }
}

/// Answers what is of this family.
pub(super) async fn handle(_context: &Context, _request: RequestKind, _version: i16) -> Option<ResponseKind> {
    None
}
