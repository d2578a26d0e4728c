//! Transactions of version 2, as clients of 4.0 and later make them (only 4.3 has them), and offsets in transactions.

use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, GroupId, ProducerId, TransactionalId, TxnOffsetCommitRequest,
};

use crate::support::transactions::is_busy;
use crate::support::{Producer, T, code, name, text};

impl T<'_> {
    /// Ends a transaction with version 5, which gives the producer its next epoch.
    fn end_v2(&mut self, producer: &Producer, commit: bool) -> (String, Producer) {
        let answer = self.end_in(5, producer, commit);
        let same = if answer.producer_id.0 == producer.id { "same id" } else { "another id" };
        let line = format!("{} {same} epoch {}", code(answer.error_code), answer.producer_epoch);
        let next = Producer {
            transaction: producer.transaction.clone(),
            id: answer.producer_id.0,
            epoch: answer.producer_epoch,
        };
        (line, next)
    }

    fn add_offsets(&mut self, producer: &Producer, group: &str) -> String {
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(TransactionalId(text(&producer.transaction)))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_group_id(GroupId(text(group)));
        let error = self.until("the coordinator", |t| {
            let error = t.client.call(3, &request).error_code;
            (!is_busy(error)).then_some(error)
        });
        code(error)
    }

    fn commit_in(
        &mut self,
        version: i16,
        producer: &Producer,
        group: &str,
        topic: &str,
        offset: i64,
    ) -> String {
        let request = offsets_request(producer, group, topic, offset);
        let answer = self.client.call(version, &request);
        code(answer.topics[0].partitions[0].error_code)
    }
}

fn offsets_request(producer: &Producer, group: &str, topic: &str, offset: i64) -> TxnOffsetCommitRequest {
    let partition = TxnOffsetCommitRequestPartition::default()
        .with_committed_offset(offset)
        .with_committed_leader_epoch(-1)
        .with_committed_metadata(Some(text("m")));
    let topic =
        TxnOffsetCommitRequestTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
    TxnOffsetCommitRequest::default()
        .with_transactional_id(TransactionalId(text(&producer.transaction)))
        .with_group_id(GroupId(text(group)))
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(producer.epoch)
        .with_generation_id(-1)
        .with_topics(vec![topic])
}

pub(crate) fn transaction_v2(t: &mut T<'_>) {
    let topic = t.topic("t");
    let own = t.transactional("P1");
    if !t.is_4_3() {
        t.note("version 2", "not there");
        return;
    }
    let answer = t.send(&own.send(&topic, &own.batch(t.base, 0, 2)).version(12));
    t.expect("produced without adding", answer, "0 base 0");
    t.note_committed("open", &topic, 0);
    let (line, next) = t.end_v2(&own, true);
    t.expect("commit", line, "0 same id epoch 1");
    t.until("the marker", |t| (t.end(&topic) == 3).then_some(()));
    let (line, _) = t.end_v2(&own, true);
    t.note("commit again with the old epoch", line);
    let (line, _) = t.end_v2(&own, false);
    t.note("abort with the old epoch", line);
    let (line, _) = t.end_v2(&next, true);
    t.note("commit of nothing", line);
    let (line, next) = t.end_v2(&next, false);
    t.note("abort of nothing", line);
    let answer = t.send(&own.send(&topic, &own.batch(t.base, 2, 1)).version(12));
    t.note("produced with the old epoch", answer);
    let answer = t.send(&next.send(&topic, &next.batch(t.base, 5, 1)).version(12));
    t.note("produced with the next epoch from sequence 5", answer);
    let answer = t.send(&next.send(&topic, &next.batch(t.base, 0, 1)).version(12));
    t.note("produced with the next epoch from sequence 0", answer);
    let (line, last) = t.end_v2(&next, false);
    t.note("abort", line);
    t.until("the marker", |t| (t.end(&topic) == 5).then_some(()));
    t.note_committed("aborted", &topic, 0);
    let old_style = t.add_partition(&last, &topic, 0);
    t.note("a partition added as of version 1", old_style);
    t.note_log("stored", &topic);
}

