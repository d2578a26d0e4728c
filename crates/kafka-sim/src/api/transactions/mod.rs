//! Producer ids and the transaction coordinator. Writing a transaction's markers takes no time here, but a partition
//! without a leader keeps a transaction from its end until it has one.

mod admin;
mod end;
mod init;
mod offsets;
mod partitions;
#[cfg(test)]
mod tests;
pub(crate) mod transaction;

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, RequestKind, ResponseKind};

pub(crate) use self::partitions::check_produce;
use self::transaction::{Phase, Transaction};
use super::Context;
use crate::state::{Broker, State};
use crate::world::coordinators::{Coordinated, Placement, ensure_topic, partition_of};

/// Producer ids given out and transactions of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    known: BTreeMap<String, Transaction>,
    placement: Placement,
    ids: ProducerIds,
    /// No broker is up.
    asleep: bool,
}

/// Gives out producer ids.
#[derive(Debug, Default)]
struct ProducerIds(i64);

impl ProducerIds {
    fn next(&mut self) -> i64 {
        self.0 += 1;
        self.0 - 1
    }
}

impl Transactions {
    /// Aborts transactions that have timed out, and ends those whose partitions have found leaders.
    pub(crate) fn run_timers(state: &mut State) {
        let now = state.now_ms();
        let mut due = Vec::new();
        let Transactions { known, placement, asleep, .. } = &mut state.transactions;
        *asleep = !state.brokers.values().any(|b| b.up);
        if *asleep {
            return;
        }
        for (id, transaction) in known {
            let coordinator = placement.of(&state.brokers, id);
            if coordinator != transaction.coordinator {
                transaction.coordinator = coordinator;
                transaction.coordinator_epoch += 1;
            }
            if transaction.phase == Phase::Ongoing && transaction.due_ms <= now {
                transaction.fence();
            }
            if transaction.ending().is_some() {
                due.push(id.clone());
            }
        }
        for id in due {
            end::write_markers(state, &id);
        }
    }

    /// When the next times out, ms since 1970.
    pub(crate) fn next_timer_ms(&self) -> Option<i64> {
        let ongoing = self.known.values().filter(|t| t.phase == Phase::Ongoing);
        ongoing.map(|t| t.due_ms).min().filter(|_| !self.asleep)
    }

    pub(crate) fn placement_mut(&mut self) -> &mut Placement {
        &mut self.placement
    }

    /// The broker that coordinates a transactional id, -1 if none is up.
    pub(crate) fn coordinator(&self, brokers: &BTreeMap<i32, Broker>, id: &str) -> i32 {
        self.placement.of(brokers, id)
    }
}

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

fn partitions_of_offsets(state: &State) -> i32 {
    state.topics.get(Coordinated::Group.topic()).map_or(1, |topic| topic.partitions.len() as i32)
}

/// Why a request about a transactional id is not looked at: what a test wants, or it is not for this broker.
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
