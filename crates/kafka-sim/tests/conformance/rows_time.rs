//! Rows 12 to 15 of the rules for Produce: timestamps and attribute bits.

use crate::support::{Batch, T};

const HOUR: i64 = 3_600_000;

impl T<'_> {
    fn try_time(&mut self, label: &str, topic: &str, batch: &Batch, expected: &str) {
        let answer = self.produce(topic, batch);
        self.expect(label, &answer, expected);
        if answer.0.error_code != 0 {
            let texts = answer.0.record_errors.iter().filter(|e| e.batch_index_error_message.is_some());
            let texts = texts.count();
            let message = if answer.0.error_message.is_some() { "and a message" } else { "no message" };
            self.note(format!("{label}, explained"), format!("{texts} records {message}"));
        }
    }
}

pub(crate) fn row_12_timestamp_type(t: &mut T<'_>) {
    let created = t.topic("create-time");
    let appended = t.topic_with("append-time", 1, &[("message.timestamp.type", "LogAppendTime")]);
    for codec in ["none", "lz4"] {
        let batch = Batch::numbered(t.base, 3).codec(codec);
        let stamped = batch.clone().with(|batch| {
            batch.attributes |= 8;
            batch.max_time = batch.base_time + 30_000;
        });
        let base = t.end(&created);
        let expected = format!("0 base {base}");
        t.try_time(&format!("bit set, CreateTime topic, {codec}"), &created, &stamped, &expected);
        let refused = "32 InvalidTimestamp base -1 records [0, 1, 2]";
        t.try_time(&format!("bit set, LogAppendTime topic, {codec}"), &appended, &stamped, refused);
        let base = t.end(&appended);
        let expected = format!("0 base {base} stamped");
        t.try_time(&format!("bit clear, LogAppendTime topic, {codec}"), &appended, &batch, &expected);
    }
    t.note_log("CreateTime topic", &created);
    t.note_log("LogAppendTime topic", &appended);
}

pub(crate) fn row_13_timestamp_range(t: &mut T<'_>) {
    // Retention would take what is of 1970.
    let topic = t.topic_with("default", 1, &[("retention.ms", "-1")]);
    let at = |time: i64| Batch::numbered(time, 2);
    let ahead = t.by("0 base 0", "32 InvalidTimestamp base -1 records [0, 1]");
    t.try_time("2 h ahead", &topic, &at(t.base + 2 * HOUR), ahead);
    let end = t.end(&topic);
    for (offset, (label, time)) in (end..).zip([("1970", 0), ("-1", -1), ("-5", -5)]) {
        // One record, so that no time of the batch is above 0.
        t.try_time(label, &topic, &Batch::numbered(time, 1), &format!("0 base {offset}"));
    }
    let one_late = Batch::numbered(t.base, 3).with(|batch| batch.records[1].time = 3 * HOUR);
    let expected = t.by("0 base 5", "32 InvalidTimestamp base -1 records [1]");
    t.try_time("one of three 3 h ahead", &topic, &one_late, expected);
    t.note_log("default, stored", &topic);
    let narrow = t.topic_with(
        "narrow",
        1,
        &[("message.timestamp.before.max.ms", "1000"), ("message.timestamp.after.max.ms", "1000")],
    );
    for codec in ["none", "lz4"] {
        let refused = "32 InvalidTimestamp base -1 records [0, 1]";
        t.try_time(&format!("a minute old, {codec}"), &narrow, &at(t.base).codec(codec), refused);
        let ahead = at(t.base + 120_000).codec(codec);
        t.try_time(&format!("a minute ahead, {codec}"), &narrow, &ahead, refused);
    }
    let end = t.end(&narrow);
    t.expect("narrow, end", end, 0);
}

pub(crate) fn row_14_delete_horizon(t: &mut T<'_>) {
    let topic = t.topic("t");
    for (codec, base) in [("none", 0), ("lz4", 2)] {
        let batch = Batch::numbered(t.base, 2).codec(codec).with(|batch| batch.attributes |= 0x40);
        t.try_time(&format!("bit 6 set, {codec}"), &topic, &batch, &format!("0 base {base}"));
    }
    t.note_log("stored", &topic);
}

pub(crate) fn row_15_unused_attribute_bits(t: &mut T<'_>) {
    let topic = t.topic("t");
    for (label, bits, base) in [("bits 7 to 14", 0x7f80, 0), ("bit 15", i16::MIN, 1)] {
        let batch = Batch::numbered(t.base, 1).with(|batch| batch.attributes |= bits);
        t.try_time(label, &topic, &batch, &format!("0 base {base}"));
    }
    t.note_log("stored", &topic);
}

pub(crate) fn row_15_max_timestamp_is_repaired(t: &mut T<'_>) {
    let topic = t.topic("t");
    for codec in ["none", "lz4"] {
        for (label, time) in [("too large", t.base + 50_000), ("-1", -1)] {
            let batch = Batch::numbered(t.base, 2).codec(codec).with(|batch| batch.max_time = time);
            let base = t.end(&topic);
            t.try_time(&format!("{label}, {codec}"), &topic, &batch, &format!("0 base {base}"));
        }
    }
    t.note_log("stored", &topic);
}
