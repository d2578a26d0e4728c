//! EndTxn.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, EndTxnRequest, EndTxnResponse};

use super::markers::write_markers;
use super::registry::Transactions;
use super::transaction::{Ending, Identity};
use super::{code_in, refuse};
use crate::api::Context;
use crate::state::State;

/// The version from which on a producer's epoch rises with every transaction.
const SECOND_PROTOCOL: i16 = 5;

pub(super) fn end(context: &Context, request: &EndTxnRequest, version: i16) -> EndTxnResponse {
    let outcome = context.cluster.with(|state| {
        refuse(context, state, ApiKey::EndTxn, &request.transactional_id)?;
        end_here(state, request, version).map_err(|error| code_in(version, 2, error))
    });
    let answer = EndTxnResponse::default().with_throttle_time_ms(context.throttle_ms(ApiKey::EndTxn));
    match outcome {
        Ok((id, epoch)) if version >= SECOND_PROTOCOL => {
            answer.with_producer_id(id.into()).with_producer_epoch(epoch)
        }
        Ok(_) => answer,
        Err(code) => answer.with_error_code(code),
    }
}

fn end_here(state: &mut State, request: &EndTxnRequest, version: i16) -> Result<Identity, ResponseError> {
    let id: &str = &request.transactional_id;
    let who = (*request.producer_id, request.producer_epoch);
    let Transactions { known, ids, .. } = &mut state.transactions;
    let transaction = known.get_mut(id).ok_or(ResponseError::InvalidProducerIdMapping)?;
    let ending = match version {
        SECOND_PROTOCOL.. => transaction.end_second(who, request.committed, &mut || ids.next())?,
        _ => transaction.end_first(who, request.committed)?,
    };
    let identity = transaction.identity();
    if ending == Ending::Begun {
        write_markers(state, id);
    }
    Ok(identity)
}
