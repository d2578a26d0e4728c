//! Rows 9 to 11 of the rules for Produce: transactions, producer ids, sequences.

use crate::support::{Batch, Send, T};

const NOT_ALLOWED: &str = "53 TransactionalIdAuthorizationFailed";
const OUT_OF_ORDER: &str = "45 OutOfOrderSequenceNumber";
const FENCED: &str = "47 InvalidProducerEpoch";

impl T<'_> {
    /// Sends and expects `code base offset` without or with a time in the answer.
    fn try_send(&mut self, label: &str, send: &Send, expected: &str) {
        let answer = self.send(send);
        self.expect(label, answer, expected);
    }

    fn try_produce(&mut self, label: &str, topic: &str, batch: &Batch, expected: &str) {
        self.try_send(label, &Send::to(topic, batch.encode()), expected);
    }
}

pub(crate) fn row_09_transactional_without_a_transaction(t: &mut T<'_>) {
    let topic = t.topic("t");
    let own = t.transactional("P1");
    let batch = Batch::numbered(t.base, 2).transactional();
    let refused = format!("{NOT_ALLOWED} base -1 start -1");
    t.try_produce("no transactional id, no producer id", &topic, &batch, &refused);
    let foreign = batch.clone().by(4_000_000, 3, 0);
    t.try_produce("no transactional id, foreign producer id", &topic, &foreign, &refused);
    let batch = batch.by(own.id, own.epoch, 0);
    t.try_produce("no transactional id, own producer id", &topic, &batch, &refused);
    let unknown = t.unique("unknown");
    let send = Send::to(&topic, foreign.encode()).within(&unknown);
    t.try_send(
        "foreign producer id, unknown transactional id",
        &send,
        "49 InvalidProducerIdMapping base -1 start -1",
    );
    let send = Send::to(&topic, foreign.encode()).within(&own.transaction);
    t.try_send(
        "foreign producer id, own transactional id",
        &send,
        "49 InvalidProducerIdMapping base -1 start -1",
    );
    let plain = Batch::numbered(t.base, 2);
    let send = Send::to(&topic, plain.encode()).within(&own.transaction);
    t.try_send("own transactional id, a plain batch", &send, "0 base 0");
    let send = own.send(&topic, &own.batch(t.base, 0, 2)).acks(1);
    let code = t.send(&send).code();
    t.note("transactional with acks 1", code);
    t.note_log("stored", &topic);
}

pub(crate) fn row_09_transactional_not_added(t: &mut T<'_>) {
    let topic = t.topic("t");
    let own = t.transactional("P1");
    let send = own.send(&topic, &own.batch(t.base, 0, 2));
    t.try_send("partition not added, version 11", &send, "120 TransactionAbortable base -1 start -1");
    if t.is_4_3() {
        t.try_send("partition not added, version 12", &send.version(12), "0 base 0");
        let plain = Batch::numbered(t.base, 1).by(own.id, own.epoch, 2);
        t.try_produce("a plain batch of that producer", &topic, &plain, "48 InvalidTxnState base -1");
    } else {
        let added = t.add_partition(&own, &topic, 0);
        t.expect("adding it", added, "0");
        t.try_send("partition added", &send, "0 base 0");
        let plain = Batch::numbered(t.base, 1).by(own.id, own.epoch, 2);
        let answer = t.produce(&topic, &plain);
        t.note("a plain batch of that producer", answer);
        let plain = Batch::numbered(t.base, 1).by(own.id, own.epoch, 0);
        t.try_produce("a plain batch from sequence 0", &topic, &plain, &format!("{OUT_OF_ORDER} base -1"));
    }
    t.note_log("stored", &topic);
}

pub(crate) fn row_10_foreign_producer_ids(t: &mut T<'_>) {
    let topic = t.topic("t");
    let by = |t: &T<'_>, epoch, sequence| Batch::numbered(t.base, 2).by(4_000_000, epoch, sequence);
    let cases = [
        ("an id never issued", by(t, 3, 17), "0 base 0"),
        ("the same bytes", by(t, 3, 17), "0 base 0 stamped"),
        ("sequence 500", by(t, 3, 500), "45 OutOfOrderSequenceNumber base -1"),
        ("an older epoch", by(t, 2, 19), "47 InvalidProducerEpoch base -1"),
        ("a newer epoch from sequence 20", by(t, 4, 20), "45 OutOfOrderSequenceNumber base -1"),
        ("a newer epoch from sequence 0", by(t, 4, 0), "0 base 2"),
        ("sequence -1", by(t, 4, -1), "87 InvalidRecord base -1"),
        ("sequence -5", by(t, 4, -5), "87 InvalidRecord base -1"),
    ];
    for (label, batch, expected) in cases {
        t.try_produce(label, &topic, &batch, expected);
    }
    let half = Batch::numbered(t.base, 1).by(4_100_000, -1, 0);
    t.try_produce("epoch -1", &topic, &half, "0 base 4");
    let half = Batch::numbered(t.base, 1).by(-1, 5, 9);
    t.try_produce("id -1 with epoch and sequence", &topic, &half, "0 base 5");
    let half = Batch::numbered(t.base, 1).by(-2, 5, 9);
    let answer = t.produce(&topic, &half);
    t.note("id -2 with epoch and sequence", answer);
    t.note_log("stored", &topic);
}

