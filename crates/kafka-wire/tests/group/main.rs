//! Members of one group, on kafka-sim and on real brokers: joins, leaders that leave, coordinators that move or end, sessions that end.
//! Connect's bytes are not known here; the leader of these tests gives every member a number.
#![allow(clippy::unwrap_used)]

mod brokers;
mod paused_process;
mod sessions;
mod support;

use std::time::Duration;

use kafka_sim::{Action, ApiKey, Coordinated, Fault};
use kafka_wire::group::{Due, GroupError, Lost, Participant};
use support::{Sim, Team, Worker};
use tokio::time::{Instant, sleep, timeout};

#[tokio::test(start_paused = true)]
async fn sim_three_members_share_a_generation_and_one_leads() {
    let sim = Sim::new(3);
    let team = Team::of(&sim, 3);
    let generation = team.settled(3).await;
    let all = team.joined();
    let leaders: Vec<_> = all.iter().filter(|j| j.is_leader()).collect();
    assert_eq!(leaders.len(), 1);
    let mut given: Vec<_> = all.iter().map(|j| String::from_utf8(j.assignment.to_vec()).unwrap()).collect();
    given.sort();
    assert_eq!(
        given,
        [
            format!("0 of 3 in {generation}"),
            format!("1 of 3 in {generation}"),
            format!("2 of 3 in {generation}")
        ]
    );
    assert!(all.iter().all(|j| j.protocol == "two" && j.leader_id == leaders[0].leader_id));

    sleep(Duration::from_secs(30)).await;
    let metrics = team.members[0].session.metrics();
    assert!((9..=12).contains(&metrics.heartbeats.recent), "{metrics:?}");
    assert!(metrics.since_last_heartbeat.unwrap() <= Duration::from_secs(3));
    assert!(metrics.joins.count >= 2 && metrics.syncs.count >= 1 && metrics.rebalances.count >= 1);
    // The answer MEMBER_ID_REQUIRED counts as one that failed, as in Java.
    assert!(metrics.failed_rebalances.count >= 1);
    assert_eq!(team.settled(3).await, generation, "nothing has happened since");
}

#[tokio::test(start_paused = true)]
async fn sim_when_the_leader_leaves_another_one_leads_at_once() {
    let sim = Sim::new(1);
    let mut team = Team::of(&sim, 3);
    let first = team.settled(3).await;
    let leader = team.joined().iter().position(|j| j.is_leader()).unwrap();
    let began = Instant::now();
    team.members.remove(leader).leave().await;
    assert!(team.settled(2).await > first);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "the session's end was waited for: {:?}",
        began.elapsed()
    );
    assert!(team.lost().is_empty());
}

#[tokio::test(start_paused = true)]
async fn sim_a_request_for_a_rebalance_reaches_all() {
    let sim = Sim::new(1);
    let team = Team::of(&sim, 2);
    let first = team.settled(2).await;
    team.members[0].session.request_rejoin("a connector was added");
    sleep(Duration::from_secs(5)).await;
    assert_eq!(team.settled(2).await, first + 1);
}

#[tokio::test(start_paused = true)]
async fn sim_a_coordinator_that_moves_is_found_and_nothing_is_lost() {
    let sim = Sim::new(3);
    let team = Team::of(&sim, 2);
    let first = team.settled(2).await;
    let other = sim.cluster.coordinator(Coordinated::Group, "g") % 3 + 1;
    sim.cluster.move_coordinator(Coordinated::Group, "g", other);
    for _ in 0..30 {
        sleep(Duration::from_secs(1)).await;
        assert!(team.members.iter().all(|m| m.session.is_live()));
    }
    assert_eq!(team.settled(2).await, first);
    sim.cluster.kill(other);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(team.settled(2).await, first);
    assert!(team.lost().is_empty());
}

