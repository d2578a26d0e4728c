//! Groups as members meet them.
#![allow(clippy::unwrap_used)]

mod offsets;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    DescribeGroupsRequest, FindCoordinatorRequest, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, RequestKind, ResponseKind, SyncGroupRequest, SyncGroupResponse,
};
use tokio::task::JoinHandle;

use crate::api::{Context, text};
use crate::coordination::Coordinated;
use crate::{Action, Cluster, Fault};

/// Asks a broker, and sees to it that request and answer can be written in this version.
pub(crate) async fn ask(
    cluster: &Cluster,
    broker: i32,
    request: impl Into<RequestKind>,
    version: i16,
) -> ResponseKind {
    let request = request.into();
    request.encode(&mut BytesMut::new(), version).expect("a test asks what can be asked");
    let mut context = Context::new(cluster.clone(), broker);
    context.client_id = "c".to_owned();
    let answer = crate::api::handle(&mut context, request, version).await.unwrap();
    crate::protocol::encode(1, version, &answer).expect("an answer that can be written");
    answer
}

/// The one answer that fits a question.
macro_rules! answer {
    ($kind:ident, $answer:expr) => {
        match $answer {
            kafka_protocol::messages::ResponseKind::$kind(answer) => answer,
            other => panic!("{other:?}"),
        }
    };
}
pub(crate) use answer;

/// One broker, a topic `t` with two partitions.
fn cluster() -> Cluster {
    let cluster = Cluster::builder().build();
    cluster.create_topic("t", 2, 1, &[]);
    cluster
}

