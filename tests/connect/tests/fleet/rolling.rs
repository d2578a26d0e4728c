//! One member after the other is killed and started again, in shuffled order: nothing is lost, and with exactly-once nothing
//! is doubled.

use std::time::Duration;

use connect_differential::Side::{self, Java, Ours};

use crate::flow::{INSTANCES, Lines};
use crate::lots::lots;
use crate::workers::Fleet;

const ROUNDS: usize = 3;

fn rolling_kills(name: &str, sides: [Side; 3], exactly_once: bool) {
    let support = if exactly_once { "enabled" } else { "disabled" };
    let fleet = Fleet::start(name, &sides, &[("exactly.once.source.support", support)]);
    let flow = Lines::start(&fleet, 0);
    fleet.await_running(0, INSTANCES, &[0, 1, 2]);
    flow.await_arrival();
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
        flow.await_arrival();
    }
    fleet.await_running(0, INSTANCES, &[0, 1, 2]);
    flow.assert_whole(&fleet, exactly_once);
}

#[test]
#[ignore = "proves the test"]
fn java_rolling_kills_lose_nothing() {
    rolling_kills("java-rolling", [Java; 3], false);
}

#[test]
#[ignore = "proves the test"]
fn java_rolling_kills_double_nothing_with_exactly_once() {
    rolling_kills("java-rolling-eos", [Java; 3], true);
}

#[test]
fn ours_rolling_kills_lose_nothing() {
    rolling_kills("rolling", [Ours; 3], false);
}

#[test]
fn ours_rolling_kills_double_nothing_with_exactly_once() {
    rolling_kills("rolling-eos", [Ours; 3], true);
}
