//! A member that is suspended, replaced, and wakes up.

use std::collections::BTreeMap;
use std::time::Duration;

use connect_differential::Side::{self, Java, Ours};

use crate::flow::{INSTANCES, WIDTH};
use crate::lots::until;
use crate::moves::Scene;
use crate::topics::{positions, said};
use crate::workers::{Fleet, PATIENCE};

/// The generation in which each of these instances was last started by another than `zombie`, once all were.
fn successors(fleet: &Fleet, zombie: &str, its: &[String], before: usize) -> BTreeMap<String, i64> {
    until("others have the zombie's work", PATIENCE, || {
        let since = said(fleet).split_off(before);
        let started = since.iter().filter(|said| said.worker != zombie && said.state == "RUNNING");
        let started: BTreeMap<String, i64> = started.map(|said| (said.of.clone(), said.generation)).collect();
        match its.iter().all(|name| started.contains_key(name)) {
            true => Ok(started),
            false => Err(format!("{since:?}")),
        }
    })
}

fn assert_never_back(fleet: &Fleet) {
    for number in 0..WIDTH {
        let positions = positions(fleet, &format!("lines-{number}"));
        assert!(positions.is_sorted(), "a stored position went back: {positions:?}");
    }
}

fn a_zombie_writes_no_state(name: &str, sides: [Side; 3], exactly_once: bool) {
    let support = if exactly_once { "enabled" } else { "disabled" };
    let settings = [("exactly.once.source.support", support)];
    let scene = Scene::set(name, sides, &settings, |name| name.starts_with("lines-") && name.ends_with("-0"));
    let fleet = &scene.fleet;
    let before = said(fleet).len();
    fleet.suspend(scene.victim);
    let zombie = fleet.address(scene.victim);
    let successors = successors(fleet, zombie, &scene.its, before);
    scene.flow.await_arrival();
    // The successors have stored offsets, and the zombie's next interval has long been over.
    std::thread::sleep(Duration::from_secs(2));
    let before = said(fleet).len();
    fleet.resume(scene.victim);
    fleet.await_members(3);
    fleet.await_running(scene.leader, INSTANCES, &[0, 1, 2]);
    until("the zombie works again", PATIENCE, || {
        let states = fleet.states(scene.leader);
        let works = states.values().any(|state| state.worker == zombie && state.is_running());
        if works { Ok(()) } else { Err(format!("{states:?}")) }
    });
    scene.flow.await_arrival();
    // Java's worker without exactly-once does store its old position when it wakes: seen with this very test.
    if exactly_once || sides.contains(&Side::Ours) {
        assert_never_back(fleet);
    }
    for said in said(fleet).split_off(before).iter().filter(|said| said.worker == zombie) {
        let since = successors.get(&said.of).copied().unwrap_or_default();
        assert!(said.generation > since, "a successor ran since generation {since}, but: {said:?}");
    }
    scene.flow.assert_single(fleet);
    scene.flow.assert_whole(fleet, exactly_once);
}

#[test]
#[ignore = "proves the test"]
fn java_a_zombie_writes_no_state() {
    a_zombie_writes_no_state("java-zombie", [Java; 3], false);
}

#[test]
#[ignore = "proves the test"]
fn java_a_zombie_writes_no_state_with_exactly_once() {
    a_zombie_writes_no_state("java-zombie-eos", [Java; 3], true);
}

#[test]
fn ours_a_zombie_writes_no_state() {
    a_zombie_writes_no_state("zombie", [Ours; 3], false);
}

#[test]
fn ours_a_zombie_writes_no_state_with_exactly_once() {
    a_zombie_writes_no_state("zombie-eos", [Ours; 3], true);
}
