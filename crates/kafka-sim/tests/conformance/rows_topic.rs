//! Rows 16 to 25 of the rules for Produce: what depends on the topic, the request and the broker.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::messages::ProduceRequest;
use uuid::Uuid;

use crate::support::topics::EARLIEST;
use crate::support::{Ask, Batch, Send, T, code};

impl T<'_> {
    fn try_it(&mut self, label: &str, topic: &str, batch: &Batch, expected: &str) {
        let answer = self.produce(topic, batch);
        self.expect(label, answer, expected);
    }
}

pub(crate) fn row_16_compaction_needs_keys(t: &mut T<'_>) {
    for (policy, topic) in [("compact", "compact"), ("compact,delete", "both")] {
        let topic = t.topic_with(topic, 1, &[("cleanup.policy", policy)]);
        let mut batch = Batch::keyed(t.base, &[("a", "1"), ("b", "2"), ("c", "3")]);
        t.try_it(&format!("{policy}, all with keys"), &topic, &batch, "0 base 0");
        batch.records[1].key = None;
        for codec in ["none", "lz4"] {
            let label = format!("{policy}, one without a key, {codec}");
            let answer = t.produce(&topic, &batch.clone().codec(codec));
            t.expect(&label, &answer, "87 InvalidRecord base -1 records [1]");
            let text = answer.0.record_errors[0].batch_index_error_message.clone();
            let text = text.as_ref().map_or("none", |text| if text.is_empty() { "empty" } else { "there" });
            t.note(format!("{label}, text"), text);
        }
        let end = t.end(&topic);
        t.expect(format!("{policy}, end"), end, 3);
    }
}

pub(crate) fn row_17_codec_of_the_topic(t: &mut T<'_>) {
    for (compression, codecs) in [
        ("gzip", ["none", "lz4", "gzip", "snappy"].as_slice()),
        ("uncompressed", &["none", "lz4", "zstd"]),
        ("producer", &["none", "gzip", "snappy", "lz4", "zstd"]),
        ("lz4", &["none", "zstd", "lz4"]),
        ("zstd", &["none", "gzip", "zstd"]),
    ] {
        let topic = t.topic_with(compression, 1, &[("compression.type", compression)]);
        for (index, codec) in codecs.iter().enumerate() {
            let batch = Batch::keyed(t.base, &[("a", "1"), ("b", "2")]).codec(codec);
            let sent = batch.encode();
            t.try_it(&format!("{codec} to {compression}"), &topic, &batch, &format!("0 base {}", index * 2));
            let stored = t.fetch(&topic, index as i64 * 2).batches.remove(0);
            let same = stored.bytes[61..] == sent[61..];
            if *codec == compression || compression == "producer" {
                t.expect(format!("{codec} to {compression}, same bytes"), same, true);
            }
            if stored.batch.attributes & 7 != 2 || same {
                let text = t.batch(&stored);
                t.note(format!("{codec} to {compression}, stored"), text);
            }
        }
    }
}

pub(crate) fn row_18_codecs(t: &mut T<'_>) {
    let topic = t.topic("t");
    let zstd = Batch::numbered(t.base, 2).codec("zstd");
    let code = t.send(&Send::to(&topic, zstd.encode()).version(6)).code();
    t.expect("zstd, version 6", code, "76 UnsupportedCompressionType");
    let code = t.send(&Send::to(&topic, zstd.encode()).version(7)).code();
    t.expect("zstd, version 7", code, "0");
    for bits in [5, 6, 7] {
        let batch = Batch::numbered(t.base, 2).with(|batch| batch.attributes |= bits);
        t.try_it(&format!("codec {bits}"), &topic, &batch, "-1 UnknownServerError base -1");
    }
    for codec in ["gzip", "snappy", "lz4", "zstd"] {
        let garbage = Bytes::from_static(&[0x5a; 40]);
        let batch = Batch::numbered(t.base, 2).codec(codec).with(|batch| batch.body = Some(garbage));
        t.try_it(&format!("garbage as {codec}"), &topic, &batch, "-1 UnknownServerError base -1");
    }
    let code = t.produce(&topic, &Batch::numbered(t.base, 2)).code();
    t.expect("afterwards", code, "0");
}