fn joining(member: &str, protocols: &[(&str, &'static [u8])]) -> JoinGroupRequest {
    let protocol = |(name, metadata): &(&str, &'static [u8])| {
        kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol::default()
            .with_name(text(*name))
            .with_metadata(Bytes::from_static(metadata))
    };
    JoinGroupRequest::default()
        .with_group_id(text("g").into())
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(60_000)
        .with_member_id(text(member))
        .with_protocol_type(text("consumer"))
        .with_protocols(protocols.iter().map(protocol).collect())
}

fn fixed(member: &str, instance: &str) -> JoinGroupRequest {
    joining(member, &[("range", b"m")]).with_group_instance_id(Some(text(instance)))
}

async fn join(cluster: &Cluster, request: JoinGroupRequest, version: i16) -> JoinGroupResponse {
    answer!(JoinGroup, ask(cluster, 1, request, version).await)
}

fn spawn_join(cluster: &Cluster, request: JoinGroupRequest, version: i16) -> JoinHandle<JoinGroupResponse> {
    let cluster = cluster.clone();
    tokio::spawn(async move { join(&cluster, request, version).await })
}

/// Asks for a member id.
async fn member_id(cluster: &Cluster) -> String {
    let refused = join(cluster, joining("", &[("range", b"m")]), 9).await;
    assert_eq!((refused.error_code, refused.generation_id), (79, -1));
    refused.member_id.to_string()
}

fn syncing(generation: i32, member: &str, assignments: &[(&str, &'static [u8])]) -> SyncGroupRequest {
    let one = |(member, assignment): &(&str, &'static [u8])| {
        SyncGroupRequestAssignment::default()
            .with_member_id(text(*member))
            .with_assignment(Bytes::from_static(assignment))
    };
    SyncGroupRequest::default()
        .with_group_id(text("g").into())
        .with_generation_id(generation)
        .with_member_id(text(member))
        .with_protocol_type(Some(text("consumer")))
        .with_protocol_name(Some(text("range")))
        .with_assignments(assignments.iter().map(one).collect())
}

async fn sync(cluster: &Cluster, request: SyncGroupRequest) -> SyncGroupResponse {
    answer!(SyncGroup, ask(cluster, 1, request, 5).await)
}

async fn heartbeat(cluster: &Cluster, generation: i32, member: &str) -> i16 {
    let request = HeartbeatRequest::default()
        .with_group_id(text("g").into())
        .with_generation_id(generation)
        .with_member_id(text(member));
    answer!(Heartbeat, ask(cluster, 1, request, 4).await).error_code
}

async fn leave(cluster: &Cluster, member: &str, instance: Option<&str>) -> i16 {
    let member =
        MemberIdentity::default().with_member_id(text(member)).with_group_instance_id(instance.map(text));
    let request = LeaveGroupRequest::default().with_group_id(text("g").into()).with_members(vec![member]);
    let answer = answer!(LeaveGroup, ask(cluster, 1, request, 5).await);
    assert_eq!(answer.error_code, 0);
    answer.members[0].error_code
}

/// A group with one member in generation 1, stable. Its id.
async fn alone(cluster: &Cluster) -> String {
    let id = member_id(cluster).await;
    let joined = join(cluster, joining(&id, &[("range", b"m")]), 9).await;
    assert_eq!((joined.error_code, joined.generation_id, joined.leader.as_str()), (0, 1, &*id));
    assert_eq!(joined.members.len(), 1);
    let synced = sync(cluster, syncing(1, &id, &[(&id, b"all")])).await;
    assert_eq!((synced.error_code, synced.assignment), (0, Bytes::from_static(b"all")));
    id
}

async fn state(cluster: &Cluster, version: i16) -> (i16, String, usize) {
    let request = DescribeGroupsRequest::default().with_groups(vec![text("g").into()]);
    let group = answer!(DescribeGroups, ask(cluster, 1, request, version).await).groups.remove(0);
    (group.error_code, group.group_state.to_string(), group.members.len())
}

#[tokio::test(start_paused = true)]
async fn a_member_joins_syncs_beats_and_leaves() {
    let cluster = cluster();
    let id = alone(&cluster).await;
    assert!(id.starts_with("c-"), "{id}");
    assert_eq!(heartbeat(&cluster, 1, &id).await, 0);
    assert_eq!(heartbeat(&cluster, 0, &id).await, 22);
    assert_eq!(heartbeat(&cluster, 1, "other").await, 25);
    assert_eq!(state(&cluster, 6).await, (0, "Stable".to_owned(), 1));
    assert_eq!(leave(&cluster, &id, None).await, 0);
    assert_eq!(leave(&cluster, &id, None).await, 25);
    assert_eq!(state(&cluster, 6).await, (0, "Empty".to_owned(), 0));
}

#[tokio::test(start_paused = true)]
async fn two_members_share_a_generation_and_the_leader_assigns() {
    let cluster = cluster();
    let first = alone(&cluster).await;
    let second = member_id(&cluster).await;
    let waiting = spawn_join(&cluster, joining(&second, &[("range", b"n")]), 9);
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(!waiting.is_finished());
    assert_eq!(heartbeat(&cluster, 1, &first).await, 27);
    let leads = join(&cluster, joining(&first, &[("range", b"m")]), 9).await;
    assert_eq!((leads.generation_id, leads.members.len()), (2, 2));
    let follows = waiting.await.unwrap();
    assert_eq!((follows.generation_id, follows.members.len()), (2, 0));
    assert_eq!(follows.leader.as_str(), first);
    let assigned = {
        let (cluster, second) = (cluster.clone(), second.clone());
        tokio::spawn(async move { sync(&cluster, syncing(2, &second, &[])).await })
    };
    tokio::time::sleep(Duration::from_millis(5)).await;
    let own = sync(&cluster, syncing(2, &first, &[(&first, b"1"), (&second, b"2")])).await;
    assert_eq!(own.assignment, Bytes::from_static(b"1"));
    assert_eq!(assigned.await.unwrap().assignment, Bytes::from_static(b"2"));
    // A follower that joins with the same words is answered at once, in the same generation.
    assert_eq!(join(&cluster, joining(&second, &[("range", b"n")]), 9).await.generation_id, 2);
}

#[tokio::test(start_paused = true)]
async fn who_falls_silent_is_out_after_its_session() {
    let cluster = cluster();
    let id = alone(&cluster).await;
    tokio::time::sleep(Duration::from_millis(9_999)).await;
    assert_eq!(heartbeat(&cluster, 1, &id).await, 0);
    tokio::time::sleep(Duration::from_millis(9_999)).await;
    assert_eq!(state(&cluster, 5).await.1, "Stable");
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(state(&cluster, 5).await, (0, "Empty".to_owned(), 0));
    assert_eq!(heartbeat(&cluster, 1, &id).await, 25);
}

#[tokio::test(start_paused = true)]
async fn a_rebalance_goes_on_without_who_is_late() {
    let cluster = cluster();
    let first = alone(&cluster).await;
    let second = member_id(&cluster).await;
    let waiting = spawn_join(&cluster, joining(&second, &[("range", b"m")]), 9);
    // The first beats but does not join again.
    for _ in 0..12 {
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(heartbeat(&cluster, 1, &first).await, 27);
    }
    let begun = cluster.clock().now_ms();
    let joined = waiting.await.unwrap();
    assert_eq!((joined.generation_id, joined.members.len()), (2, 1));
    assert_eq!(joined.leader.as_str(), second);
    assert!(cluster.clock().now_ms() - begun <= 12_000);
    assert_eq!(heartbeat(&cluster, 2, &first).await, 25);
}

#[tokio::test(start_paused = true)]
async fn the_first_rebalance_waits_for_more_members() {
    let cluster = Cluster::builder().property("group.initial.rebalance.delay.ms", "3000").build();
    let begun = cluster.clock().now_ms();
    let first = spawn_join(&cluster, joining("", &[("range", b"m")]), 3);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let second = spawn_join(&cluster, joining("", &[("range", b"m")]), 3);
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    // The second came while it waited, so it waited once more.
    assert_eq!(cluster.clock().now_ms() - begun, 6_000);
    assert_eq!((first.generation_id, second.generation_id), (1, 1));
    assert_eq!((first.members.len(), second.members.len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_sync_in_time_is_out() {
    let cluster = cluster();
    let id = member_id(&cluster).await;
    let request = joining(&id, &[("range", b"m")]).with_session_timeout_ms(100_000);
    assert_eq!(join(&cluster, request, 9).await.generation_id, 1);
    assert_eq!(state(&cluster, 6).await.1, "CompletingRebalance");
    tokio::time::sleep(Duration::from_millis(60_001)).await;
    assert_eq!(state(&cluster, 6).await, (0, "Empty".to_owned(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_joins_again_ends_waiting_syncs() {
    let cluster = cluster();
    let first = alone(&cluster).await;
    let second = member_id(&cluster).await;
    let waiting = spawn_join(&cluster, joining(&second, &[("range", b"m")]), 9);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(join(&cluster, joining(&first, &[("range", b"m")]), 9).await.generation_id, 2);
    assert_eq!(waiting.await.unwrap().generation_id, 2);
    let syncs = {
        let (cluster, second) = (cluster.clone(), second.clone());
        tokio::spawn(async move { sync(&cluster, syncing(2, &second, &[])).await.error_code })
    };
    tokio::time::sleep(Duration::from_millis(1)).await;
    let again = spawn_join(&cluster, joining(&first, &[("range", b"new")]), 9);
    assert_eq!(syncs.await.unwrap(), 27);
    assert_eq!(join(&cluster, joining(&second, &[("range", b"m")]), 9).await.generation_id, 3);
    assert_eq!(again.await.unwrap().generation_id, 3);
}

#[tokio::test(start_paused = true)]
async fn the_protocol_with_most_votes_wins() {
    let cluster = Cluster::builder().property("group.initial.rebalance.delay.ms", "10").build();
    let asks = [
        [("range", &b""[..]), ("sticky", b"")],
        [("sticky", b""), ("range", b"")],
        [("sticky", b""), ("range", b"")],
    ];
    let joins: Vec<_> = asks.iter().map(|asks| spawn_join(&cluster, joining("", asks), 3)).collect();
    for joined in joins {
        assert_eq!(joined.await.unwrap().protocol_name.as_deref(), Some("sticky"));
    }
    let odd = join(&cluster, joining("", &[("other", b"")]), 3).await;
    assert_eq!((odd.error_code, odd.generation_id), (23, -1));
    let connect = joining("", &[("range", b"")]).with_protocol_type(text("connect"));
    assert_eq!(join(&cluster, connect, 7).await.error_code, 23);
}

#[tokio::test(start_paused = true)]
async fn requests_that_cannot_be_are_refused() {
    let cluster = cluster();
    let code = async |request: JoinGroupRequest| join(&cluster, request, 9).await.error_code;
    assert_eq!(code(joining("", &[("range", b"m")]).with_group_id(text("").into())).await, 24);
    assert_eq!(code(joining("", &[("range", b"m")]).with_session_timeout_ms(5_999)).await, 26);
    assert_eq!(code(joining("", &[("range", b"m")]).with_session_timeout_ms(1_800_001)).await, 26);
    assert_eq!(code(joining("", &[])).await, 23);
    assert_eq!(code(joining("never-given", &[("range", b"m")])).await, 25);
    assert_eq!(heartbeat(&cluster, 1, "nobody").await, 25);
    let id = alone(&cluster).await;
    let typed = syncing(1, &id, &[]).with_protocol_type(Some(text("connect")));
    assert_eq!(sync(&cluster, typed).await.error_code, 23);
    let named = syncing(1, &id, &[]).with_protocol_name(Some(text("sticky")));
    assert_eq!(sync(&cluster, named).await.error_code, 23);
    let unnamed = syncing(1, &id, &[]).with_protocol_name(None);
    assert_eq!(sync(&cluster, unnamed).await.error_code, 23);
    assert_eq!(sync(&cluster, syncing(3, &id, &[])).await.error_code, 22);
}

#[tokio::test(start_paused = true)]
async fn a_member_id_that_is_not_used_ends() {
    let cluster = cluster();
    let id = member_id(&cluster).await;
    tokio::time::sleep(Duration::from_millis(10_001)).await;
    assert_eq!(join(&cluster, joining(&id, &[("range", b"m")]), 9).await.error_code, 25);
}

#[tokio::test(start_paused = true)]
async fn static_members_come_back_without_a_rebalance() {
    let cluster = cluster();
    let joined = join(&cluster, fixed("", "i"), 9).await;
    let old = joined.member_id.to_string();
    assert!(old.starts_with("i-"), "{old}");
    assert_eq!(sync(&cluster, syncing(1, &old, &[(&old, b"all")])).await.error_code, 0);
    let back = join(&cluster, fixed("", "i"), 9).await;
    let new = back.member_id.to_string();
    assert_eq!((back.error_code, back.generation_id, back.skip_assignment), (0, 1, true));
    assert_ne!(new, old);
    assert_eq!(back.leader, back.member_id);
    // Who still acts under the old id is fenced.
    let beat = HeartbeatRequest::default()
        .with_group_id(text("g").into())
        .with_generation_id(1)
        .with_member_id(text(&*old))
        .with_group_instance_id(Some(text("i")));
    assert_eq!(answer!(Heartbeat, ask(&cluster, 1, beat, 4).await).error_code, 82);
    assert_eq!(join(&cluster, fixed(&old, "i"), 9).await.error_code, 82);
    let synced = sync(&cluster, syncing(1, &new, &[])).await;
    assert_eq!(synced.assignment, Bytes::from_static(b"all"));
    // An older client is told of the old leader, so that it does not assign.
    let older = join(&cluster, fixed("", "i"), 8).await;
    assert_eq!((older.leader.as_str(), older.members.len(), older.generation_id), (&*new, 0, 1));
    assert_eq!(leave(&cluster, "", Some("i")).await, 0);
    assert_eq!(leave(&cluster, "", Some("i")).await, 25);
}

#[tokio::test(start_paused = true)]
async fn a_move_of_the_coordinator_keeps_members_and_ends_waits() {
    let cluster = Cluster::builder().brokers(2).build();
    cluster.move_coordinator(Coordinated::Group, "g", 1);
    let first = alone(&cluster).await;
    let second = member_id(&cluster).await;
    let waiting = spawn_join(&cluster, joining(&second, &[("range", b"m")]), 9);
    tokio::time::sleep(Duration::from_millis(1)).await;
    cluster.move_coordinator(Coordinated::Group, "g", 2);
    assert_eq!(waiting.await.unwrap().error_code, 16);
    assert_eq!(heartbeat(&cluster, 1, &first).await, 16);
    let rejoin = |member: &str| {
        let (cluster, request) = (cluster.clone(), joining(member, &[("range", b"m")]));
        tokio::spawn(async move { answer!(JoinGroup, ask(&cluster, 2, request, 9).await) })
    };
    let (first, second) = (rejoin(&first), rejoin(&second));
    assert_eq!(first.await.unwrap().generation_id, 2);
    assert_eq!(second.await.unwrap().generation_id, 2);
}

#[tokio::test(start_paused = true)]
async fn sessions_do_not_end_while_no_broker_is_up() {
    let cluster = cluster();
    let id = alone(&cluster).await;
    cluster.kill(1);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(heartbeat(&cluster, 1, &id).await, 16);
    cluster.restart(1);
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(heartbeat(&cluster, 1, &id).await, 0);
}

#[tokio::test]
async fn coordinators_are_found_in_all_versions() {
    let cluster = Cluster::builder().brokers(3).build();
    cluster.set_address(2, "here", 7);
    cluster.move_coordinator(Coordinated::Group, "g", 2);
    for version in 0..=3 {
        let request = FindCoordinatorRequest::default().with_key(text("g"));
        let found = answer!(FindCoordinator, ask(&cluster, 3, request, version).await);
        assert_eq!((*found.node_id, found.host.as_str(), found.port), (2, "here", 7));
    }
    assert!(cluster.topics().contains_key("__consumer_offsets"));
    let keys = vec![text("g"), text("other")];
    let request = FindCoordinatorRequest::default().with_key_type(1).with_coordinator_keys(keys.clone());
    let found = answer!(FindCoordinator, ask(&cluster, 1, request, 6).await).coordinators;
    assert_eq!(found.iter().map(|c| c.key.clone()).collect::<Vec<_>>(), keys);
    assert_eq!(*found[0].node_id, cluster.coordinator(Coordinated::Transaction, "g"));
    assert!(cluster.topics().contains_key("__transaction_state"));
    let odd = FindCoordinatorRequest::default().with_key_type(9).with_coordinator_keys(vec![text("g")]);
    let odd = answer!(FindCoordinator, ask(&cluster, 1, odd, 4).await).coordinators.remove(0);
    assert_eq!((odd.error_code, *odd.node_id), (42, -1));
    cluster.faults().add(Fault::of(kafka_protocol::messages::ApiKey::FindCoordinator, Action::Error(15)));
    let request = FindCoordinatorRequest::default().with_key(text("g"));
    assert_eq!(answer!(FindCoordinator, ask(&cluster, 1, request, 2).await).error_code, 15);
}
