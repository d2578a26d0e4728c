//! ListOffsets and DeleteRecords.

use kafka_protocol::messages::DeleteRecordsRequest;
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};

use crate::support::topics::{EARLIEST, LATEST};
use crate::support::{Batch, T, code, name};

impl T<'_> {
    /// Code, offset, time and epoch of what ListOffsets finds.
    pub(crate) fn offset_line(&mut self, topic: &str, time: i64) -> String {
        self.offset_line_as(7, 0, topic, time)
    }

    pub(crate) fn offset_line_as(&mut self, version: i16, isolation: i8, topic: &str, time: i64) -> String {
        let found = self.list_offset_as(version, isolation, topic, 0, time);
        let time = self.time(found.timestamp);
        format!("{} offset {} @{time} epoch {}", code(found.error_code), found.offset, found.leader_epoch)
    }

    fn delete_records(&mut self, topic: &str, offset: i64) -> String {
        let partition = DeleteRecordsPartition::default().with_offset(offset);
        let topic = DeleteRecordsTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
        let request = DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(20_000);
        let answer = self.client.call(2, &request).topics.remove(0).partitions.remove(0);
        format!("{} low {}", code(answer.error_code), answer.low_watermark)
    }
}

pub(crate) fn list_offsets_by_time(t: &mut T<'_>) {
    let topic = t.topic("t");
    for time in [EARLIEST, LATEST, -3, 0] {
        let line = t.offset_line(&topic, time);
        t.note(format!("empty log, {time}"), line);
    }
    // 0..2 at +0..+2, 3..5 at +10..+12 (lz4), 6..7 at +5..+6, 8..9 at +12..+13
    t.put(&topic, &Batch::numbered(t.base, 3));
    t.put(&topic, &Batch::numbered(t.base + 10, 3).codec("lz4"));
    t.put(&topic, &Batch::numbered(t.base + 5, 2));
    t.put(&topic, &Batch::numbered(t.base + 12, 2));
    for (label, time, offset) in [
        ("long before", 0, 0),
        ("the first", t.base, 0),
        ("inside the first batch", t.base + 1, 1),
        ("between batches", t.base + 3, 3),
        ("in the compressed batch", t.base + 11, 4),
        ("a time that comes twice", t.base + 12, 5),
        ("the last", t.base + 13, 9),
        ("after all", t.base + 14, -1),
    ] {
        let found = t.list_offset(&topic, 0, time).offset;
        t.expect(label, found, offset);
        let line = t.offset_line(&topic, time);
        t.note(format!("{label}, found"), line);
    }
    for (label, time) in [("earliest", EARLIEST), ("latest", LATEST), ("largest time", -3)] {
        let line = t.offset_line(&topic, time);
        t.note(label, line);
    }
    t.put(
        &topic,
        &Batch::of(t.base + 13, &["x", "y"])
            .with(|b| b.records[1].time = 0)
            .with(|b| b.max_time = b.base_time),
    );
    let line = t.offset_line(&topic, -3);
    t.note("largest time, met again later", line);
}

pub(crate) fn list_offsets_versions(t: &mut T<'_>) {
    let topic = t.topic("t");
    t.put(&topic, &Batch::numbered(t.base, 3));
    for version in 1..=t.by(9, 10) {
        for time in [EARLIEST, LATEST] {
            let line = t.offset_line_as(version, 0, &topic, time);
            t.note(format!("version {version}, {time}"), line);
        }
    }
    for (version, time) in [(6, -3), (7, -3), (7, -4), (8, -4), (8, -5), (9, -5), (9, -6), (9, -7)] {
        let line = t.offset_line_as(version, 0, &topic, time);
        t.note(format!("version {version}, {time}"), line);
    }
    let unknown = t.unique("unknown");
    let line = t.offset_line(&unknown, LATEST);
    t.note("unknown topic", line);
    let found = t.list_offset(&topic, 3, LATEST);
    t.note("unknown partition", code(found.error_code));
}

pub(crate) fn list_offsets_log_append_time(t: &mut T<'_>) {
    let topic = t.topic_with("t", 1, &[("message.timestamp.type", "LogAppendTime")]);
    t.put(&topic, &Batch::numbered(t.base, 3));
    for (label, time) in [("a minute ago", t.base), ("largest time", -3), ("in an hour", t.base + 3_660_000)]
    {
        let line = t.offset_line(&topic, time);
        t.note(label, line);
    }
}

pub(crate) fn delete_records_moves_the_start(t: &mut T<'_>) {
    let topic = t.topic("t");
    let line = t.delete_records(&topic, -1);
    t.note("all of nothing", line);
    t.put(&topic, &Batch::numbered(t.base, 3));
    t.put(&topic, &Batch::numbered(t.base + 100, 3));
    let line = t.delete_records(&topic, 4);
    t.expect("up to 4", line, "0 low 4");
    let line = t.delete_records(&topic, 2);
    t.note("up to 2, which is gone", line);
    let line = t.delete_records(&topic, 7);
    t.note("beyond the end", line);
    let line = t.delete_records(&topic, -2);
    t.note("up to -2", line);
    let line = t.offset_line(&topic, EARLIEST);
    t.expect("earliest", line, "0 offset 4 @-1 epoch 0");
    for offset in [0, 3, 4, 5] {
        let fetched = t.fetch(&topic, offset);
        t.note(format!("fetched at {offset}"), format!("{} {}", fetched.head(), fetched.ranges()));
    }
    for (label, time) in [("its first record", t.base + 100), ("a deleted record", t.base)] {
        let line = t.offset_line(&topic, time);
        t.note(format!("offset by the time of {label}"), line);
    }
    let answer = t.produce(&topic, &Batch::numbered(t.base, 1));
    t.note("the next batch", answer);
    let line = t.delete_records(&topic, -1);
    t.expect("all", line, "0 low 7");
    let fetched = t.fetch(&topic, 7).head();
    t.note("at the end", fetched);
    let unknown = t.unique("unknown");
    let line = t.delete_records(&unknown, 0);
    t.note("unknown topic", line);
    let compact = t.topic_with("compact", 1, &[("cleanup.policy", "compact")]);
    t.put(&compact, &Batch::keyed(t.base, &[("a", "1")]));
    let line = t.delete_records(&compact, 1);
    t.note("of a compacted topic", line);
}
