//! What the log cleaner leaves, and what becomes of it when it is produced again.

use bytes::{Bytes, BytesMut};

use crate::support::batch::seal;
use crate::support::{Batch, Stored, T};

/// Compacts whatever is not in the active segment; a timestamp 1 s later begins a new segment.
const COMPACT: &[(&str, &str)] =
    &[("cleanup.policy", "compact"), ("segment.ms", "1000"), ("min.cleanable.dirty.ratio", "0.001")];

impl T<'_> {
    /// Begins a new segment, later than any marker of a transaction, and waits until the cleaner has done what `is_clean` looks for.
    fn compacted(&mut self, topic: &str, is_clean: impl Fn(&[Stored]) -> bool) -> Vec<Stored> {
        self.put(topic, &Batch::keyed(self.base + 70_000, &[("roll", "1")]));
        self.until("the log cleaner", |t| {
            t.clean(topic);
            let log = t.log(topic);
            is_clean(&log).then_some(log)
        })
    }

    /// Six records of which four are left, with holes at deltas 1 and 4.
    fn with_holes(&mut self, codec: &str) -> Bytes {
        let topic = self.topic_with(codec, 1, COMPACT);
        let six = [("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "1"), ("f", "1")];
        self.put(&topic, &Batch::keyed(self.base, &six).codec(codec));
        self.put(&topic, &Batch::keyed(self.base + 10, &[("b", "2"), ("e", "2")]));
        let mut log = self.compacted(&topic, |log| log[0].batch.count == 4);
        let line = self.batch(&log[0]);
        self.note(format!("left, {codec}"), line);
        log.remove(0).bytes
    }
}

/// As a producer would send it: at offset 0.
fn rebased(batch: &Bytes) -> BytesMut {
    let mut bytes = BytesMut::from(&batch[..]);
    bytes[..8].fill(0);
    bytes
}

pub(crate) fn row_06_compacted_batches_as_they_are(t: &mut T<'_>) {
    let topic = t.topic("t");
    for codec in ["none", "lz4"] {
        let batch = t.with_holes(codec);
        let code = t.produce_bytes(&topic, rebased(&batch).freeze()).code();
        t.expect(format!("forwarded, {codec}"), code, "87 InvalidRecord");
    }
    let end = t.end(&topic);
    t.expect("end", end, 0);
}

pub(crate) fn row_07_compacted_batches_with_a_patched_header(t: &mut T<'_>) {
    let topic = t.topic("t");
    for (codec, expected) in [("none", "0"), ("lz4", "-1 UnknownServerError")] {
        let mut batch = rebased(&t.with_holes(codec));
        batch[23..27].copy_from_slice(&3_i32.to_be_bytes());
        seal(&mut batch);
        let code = t.produce_bytes(&topic, batch.freeze()).code();
        t.expect(format!("patched, {codec}"), code, expected);
    }
    let next = t.put(&topic, &Batch::numbered(t.base, 1));
    t.expect("base offset of the next batch", next, 4);
    t.note_log("stored", &topic);
}

pub(crate) fn row_14_delete_horizon_and_the_cleaner(t: &mut T<'_>) {
    let topic = t.topic_with("t", 1, COMPACT);
    let tombstone = |t: &T<'_>, key| Batch::keyed(t.base, &[(key, ""), ("kept", "1")]);
    t.put(&topic, &tombstone(t, "past").with(|batch| batch.attributes |= 0x40));
    t.put(&topic, &tombstone(t, "plain").with(|batch| batch.records[1].key = Some(b"too".to_vec())));
    let log = t.compacted(&topic, |log| log[1].batch.attributes == 0x40);
    for (at, stored) in log.iter().enumerate() {
        let line = t.batch(stored);
        t.note(format!("after the first cleaning {at}"), line);
    }
    t.expect("records of the batch with bit 6 and a past horizon", log[0].batch.count, 1);
    t.expect("records of its twin without", log[1].batch.count, 2);
}

pub(crate) fn compaction_shapes(t: &mut T<'_>) {
    let topic = t.topic_with("t", 1, COMPACT);
    let own = t.idempotent("P1");
    let all = [("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")];
    t.put(&topic, &Batch::keyed(t.base, &all));
    t.put(&topic, &Batch::keyed(t.base + 10, &[("e", "1"), ("f", "1")]).by(own.id, 0, 0));
    t.put(&topic, &Batch::keyed(t.base + 20, &[("g", "1"), ("h", "1")]).by(own.id, 0, 2));
    t.put(&topic, &Batch::keyed(t.base + 30, &[("i", "1"), ("j", "1")]));
    t.put(&topic, &Batch::keyed(t.base + 40, &[("a", ""), ("d", "2")]).codec("lz4"));
    let dead = ["e", "f", "g", "h", "i"].map(|key| (key, "2"));
    t.put(&topic, &Batch::keyed(t.base + 50, &dead).codec("lz4"));
    let log = t.compacted(&topic, |log| log[0].batch.count == 2);
    for (at, stored) in log.iter().enumerate() {
        let line = t.batch(stored);
        t.note(format!("left {at}"), line);
    }
    for offset in [0, 4, 5, 6, 7, 8, 9] {
        let fetched = t.fetch(&topic, offset);
        let first = fetched.batches.first().map_or("nothing".to_owned(), |s| {
            format!("{}..{} n={}", s.batch.base_offset, s.next_offset() - 1, s.batch.count)
        });
        t.note(format!("first batch of a fetch at {offset}"), first);
    }
    let head = t.fetch(&topic, 0).head();
    t.note("head", head);
    for time in [t.base, t.base + 10, t.base + 20] {
        let label = format!("offset of the first record from {}", t.time(time));
        let found = t.offset_line(&topic, time);
        t.note(label, found);
    }
}

pub(crate) fn compaction_with_deletes(t: &mut T<'_>) {
    let mut configs = COMPACT.to_vec();
    configs.push(("delete.retention.ms", "0"));
    let topic = t.topic_with("t", 1, &configs);
    t.put(&topic, &Batch::keyed(t.base, &[("a", "1"), ("b", "1")]));
    t.put(&topic, &Batch::keyed(t.base + 10, &[("a", ""), ("b", "")]));
    t.compacted(&topic, |log| {
        log[0].batch.attributes == 0x40 || log[0].batch.records[0].key.as_deref() == Some(b"roll")
    });
    // The tombstones go in a second cleaning, which needs something to clean.
    t.put(&topic, &Batch::keyed(t.base + 72_000, &[("roll", "2")]));
    t.put(&topic, &Batch::keyed(t.base + 74_000, &[("roll", "3")]));
    let log = t.until("the end of the tombstones", |t| {
        t.clean(&topic);
        let log = t.log(&topic);
        (log[0].batch.records.first().is_some_and(|record| record.value.is_some())).then_some(log)
    });
    let last = log.last().unwrap();
    let line = t.batch(last);
    t.note("the last batch", line);
    let head = t.fetch(&topic, 0).head();
    t.note("head", head);
}

pub(crate) fn compaction_of_transactions(t: &mut T<'_>) {
    let topic = t.topic_with("t", 1, COMPACT);
    let own = t.transactional("P1");
    let within = |t: &T<'_>, sequence: i32, at: i64, records: &[(&str, &str)]| {
        Batch::keyed(t.base + at, records).transactional().by(own.id, own.epoch, sequence)
    };
    let mut sequence = 0;
    for (at, records, commit) in [
        (0, [("a", "1"), ("b", "1")], true),
        (10, [("c", "1"), ("b", "2")], false),
        (20, [("d", "1"), ("a", "2")], true),
    ] {
        t.add_partition(&own, &topic, 0);
        let send = own.send(&topic, &within(t, sequence, at, &records));
        assert_eq!(t.send(&send).0.error_code, 0);
        sequence += 2;
        let end = t.end(&topic);
        assert_eq!(t.end_transaction(&own, commit), "0");
        t.until("the marker", |t| (t.end(&topic) > end).then_some(()));
    }
    t.put(&topic, &Batch::keyed(t.base + 30, &[("d", "2"), ("e", "1")]));
    let log = t.compacted(&topic, |log| log[0].batch.count == 1);
    for (at, stored) in log.iter().enumerate() {
        let line = t.batch(stored);
        t.note(format!("left {at}"), line);
    }
    t.note_committed("read", &topic, 0);
}
