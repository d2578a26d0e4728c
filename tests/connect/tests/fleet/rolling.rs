//! One member after the other is killed and started again, in shuffled order: nothing is lost, and with exactly-once nothing
//! is doubled.

use std::time::Duration;

use connect_differential::Side::{self, Java, Ours};

use crate::flow::{Flow, Lines};
use crate::lots::lots;
use crate::verifiable::Verifiable;
use crate::workers::Fleet;

const ROUNDS: usize = 3;

fn rolling_kills<F: Flow>(name: &str, sides: [Side; 3], exactly_once: bool) {
    let support = if exactly_once { "enabled" } else { "disabled" };
    let fleet = Fleet::start(name, &sides, &[("exactly.once.source.support", support)]);
    let flow = F::start(&fleet, 0);
    fleet.await_running(0, F::INSTANCES, &[0, 1, 2]);
    flow.await_arrival(&fleet);
    let mut lots = lots();
    for _ in 0..ROUNDS {
        let mut order = [0, 1, 2];
        lots.shuffle(&mut order);
        for member in order {
            fleet.kill(member);
            // Sometimes it is back before it is missed, sometimes after.
            std::thread::sleep(Duration::from_millis(lots.u64(0..6000)));
            fleet.launch(member);
            fleet.await_ready(member);
        }
        if exactly_once && sides.contains(&Java) {
            revive(&fleet);
        }
        flow.await_arrival(&fleet);
    }
    fleet.await_running(0, F::INSTANCES, &[0, 1, 2]);
    flow.assert_whole(&fleet, exactly_once);
}

/// A task of a Java worker that starts while the leader is being killed fails for good: its round of fencing gets no answer.
fn revive(fleet: &Fleet) {
    fleet.await_members(fleet.members.len());
    let connectors = fleet.call(0, "GET", "/connectors", None, 200);
    for (name, state) in fleet.states(0).into_iter().filter(|(_, state)| state.state == "FAILED") {
        eprintln!("{}: {name} has failed: {state:?}", fleet.name);
        let of_java =
            fleet.members.iter().any(|member| member.side == Java && member.address == state.worker);
        assert!(of_java, "ours do not fail, but {name}: {state:?}");
        let is_its = |connector: &&str| name.starts_with(&format!("{connector}-"));
        let connector = connectors.as_array().unwrap().iter().filter_map(|one| one.as_str()).find(is_its);
        let path = format!("/connectors/{}/restart?includeTasks=true&onlyFailed=true", connector.unwrap());
        fleet.call(0, "POST", &path, None, 202);
    }
}

#[test]
#[ignore = "proves the test"]
fn java_rolling_kills_lose_nothing() {
    rolling_kills::<Lines>("java-rolling", [Java; 3], false);
}

#[test]
#[ignore = "proves the test"]
fn java_rolling_kills_double_nothing_with_exactly_once() {
    rolling_kills::<Lines>("java-rolling-eos", [Java; 3], true);
}

#[test]
fn ours_rolling_kills_lose_nothing() {
    rolling_kills::<Verifiable>("rolling", [Ours; 3], false);
}

#[test]
fn ours_rolling_kills_double_nothing_with_exactly_once() {
    rolling_kills::<Verifiable>("rolling-eos", [Ours; 3], true);
}

/// Files, whose positions matter, and a group of both kinds.
#[test]
fn ours_rolling_kills_among_java_double_nothing_with_exactly_once() {
    rolling_kills::<Lines>("rolling-mixed", [Ours, Java, Ours], true);
}
