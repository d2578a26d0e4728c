//! SIGTERM: the end in bounded time, with everything delivered and committed where that is possible.

use std::time::Duration;

use rustix::process::Signal;

use super::load::{Load, Plan, produce_all};
use super::oracle::{TopicReader, check, check_stored};
use super::subject::Subject;
use super::{heavy, own_pair};
use crate::support::{topics, zk_to_kraft};

/// `task.shutdown.graceful.timeout.ms` (5 s) and what comes around it.
const BOUND: Duration = Duration::from_secs(15);

#[test]
fn a_stop_under_load_drains_and_commits() {
    let pair = zk_to_kraft();
    let (origin, destination) = (pair.origin.bootstrap(), pair.destination.bootstrap());
    topics::create(&pair.origin, "drain", 4, &[]);
    let subject = Subject::new(&pair, "drain", &["drain"]);
    let load = Load::start(&origin, &Plan::new("drain", 4, 8000));
    for _ in 0..2 {
        let mut running = subject.start_copying();
        std::thread::sleep(Duration::from_millis(2000));
        let (code, took) = running.terminate(BOUND);
        assert_eq!(code, Some(0));
        assert!(took < BOUND, "{took:?}");
        assert!(running.log().contains("all offsets committed"));
        let mut copy = TopicReader::new(&destination, "drain.replica", 4);
        let beyond = check_stored(&destination, (&subject.storage("offsets"), "drain"), &mut copy);
        assert_eq!(beyond, [0; 4], "what was delivered is committed");
    }
    let running = subject.start_copying();
    let owed = load.finish();
    let findings = check(&origin, &destination, ("drain", "drain.replica"), &owed);
    assert_eq!(findings.duplicate_count(), 0, "{findings:?}");
    assert!(owed.count() > 10_000, "I12: {}", owed.count());
    running.assert_alive();
}

#[test]
fn a_stop_ends_in_bounded_time_whatever_is_down() {
    let _heavy = heavy();
    let pair = own_pair();
    let (origin, destination) = (pair.origin.bootstrap(), pair.destination.bootstrap());
    topics::create(&pair.origin, "stuck", 2, &[]);
    let subject = Subject::new(&pair, "stuck", &["stuck"]);
    let plan = Plan::new("stuck", 2, 0);
    let mut owed = produce_all(&origin, &plan, 0, 500);

    // The destination answers nothing: the first signal ends in bounded time, and says what was not delivered.
    let mut first = subject.start_copying();
    first.wait_for("the first records", Duration::from_secs(20), |r| r.lag("stuck") == Some(0));
    pair.destination.broker(1).suspend().unwrap();
    owed.merge(produce_all(&origin, &plan, 500, 500));
    first.wait_for("a lag", Duration::from_secs(20), |r| r.lag("stuck") > Some(0));
    let (code, took) = first.terminate(BOUND);
    let log = first.log();
    assert!(took < BOUND && code.is_some(), "{code:?} after {took:?}");
    assert!(log.contains("gave up draining") || log.contains("did not stop in time"));
    pair.destination.broker(1).resume().unwrap();

    // A second signal ends at once.
    let mut second = subject.start_copying();
    second.wait_for("the rest", Duration::from_secs(30), |r| r.lag("stuck") == Some(0));
    pair.destination.broker(1).suspend().unwrap();
    owed.merge(produce_all(&origin, &plan, 1000, 500));
    second.wait_for("a lag", Duration::from_secs(20), |r| r.lag("stuck") > Some(0));
    second.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(500));
    let (code, took) = second.terminate(Duration::from_secs(2));
    assert_eq!(code, Some(130));
    assert!(took < Duration::from_secs(1), "{took:?}");
    pair.destination.broker(1).resume().unwrap();

    // Without an origin there is nothing to wait for: what was copied is committed at the destination.
    let mut third = subject.start_copying();
    let load = Load::start(&origin, &Plan { first: 1500, ..Plan::new("stuck", 2, 2000) });
    std::thread::sleep(Duration::from_secs(1));
    pair.origin.broker(1).suspend().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let (code, took) = third.terminate(BOUND);
    assert_eq!(code, Some(0));
    assert!(took < BOUND, "{took:?}");
    let mut copy = TopicReader::new(&destination, "stuck.replica", 2);
    let beyond = check_stored(&destination, (&subject.storage("offsets"), "stuck"), &mut copy);
    assert_eq!(beyond, [0; 2], "what was delivered is committed");
    pair.origin.broker(1).resume().unwrap();

    let _fourth = subject.start_copying();
    owed.merge(load.finish());
    check(&origin, &destination, ("stuck", "stuck.replica"), &owed);
}
