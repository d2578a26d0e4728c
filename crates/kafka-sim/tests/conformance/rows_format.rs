//! Rows 1 to 8 of the rules for Produce: the shape of a batch.

use bytes::{BufMut, Bytes, BytesMut};

use crate::support::batch::seal;
use crate::support::{Batch, Send, T};

const INVALID: &str = "87 InvalidRecord";
const CORRUPT: &str = "2 CorruptMessage";
const UNKNOWN: &str = "-1 UnknownServerError";

impl T<'_> {
    /// Produces to a topic and expects an error code, or `0`.
    fn refuse(&mut self, label: &str, topic: &str, records: Bytes, expected: &str) {
        let code = self.produce_bytes(topic, records).code();
        self.expect(label, code, expected);
    }
}

fn message_set(magic: i8, time: i64) -> Bytes {
    let mut message = BytesMut::new();
    message.put_i8(magic);
    message.put_i8(0);
    if magic == 1 {
        message.put_i64(time);
    }
    message.put_i32(-1);
    message.put_i32(5);
    message.extend_from_slice(b"value");
    let mut crc = flate2::Crc::new();
    crc.update(&message);
    let mut set = BytesMut::new();
    set.put_i64(0);
    set.put_i32(message.len() as i32 + 4);
    set.put_u32(crc.sum());
    set.extend_from_slice(&message);
    set.freeze()
}

pub(crate) fn row_01_magic(t: &mut T<'_>) {
    let topic = t.topic("t");
    for magic in [0, 1] {
        t.refuse(&format!("magic {magic}"), &topic, message_set(magic, t.base), INVALID);
    }
    let mut future = BytesMut::from(&Batch::numbered(t.base, 1).encode()[..]);
    future[16] = 3;
    let code = t.produce_bytes(&topic, future.freeze()).code();
    t.note("magic 3", code);
    t.note_log("stored", &topic);
}

pub(crate) fn row_02_one_batch_per_partition(t: &mut T<'_>) {
    let topic = t.topic("t");
    let one = Batch::numbered(t.base, 3).encode();
    let two = [&one[..], &one[..]].concat();
    t.refuse("two whole batches", &topic, two.clone().into(), INVALID);
    t.refuse("a whole batch and a cut one", &topic, Bytes::from(two).slice(..one.len() + 40), "0");
    t.refuse("a whole batch and 10 zero bytes", &topic, [&one[..], &[0; 10]].concat().into(), "0");
    t.refuse("no bytes", &topic, Bytes::new(), INVALID);
    let code = t.produce_bytes(&topic, one.slice(..40)).code();
    t.note("only a cut batch", code);
    t.note_log("stored", &topic);
}

pub(crate) fn row_02_same_partition_twice(t: &mut T<'_>) {
    let first = Batch::of(t.base, &["first"]).encode();
    let second = Batch::of(t.base, &["second"]).encode();
    let topic = t.topic("entry");
    let answers = t.send_all(&Send::to(&topic, first.clone()).and(0, second.clone()));
    t.expect(
        "in one topic entry",
        format!("{} answers, {}", answers.len(), answers[0]),
        "1 answers, 0 base 0",
    );
    t.note_log("in one topic entry, stored", &topic);
    let topic = t.topic("topic");
    let answers = t.send_all(&Send::to(&topic, first.clone()).and_topic(&topic, second.clone()));
    t.expect(
        "in two topic entries",
        format!("{} answers, {}", answers.len(), answers[0]),
        "1 answers, 0 base 0",
    );
    t.note_log("in two topic entries, stored", &topic);
    if t.is_4_3() {
        let topic = t.topic("id");
        let id = t.topic_id(&topic);
        let answers = t.send_all(&Send::to(&topic, first).and(0, second).id(id));
        t.expect("by topic id", format!("{} answers, {}", answers.len(), answers[0]), "1 answers, 0 base 0");
        t.note_log("by topic id, stored", &topic);
    }
}

pub(crate) fn row_03_base_offset(t: &mut T<'_>) {
    let topic = t.topic("t");
    for offset in [100, -5, 1] {
        let batch = Batch::numbered(t.base, 2).with(|batch| batch.base_offset = offset);
        t.refuse(&format!("base offset {offset}"), &topic, batch.encode(), INVALID);
    }
    let end = t.end(&topic);
    t.expect("end", end, 0);
}

pub(crate) fn row_04_length_and_leader_epoch(t: &mut T<'_>) {
    let topic = t.topic("t");
    let batch = Batch::numbered(t.base, 2).with(|batch| batch.leader_epoch = 77);
    t.refuse("leader epoch 77", &topic, batch.encode(), "0");
    let off_by = |by: i32| {
        let mut bytes = BytesMut::from(&batch.encode()[..]);
        let length = bytes.len() as i32 - 12 + by;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        bytes.freeze()
    };
    t.refuse("length one more", &topic, off_by(1), INVALID);
    t.refuse("length one less", &topic, off_by(-1), CORRUPT);
    for (label, length) in [("length 0", 0_i32), ("length 48", 48), ("length -1", -1)] {
        let mut bytes = BytesMut::from(&batch.encode()[..]);
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        let code = t.produce_bytes(&topic, bytes.freeze()).code();
        t.note(label, code);
    }
    t.note_log("stored", &topic);
}

