//! The origin's log changes under the copy: records deleted ahead of it, topics deleted and made again, a stored
//! position that is not in the log. Nothing is skipped without being said (I9).

use std::time::Duration;

use rdkafka::producer::{BaseRecord, Producer};

use super::load::{Plan, produce_all};
use super::subject::Subject;
use crate::support::{topics, wait_for, zk_to_kraft};

#[test]
fn deleted_records_are_a_gap_that_is_reported_and_counted() {
    let pair = zk_to_kraft();
    let origin = pair.origin.bootstrap();
    topics::create(&pair.origin, "gap", 1, &[]);
    let plan = Plan::new("gap", 1, 0);
    produce_all(&origin, &plan, 0, 100);
    let subject = Subject::new(&pair, "gap", &["gap"]);
    let mut first = subject.start_copying();
    first.wait_for("the first records", Duration::from_secs(20), |r| {
        r.metrics("gap", 0).is_some_and(|p| p["position"] == 100)
    });
    assert_eq!(first.terminate(Duration::from_secs(15)).0, Some(0));
    produce_all(&origin, &plan, 100, 100);
    topics::delete_records(&pair.origin, "gap", 0, 150);

    let mut second = subject.start_copying();
    second.wait_for("the copy to go on behind the gap", Duration::from_secs(20), |r| {
        r.metrics("gap", 0).is_some_and(|p| p["position"] == 200 && p["expiredOffsets"] == 50)
    });
    let said = second.lines("offsets 100 to 149 expired");
    assert!(said.len() == 1 && said[0].contains("ERROR") && said[0].contains("gap-0"), "{said:?}");
    assert_eq!(topics::ends(&pair.destination, "gap.replica"), [150], "100 before the gap, 50 behind it");
    let owed = produce_all(&origin, &plan, 200, 50);
    wait_for(
        || (topics::ends(&pair.destination, "gap.replica") == [200]).then_some(()),
        || format!("{} more records are not copied", owed.count()),
    );
}

#[test]
fn a_deleted_topic_is_waited_for_and_a_new_one_of_its_name_is_not_taken_for_it() {
    let pair = zk_to_kraft();
    let origin = pair.origin.bootstrap();
    let plan = |topic: &str| Plan::new(topic, 1, 0);
    for topic in ["gone", "stays"] {
        topics::create(&pair.origin, topic, 1, &[]);
        produce_all(&origin, &plan(topic), 0, 100);
    }
    // With frequent looks at the topics, so that the deletion is noticed by those, too.
    let subject = Subject::new(&pair, "gone", &["gone", "stays"]).replication("topic.poll.interval.ms", 1000);
    let mut running = subject.start_copying();
    running.wait_for("the first records", Duration::from_secs(20), |r| {
        r.lag("gone") == Some(0) && r.lag("stays") == Some(0)
    });
    topics::delete(&pair.origin, "gone");
    wait_for(
        || (!topics::names(&pair.origin).iter().any(|name| name == "gone")).then_some(()),
        || "the topic is not deleted".to_owned(),
    );
    running.wait_for_log("gone is no longer at the origin", Duration::from_secs(20));
    produce_all(&origin, &plan("stays"), 100, 100);
    running.wait_for("the other topic", Duration::from_secs(20), |r| r.lag("stays") == Some(0));

    // Again, and longer than before: only the topic's id tells that it is another.
    topics::create(&pair.origin, "gone", 1, &[]);
    produce_all(&origin, &plan("gone"), 0, 150);
    running.wait_for("it to stop", Duration::from_secs(30), |r| {
        r.metrics("gone", 0).is_some_and(|p| p["state"] == "STOPPED")
    });
    let reason = running.metrics("gone", 0).unwrap()["reason"].to_string();
    assert!(reason.contains("deleted and created again"), "{reason}");
    assert_eq!(topics::ends(&pair.destination, "gone.replica"), [100], "nothing of the new topic is copied");
    produce_all(&origin, &plan("stays"), 200, 100);
    running.wait_for("the other topic", Duration::from_secs(20), |r| {
        r.metrics("stays", 0).is_some_and(|p| p["position"] == 300)
    });
    let (state, trace) = running.task_status().unwrap();
    assert!(state == "RUNNING" && trace.contains("gone-0"), "{state} {trace}");
}

#[test]
fn a_topic_that_is_made_again_between_two_looks_stops() {
    let pair = zk_to_kraft();
    let origin = pair.origin.bootstrap();
    let plan = Plan::new("swapped", 1, 0);
    topics::create(&pair.origin, "swapped", 1, &[]);
    produce_all(&origin, &plan, 0, 100);
    let subject = Subject::new(&pair, "swapped", &["swapped"]);
    let mut running = subject.start_copying();
    running.wait_for("the first records", Duration::from_secs(20), |r| r.lag("swapped") == Some(0));
    topics::delete(&pair.origin, "swapped");
    running.wait_for("it to say that the topic is gone", Duration::from_secs(20), |r| {
        r.metrics("swapped", 0).is_some_and(|p| {
            p["state"] == "WAITING" && p["reason"].to_string().contains("does not exist at the origin")
        })
    });
    wait_for(
        || (!topics::names(&pair.origin).iter().any(|name| name == "swapped")).then_some(()),
        || "the topic is not deleted".to_owned(),
    );
    topics::create(&pair.origin, "swapped", 1, &[]);
    produce_all(&origin, &plan, 0, 150);
    running.wait_for("it to stop", Duration::from_secs(30), |r| {
        r.task_status().is_some_and(|(state, trace)| state == "FAILED" && trace.contains("created again"))
    });
    assert_eq!(topics::ends(&pair.destination, "swapped.replica"), [100]);
}

#[test]
fn a_stored_position_beyond_the_end_stops_the_partition() {
    let pair = zk_to_kraft();
    let (origin, destination) = (pair.origin.bootstrap(), pair.destination.bootstrap());
    topics::create(&pair.origin, "beyond", 2, &[]);
    produce_all(&origin, &Plan::new("beyond", 2, 0), 0, 100);
    let subject = Subject::new(&pair, "beyond", &["beyond"]);
    let offsets = subject.storage("offsets");
    topics::create(&pair.destination, &offsets, 1, &[("cleanup.policy", "compact")]);
    let producer: rdkafka::producer::BaseProducer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", &destination).create().unwrap();
    let key = r#"["replicator",{"topic":"beyond","partition":0}]"#;
    producer.send(BaseRecord::to(&offsets).key(key).payload(r#"{"offset":1000000}"#)).unwrap();
    producer.flush(Duration::from_secs(20)).unwrap();

    let mut running = subject.start_copying();
    running.wait_for("it to stop", Duration::from_secs(30), |r| {
        r.metrics("beyond", 0).is_some_and(|p| p["state"] == "STOPPED")
    });
    let reason = running.metrics("beyond", 0).unwrap()["reason"].to_string();
    assert!(reason.contains("1000001") && reason.contains("beyond the end"), "{reason}");
    running.wait_for("the other partition", Duration::from_secs(20), |r| {
        r.metrics("beyond", 1).is_some_and(|p| p["position"] == 100)
    });
    assert_eq!(topics::ends(&pair.destination, "beyond.replica"), [0, 100]);
}
