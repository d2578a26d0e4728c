//! Produce beside the rules: versions, leaders, replicas, several partitions.

use kafka_protocol::messages::ProduceRequest;

use crate::support::{Batch, Send, T, code};

pub(crate) fn produce_versions(t: &mut T<'_>) {
    let topic = t.topic("t");
    let good = Batch::numbered(t.base, 2).encode();
    let bad = Batch::numbered(t.base, 2).with(|batch| batch.count = 7).encode();
    let compact = t.topic_with("compact", 1, &[("cleanup.policy", "compact")]);
    for version in 3..=t.by(11, 12) {
        let answer = t.send(&Send::to(&topic, good.clone()).version(version));
        t.note(format!("version {version}"), answer);
        let answer = t.send(&Send::to(&topic, bad.clone()).version(version));
        t.note(format!("version {version}, a bad batch"), answer.code());
        let answer = t.send(&Send::to(&compact, good.clone()).version(version));
        t.note(format!("version {version}, no key"), answer);
    }
}

pub(crate) fn produce_needs_replicas(t: &mut T<'_>) {
    let topic = t.topic_with("t", 1, &[("min.insync.replicas", "2")]);
    let batch = Batch::numbered(t.base, 2).encode();
    // No more than there are.
    let code = t.send(&Send::to(&topic, batch.clone())).code();
    t.expect("acks -1", code, "0");
    let code = t.send(&Send::to(&topic, batch).acks(1)).code();
    t.expect("acks 1", code, "0");
    let end = t.end(&topic);
    t.note("end", end);
}

pub(crate) fn produce_to_several(t: &mut T<'_>) {
    let (one, two) = (t.topic_with("one", 2, &[]), t.topic("two"));
    let good = Batch::numbered(t.base, 2).encode();
    let bad = Batch::numbered(t.base, 2).with(|batch| batch.count = 7).encode();
    let send = Send::to(&one, good.clone()).and(1, bad).and(5, good.clone()).and_topic(&two, good);
    let answer = t.client.call(11, &send.request());
    let mut lines = Vec::new();
    for topic in &answer.responses {
        for p in &topic.partition_responses {
            lines.push(format!("{}/{} {} base {}", &*topic.name, p.index, code(p.error_code), p.base_offset));
        }
    }
    lines.sort();
    t.expect(
        "each for itself",
        lines.join(", ").replace(&format!("{one}/"), "one/").replace(&format!("{two}/"), "two/"),
        "one/0 0 base 0, one/1 87 InvalidRecord base -1, one/5 3 UnknownTopicOrPartition base -1, two/0 0 base 0",
    );
    let answer = t.client.call(11, &ProduceRequest::default().with_acks(-1).with_timeout_ms(1000));
    t.note("no topic, answers", answer.responses.len());
}