pub(crate) fn row_11_sequences(t: &mut T<'_>) {
    let topic = t.topic("t");
    let own = t.idempotent("P1");
    let by = |t: &T<'_>, sequence, n| Batch::numbered(t.base, n).by(own.id, own.epoch, sequence);
    t.try_produce("first sequence 100", &topic, &by(t, 100, 3), "0 base 0");
    t.try_produce("the next", &topic, &by(t, 103, 2), "0 base 3");
    let refused = format!("{OUT_OF_ORDER} base -1");
    t.try_produce("a gap", &topic, &by(t, 106, 2), &refused);
    t.try_produce("an overlap", &topic, &by(t, 104, 2), &refused);
    t.try_produce("the same first sequence, longer", &topic, &by(t, 103, 3), &refused);
    t.try_produce("the same first sequence, shorter", &topic, &by(t, 103, 1), &refused);
    t.try_produce("after all that, the next", &topic, &by(t, 105, 1), "0 base 5");
    let other = Batch::of(t.base, &["other"]).by(own.id, own.epoch, 105);
    t.try_produce("the same sequence, other content", &topic, &other, "0 base 5 stamped");
    let lz4 = by(t, 106, 2).codec("lz4");
    t.try_produce("compressed", &topic, &lz4, "0 base 6");
    t.try_produce("compressed again", &topic, &lz4, "0 base 6 stamped");
    t.note_log("stored", &topic);
}

pub(crate) fn row_11_duplicates(t: &mut T<'_>) {
    let topic = t.topic("t");
    let own = t.idempotent("P1");
    let by = |t: &T<'_>, sequence| Batch::numbered(t.base, 2).by(own.id, own.epoch, sequence);
    for sequence in 0..6 {
        let answer = t.put(&topic, &by(t, sequence * 2));
        assert_eq!(answer, i64::from(sequence) * 2);
    }
    t.try_produce("the last again", &topic, &by(t, 10), "0 base 10 stamped");
    t.try_produce("the 5th from the end again", &topic, &by(t, 2), "0 base 2 stamped");
    t.try_produce("the 6th from the end again", &topic, &by(t, 0), &format!("{OUT_OF_ORDER} base -1"));
    let end = t.end(&topic);
    t.expect("end", end, 12);
}

pub(crate) fn row_11_epochs_and_wrap(t: &mut T<'_>) {
    let topic = t.topic("epochs");
    let own = t.idempotent("P1");
    let by = |t: &T<'_>, epoch, sequence, n| Batch::numbered(t.base, n).by(own.id, epoch, sequence);
    t.try_produce("epoch 0", &topic, &by(t, 0, 0, 2), "0 base 0");
    t.try_produce("epoch 1 from sequence 5", &topic, &by(t, 1, 5, 2), &format!("{OUT_OF_ORDER} base -1"));
    t.try_produce("epoch 1 from sequence 0", &topic, &by(t, 1, 0, 2), "0 base 2");
    t.try_produce("epoch 0 again", &topic, &by(t, 0, 2, 2), &format!("{FENCED} base -1"));
    let topic = t.topic("wrap");
    let four = by(t, 0, i32::MAX - 1, 4);
    t.try_produce("from 2^31-2, 4 records", &topic, &four, "0 base 0");
    t.try_produce("then from 2", &topic, &by(t, 0, 2, 1), "0 base 4");
    t.try_produce("the first again", &topic, &four, "0 base 0 stamped");
    let topic = t.topic("wrap-to-0");
    t.try_produce("from 2^31-1, 1 record", &topic, &by(t, 0, i32::MAX, 1), "0 base 0");
    t.try_produce("then from 1", &topic, &by(t, 0, 1, 1), &format!("{OUT_OF_ORDER} base -1"));
    t.try_produce("then from 0", &topic, &by(t, 0, 0, 1), "0 base 1");
    t.note_log("stored", &topic);
}

pub(crate) fn row_11_first_sequence_in_a_transaction(t: &mut T<'_>) {
    let topic = t.topic("t");
    let own = t.transactional("P1");
    if t.is_4_3() {
        let from = |t: &T<'_>, sequence| own.send(&topic, &own.batch(t.base, sequence, 2)).version(12);
        t.try_send("from 5, version 12", &from(t, 5), &format!("{OUT_OF_ORDER} base -1"));
        t.try_send("from 0, version 12", &from(t, 0), "0 base 0");
    } else {
        let added = t.add_partition(&own, &topic, 0);
        t.expect("adding the partition", added, "0");
        let answer = t.send(&own.send(&topic, &own.batch(t.base, 5, 2)));
        t.note("from 5, version 11", answer);
    }
}
