//! Fetch: where it starts, what limits cut, how long it waits.

use std::time::{Duration, Instant};

use crate::support::{Ask, Batch, Send, T, code};

/// A batch of exactly 1000 bytes.
fn thousand(base: i64) -> Batch {
    let size = |n: usize| Batch::of(base, &[&"x".repeat(n)]).encode().len();
    let batch = Batch::of(base, &[&"x".repeat(900 + 1000 - size(900))]);
    assert_eq!(batch.encode().len(), 1000);
    batch
}

pub(crate) fn fetch_partition_limit(t: &mut T<'_>) {
    let topic = t.topic("t");
    for _ in 0..3 {
        t.put(&topic, &thousand(t.base));
    }
    for (limit, expected) in [
        (1, "0..0"),
        (500, "0..0"),
        (1000, "0..0"),
        (1001, "0..0 torn 1"),
        (1500, "0..0 torn 500"),
        (1999, "0..0 torn 999"),
        (2000, "0..0 1..1"),
        (2500, "0..0 1..1 torn 500"),
        (9999, "0..0 1..1 2..2"),
    ] {
        let ranges = t.fetch_as(&Ask::of(&topic, 0).with(|ask| ask.partition_max = limit)).ranges();
        t.expect(format!("limit {limit}"), ranges, expected);
    }
    for limit in [0, -1] {
        let fetched = t.fetch_as(&Ask::of(&topic, 0).with(|ask| ask.partition_max = limit));
        t.note(format!("limit {limit}"), format!("{} {}", fetched.head(), fetched.ranges()));
    }
    let version = Ask::of(&topic, 0).with(|ask| (ask.version, ask.partition_max) = (4, 500));
    let ranges = t.fetch_as(&version).ranges();
    t.expect("limit 500, version 4", ranges, "0..0");
}

pub(crate) fn fetch_total_limit(t: &mut T<'_>) {
    let topic = t.topic_with("t", 3, &[]);
    for partition in 0..3 {
        for _ in 0..2 {
            let mut send = Send::to(&topic, thousand(t.base).encode());
            send.topics[0].2[0].0 = partition;
            t.send(&send);
        }
    }
    let all = vec![(topic.clone(), 0, 0), (topic.clone(), 1, 0), (topic.clone(), 2, 0)];
    for limit in [0, 1, 1000, 1500, 2000, 2500, 3000, 3500, 4500, 10_000] {
        for (order, label) in [([0, 1, 2], ""), ([2, 0, 1], ", partition 2 first")] {
            let partitions = order.map(|at| all[at].clone()).to_vec();
            let ask = Ask::of(&topic, 0).with(|ask| (ask.max_bytes, ask.partitions) = (limit, partitions));
            let line = t.fetched(&ask);
            t.note(format!("limit {limit}{label}"), line);
        }
    }
    let ask = Ask::of(&topic, 0)
        .with(|ask| (ask.max_bytes, ask.partition_max, ask.partitions) = (2500, 1000, all.clone()));
    let line = t.fetched(&ask);
    t.note("limit 2500, 1000 each", line);
    let at_end = vec![(topic.clone(), 0, 2), (topic.clone(), 1, 0), (topic.clone(), 2, 0)];
    let ask = Ask::of(&topic, 0).with(|ask| (ask.max_bytes, ask.partitions) = (1, at_end));
    let line = t.fetched(&ask);
    t.note("limit 1, partition 0 at its end", line);
}

impl T<'_> {
    /// What each partition of an answer holds.
    pub(crate) fn fetched(&mut self, ask: &Ask) -> String {
        let answer = self.ask(ask);
        let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
        let each: Vec<String> = partitions
            .map(|p| format!("{}={}", p.partition_index, p.records.as_ref().map_or(0, |r| r.len())))
            .collect();
        if each.is_empty() { "no partition".to_owned() } else { each.join(" ") }
    }

    fn fetch_head(&mut self, label: &str, ask: &Ask) {
        let fetched = self.fetch_as(ask);
        let line = format!("{} {}", fetched.head(), fetched.ranges());
        self.note(label, line);
    }
}

pub(crate) fn fetch_positions(t: &mut T<'_>) {
    let topic = t.topic("t");
    t.fetch_head("an empty log", &Ask::of(&topic, 0));
    t.put(&topic, &Batch::numbered(t.base, 3));
    t.put(&topic, &Batch::numbered(t.base, 3).codec("lz4"));
    t.put(&topic, &Batch::numbered(t.base, 3));
    for (label, offset, expected) in [
        ("start of a batch", 3, "3..5 6..8"),
        ("inside a batch", 4, "3..5 6..8"),
        ("last record of a batch", 5, "3..5 6..8"),
        ("the last record", 8, "6..8"),
        ("the end", 9, "nothing"),
    ] {
        let ranges = t.fetch(&topic, offset).ranges();
        t.expect(label, ranges, expected);
    }
    let code = t.fetch(&topic, 10).code();
    t.expect("beyond the end", code, "1 OffsetOutOfRange");
    for offset in [-1, 9, 10, i64::MAX] {
        t.fetch_head(&format!("head at {offset}"), &Ask::of(&topic, offset));
    }
    t.fetch_head("no such partition", &Ask::of(&topic, 0).with(|ask| ask.partitions[0].1 = 7));
    t.fetch_head("partition -1", &Ask::of(&topic, 0).with(|ask| ask.partitions[0].1 = -1));
    let unknown = t.unique("unknown");
    t.fetch_head("no such topic", &Ask::of(&unknown, 0));
    for version in [4, 5, 6, 7, 8, 9, 10, 11] {
        t.fetch_head(&format!("version {version}"), &Ask::of(&topic, 3).with(|ask| ask.version = version));
    }
    let id = t.topic_id(&topic);
    for version in t.by(13..=17, 13..=18) {
        let ask = Ask::of(&topic, 3).with(|ask| (ask.version, ask.id) = (version, id));
        t.fetch_head(&format!("version {version}"), &ask);
    }
    let unknown = uuid::Uuid::from_u128(0x77);
    t.fetch_head("unknown id", &Ask::of(&topic, 3).with(|ask| (ask.version, ask.id) = (13, unknown)));
    let nil = uuid::Uuid::nil();
    t.fetch_head("nil id", &Ask::of(&topic, 3).with(|ask| (ask.version, ask.id) = (13, nil)));
}