#[tokio::test(start_paused = true)]
async fn sim_a_join_survives_every_passing_answer() {
    let codes = [14, 15, 16, 27];
    for (api, codes) in
        [(ApiKey::JoinGroup, &codes[..]), (ApiKey::SyncGroup, &codes[..]), (ApiKey::FindCoordinator, &[15])]
    {
        for code in codes {
            let sim = Sim::new(2);
            sim.cluster.faults().add(Fault { times: Some(2), ..Fault::of(api, Action::Error(*code)) });
            let team = Team::of(&sim, 2);
            team.settled(2).await;
            assert!(!sim.cluster.faults().log().is_empty(), "{api:?} {code} did not happen");
        }
    }
    for action in [Action::Disconnect, Action::ApplyThenDisconnect] {
        for api in [ApiKey::JoinGroup, ApiKey::SyncGroup, ApiKey::FindCoordinator] {
            let sim = Sim::new(2);
            sim.cluster.faults().add(Fault { times: Some(2), ..Fault::of(api, action) });
            let team = Team::of(&sim, 2);
            team.settled(2).await;
            assert!(!sim.cluster.faults().log().is_empty(), "{api:?} {action:?} did not happen");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn sim_another_type_of_group_is_refused_with_the_setting_to_look_at() {
    let sim = Sim::new(1);
    let team = Team::of(&sim, 1);
    team.settled(1).await;
    let mut settings = support::settings();
    settings.protocol_type = "consumer".to_owned();
    let mut member = sim.member(settings);
    let error = member.join(&mut Worker::default()).await.unwrap_err();
    assert!(matches!(error, GroupError::Refused { .. }), "{error}");
    assert!(
        error.to_string().contains("INCONSISTENT_GROUP_PROTOCOL (23) (is the group used by consumers"),
        "{error}"
    );
    let mut settings = support::settings();
    settings.session_timeout = Duration::from_millis(5);
    let error = sim.member(settings).join(&mut Worker::default()).await.unwrap_err();
    assert!(error.to_string().contains("session.timeout.ms"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn sim_a_participant_that_fails_ends_the_join_and_may_try_again() {
    let sim = Sim::new(1);
    let mut member = sim.member(support::settings());
    let mut worker = Worker { fails: true, ..Worker::default() };
    let error = member.join(&mut worker).await.unwrap_err();
    assert!(
        matches!(&error, GroupError::Participant { .. }) && error.to_string().contains("no snapshot"),
        "{error}"
    );
    worker.fails = false;
    assert!(matches!(member.due().await, Due::Join(_)));
    let joined = member.join(&mut worker).await.unwrap();
    assert!(joined.is_leader());
    assert_eq!(worker.last_completed, -1);
    member.join(&mut worker).await.unwrap();
    assert_eq!(worker.last_completed, joined.generation);
}

#[tokio::test(start_paused = true)]
async fn sim_a_join_that_is_dropped_is_still_due_and_leaving_frees_the_others() {
    let sim = Sim::new(1);
    let team = Team::of(&sim, 1);
    let first = team.settled(1).await;
    let mut late = sim.member(support::settings());
    // The other one has to be told first, so this waits.
    assert!(timeout(Duration::from_millis(100), late.join(&mut Worker::default())).await.is_err());
    assert!(matches!(late.due().await, Due::Join(_)));
    let began = Instant::now();
    late.leave("it is not needed").await;
    assert!(timeout(Duration::from_secs(60), late.due()).await.is_err(), "nothing is due after leaving");
    assert!(team.settled(1).await > first);
    assert!(began.elapsed() < Duration::from_secs(70));
    late.request_rejoin("it is needed after all");
    assert_eq!(late.due().await, Due::Join("it is needed after all".to_owned()));
    late.join(&mut Worker::default()).await.unwrap();
    team.settled(2).await;
}

#[tokio::test(start_paused = true)]
async fn sim_a_member_that_was_removed_hears_it_before_it_joins_again() {
    let sim = Sim::new(1);
    let mut member = sim.member(support::settings());
    let mut worker = Worker::default();
    let first = member.join(&mut worker).await.unwrap();
    for (code, lost) in [(25, Lost::UnknownMember), (22, Lost::IllegalGeneration)] {
        sim.cluster
            .faults()
            .add(Fault { times: Some(1), ..Fault::of(ApiKey::Heartbeat, Action::Error(code)) });
        assert!(member.session().is_live());
        assert_eq!(member.due().await, Due::Lost(lost));
        assert!(!member.session().is_live());
        assert!(matches!(member.due().await, Due::Join(_)));
        member.join(&mut worker).await.unwrap();
    }
    // Told so by the answer to a join, it hears it as well.
    sim.cluster.faults().add(Fault { times: Some(1), ..Fault::of(ApiKey::JoinGroup, Action::Error(25)) });
    let asked = worker.asked;
    let error = member.join(&mut worker).await.unwrap_err();
    assert!(matches!(error, GroupError::Lost { reason: Lost::UnknownMember, .. }), "{error}");
    assert_eq!(worker.asked, asked + 1, "it did not speak again with what it has lost");
    let last = member.join(&mut worker).await.unwrap();
    assert!(last.generation > first.generation);
    assert_ne!(last.member_id, first.member_id);
    assert!(worker.metadata().is_ok());
}
