//! Where the work of a killed member goes, and when.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use connect_differential::Side::{self, Java, Ours};

use crate::flow::{INSTANCES, Lines};
use crate::lots::until;
use crate::topics::{Said, said};
use crate::workers::{Fleet, HEARTBEAT, PATIENCE, SESSION, State};

/// A group at work, one member of it that does not lead, and what that member has.
pub(crate) struct Scene {
    pub(crate) fleet: Fleet,
    pub(crate) flow: Lines,
    pub(crate) leader: usize,
    pub(crate) victim: usize,
    /// Instances of the victim.
    pub(crate) its: Vec<String>,
    /// Those of the others.
    pub(crate) others: BTreeMap<String, State>,
}

impl Scene {
    /// Leader and victim are chosen after the work has found its place. `wants` says whether a member's work makes it a victim.
    pub(crate) fn set(
        name: &str,
        sides: [Side; 3],
        settings: &[(&str, &str)],
        wants: impl Fn(&str) -> bool,
    ) -> Self {
        let fleet = Fleet::start(name, &sides, settings);
        let flow = Lines::start(&fleet, 0);
        flow.await_arrival();
        fleet.await_running(0, INSTANCES, &[0, 1, 2]);
        until("the work rests", PATIENCE, || {
            let before = fleet.states(0);
            std::thread::sleep(Duration::from_secs(2));
            if before == fleet.states(0) { Ok(()) } else { Err("it moves".to_owned()) }
        });
        let leader = fleet.leader();
        let states = fleet.states(leader);
        let has = |member: usize| {
            states.iter().any(|(name, state)| state.worker == fleet.address(member) && wants(name))
        };
        let victim =
            (0..3).find(|member| *member != leader && has(*member)).expect("three members share the work");
        let is_its = |state: &State| state.worker == fleet.address(victim);
        let its = states.iter().filter(|(_, state)| is_its(state)).map(|(name, _)| name.clone()).collect();
        let others = states.iter().filter(|(_, state)| !is_its(state));
        let others = others.map(|(name, state)| (name.clone(), state.clone())).collect();
        Self { fleet, flow, leader, victim, its, others }
    }

    pub(crate) fn survivors(&self) -> Vec<usize> {
        (0..3).filter(|member| *member != self.victim).collect()
    }
}

fn lost_work_moves_after_the_delay(name: &str, sides: [Side; 3]) {
    const DELAY: Duration = Duration::from_secs(5);
    let scene = Scene::set(name, sides, &[("scheduled.rebalance.max.delay.ms", "5000")], |_| true);
    let fleet = &scene.fleet;
    let killed = Instant::now();
    fleet.kill(scene.victim);
    let victim = fleet.address(scene.victim);
    let moved = until("lost work moves", PATIENCE, || {
        let states = fleet.states(scene.leader);
        let is_moved = |name: &&String| {
            states.get(*name).is_some_and(|state| state.is_running() && state.worker != victim)
        };
        scene.its.iter().find(is_moved).map(|_| killed.elapsed()).ok_or_else(|| format!("{states:?}"))
    });
    let earliest = SESSION - 2 * HEARTBEAT + DELAY;
    assert!(moved >= earliest, "work moved {moved:?} after the kill, before {earliest:?}");
    let latest = SESSION + DELAY + Duration::from_secs(12);
    assert!(moved <= latest, "work moved only {moved:?} after the kill");
    let after = fleet.await_running(scene.leader, INSTANCES, &scene.survivors());
    for (name, state) in &scene.others {
        assert_eq!(&after[name], state, "{name} was not lost and stays where it is");
    }
    scene.flow.assert_single(fleet);
    scene.flow.assert_whole(fleet, false);
}

/// `delay` is long enough for a worker of this kind to start.
fn a_member_back_in_time_gets_its_work(name: &str, sides: [Side; 3], delay: Duration) {
    let delay = delay.as_millis().to_string();
    let scene = Scene::set(name, sides, &[("scheduled.rebalance.max.delay.ms", &delay)], |_| true);
    let fleet = &scene.fleet;
    let before = said(fleet).len();
    fleet.kill(scene.victim);
    fleet.launch(scene.victim);
    fleet.await_ready(scene.victim);
    let victim = fleet.address(scene.victim);
    let since = || -> Vec<Said> { said(fleet).split_off(before) };
    until("its work is back", Duration::from_secs(90), || {
        let since = since();
        let is_back = |name: &&String| {
            let mut of_it = since.iter().filter(|said| &said.of == *name);
            of_it.any(|said| said.worker == victim && said.state == "RUNNING")
        };
        let left: Vec<&String> = scene.its.iter().filter(|name| !is_back(name)).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("not back: {left:?}; {since:?}")) }
    });
    scene.flow.await_arrival();
    for said in since() {
        assert!(scene.its.contains(&said.of), "what was not lost is left alone, but: {said:?}");
        assert!(
            said.worker == victim || said.state == "UNASSIGNED",
            "nobody else runs it meanwhile, but: {said:?}"
        );
    }
    scene.flow.assert_single(fleet);
    scene.flow.assert_whole(fleet, false);
}

#[test]
#[ignore = "proves the test"]
fn java_lost_work_moves_after_the_delay() {
    lost_work_moves_after_the_delay("java-lost", [Java; 3]);
}

#[test]
fn ours_lost_work_moves_after_the_delay() {
    lost_work_moves_after_the_delay("lost", [Ours; 3]);
}

#[test]
#[ignore = "proves the test"]
fn java_a_member_back_in_time_gets_its_work() {
    a_member_back_in_time_gets_its_work("java-back", [Java; 3], Duration::from_secs(25));
}

#[test]
fn ours_a_member_back_in_time_gets_its_work() {
    a_member_back_in_time_gets_its_work("back", [Ours; 3], Duration::from_secs(6));
}