pub(crate) fn row_19_size(t: &mut T<'_>) {
    let large = |t: &T<'_>, n: usize| Batch::of(t.base, &[&"x".repeat(n)]);
    let topic = t.topic_with("message", 1, &[("max.message.bytes", "1000")]);
    let size = large(t, 900).encode().len();
    let exact = 900 + 1000 - size;
    assert_eq!(large(t, exact).encode().len(), 1000);
    t.try_it("exactly max.message.bytes", &topic, &large(t, exact), "0 base 0");
    t.try_it("one byte more", &topic, &large(t, exact + 1), "10 MessageTooLarge base -1 start -1");
    let packed = large(t, 5000).codec("lz4");
    assert!(packed.encode().len() < 1000);
    t.try_it("5000 bytes packed into less", &topic, &packed, "0 base 1");
    let topic =
        t.topic_with("unpacked", 1, &[("max.message.bytes", "1000"), ("compression.type", "uncompressed")]);
    t.try_it("too large once unpacked", &topic, &packed, "10 MessageTooLarge base -1 start -1");
    let segment = t.by("20000", "1048576");
    let topic = t.topic_with("segment", 1, &[("segment.bytes", segment), ("max.message.bytes", "10000000")]);
    let size: usize = segment.parse().unwrap();
    t.try_it("larger than a segment", &topic, &large(t, size), "18 RecordListTooLarge base -1 start -1");
    let topic = t.topic("default");
    t.try_it("larger than the default", &topic, &large(t, 1_100_000), "10 MessageTooLarge base -1 start -1");
}

pub(crate) fn row_20_acks(t: &mut T<'_>) {
    let topic = t.topic("t");
    let own = t.idempotent("P1");
    let batch = Batch::numbered(t.base, 2);
    for acks in [2, -2] {
        let code = t.send(&Send::to(&topic, batch.encode()).acks(acks)).code();
        t.expect(format!("acks {acks}"), code, "21 InvalidRequiredAcks");
    }
    let code = t.send(&Send::to(&topic, batch.clone().by(own.id, 0, 0).encode()).acks(1)).code();
    t.expect("idempotent with acks 1", code, "0");
    let silent = |t: &mut T<'_>, records: Bytes| {
        let mut client = t.connect();
        client.send(11, &Send::to(&topic, records).acks(0).request());
        client
    };
    let mut good = silent(t, batch.encode());
    let answer = good.call(12, &Ask::of(&topic, 0).request());
    t.expect("acks 0, then another request is answered", code_of(answer.error_code), "0");
    t.until("the batch sent with acks 0", |t| (t.end(&topic) == 4).then_some(()));
    let mut bad = silent(t, batch.with(|batch| batch.count = 7).encode());
    let closed = bad.receive_raw().is_none();
    t.expect("acks 0 with a bad batch closes the connection", closed, true);
    let end = t.end(&topic);
    t.expect("end", end, 4);
}

fn code_of(error: i16) -> String {
    code(error)
}

pub(crate) fn row_21_internal_topics(t: &mut T<'_>) {
    // Both exist once a group and a transaction were used.
    t.transactional("P1");
    t.coordinator(0, "group");
    let batch = Batch::keyed(t.base, &[("a", "1")]);
    for topic in ["__consumer_offsets", "__transaction_state"] {
        let code = t.produce(topic, &batch).code();
        t.expect(topic, code, "17 InvalidTopicException");
    }
}

pub(crate) fn row_22_tombstones(t: &mut T<'_>) {
    let topic = t.topic_with("t", 1, &[("cleanup.policy", "compact")]);
    t.try_it("a tombstone", &topic, &Batch::keyed(t.base, &[("a", "")]), "0 base 0");
    t.note_log("stored", &topic);
}