pub(crate) fn fetch_waits(t: &mut T<'_>) {
    let topic = t.topic("t");
    t.put(&topic, &thousand(t.base));
    let took = |t: &mut T<'_>, ask: Ask| {
        let began = Instant::now();
        let fetched = t.fetch_as(&ask);
        (fetched.ranges(), began.elapsed())
    };
    let half = Duration::from_millis(1900);
    let waiting =
        |offset: i64, min: i32| Ask::of(&topic, offset).with(|ask| (ask.min_bytes, ask.wait) = (min, 2000));
    let (ranges, time) = took(t, waiting(0, 1));
    t.expect("data there", format!("{ranges}, at once {}", time < half), "0..0, at once true");
    let (ranges, time) = took(t, waiting(0, 2000));
    t.expect("too little data", format!("{ranges}, at once {}", time < half), "0..0, at once false");
    let (ranges, time) = took(t, waiting(1, 1));
    t.expect("no data", format!("{ranges}, at once {}", time < half), "nothing, at once false");
    let (ranges, time) = took(t, waiting(1, 0));
    t.expect(
        "no data, at least 0 bytes",
        format!("{ranges}, at once {}", time < half),
        "nothing, at once true",
    );
    let (ranges, time) = took(t, waiting(5, 1));
    t.expect("an error", format!("{ranges}, at once {}", time < half), "nothing, at once true");
    let mut other = t.connect();
    let long = Ask::of(&topic, 1).with(|ask| ask.wait = 15_000);
    let began = Instant::now();
    other.send(12, &long.request());
    std::thread::sleep(Duration::from_millis(100));
    t.put(&topic, &thousand(t.base));
    let answer = other.receive::<kafka_protocol::messages::FetchRequest>(12);
    let bytes = answer.responses[0].partitions[0].records.as_ref().map_or(0, |r| r.len());
    let early = began.elapsed() < Duration::from_secs(5);
    t.expect(
        "data that comes ends the wait",
        format!("{} {bytes} {early}", code(answer.error_code)),
        "0 1000 true",
    );
}

pub(crate) fn fetch_several_partitions(t: &mut T<'_>) {
    let (one, two) = (t.topic_with("one", 2, &[]), t.topic("two"));
    t.put(&one, &Batch::numbered(t.base, 1));
    t.put(&two, &Batch::numbered(t.base, 2));
    let partitions = vec![
        (one.clone(), 0, 0),
        (one.clone(), 1, 0),
        (two, 0, 5),
        (one.clone(), 9, 0),
        (t.unique("x"), 0, 0),
    ];
    let answer = t.ask(&Ask::of(&one, 0).with(|ask| ask.partitions = partitions));
    let mut lines = Vec::new();
    for topic in &answer.responses {
        for p in &topic.partitions {
            let bytes = p.records.as_ref().map_or(-1, |records| records.len() as i64);
            lines.push(format!("{}/{} {} {bytes}", &*topic.topic, p.partition_index, code(p.error_code)));
        }
    }
    lines.sort();
    t.note("answers", lines.join(", "));
    let twice = vec![(one.clone(), 0, 0), (one.clone(), 0, 1)];
    let answer = t.fetched(&Ask::of(&one, 0).with(|ask| ask.partitions = twice));
    t.note("the same partition twice", answer);
}

pub(crate) fn fetch_zstd_in_old_versions(t: &mut T<'_>) {
    let told = t.topic_with("told", 1, &[("compression.type", "zstd")]);
    let kept = t.topic("kept");
    let batch = Batch::numbered(t.base, 3).codec("zstd");
    for (label, topic) in [("compression.type zstd", told), ("compression.type producer", kept)] {
        t.put(&topic, &batch);
        for version in [4, 9, 10, 12] {
            let ask = Ask::of(&topic, 0).with(|ask| ask.version = version);
            t.fetch_head(&format!("{label}, version {version}"), &ask);
        }
    }
}

pub(crate) fn fetch_wait_and_the_end_of_the_topic(t: &mut T<'_>) {
    let topic = t.topic("t");
    t.put(&topic, &Batch::numbered(t.base, 1));
    let mut reader = t.connect();
    let began = Instant::now();
    reader.send(12, &Ask::of(&topic, 1).with(|ask| ask.wait = 12_000).request());
    std::thread::sleep(Duration::from_millis(100));
    t.delete(&topic);
    let answer = reader.receive::<kafka_protocol::messages::FetchRequest>(12);
    let early = began.elapsed() < Duration::from_secs(10);
    let error = answer.responses.first().map_or(0, |topic| topic.partitions[0].error_code);
    t.note("deleted during the wait", format!("{} early {early}", code(error)));
}
