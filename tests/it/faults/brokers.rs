//! Brokers that go away under load: restarted, killed, frozen, not there at the start. One process of the replicator
//! lives through all of it.

use std::time::Duration;

use super::load::{Load, Plan, produce_all};
use super::oracle::check;
use super::subject::Subject;
use super::{heavy, own_pair};
use crate::support::topics;

#[test]
fn restarts_of_either_side_lose_and_repeat_nothing() {
    let _heavy = heavy();
    let pair = own_pair();
    let (origin, destination) = (pair.origin.bootstrap(), pair.destination.bootstrap());
    topics::create(&pair.origin, "restarts", 4, &[]);
    let subject = Subject::new(&pair, "restarts", &["restarts"]);
    let mut running = subject.start_copying();
    let load = Load::start(&origin, &Plan::new("restarts", 4, 3000));
    std::thread::sleep(Duration::from_secs(1));

    let broker = pair.destination.broker(1);
    let before = broker.pid();
    broker.stop().unwrap();
    running.wait_for("it to say that it waits", Duration::from_secs(20), |r| {
        r.metrics("restarts", 0).is_some_and(|p| p["state"] == "WAITING" && p["reason"].is_string())
    });
    assert!(!running.lines("the destination cluster cannot be written now").is_empty());
    assert_eq!(running.task_status().map(|(state, _)| state).as_deref(), Some("RUNNING"));
    broker.start().unwrap();
    assert_ne!(broker.pid(), before, "I12: the broker was restarted");
    running.wait_for("the copy to go on", Duration::from_secs(30), |r| {
        r.metrics("restarts", 0).is_some_and(|p| p["state"] == "RUNNING")
    });

    broker.kill().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    broker.start().unwrap();
    std::thread::sleep(Duration::from_secs(2));

    let broker = pair.origin.broker(1);
    broker.stop().unwrap();
    running.wait_for("it to say that the origin is away", Duration::from_secs(20), |r| {
        !r.lines("waiting for the origin cluster").is_empty()
    });
    running.wait_for("the status to tell", Duration::from_secs(10), |r| {
        r.metrics("restarts", 0).is_some_and(|p| p["state"] == "WAITING")
    });
    broker.start().unwrap();
    running.wait_for("the copy to go on", Duration::from_secs(30), |r| {
        r.metrics("restarts", 0).is_some_and(|p| p["state"] == "RUNNING")
    });
    broker.kill().unwrap();
    broker.start().unwrap();

    std::thread::sleep(Duration::from_secs(1));
    let owed = load.finish();
    let findings = check(&origin, &destination, ("restarts", "restarts.replica"), &owed);
    assert_eq!(findings.duplicate_count(), 0, "idempotence: {findings:?}");
    assert!(owed.count() > 10_000, "I12: {}", owed.count());
    running.assert_alive();
}

#[test]
fn a_cluster_that_is_down_at_the_start_or_later_is_waited_for() {
    let _heavy = heavy();
    let pair = own_pair();
    let (origin, destination) = (pair.origin.bootstrap(), pair.destination.bootstrap());
    let plan = Plan::new("late", 2, 0);
    topics::create(&pair.origin, "late", 2, &[]);
    let mut owed = produce_all(&origin, &plan, 0, 300);

    pair.destination.broker(1).stop().unwrap();
    let subject = Subject::new(&pair, "late", &["late"]);
    let mut running = subject.start();
    running.wait_for_log("waiting for the destination cluster at 127.0.0.1", Duration::from_secs(10));
    // The origin goes before the destination comes: that is told next.
    pair.origin.broker(1).stop().unwrap();
    pair.destination.broker(1).start().unwrap();
    running.wait_for_log("the destination cluster at 127.0.0.1", Duration::from_secs(20));
    running.wait_for_log("waiting for the origin cluster at 127.0.0.1", Duration::from_secs(20));
    running.wait_for("REST to answer", Duration::from_secs(5), |r| r.rest("/connectors").is_some());
    pair.origin.broker(1).start().unwrap();
    running.wait_for("the copy", Duration::from_secs(30), |r| r.lag("late") == Some(0));
    check(&origin, &destination, ("late", "late.replica"), &owed);

    // Both away for 20 s under the running process.
    let pause = std::time::Instant::now();
    pair.origin.broker(1).stop().unwrap();
    pair.destination.broker(1).kill().unwrap();
    std::thread::sleep(Duration::from_secs(20));
    assert!(!running.lines("waiting for the origin cluster").is_empty());
    pair.destination.broker(1).start().unwrap();
    pair.origin.broker(1).start().unwrap();
    assert!(pause.elapsed() > Duration::from_secs(20));
    owed.merge(produce_all(&origin, &plan, 300, 300));
    let findings = check(&origin, &destination, ("late", "late.replica"), &owed);
    assert_eq!(findings.duplicate_count(), 0, "{findings:?}");
    running.assert_alive();
}

#[test]
fn a_frozen_destination_broker_costs_no_record_and_no_order() {
    let _heavy = heavy();
    let pair = own_pair();
    let (origin, destination) = (pair.origin.bootstrap(), pair.destination.bootstrap());
    topics::create(&pair.origin, "frozen", 3, &[]);
    let subject = Subject::new(&pair, "frozen", &["frozen"]).producer("request.timeout.ms", 2000);
    let mut running = subject.start_copying();
    let load = Load::start(&origin, &Plan::new("frozen", 3, 3000));
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(1500));
        let broker = pair.destination.broker(1);
        broker.suspend().unwrap();
        let frozen = std::time::Instant::now();
        running.wait_for("a timeout", Duration::from_secs(30), |r| {
            frozen.elapsed() > Duration::from_secs(5) && r.log().contains("request.timeout.ms")
        });
        broker.resume().unwrap();
        running.wait_for("the copy to catch up", Duration::from_secs(30), |r| r.lag("frozen") < Some(500));
    }
    let owed = load.finish();
    let findings = check(&origin, &destination, ("frozen", "frozen.replica"), &owed);
    assert_eq!(findings.duplicate_count(), 0, "idempotence: {findings:?}");
    assert!(owed.count() > 10_000, "I12: {}", owed.count());
    running.assert_alive();
}
