//! Java's workers answer as recorded, and ours answer like Java's.

use connect_differential::{Difference, Side, check, stale_differences, table};

fn assert_none(found: &[Difference]) {
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), table(found));
}

#[test]
#[ignore = "minutes of Java workers: scripts/test --workers"]
fn java_workers_answer_as_recorded() {
    assert_none(&check(Side::Java));
}

#[test]
fn our_workers_answer_like_javas() {
    assert_none(&check(Side::Ours));
}

#[test]
fn sim_accepted_differences_are_differences() {
    assert_eq!(stale_differences(), Vec::<String>::new());
}
