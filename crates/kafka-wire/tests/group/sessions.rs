//! What a member knows of its session while brokers are away, links are cut and others are slow.

use std::time::Duration;

use kafka_sim::Link;
use kafka_wire::group::{Due, Lost};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Living, Sim, Team, Worker, settings};

const CUT: Link = Link { inbound_cut: true, outbound_cut: true, delay: Duration::ZERO, bytes_per_second: 0 };

#[tokio::test(start_paused = true)]
async fn sim_without_any_broker_the_membership_is_lost_after_the_coordinator_timeout() {
    let sim = Sim::new(1);
    let mut member = sim.member(settings());
    let mut worker = Worker::default();
    member.join(&mut worker).await.unwrap();
    sleep(Duration::from_secs(20)).await;
    let began = Instant::now();
    sim.cluster.kill(1);
    assert_eq!(member.due().await, Due::Lost(Lost::CoordinatorUnreachable));
    // A heartbeat every 3 s finds it out, then it is looked for during 3 s.
    assert!(began.elapsed() <= Duration::from_secs(7), "{:?}", began.elapsed());
    assert!(!member.session().is_live());
    let wait = timeout(Duration::from_secs(60), member.join(&mut worker)).await;
    assert!(wait.is_err(), "it waits for brokers");
    sim.cluster.restart(1);
    assert!(matches!(member.due().await, Due::Join(_)));
    member.join(&mut worker).await.unwrap();
}

/// Requests and answers get lost in both ways, connections stay open.
#[tokio::test(start_paused = true)]
async fn sim_members_that_are_cut_off_lose_by_their_own_clocks() {
    let sim = Sim::new(1);
    let mut patient = settings();
    patient.coordinator_timeout = Duration::from_secs(3600);
    let far = Sim { cluster: sim.cluster.clone() };
    let cut_off = Living::start(far.member(patient), Worker::default());
    let team = Team::of(&sim, 1);
    team.settled(2).await;
    let first = team.joined()[0].generation;
    sim.cluster.faults().set_link(1, CUT);
    sleep(Duration::from_secs(11)).await;
    assert!(!cut_off.session.is_live() && !team.members[0].session.is_live());
    assert_eq!(cut_off.session.live_until(), None);
    sim.cluster.faults().clear();
    assert!(team.settled(2).await > first);
    assert_eq!(cut_off.lost(), [Lost::SessionTimeout]);
    assert!(cut_off.session.is_live());
}

#[tokio::test(start_paused = true)]
async fn sim_heartbeats_go_on_while_others_are_waited_for() {
    let sim = Sim::new(1);
    let team = Team::of(&sim, 1);
    let first = team.settled(1).await;
    // A new member makes the group rebalance; it takes half a minute until it joins for good, as its leader would who
    // stops work first.
    let mut slow = sim.member(settings());
    let mut worker = Worker { computes: Duration::from_secs(25), ..Worker::default() };
    slow.join(&mut worker).await.unwrap();
    team.settled(2).await;
    team.members[0].session.request_rejoin("a change");
    // `slow` is told by its heartbeats, and does not join for longer than three sessions.
    assert!(matches!(slow.due().await, Due::Join(_)));
    for _ in 0..35 {
        sleep(Duration::from_secs(1)).await;
        assert!(slow.session().is_live() && team.members[0].session.is_live());
        assert!(slow.session().is_rebalancing() && team.members[0].session.is_rebalancing());
    }
    slow.join(&mut worker).await.unwrap();
    assert!(team.settled(2).await >= first + 2);
    assert!(team.lost().is_empty());
}

#[tokio::test(start_paused = true)]
async fn sim_a_leader_may_compute_for_longer_than_a_session() {
    let sim = Sim::new(1);
    let worker = || Worker { computes: Duration::from_secs(25), ..Worker::default() };
    let members = (0..2).map(|_| Living::start(sim.member(settings()), worker())).collect();
    let team = Team { members };
    team.settled(2).await;
    assert!(team.lost().is_empty());
}

#[tokio::test(start_paused = true)]
async fn sim_who_is_too_slow_for_a_rebalance_loses_its_membership() {
    let sim = Sim::new(1);
    let team = Team::of(&sim, 1);
    let mut slow = sim.member(settings());
    slow.join(&mut Worker::default()).await.unwrap();
    let first = team.settled(2).await;
    team.members[0].session.request_rejoin("a change");
    assert!(matches!(slow.due().await, Due::Join(_)));
    while team.members[0].session.generation() == first {
        sleep(Duration::from_millis(100)).await;
    }
    assert!(!slow.session().is_live(), "the others go on without it only when it knows that");
    assert_eq!(slow.due().await, Due::Lost(Lost::RebalanceTimeout));
    slow.join(&mut Worker::default()).await.unwrap();
    team.settled(2).await;
}

#[tokio::test(start_paused = true)]
async fn sim_the_others_go_on_when_the_session_of_a_dead_leader_ends() {
    let sim = Sim::new(1);
    let mut team = Team::of(&sim, 3);
    let first = team.settled(3).await;
    let leader = team.joined().iter().position(|j| j.is_leader()).unwrap();
    let dead = team.members.remove(leader);
    let session = dead.session.clone();
    let began = Instant::now();
    // Its task ends without leaving, as a process does that is killed.
    drop(dead);
    sleep(Duration::from_secs(1)).await;
    assert!(!session.is_live());
    assert_eq!(team.settled(3).await, first, "nobody knows yet");
    assert!(team.joined().iter().all(|j| !j.is_leader()));
    while team.joined().iter().any(|j| j.generation == first) {
        sleep(Duration::from_millis(100)).await;
    }
    assert!(team.settled(2).await > first);
    let waited = began.elapsed();
    assert!((Duration::from_secs(6)..Duration::from_secs(16)).contains(&waited), "{waited:?}");
    assert!(team.lost().is_empty());
}
