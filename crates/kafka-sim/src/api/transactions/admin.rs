//! ListTransactions and DescribeTransactions.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_transactions_response::{TopicData, TransactionState as Described};
use kafka_protocol::messages::list_transactions_response::TransactionState as Listed;
use kafka_protocol::messages::{
    ApiKey, DescribeTransactionsRequest, DescribeTransactionsResponse, ListTransactionsRequest,
    ListTransactionsResponse, TopicName, TransactionalId,
};

use super::refuse;
use super::transaction::{PHASES, Transaction};
use crate::api::{Context, code, text};
use crate::state::State;

pub(super) fn list(context: &Context, request: &ListTransactionsRequest) -> ListTransactionsResponse {
    let throttle = context.throttle_ms(ApiKey::ListTransactions);
    let answer = ListTransactionsResponse::default().with_throttle_time_ms(throttle);
    if let Some(code) = context.injected_error(ApiKey::ListTransactions) {
        return answer.with_error_code(code);
    }
    let unknown = request.state_filters.iter().filter(|f| !PHASES.contains(&&***f)).cloned().collect();
    let states = context.cluster.with(|state| {
        let now = state.now_ms();
        let transactions = &state.transactions;
        let wanted = |(id, t): &(&String, &Transaction)| {
            let (states, producers) = (&request.state_filters, &request.producer_id_filters);
            transactions.coordinator(&state.brokers, id) == context.broker
                && (states.is_empty() || states.iter().any(|f| **f == *t.phase.name()))
                && (producers.is_empty() || producers.iter().any(|id| **id == t.producer_id))
                && (request.duration_filter < 0 || now - t.started_ms > request.duration_filter)
        };
        let one = |(id, t): (&String, &Transaction)| {
            Listed::default()
                .with_transactional_id(TransactionalId(text(&**id)))
                .with_producer_id(t.producer_id.into())
                .with_transaction_state(text(t.phase.name()))
        };
        transactions.known.iter().filter(wanted).map(one).collect()
    });
    answer.with_unknown_state_filters(unknown).with_transaction_states(states)
}

pub(super) fn describe(
    context: &Context,
    request: DescribeTransactionsRequest,
) -> DescribeTransactionsResponse {
    let throttle = context.throttle_ms(ApiKey::DescribeTransactions);
    let states = context.cluster.with(|state| {
        let one = |id: TransactionalId| match describe_one(context, state, &id) {
            Ok(described) => described.with_transactional_id(id),
            Err(code) => Described::default().with_transactional_id(id).with_error_code(code),
        };
        request.transactional_ids.into_iter().map(one).collect()
    });
    DescribeTransactionsResponse::default().with_throttle_time_ms(throttle).with_transaction_states(states)
}

fn describe_one(context: &Context, state: &mut State, id: &str) -> Result<Described, i16> {
    refuse(context, state, ApiKey::DescribeTransactions, id)?;
    let known = state.transactions.known.get(id).ok_or(code(ResponseError::TransactionalIdNotFound))?;
    let mut topics: Vec<TopicData> = Vec::new();
    for (topic, partition) in &known.partitions {
        match topics.last_mut() {
            Some(last) if **last.topic == **topic => last.partitions.push(*partition),
            _ => {
                let name = TopicName(text(&**topic));
                topics.push(TopicData::default().with_topic(name).with_partitions(vec![*partition]));
            }
        }
    }
    Ok(Described::default()
        .with_transaction_state(text(known.phase.name()))
        .with_transaction_timeout_ms(known.timeout_ms)
        .with_transaction_start_time_ms(known.started_ms)
        .with_producer_id(known.producer_id.into())
        .with_producer_epoch(known.epoch)
        .with_topics(topics))
}
