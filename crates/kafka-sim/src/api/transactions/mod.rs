//! Producer ids and the transaction coordinator. Writing a transaction's markers takes no time here, but a
//! partition without a leader keeps a transaction from its end until it has one.

mod admin;
mod end;
mod init;
pub(crate) mod markers;
mod offsets;
mod partitions;
pub(crate) mod registry;
#[cfg(test)]
mod tests;
pub(crate) mod transaction;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, RequestKind, ResponseKind};

pub(crate) use self::partitions::check_produce;
use super::Context;
use crate::coordination::{Coordinated, partition_of};
use crate::internal_topics::{ensure_topic, partitions_of_offsets};
use crate::state::State;

/// A transaction that begins now is aborted when it has its timeout behind it and the coordinator next looks.
fn due_ms(state: &State, timeout_ms: i32) -> i64 {
    let interval = state.broker_number("transaction.abort.timed.out.transaction.cleanup.interval.ms").max(1);
    let age = state.clock.elapsed().as_millis() as i64;
    let looks = (age + i64::from(timeout_ms)) / interval + 1;
    state.now_ms() - age + looks * interval
}

/// The partition in which the offsets of a group are kept.
fn offsets_partition(state: &mut State, group: &str) -> (String, i32) {
    ensure_topic(state, Coordinated::Group);
    (Coordinated::Group.topic().to_owned(), partition_of(group, partitions_of_offsets(state)))
}

/// Refuses a request about a transactional id that is not to be looked at: a test wants that, or it is not
/// for this broker.
fn refuse(context: &Context, state: &mut State, api: ApiKey, id: &str) -> Result<(), i16> {
    if let Some(code) = context.injected_error(api) {
        return Err(code);
    }
    if id.is_empty() {
        return Err(ResponseError::InvalidRequest.code());
    }
    if state.transactions.coordinator(&state.brokers, id) != context.broker {
        return Err(ResponseError::NotCoordinator.code());
    }
    ensure_topic(state, Coordinated::Transaction);
    Ok(())
}

/// Clients that speak less than version `since` know a fenced producer by another code.
fn code_in(version: i16, since: i16, error: ResponseError) -> i16 {
    match error {
        ResponseError::ProducerFenced if version < since => ResponseError::InvalidProducerEpoch.code(),
        other => other.code(),
    }
}

/// Answers what is of this family; gives back what is not.
pub(super) async fn handle(
    context: &Context,
    request: RequestKind,
    version: i16,
) -> Result<ResponseKind, Box<RequestKind>> {
    use RequestKind as Q;
    use ResponseKind as A;
    Ok(match request {
        Q::InitProducerId(r) => A::InitProducerId(init::init(context, &r, version)),
        Q::AddPartitionsToTxn(r) => A::AddPartitionsToTxn(partitions::add(context, r, version)),
        Q::AddOffsetsToTxn(r) => A::AddOffsetsToTxn(offsets::add(context, &r, version)),
        Q::TxnOffsetCommit(r) => A::TxnOffsetCommit(offsets::commit(context, r, version)),
        Q::EndTxn(r) => A::EndTxn(end::end(context, &r, version)),
        Q::ListTransactions(r) => A::ListTransactions(admin::list(context, &r)),
        Q::DescribeTransactions(r) => A::DescribeTransactions(admin::describe(context, r)),
        other => return Err(Box::new(other)),
    })
}
