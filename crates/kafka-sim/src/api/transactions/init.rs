//! InitProducerId.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, InitProducerIdRequest, InitProducerIdResponse};

use super::markers::write_markers;
use super::registry::Transactions;
use super::transaction::{Identity, Initialised, Transaction};
use super::{code_in, refuse};
use crate::api::{Context, code};
use crate::state::State;

const API: ApiKey = ApiKey::InitProducerId;

pub(super) fn init(
    context: &Context,
    request: &InitProducerIdRequest,
    version: i16,
) -> InitProducerIdResponse {
    let outcome = context.cluster.with(|state| identity(context, state, request, version));
    let (error, (id, epoch)) = match outcome {
        Ok(identity) => (0, identity),
        Err(code) => (code, (-1, -1)),
    };
    InitProducerIdResponse::default()
        .with_throttle_time_ms(context.throttle_ms(API))
        .with_error_code(error)
        .with_producer_id(id.into())
        .with_producer_epoch(epoch)
}

fn identity(
    context: &Context,
    state: &mut State,
    request: &InitProducerIdRequest,
    version: i16,
) -> Result<Identity, i16> {
    let expected = match (*request.producer_id, request.producer_epoch) {
        (-1, -1) => None,
        (-1, _) | (_, -1) => return Err(code(ResponseError::InvalidRequest)),
        identity => Some(identity),
    };
    let Some(id) = &request.transactional_id else {
        if let Some(code) = context.injected_error(API) {
            return Err(code);
        }
        return Ok((state.transactions.ids.next(), 0));
    };
    refuse(context, state, API, id)?;
    let timeout_ms = request.transaction_timeout_ms;
    if timeout_ms <= 0 || i64::from(timeout_ms) > state.broker_number("transaction.max.timeout.ms") {
        return Err(code(ResponseError::InvalidTransactionTimeout));
    }
    transactional(state, id, expected, timeout_ms).map_err(|error| code_in(version, 4, error))
}

fn transactional(
    state: &mut State,
    id: &str,
    expected: Option<Identity>,
    timeout_ms: i32,
) -> Result<Identity, ResponseError> {
    let Transactions { known, placement, ids, .. } = &mut state.transactions;
    let transaction = known
        .entry(id.to_owned())
        .or_insert_with(|| Transaction::new(ids.next(), placement.of(&state.brokers, id)));
    match transaction.initialise(expected, timeout_ms, &mut || ids.next())? {
        Initialised::Ready => Ok((transaction.producer_id, transaction.epoch)),
        Initialised::Ongoing => {
            transaction.fence();
            write_markers(state, id);
            // The client asks again, and then gets an epoch that nobody has seen.
            Err(ResponseError::ConcurrentTransactions)
        }
    }
}
