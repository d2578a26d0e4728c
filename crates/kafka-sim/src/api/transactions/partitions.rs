//! AddPartitionsToTxn, and whether a transactional batch may be appended.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, ApiKey};

use super::transaction::Identity;
use super::{code_in, due_ms, refuse};
use crate::api::{Context, code};
use crate::coordination::Coordinated;
use crate::state::State;

const API: ApiKey = ApiKey::AddPartitionsToTxn;

pub(super) fn add(
    context: &Context,
    request: AddPartitionsToTxnRequest,
    version: i16,
) -> AddPartitionsToTxnResponse {
    let answer = AddPartitionsToTxnResponse::default().with_throttle_time_ms(context.throttle_ms(API));
    if version < 4 {
        let one = AddPartitionsToTxnTransaction::default()
            .with_transactional_id(request.v3_and_below_transactional_id)
            .with_producer_id(request.v3_and_below_producer_id)
            .with_producer_epoch(request.v3_and_below_producer_epoch)
            .with_topics(request.v3_and_below_topics);
        return answer.with_results_by_topic_v3_and_below(add_one(context, &one, version));
    }
    // What brokers ask each other, several transactions at a time.
    let one = |transaction: AddPartitionsToTxnTransaction| {
        let topics = add_one(context, &transaction, version);
        AddPartitionsToTxnResult::default()
            .with_transactional_id(transaction.transactional_id)
            .with_topic_results(topics)
    };
    answer.with_results_by_transaction(request.transactions.into_iter().map(one).collect())
}

fn add_one(
    context: &Context,
    request: &AddPartitionsToTxnTransaction,
    version: i16,
) -> Vec<AddPartitionsToTxnTopicResult> {
    context.cluster.with(|state| {
        let wrong = |topic: &str, partition: i32| {
            let unknown = state.partition(topic, partition).is_none();
            let unknown = unknown.then_some(code(ResponseError::UnknownTopicOrPartition));
            context.injected(API, topic, partition).or(unknown)
        };
        let all = request.topics.iter().flat_map(|t| t.partitions.iter().map(|p| (&*t.name, *p)));
        let wrong: Vec<Option<i16>> = all.map(|(topic, partition)| wrong(topic, partition)).collect();
        // One partition that is wrong keeps all others out.
        if wrong.iter().any(Option::is_some) {
            let others = code(ResponseError::OperationNotAttempted);
            let mut codes = wrong.into_iter();
            return results(&request.topics, |_, _| codes.next().flatten().unwrap_or(others));
        }
        add_known(context, state, request, version)
    })
}

fn add_known(
    context: &Context,
    state: &mut State,
    request: &AddPartitionsToTxnTransaction,
    version: i16,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let id: &str = &request.transactional_id;
    if let Err(code) = refuse(context, state, API, id) {
        return results(&request.topics, |_, _| code);
    }
    let who = (*request.producer_id, request.producer_epoch);
    if request.verify_only {
        return results(&request.topics, |topic, partition| {
            match verify(state, id, who, &(topic.to_owned(), partition)) {
                // The first version that asks has no word for it.
                Err(ResponseError::TransactionAbortable) if version < 5 => {
                    code(ResponseError::InvalidTxnState)
                }
                outcome => outcome.map_or_else(code, |()| 0),
            }
        });
    }
    let all = request.topics.iter().flat_map(|t| t.partitions.iter().map(|p| (t.name.to_string(), *p)));
    let outcome = add_to(state, id, who, all.collect()).map_err(|error| code_in(version, 2, error));
    results(&request.topics, |_, _| outcome.err().unwrap_or(0))
}

/// The same answer for every partition of a request, but for its code.
fn results(
    topics: &[AddPartitionsToTxnTopic],
    mut outcome: impl FnMut(&str, i32) -> i16,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let one = |topic: &AddPartitionsToTxnTopic| {
        let partition = |id: &i32| {
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(*id)
                .with_partition_error_code(outcome(&topic.name, *id))
        };
        let partitions = topic.partitions.iter().map(partition).collect();
        AddPartitionsToTxnTopicResult::default()
            .with_name(topic.name.clone())
            .with_results_by_partition(partitions)
    };
    topics.iter().map(one).collect()
}

/// Takes partitions into the transaction of a producer, which begins with the first.
pub(super) fn add_to(
    state: &mut State,
    id: &str,
    who: Identity,
    partitions: Vec<(String, i32)>,
) -> Result<(), ResponseError> {
    let now = state.now_ms();
    let known = state.transactions.known.get(id).ok_or(ResponseError::InvalidProducerIdMapping)?;
    known.check(who)?;
    let due_ms = due_ms(state, known.timeout_ms);
    if let Some(transaction) = state.transactions.known.get_mut(id) {
        transaction.add(partitions.into_iter(), now, due_ms);
        state.touch();
    }
    Ok(())
}

/// Whether a partition is part of a producer's transaction.
pub(super) fn verify(
    state: &State,
    id: &str,
    who: Identity,
    partition: &(String, i32),
) -> Result<(), ResponseError> {
    let known = state.transactions.known.get(id).ok_or(ResponseError::InvalidProducerIdMapping)?;
    known.check(who)?;
    if known.holds(partition) { Ok(()) } else { Err(ResponseError::TransactionAbortable) }
}

/// Whether a transactional batch may be appended: its partition must be part of its producer's transaction.
/// From Produce 12 on it becomes that by being written to.
///
/// Errors are those that a leader answers after it has asked the coordinator.
pub(crate) fn check_produce(
    state: &mut State,
    transactional_id: &str,
    producer_id: i64,
    epoch: i16,
    topic: &str,
    partition: i32,
    version: i16,
) -> Result<(), ResponseError> {
    // As long as no transaction was ever coordinated there is nobody to ask.
    if !state.topics.contains_key(Coordinated::Transaction.topic()) {
        return Err(ResponseError::NotEnoughReplicas);
    }
    let (who, key) = ((producer_id, epoch), (topic.to_owned(), partition));
    let outcome = match verify(state, transactional_id, who, &key) {
        Err(ResponseError::TransactionAbortable) if version >= 12 => {
            add_to(state, transactional_id, who, vec![key])
        }
        other => other,
    };
    outcome.map_err(|error| match error {
        ResponseError::ProducerFenced => ResponseError::InvalidProducerEpoch,
        ResponseError::ConcurrentTransactions if version < 12 => ResponseError::NotEnoughReplicas,
        ResponseError::TransactionAbortable if version < 11 => ResponseError::InvalidTxnState,
        other => other,
    })
}
