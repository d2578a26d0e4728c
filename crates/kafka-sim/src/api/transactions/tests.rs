//! Transactions as producers meet them.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, ApiKey, DescribeTransactionsRequest, EndTxnRequest,
    InitProducerIdRequest, ListTransactionsRequest, OffsetFetchRequest, TransactionalId,
    TxnOffsetCommitRequest,
};
use kafka_wire::batch::{Batch, ControlType, control_type};

use super::check_produce;
use super::transaction::Identity;
use crate::api::groups::tests::{answer, ask};
use crate::api::text;
use crate::coordination::Coordinated;
use crate::{Action, Cluster, Fault, Release};

const ID: &str = "x";

fn cluster() -> Cluster {
    let cluster = Cluster::builder().build();
    cluster.create_topic("t", 2, 1, &[]);
    cluster
}

fn id() -> TransactionalId {
    text(ID).into()
}

fn initialising(who: Identity) -> InitProducerIdRequest {
    InitProducerIdRequest::default()
        .with_transactional_id(Some(id()))
        .with_transaction_timeout_ms(60_000)
        .with_producer_id(who.0.into())
        .with_producer_epoch(who.1)
}

async fn init(cluster: &Cluster, who: Identity, version: i16) -> Result<Identity, i16> {
    let answer = answer!(InitProducerId, ask(cluster, 1, initialising(who), version).await);
    match answer.error_code {
        0 => Ok((*answer.producer_id, answer.producer_epoch)),
        code => {
            assert_eq!((*answer.producer_id, answer.producer_epoch), (-1, -1));
            Err(code)
        }
    }
}

const NEW: Identity = (-1, -1);

fn topic(name: &str, partitions: &[i32]) -> AddPartitionsToTxnTopic {
    AddPartitionsToTxnTopic::default().with_name(text(name).into()).with_partitions(partitions.to_vec())
}

async fn add(cluster: &Cluster, who: Identity, partitions: &[i32], version: i16) -> Vec<i16> {
    let request = AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(id())
        .with_v3_and_below_producer_id(who.0.into())
        .with_v3_and_below_producer_epoch(who.1)
        .with_v3_and_below_topics(vec![topic("t", partitions)]);
    let answer = answer!(AddPartitionsToTxn, ask(cluster, 1, request, version).await);
    let topic = &answer.results_by_topic_v3_and_below[0];
    topic.results_by_partition.iter().map(|p| p.partition_error_code).collect()
}

async fn end(cluster: &Cluster, who: Identity, commit: bool, version: i16) -> Result<Identity, i16> {
    let request = EndTxnRequest::default()
        .with_transactional_id(id())
        .with_producer_id(who.0.into())
        .with_producer_epoch(who.1)
        .with_committed(commit);
    let answer = answer!(EndTxn, ask(cluster, 1, request, version).await);
    match answer.error_code {
        0 => Ok((*answer.producer_id, answer.producer_epoch)),
        code => Err(code),
    }
}

/// State, epoch, partitions.
async fn described(cluster: &Cluster) -> (String, i16, Vec<(String, Vec<i32>)>) {
    let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![id()]);
    let state = answer!(DescribeTransactions, ask(cluster, 1, request, 0).await).transaction_states.remove(0);
    let topics = state.topics.iter().map(|t| (t.topic.to_string(), t.partitions.clone())).collect();
    (state.transaction_state.to_string(), state.producer_epoch, topics)
}

/// The markers of a partition: epoch and kind.
fn markers(cluster: &Cluster, partition: i32) -> Vec<(i16, ControlType)> {
    let batches = cluster.stored("t", partition).into_iter().map(|b: Bytes| Batch::new(b).unwrap());
    batches.map(|b| (b.producer_epoch(), control_type(&b).unwrap())).collect()
}

