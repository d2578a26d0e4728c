//! Producer ids and the transaction coordinator.

use kafka_protocol::messages::{RequestKind, ResponseKind};

use super::Context;
use crate::state::State;

/// Producer ids given out and transactions of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Transactions {}

impl Transactions {
    /// Aborts transactions that have timed out.
    pub(crate) fn run_timers(_state: &mut State) {}

    /// When the next times out, ms since 1970.
    pub(crate) fn next_timer_ms(&self) -> Option<i64> {
        None
    }
}

/// Answers what is of this family; gives back what is not.
pub(super) async fn handle(
    _context: &Context,
    request: RequestKind,
    _version: i16,
) -> Result<ResponseKind, Box<RequestKind>> {
    Err(Box::new(request))
}

/// Whether a transactional batch may be appended.
pub(crate) fn check_produce(
    _state: &mut State,
    _transactional_id: &str,
    _producer_id: i64,
    _epoch: i16,
    _topic: &str,
    _partition: i32,
    _version: i16,
) -> Result<(), kafka_protocol::ResponseError> {
    Err(kafka_protocol::ResponseError::InvalidProducerIdMapping)
}