/// The CRC after a change of the header, by the linearity of CRCs: no byte of the payload is read.
fn patched(bytes: &Bytes, at: usize, new: &[u8]) -> Bytes {
    let mut change = vec![0; bytes.len() - 21];
    for (index, byte) in new.iter().enumerate() {
        change[at - 21 + index] = bytes[at + index] ^ byte;
    }
    let zeros = vec![0; change.len()];
    let old = u32::from_be_bytes(bytes[17..21].try_into().unwrap());
    let crc = old ^ crc32c::crc32c(&change) ^ crc32c::crc32c(&zeros);
    let mut out = BytesMut::from(&bytes[..]);
    out[at..at + new.len()].copy_from_slice(new);
    out[17..21].copy_from_slice(&crc.to_be_bytes());
    out.freeze()
}

pub(crate) fn row_05_crc(t: &mut T<'_>) {
    let topic = t.topic("t");
    for codec in ["none", "lz4"] {
        let good = Batch::numbered(t.base, 2).codec(codec).encode();
        let flipped = |at: usize| {
            let mut bytes = BytesMut::from(&good[..]);
            bytes[at] ^= 1;
            bytes.freeze()
        };
        t.refuse(&format!("flipped payload byte, {codec}"), &topic, flipped(good.len() - 2), CORRUPT);
        t.refuse(&format!("flipped CRC, {codec}"), &topic, flipped(18), CORRUPT);
    }
    let producer = [0_u8, 0, 0, 0, 0, 0x3d, 9, 0, 0, 3, 0, 0, 0, 0];
    let good = Batch::numbered(t.base, 2).encode();
    t.refuse("header patched by linearity", &topic, patched(&good, 43, &producer), "0");
    t.note_log("stored", &topic);
}

pub(crate) fn row_06_count_and_gaps(t: &mut T<'_>) {
    let topic = t.topic("t");
    for codec in ["none", "lz4"] {
        let five = Batch::numbered(t.base, 5).codec(codec);
        let cases: [(&str, i32, i32); 6] = [
            ("last delta 9, count 5", 9, 5),
            ("last delta 3, says 4, holds 5", 3, 4),
            ("last delta 5, says 6, holds 5", 5, 6),
            ("last delta 4, count 0", 4, 0),
            ("last delta 4, count -1", 4, -1),
            ("last delta -1, count 5", -1, 5),
        ];
        for (label, last, count) in cases {
            let batch = five.clone().with(|batch| (batch.last_offset_delta, batch.count) = (last, count));
            t.refuse(&format!("{label}, {codec}"), &topic, batch.encode(), INVALID);
        }
        for last in [0, -1, 4] {
            let empty = Batch::numbered(t.base, 0).codec(codec).with(|batch| batch.last_offset_delta = last);
            t.refuse(&format!("no record, last delta {last}, {codec}"), &topic, empty.encode(), INVALID);
        }
    }
    let end = t.end(&topic);
    t.expect("end", end, 0);
}

pub(crate) fn row_07_inner_deltas(t: &mut T<'_>) {
    let topic = t.topic("t");
    let cases: [(&str, [i32; 3]); 3] =
        [("hole", [0, 2, 5]), ("backwards", [2, 1, 0]), ("all zero", [0, 0, 0])];
    for (label, deltas) in cases {
        for (codec, expected) in [("none", "0"), ("lz4", UNKNOWN), ("gzip", UNKNOWN), ("zstd", UNKNOWN)] {
            let batch = Batch::numbered(t.base, 3).codec(codec).deltas(&deltas);
            t.refuse(&format!("{label}, {codec}"), &topic, batch.encode(), expected);
        }
    }
    let base = t.put(&topic, &Batch::numbered(t.base, 4));
    t.expect("base offset of the next batch", base, 9);
    t.note_log("stored", &topic);
}

pub(crate) fn row_08_control(t: &mut T<'_>) {
    let topic = t.topic("t");
    let marker = |transactional: bool, producer: (i64, i16, i32)| {
        let mut batch = Batch::keyed(t.base, &[("", "")]);
        batch.attributes = if transactional { 0x30 } else { 0x20 };
        batch.producer = producer;
        batch.records[0].key = Some(vec![0, 0, 0, 1]);
        batch.records[0].value = Some(vec![0, 0, 0, 0, 0, 0]);
        batch.encode()
    };
    let cases = [
        ("control bit alone", marker(false, (-1, -1, -1)), INVALID),
        ("control bit, a producer id", marker(false, (4_000_000, 3, 0)), INVALID),
        (
            "control and transactional bit",
            marker(true, (-1, -1, -1)),
            "53 TransactionalIdAuthorizationFailed",
        ),
        ("a commit marker", marker(true, (4_000_000, 3, -1)), "53 TransactionalIdAuthorizationFailed"),
    ];
    for (label, bytes, expected) in cases {
        t.refuse(label, &topic, bytes, expected);
    }
    let mut ordinary = BytesMut::from(&Batch::numbered(t.base, 1).encode()[..]);
    ordinary[22] |= 0x20;
    seal(&mut ordinary);
    t.refuse("control bit on an ordinary record", &topic, ordinary.freeze(), INVALID);
    let end = t.end(&topic);
    t.expect("end", end, 0);
}
