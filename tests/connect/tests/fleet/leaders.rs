//! The leader is killed, twice: the other leads, the work goes on, and connectors are created by every member.

use connect_differential::Side::{self, Java, Ours};
use serde_json::json;

use crate::flow::{INSTANCES, Lines};
use crate::workers::Fleet;

fn leader_moves_twice(name: &str, sides: [Side; 2], exactly_once: bool) {
    let support = if exactly_once { "enabled" } else { "disabled" };
    let fleet = Fleet::start_in_order(name, &sides, &[("exactly.once.source.support", support)]);
    let flow = Lines::start(&fleet, 1);
    fleet.await_running(0, INSTANCES, &[0, 1]);
    let mut count = INSTANCES;
    for killed in [0, 1] {
        let left = 1 - killed;
        assert_eq!(fleet.leader(), killed);
        flow.await_arrival();
        fleet.kill(killed);
        fleet.await_members(1);
        assert_eq!(fleet.leader(), left);
        fleet.await_running(left, count, &[left]);
        create(&fleet, left, &format!("by-{left}-alone"));
        flow.await_arrival();
        fleet.launch(killed);
        fleet.await_ready(killed);
        fleet.await_members(2);
        assert_eq!(fleet.leader(), left);
        create(&fleet, killed, &format!("by-{killed}-back"));
        count += 4;
        for member in [0, 1] {
            fleet.await_running(member, count, &[0, 1]);
        }
    }
    flow.assert_single(&fleet);
    flow.assert_whole(&fleet, exactly_once);
}

/// A source of an empty file.
fn create(fleet: &Fleet, via: usize, name: &str) {
    let file = fleet.folder().join(name);
    std::fs::write(&file, "").unwrap();
    let config = json!({"connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": format!("{}-{name}", fleet.name)});
    fleet.create(via, name, &config);
}

#[test]
#[ignore = "proves the test"]
fn java_leader_moves_twice() {
    leader_moves_twice("java-leader", [Java, Java], false);
}

#[test]
fn ours_leader_moves_twice() {
    leader_moves_twice("leader", [Java, Ours], false);
}

#[test]
fn ours_leader_moves_twice_with_exactly_once() {
    leader_moves_twice("leader-eos", [Ours, Java], true);
}