pub(crate) fn row_23_topic_ids(t: &mut T<'_>) {
    let batch = Batch::numbered(t.base, 2).encode();
    let unknown = t.unique("unknown");
    let code = t.send(&Send::to(&unknown, batch.clone())).code();
    t.expect("unknown name", code, "3 UnknownTopicOrPartition");
    let topic = t.topic("t");
    let mut send = Send::to(&topic, batch.clone());
    send.topics[0].2[0].0 = 1;
    let code = t.send(&send).code();
    t.expect("unknown partition", code, "3 UnknownTopicOrPartition");
    let old = t.topic_id(&topic);
    if t.is_4_3() {
        let code = t.send(&Send::to("", batch.clone()).id(old)).code();
        t.expect("by id", code, "0");
        let code = t.send(&Send::to("", batch.clone()).id(Uuid::from_u128(0x1234))).code();
        t.expect("by an unknown id", code, "100 UnknownTopicId");
    }
    t.delete(&topic);
    t.create(&topic, 1, &[]);
    if t.is_4_3() {
        let code = t.send(&Send::to("", batch).id(old)).code();
        t.expect("by the id of a topic deleted since", code, "100 UnknownTopicId");
    }
    let ask = Ask::of("", 0).with(|ask| (ask.version, ask.id) = (13, old));
    let fetched = t.fetch_as(&ask);
    t.expect("fetched by the id of a topic deleted since", fetched.code(), "100 UnknownTopicId");
    let new = t.topic_id(&topic);
    let fetched = t.fetch_as(&ask.with(|ask| ask.id = new));
    t.expect("fetched by the new id", fetched.code(), "0");
}

pub(crate) fn row_24_throttling(t: &mut T<'_>) {
    let topic = t.topic("t");
    let batch = Batch::of(t.base, &[&"x".repeat(50_000)]).encode();
    let answer = t.client.call(11, &Send::to(&topic, batch.clone()).request());
    t.expect("without a quota", answer.throttle_time_ms, 0);
    let id = t.unique("slow");
    t.throttle(&id, 20_000);
    let mut client = t.connect().named(&id);
    let request: ProduceRequest = Send::to(&topic, batch).request();
    let throttled = t.within(Duration::from_secs(10), |_| {
        let began = Instant::now();
        let answer = client.call(11, &request);
        (answer.throttle_time_ms > 0).then_some((answer, began.elapsed()))
    });
    let (answer, took) = throttled.expect("a throttled answer");
    let partition = &answer.responses[0].partition_responses[0];
    t.expect("throttled, error", code(partition.error_code), "0");
    t.expect("the answer comes at once", took < Duration::from_millis(500), true);
    let wait = Duration::from_millis(answer.throttle_time_ms as u64);
    let began = Instant::now();
    client.call(12, &Ask::of(&topic, 0).request());
    let late = began.elapsed() + Duration::from_millis(200) > wait;
    t.expect("the next answer waits for that long", late, true);
}

pub(crate) fn row_25_retention_of_old_timestamps(t: &mut T<'_>) {
    let topic = t.topic_with("t", 1, &[("retention.ms", "1000")]);
    // The newest timestamp counts, so the first batch of an hour ago takes nothing with it that is younger.
    let base = t.put(&topic, &Batch::numbered(t.base, 5));
    t.expect("a minute old, retention 1 s", base, 0);
    t.until("retention", |t| {
        t.retain();
        (t.list_offset(&topic, 0, EARLIEST).offset == 5).then_some(())
    });
    let head = t.fetch(&topic, 5).head();
    t.note("afterwards, at the end", head);
    let head = t.fetch(&topic, 0).head();
    t.note("afterwards, at 0", head);
    let answer = t.produce(&topic, &Batch::numbered(t.base + 90_000, 1));
    t.note("the next batch", answer);
}