#[tokio::test(start_paused = true)]
async fn producer_ids_are_all_different() {
    let cluster = cluster();
    let mut ids = Vec::new();
    for version in 0..=5 {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1)
            .with_transaction_timeout_ms(1);
        let answer = answer!(InitProducerId, ask(&cluster, 1, request, version).await);
        assert_eq!((answer.error_code, answer.producer_epoch), (0, 0));
        ids.push(*answer.producer_id);
    }
    assert_eq!(ids, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn the_first_protocol_commits_and_aborts_and_keeps_the_epoch() {
    let cluster = cluster();
    let who = init(&cluster, NEW, 4).await.unwrap();
    assert_eq!(end(&cluster, who, true, 4).await, Err(48));
    assert_eq!(add(&cluster, who, &[0, 1], 3).await, [0, 0]);
    let ongoing = ("Ongoing".to_owned(), 0, vec![("t".to_owned(), vec![0, 1])]);
    assert_eq!(described(&cluster).await, ongoing);
    assert_eq!(end(&cluster, who, true, 4).await, Ok((-1, -1)));
    assert_eq!(described(&cluster).await, ("CompleteCommit".to_owned(), 0, Vec::new()));
    assert_eq!(end(&cluster, who, true, 4).await, Ok((-1, -1)));
    assert_eq!(end(&cluster, who, false, 4).await, Err(48));
    assert_eq!(add(&cluster, who, &[1], 3).await, [0]);
    assert_eq!(end(&cluster, who, false, 3).await, Ok((-1, -1)));
    assert_eq!(markers(&cluster, 0), [(0, ControlType::Commit)]);
    assert_eq!(markers(&cluster, 1), [(0, ControlType::Commit), (0, ControlType::Abort)]);
}

#[tokio::test(start_paused = true)]
async fn the_second_protocol_raises_the_epoch_with_every_end() {
    let cluster = cluster();
    let who = init(&cluster, NEW, 5).await.unwrap();
    let begin = |who: Identity| {
        cluster.with(|state| check_produce(state, ID, who.0, who.1, "t", 0, 12)).unwrap();
    };
    begin(who);
    let next = end(&cluster, who, true, 5).await.unwrap();
    assert_eq!(next, (who.0, 1));
    assert_eq!(markers(&cluster, 0), [(1, ControlType::Commit)]);
    // The answer was lost: the same request gets it again.
    assert_eq!(end(&cluster, who, true, 5).await, Ok(next));
    assert_eq!(end(&cluster, who, false, 5).await, Err(48));
    assert_eq!(end(&cluster, next, true, 5).await, Err(48));
    // Nothing was written, yet it may be aborted, which raises the epoch too.
    assert_eq!(end(&cluster, next, false, 5).await, Ok((who.0, 2)));
    assert_eq!(end(&cluster, next, false, 5).await, Ok((who.0, 2)));
    assert_eq!(end(&cluster, who, false, 5).await, Err(90));
    assert_eq!(markers(&cluster, 0).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_producer_aborts_and_fences_the_old_one() {
    let cluster = cluster();
    let old = init(&cluster, NEW, 4).await.unwrap();
    assert_eq!(add(&cluster, old, &[0], 3).await, [0]);
    assert_eq!(init(&cluster, NEW, 4).await, Err(51));
    assert_eq!(markers(&cluster, 0), [(1, ControlType::Abort)]);
    let new = init(&cluster, NEW, 4).await.unwrap();
    assert_eq!(new, (old.0, 2));
    for (version, code) in [(1, 47), (3, 90)] {
        assert_eq!(add(&cluster, old, &[0], version).await, [code]);
        assert_eq!(end(&cluster, old, true, version).await, Err(code));
    }
    assert_eq!(add(&cluster, (new.0 + 9, 2), &[0], 3).await, [49]);
    assert_eq!(init(&cluster, old, 3).await, Err(47));
    assert_eq!(init(&cluster, old, 4).await, Err(90));
    assert_eq!(init(&cluster, (77, 0), 4).await, Err(90));
}

#[tokio::test(start_paused = true)]
async fn a_producer_that_says_who_it_is_recovers() {
    let cluster = cluster();
    let first = init(&cluster, NEW, 4).await.unwrap();
    let second = init(&cluster, first, 4).await.unwrap();
    assert_eq!(second, (first.0, 1));
    // The answer was lost.
    assert_eq!(init(&cluster, first, 4).await, Ok(second));
    assert_eq!(init(&cluster, NEW, 4).await, Ok((first.0, 2)));
    assert_eq!(init(&cluster, second, 4).await, Err(90));
    let halves = [(5, -1), (-1, 5)];
    for half in halves {
        assert_eq!(init(&cluster, half, 4).await, Err(42));
    }
}

#[tokio::test(start_paused = true)]
async fn epochs_that_are_used_up_make_room_for_a_new_producer_id() {
    let cluster = cluster();
    let who = init(&cluster, NEW, 5).await.unwrap();
    let last = (who.0, i16::MAX - 1);
    let exhaust = || cluster.with(|s| s.transactions.known.get_mut(ID).unwrap().epoch = last.1);
    exhaust();
    cluster.with(|state| check_produce(state, ID, last.0, last.1, "t", 0, 12)).unwrap();
    let next = end(&cluster, last, true, 5).await.unwrap();
    assert_eq!(next, (who.0 + 1, 0));
    assert_eq!(markers(&cluster, 0), [(i16::MAX, ControlType::Commit)]);
    assert_eq!(end(&cluster, last, true, 5).await, Ok(next));
    assert_eq!(described(&cluster).await.0, "CompleteCommit");
    exhaust();
    assert_eq!(init(&cluster, (next.0, last.1), 5).await, Ok((who.0 + 2, 0)));
    assert_eq!(init(&cluster, (next.0, last.1), 5).await, Ok((who.0 + 2, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_is_too_old_is_aborted_and_its_producer_fenced() {
    let cluster = cluster();
    let who = init(&cluster, NEW, 4).await.unwrap();
    assert_eq!(add(&cluster, who, &[0], 3).await, [0]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(described(&cluster).await.0, "Ongoing");
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(described(&cluster).await, ("CompleteAbort".to_owned(), 1, Vec::new()));
    assert_eq!(markers(&cluster, 0), [(1, ControlType::Abort)]);
    assert_eq!(end(&cluster, who, true, 4).await, Err(90));
    let produced = cluster.with(|state| check_produce(state, ID, who.0, who.1, "t", 0, 11));
    assert_eq!(produced, Err(ResponseError::InvalidProducerEpoch));
}

#[tokio::test(start_paused = true)]
async fn a_partition_without_a_leader_keeps_a_transaction_from_its_end() {
    let cluster = Cluster::builder().brokers(2).build();
    cluster.create_topic("t", 2, 1, &[]);
    cluster.move_coordinator(Coordinated::Transaction, ID, 1);
    let who = init(&cluster, NEW, 4).await.unwrap();
    assert_eq!(add(&cluster, who, &[0, 1], 3).await, [0, 0]);
    cluster.kill(2);
    assert_eq!(end(&cluster, who, true, 4).await, Ok((-1, -1)));
    let waits = ("PrepareCommit".to_owned(), 0, vec![("t".to_owned(), vec![1])]);
    assert_eq!(described(&cluster).await, waits);
    assert_eq!(add(&cluster, who, &[0], 3).await, [51]);
    assert_eq!(end(&cluster, who, true, 4).await, Err(51));
    assert_eq!(init(&cluster, NEW, 4).await, Err(51));
    cluster.restart(2);
    assert_eq!(described(&cluster).await.0, "CompleteCommit");
    assert_eq!(markers(&cluster, 1), [(0, ControlType::Commit)]);
    assert_eq!(markers(&cluster, 0).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn requests_that_cannot_be_are_refused() {
    let cluster = Cluster::builder().brokers(2).build();
    cluster.create_topic("t", 1, 1, &[]);
    cluster.move_coordinator(Coordinated::Transaction, ID, 2);
    assert_eq!(init(&cluster, NEW, 4).await, Err(16));
    cluster.move_coordinator(Coordinated::Transaction, ID, 1);
    let code = async |request: InitProducerIdRequest| {
        answer!(InitProducerId, ask(&cluster, 1, request, 4).await).error_code
    };
    assert_eq!(code(initialising(NEW).with_transaction_timeout_ms(0)).await, 50);
    assert_eq!(code(initialising(NEW).with_transaction_timeout_ms(900_001)).await, 50);
    assert_eq!(code(initialising(NEW).with_transactional_id(Some(text("").into()))).await, 42);
    assert_eq!(add(&cluster, (0, 0), &[0], 3).await, [49]);
    assert_eq!(end(&cluster, (0, 0), true, 4).await, Err(49));
    let who = init(&cluster, NEW, 4).await.unwrap();
    // A partition that does not exist keeps the others out.
    assert_eq!(add(&cluster, who, &[0, 5], 3).await, [55, 3]);
    assert_eq!(described(&cluster).await.0, "Empty");
    cluster.faults().add(Fault::of(ApiKey::AddPartitionsToTxn, Action::Error(15)).on("t", 0).times(1));
    assert_eq!(add(&cluster, who, &[0], 3).await, [15]);
    assert_eq!(add(&cluster, who, &[0], 3).await, [0]);
}

#[tokio::test(start_paused = true)]
async fn brokers_ask_whether_partitions_are_part_of_a_transaction() {
    let cluster = cluster();
    let who = init(&cluster, NEW, 4).await.unwrap();
    let ask_all = async |verify: bool, partitions: &[i32], version: i16| {
        let transaction = AddPartitionsToTxnTransaction::default()
            .with_transactional_id(id())
            .with_producer_id(who.0.into())
            .with_producer_epoch(who.1)
            .with_verify_only(verify)
            .with_topics(vec![topic("t", partitions)]);
        let request = AddPartitionsToTxnRequest::default().with_transactions(vec![transaction]);
        let answer = answer!(AddPartitionsToTxn, ask(&cluster, 1, request, version).await);
        let topic = &answer.results_by_transaction[0].topic_results[0];
        topic.results_by_partition.iter().map(|p| p.partition_error_code).collect::<Vec<_>>()
    };
    assert_eq!(ask_all(false, &[0], 4).await, [0]);
    assert_eq!(ask_all(true, &[0, 1], 5).await, [0, 120]);
    assert_eq!(ask_all(true, &[0, 1], 4).await, [0, 48]);
}

#[tokio::test(start_paused = true)]
async fn batches_are_taken_into_transactions_as_the_version_has_it() {
    let cluster = cluster();
    let check = |id: &str, who: Identity, version| {
        cluster.with(|state| check_produce(state, id, who.0, who.1, "t", 0, version))
    };
    assert_eq!(check(ID, (0, 0), 11), Err(ResponseError::NotEnoughReplicas));
    let who = init(&cluster, NEW, 4).await.unwrap();
    assert_eq!(check("unknown", who, 11), Err(ResponseError::InvalidProducerIdMapping));
    assert_eq!(check("unknown", who, 12), Err(ResponseError::InvalidProducerIdMapping));
    assert_eq!(check(ID, (4000, 3), 12), Err(ResponseError::InvalidProducerIdMapping));
    assert_eq!(check(ID, who, 11), Err(ResponseError::TransactionAbortable));
    assert_eq!(check(ID, who, 10), Err(ResponseError::InvalidTxnState));
    assert_eq!(check(ID, (who.0, 4), 12), Err(ResponseError::InvalidProducerEpoch));
    assert_eq!(check(ID, who, 12), Ok(()));
    assert_eq!(check(ID, who, 11), Ok(()));
    assert_eq!(described(&cluster).await.2, [("t".to_owned(), vec![0])]);
}

async fn commit_offset(cluster: &Cluster, who: Identity, generation: i32, member: &str, version: i16) -> i16 {
    let partition = TxnOffsetCommitRequestPartition::default()
        .with_committed_offset(42)
        .with_committed_metadata(Some(text("")));
    let topic =
        TxnOffsetCommitRequestTopic::default().with_name(text("t").into()).with_partitions(vec![partition]);
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(id())
        .with_group_id(text("g").into())
        .with_producer_id(who.0.into())
        .with_producer_epoch(who.1)
        .with_generation_id(generation)
        .with_member_id(text(member))
        .with_topics(vec![topic]);
    let answer = answer!(TxnOffsetCommit, ask(cluster, 1, request, version).await);
    answer.topics[0].partitions[0].error_code
}

/// Offset and error of the group's one partition.
async fn fetch_offset(cluster: &Cluster, stable: bool) -> (i64, i16) {
    let topic =
        OffsetFetchRequestTopics::default().with_name(text("t").into()).with_partition_indexes(vec![0]);
    let group =
        OffsetFetchRequestGroup::default().with_group_id(text("g").into()).with_topics(Some(vec![topic]));
    let request = OffsetFetchRequest::default().with_groups(vec![group]).with_require_stable(stable);
    let answer = answer!(OffsetFetch, ask(cluster, 1, request, 8).await);
    let partition = &answer.groups[0].topics[0].partitions[0];
    (partition.committed_offset, partition.error_code)
}

#[tokio::test(start_paused = true)]
async fn offsets_are_committed_with_their_transaction() {
    let cluster = cluster();
    let who = init(&cluster, NEW, 4).await.unwrap();
    assert_eq!(commit_offset(&cluster, who, -1, "", 4).await, 120);
    assert_eq!(commit_offset(&cluster, who, -1, "", 3).await, 48);
    let adding = |who: Identity| {
        AddOffsetsToTxnRequest::default()
            .with_transactional_id(id())
            .with_producer_id(who.0.into())
            .with_producer_epoch(who.1)
            .with_group_id(text("g").into())
    };
    let added = |code: i16| move |answer| assert_eq!(answer!(AddOffsetsToTxn, answer).error_code, code);
    added(90)(ask(&cluster, 1, adding((who.0, 9)), 4).await);
    added(47)(ask(&cluster, 1, adding((who.0, 9)), 1).await);
    added(0)(ask(&cluster, 1, adding(who), 4).await);
    assert_eq!(commit_offset(&cluster, who, 3, "m", 4).await, 22);
    assert_eq!(commit_offset(&cluster, (who.0, 9), -1, "", 4).await, 47);
    assert_eq!(commit_offset(&cluster, who, -1, "", 4).await, 0);
    assert_eq!(commit_offset(&cluster, who, 3, "m", 4).await, 25);
    assert_eq!(fetch_offset(&cluster, false).await, (-1, 0));
    assert_eq!(fetch_offset(&cluster, true).await, (-1, 88));
    end(&cluster, who, true, 4).await.unwrap();
    assert_eq!(fetch_offset(&cluster, true).await, (42, 0));
    // From version 5 on nothing needs to be added before.
    assert_eq!(commit_offset(&cluster, who, -1, "", 5).await, 0);
    assert_eq!(described(&cluster).await.2[0].0, "__consumer_offsets");
    end(&cluster, who, false, 5).await.unwrap();
    assert_eq!(fetch_offset(&cluster, true).await, (42, 0));
}

#[tokio::test(start_paused = true)]
async fn transactions_are_listed() {
    let cluster = Cluster::builder().release(Release::V3_9).build();
    cluster.create_topic("t", 1, 1, &[]);
    let who = init(&cluster, NEW, 4).await.unwrap();
    add(&cluster, who, &[0], 3).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let list = async |request: ListTransactionsRequest, version| {
        let answer = answer!(ListTransactions, ask(&cluster, 1, request, version).await);
        (answer.transaction_states.len(), answer.unknown_state_filters.len())
    };
    let plain = || ListTransactionsRequest::default().with_duration_filter(-1);
    assert_eq!(list(plain(), 0).await, (1, 0));
    let states = |states: &[&str]| plain().with_state_filters(states.iter().map(|s| text(*s)).collect());
    assert_eq!(list(states(&["Ongoing", "Odd"]), 0).await, (1, 1));
    assert_eq!(list(states(&["Empty"]), 0).await, (0, 0));
    assert_eq!(list(plain().with_producer_id_filters(vec![77.into()]), 0).await, (0, 0));
    assert_eq!(list(plain().with_duration_filter(1_000), 1).await, (1, 0));
    assert_eq!(list(plain().with_duration_filter(3_000), 1).await, (0, 0));
    let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![text("?").into()]);
    let states = answer!(DescribeTransactions, ask(&cluster, 1, request, 0).await).transaction_states;
    assert_eq!(states[0].error_code, 105);
}
