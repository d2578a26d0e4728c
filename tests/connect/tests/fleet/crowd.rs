//! Five workers of ours at once, and a leader that goes in the middle of a round.

use connect_differential::Side::Ours;
use serde_json::json;

use crate::flow::Flow;
use crate::verifiable::Verifiable;
use crate::workers::Fleet;

#[test]
fn ours_five_at_once_and_their_leader_goes_in_a_round() {
    let fleet = Fleet::start("crowd", &[Ours; 5], &[]);
    // Connectors that are gone leave records in the config topic.
    for number in 0..5 {
        let name = format!("gone-{number}");
        let config = json!({"connector.class": "FileStreamSink", "topics": "crowd-none"});
        fleet.create(number, &name, &config);
        fleet.call((number + 1) % 5, "DELETE", &format!("/connectors/{name}"), None, 204);
    }
    let numbers = Verifiable::start(&fleet, 2);
    let everybody = [0, 1, 2, 3, 4];
    let states = fleet.await_running(4, Verifiable::INSTANCES, &everybody);
    let workers: std::collections::BTreeSet<_> = states.values().map(|state| &state.worker).collect();
    assert_eq!(workers.len(), 5, "eight instances are shared by all: {states:#?}");
    let leader = fleet.leader();
    let other = (leader + 1) % 5;
    fleet.kill(other);
    // Its return opens a round, in which the leader goes.
    fleet.launch(other);
    fleet.await_answers(other);
    fleet.kill(leader);
    let rest: Vec<usize> = everybody.into_iter().filter(|member| *member != leader).collect();
    fleet.await_running(other, Verifiable::INSTANCES, &rest);
    numbers.await_arrival(&fleet);
    fleet.launch(leader);
    fleet.await_ready(leader);
    fleet.await_members(5);
    fleet.await_running(leader, Verifiable::INSTANCES, &everybody);
    numbers.await_arrival(&fleet);
    numbers.assert_whole(&fleet, false);
}
