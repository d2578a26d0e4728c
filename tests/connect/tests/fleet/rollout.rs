//! Exactly-once support is rolled out: workers that have it already run tasks while the leader is only being prepared.

use connect_differential::Side::{self, Java, Ours};
use serde_json::json;

use crate::workers::Fleet;

fn a_prepared_leader_fences(name: &str, leader: Side, follower: Side) {
    const SUPPORT: &str = "exactly.once.source.support";
    let fleet =
        Fleet::new(name).with(leader, &[(SUPPORT, "preparing")]).with(follower, &[(SUPPORT, "enabled")]);
    for member in [0, 1] {
        fleet.launch(member);
        fleet.await_ready(member);
    }
    fleet.await_members(2);
    assert_eq!(fleet.leader(), 0, "the first member leads");
    for source in ["one", "two"] {
        let (topic, file) = (format!("{name}-{source}"), fleet.folder().join(source));
        fleet.kafka.create(&topic, 1);
        std::fs::write(&file, "line\n").unwrap();
        let class = "org.apache.kafka.connect.file.FileStreamSourceConnector";
        fleet.create(
            0,
            source,
            &json!({"connector.class": class, "tasks.max": "1", "topic": topic, "file": file}),
        );
    }
    let states = fleet.await_running(0, 4, &[0, 1]);
    let follows = |name: &&str| states[*name].worker == fleet.address(1);
    assert_eq!(["one-0", "two-0"].iter().filter(|name| follows(name)).count(), 1, "{states:?}");
}

#[test]
#[ignore = "proves the test"]
fn java_a_prepared_leader_fences() {
    a_prepared_leader_fences("java-rollout", Java, Java);
}

#[test]
fn ours_a_prepared_leader_fences() {
    a_prepared_leader_fences("rollout", Ours, Ours);
}
