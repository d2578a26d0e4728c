//! I11: what the destination refuses stops its partition, and nothing else.

use std::time::Duration;

use super::load::{Load, Plan, expected, produce_all};
use super::oracle::check;
use super::subject::Subject;
use crate::support::{Record, Writer, topics, zk_to_kraft};

#[test]
fn a_refused_batch_stops_its_partition_and_nothing_else() {
    let pair = zk_to_kraft();
    let (origin, destination) = (pair.origin.bootstrap(), pair.destination.bootstrap());
    let names = ["iso-large", "iso-keyless", "iso-future", "iso-fine"];
    let limits = [
        [("max.message.bytes", "2000")],
        [("cleanup.policy", "compact")],
        [("message.timestamp.after.max.ms", "3600000")],
        [("retention.ms", "-1")],
    ];
    for (name, limit) in names.iter().zip(limits) {
        topics::create(&pair.origin, name, 2, &[("retention.ms", "-1")]);
        topics::create(&pair.destination, &format!("{name}.replica"), 2, &limit);
    }
    let subject = Subject::new(&pair, "iso", &names);
    let mut running = subject.start_copying();
    let load = Load::start(&origin, &Plan::new("iso-fine", 2, 1000));

    // Partition 0 of each has one good record, then a bad one, then a good one; partition 1 only good ones.
    let good = Record::new("key", "value");
    let in_a_day = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()
        as i64
        + 86_400_000;
    let bad = [
        Record::new("key", vec![b'x'; 5000]),
        Record { key: None, ..Record::new("", "value") },
        Record::new("key", "value").at(in_a_day),
    ];
    let writer = Writer::new(&pair.origin, &[]);
    for (topic, bad) in names.iter().zip(&bad) {
        for record in [&good, bad, &good] {
            // Each on its own, so that they come in three batches.
            writer.write(topic, [record]);
        }
        (0..20).for_each(|_| writer.send(topic, 1, &good));
    }
    writer.flush();

    let cures = ["max.message.bytes", "cleanup.policy", "message.timestamp.after.max.ms"];
    for (topic, cure) in names.iter().zip(cures) {
        running.wait_for(&format!("{topic}-0 to stop"), Duration::from_secs(30), |r| {
            r.metrics(topic, 0).is_some_and(|p| p["state"] == "STOPPED")
        });
        let metrics = running.metrics(topic, 0).unwrap();
        let reason = metrics["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains(cure), "{topic}: {reason}");
        running.wait_for("partition 1 to be copied", Duration::from_secs(20), |r| {
            r.metrics(topic, 1).is_some_and(|p| p["state"] == "RUNNING" && p["position"] == 20)
        });
        let (state, trace) = running.task_status().unwrap();
        assert_eq!(state, "RUNNING");
        assert!(trace.contains(&format!("{topic}-0")) && trace.contains(cure), "{trace}");
        let line = format!("{topic}-0 is stopped, the others go on");
        assert_eq!(running.lines(&line).len(), 1, "said once");
        // What is before the refused record is there, nothing behind it.
        let ends = topics::ends(&pair.destination, &format!("{topic}.replica"));
        assert_eq!(ends, [1, 20], "{topic}");
        assert_eq!(metrics["position"], 1, "{topic}");
    }
    std::thread::sleep(Duration::from_secs(1));
    let owed = load.finish();
    let findings = check(&origin, &destination, ("iso-fine", "iso-fine.replica"), &owed);
    assert_eq!(findings.duplicate_count(), 0);
    assert!(owed.count() > 1000, "I12: {}", owed.count());
    running.assert_alive();
}

#[test]
fn a_task_with_nothing_left_to_copy_has_failed_and_a_cure_brings_it_back() {
    let pair = zk_to_kraft();
    let (origin, destination) = (pair.origin.bootstrap(), pair.destination.bootstrap());
    topics::create(&pair.origin, "allbad", 1, &[]);
    topics::create(&pair.destination, "allbad.replica", 1, &[("max.message.bytes", "100")]);
    let owed = produce_all(&origin, &Plan::new("allbad", 1, 0), 0, 100);
    assert!(
        expected(0, 0).value.len() + expected(0, 1).value.len() > 100,
        "I12: too large for the destination"
    );
    let subject = Subject::new(&pair, "allbad", &["allbad"]);
    let mut running = subject.start_copying();
    running.wait_for("the task to be FAILED", Duration::from_secs(30), |r| {
        r.task_status().is_some_and(|(state, _)| state == "FAILED")
    });
    let (_, trace) = running.task_status().unwrap();
    assert!(trace.contains("allbad-0") && trace.contains("max.message.bytes"), "{trace}");
    let (code, _) = running.terminate(Duration::from_secs(15));
    assert_eq!(code, Some(0));

    let wider = ["--alter", "--topic", "allbad.replica", "--add-config", "max.message.bytes=1048588"];
    pair.destination.tool("kafka-configs", &wider).unwrap();
    let _running = subject.start_copying();
    let findings = check(&origin, &destination, ("allbad", "allbad.replica"), &owed);
    assert_eq!(findings.duplicate_count(), 0);
}