pub(crate) fn transaction_v2_fencing(t: &mut T<'_>) {
    let topic = t.topic("t");
    let old = t.transactional("P1");
    if !t.is_4_3() {
        t.note("version 2", "not there");
        return;
    }
    t.send(&old.send(&topic, &old.batch(t.base, 0, 2)).version(12));
    let new = t.transactional_again(&old.transaction, "P1", 60_000);
    t.note("epochs", format!("{} then {} same id {}", old.epoch, new.epoch, old.id == new.id));
    let answer = t.send(&old.send(&topic, &old.batch(t.base, 2, 1)).version(12));
    t.note("the old one produces", answer);
    let (line, _) = t.end_v2(&old, true);
    t.note("the old one commits", line);
    let answer = t.send(&new.send(&topic, &new.batch(t.base, 0, 1)).version(12));
    t.note("the new one produces", answer);
    let (line, _) = t.end_v2(&new, true);
    t.note("the new one commits", line);
    t.until("the marker", |t| (t.end(&topic) == 5).then_some(()));
    t.note_committed("at the end", &topic, 0);
    t.note_log("stored", &topic);
}

pub(crate) fn transaction_with_offsets(t: &mut T<'_>) {
    let (group, topic) = (t.group("g"), t.topic("t"));
    let own = t.transactional("P1");
    let line = t.commit_in(3, &own, &group, &topic, 1);
    // 120 where another producer is asked about at the same time.
    let refused = ["48 InvalidTxnState", "120 TransactionAbortable"].contains(&&*line);
    t.expect("offsets without adding the group, refused", refused, true);
    let added = t.add_offsets(&own, &group);
    t.expect("the group added", added, "0");
    let line = t.commit_in(3, &own, &group, &topic, 5);
    t.expect("offsets", line, "0");
    let line = t.committed(&group, &topic, &[0], false);
    t.note("open", line);
    let line = t.committed(&group, &topic, &[0], true);
    t.expect("open, only stable, code 88", line.contains("88 UnstableOffsetCommit"), true);
    t.note("open, only stable", line);
    let ended = t.end_transaction(&own, true);
    t.expect("commit", ended, "0");
    let line = t.until("the offsets", |t| {
        let line = t.committed(&group, &topic, &[0], true);
        (!line.contains("88 UnstableOffsetCommit")).then_some(line)
    });
    t.note("committed", line);
    t.add_offsets(&own, &group);
    t.commit_in(3, &own, &group, &topic, 9);
    t.end_transaction(&own, false);
    let line = t.until("the end of the abort", |t| {
        let line = t.committed(&group, &topic, &[0], true);
        (!line.contains("88 UnstableOffsetCommit")).then_some(line)
    });
    t.note("aborted", line);
    let line = t.commit_in(3, &Producer { epoch: own.epoch - 1, ..own.clone() }, &group, &topic, 9);
    t.note("an old epoch", line);
    let mut request = offsets_request(&own, &group, &topic, 3);
    (request.generation_id, request.member_id) = (4, text("nobody"));
    t.add_offsets(&own, &group);
    let answer = t.client.call(3, &request);
    t.note("a member that is not there", code(answer.topics[0].partitions[0].error_code));
    let missing = t.unique("missing");
    let line = t.commit_in(3, &own, &group, &missing, 1);
    t.note("unknown topic", line);
    t.end_transaction(&own, false);
    if t.is_4_3() {
        let own = t.transactional("P2");
        let line = t.commit_in(5, &own, &group, &topic, 77);
        t.note("version 5, without adding the group", line);
        let (line, _) = t.end_v2(&own, true);
        t.note("version 5, commit", line);
        let line = t.until("the offsets", |t| {
            let line = t.committed(&group, &topic, &[0], true);
            line.contains("offset 77 ").then_some(line)
        });
        t.note("version 5, committed", line);
    }
}
