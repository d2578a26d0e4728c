//! EndTxn, and the markers by which a transaction ends in the logs.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, EndTxnRequest, EndTxnResponse};

use super::transaction::{Ending, Identity};
use super::{Transactions, code_in, partitions_of_offsets, refuse};
use crate::api::Context;
use crate::state::State;
use crate::world::coordinators::Coordinated;

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

/// Writes the markers of a transaction that ends where there are leaders; it has ended when all are written.
pub(super) fn write_markers(state: &mut State, id: &str) {
    let Some(transaction) = state.transactions.known.get(id) else { return };
    let Some(commit) = transaction.ending() else { return };
    let (producer, epoch, coordinator_epoch) =
        (transaction.producer_id, transaction.epoch, transaction.coordinator_epoch);
    let partitions = transaction.partitions.clone();
    let (now, count) = (state.now_ms(), partitions_of_offsets(state));
    let written = |(topic, partition): &(String, i32)| {
        if topic == Coordinated::Group.topic() {
            state.groups.end_transaction(*partition, count, producer, commit);
            return true;
        }
        match state.partition_mut(topic, *partition) {
            Some(p) if p.leader < 0 => false,
            Some(p) => {
                p.log.append_marker(producer, epoch, coordinator_epoch, commit, p.leader_epoch, now);
                true
            }
            // Deleted in between.
            None => true,
        }
    };
    let (done, waiting): (Vec<_>, Vec<_>) = partitions.into_iter().partition(written);
    let Some(transaction) = state.transactions.known.get_mut(id) else { return };
    transaction.partitions = waiting.into_iter().collect();
    let complete = transaction.partitions.is_empty();
    if complete {
        transaction.complete();
    }
    if complete || !done.is_empty() {
        state.touch();
    }
}
