//! Classic groups of any protocol type: joining, syncing, heartbeats, leaving, static members, timeouts.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest,
};

use crate::support::groups::Member;
use crate::support::{T, code, text};

/// What the answer to a join says, with members named by their place among `known`.
fn joined(answer: &JoinGroupResponse, known: &[&Member]) -> String {
    let place = |id: &str| match known.iter().position(|member| !id.is_empty() && member.id == id) {
        Some(at) => format!("M{}", at + 1),
        None if id.is_empty() => "nobody".to_owned(),
        None => "another".to_owned(),
    };
    let mut members: Vec<String> = answer
        .members
        .iter()
        .map(|m| {
            let instance = m.group_instance_id.as_ref().map_or("-".to_owned(), |id| id.to_string());
            format!("{} {instance} {}", place(&m.member_id), String::from_utf8_lossy(&m.metadata))
        })
        .collect();
    members.sort();
    let name = |name: &Option<kafka_protocol::protocol::StrBytes>| {
        name.as_ref().map_or("null".to_owned(), |name| format!("{:?}", name.to_string()))
    };
    format!(
        "{} generation {} type {} protocol {} leader {} me {} members [{}]{}",
        code(answer.error_code),
        answer.generation_id,
        name(&answer.protocol_type),
        name(&answer.protocol_name),
        place(&answer.leader),
        place(&answer.member_id),
        members.join(", "),
        if answer.skip_assignment { " skip" } else { "" },
    )
}

pub(crate) fn group_of_one(t: &mut T<'_>) {
    let group = t.group("g");
    let mut one = t.member(&group);
    let answer = one.join();
    t.expect("without an id", code(answer.error_code), "79 MemberIdRequired");
    t.note("without an id, answer", joined(&answer, &[&one]));
    t.note("the id", one.id.starts_with("conformance-"));
    let answer = one.join();
    t.expect("with it", code(answer.error_code), "0");
    t.note("with it, answer", joined(&answer, &[&one]));
    let early = one.heartbeat();
    t.note("heartbeat before the sync", early);
    let answer = one.sync_alone("sing");
    t.expect("sync", answer, "0 \"sing\"");
    let answer = one.sync_alone("louder");
    t.note("sync again", answer);
    let beat = one.heartbeat();
    t.expect("heartbeat", beat, "0");
    let answer = one.join();
    t.note("join again", joined(&answer, &[&one]));
    let answer = one.sync_alone("again");
    t.note("sync of the second generation", answer);
    let left = one.leave();
    t.expect("leave", left, "0 [0]");
    let beat = one.heartbeat();
    t.expect("heartbeat afterwards", beat, "25 UnknownMemberId");
    let left = one.leave();
    t.note("leave again", left);
}

pub(crate) fn group_of_two(t: &mut T<'_>) {
    let group = t.group("g");
    let mut one = t.member(&group);
    one.join_fully();
    one.sync_alone("all");
    let mut two = t.member(&group).with(|m| m.protocols[0].1 = Bytes::from_static(b"bass"));
    two.join();
    two.start_join();
    let beat = t.until("a rebalance", |_| {
        let beat = one.heartbeat();
        (beat != "0").then_some(beat)
    });
    t.expect("heartbeat while another joins", beat, "27 RebalanceInProgress");
    one.start_join();
    let (first, second) = (one.joined(), two.joined());
    t.note("the leader's answer", joined(&first, &[&one, &two]));
    t.note("the follower's answer", joined(&second, &[&one, &two]));
    two.start_sync(&[]);
    let (a, b) = (one.id.clone(), two.id.clone());
    let leader = one.sync(&[(&a, "high"), (&b, "low")]);
    t.expect("the leader's sync", leader, "0 \"high\"");
    let follower = two.synced();
    t.expect("the follower's sync", follower, "0 \"low\"");
    let beats = format!("{} {}", one.heartbeat(), two.heartbeat());
    t.expect("heartbeats", beats, "0 0");
    let left = one.leave();
    t.expect("the leader leaves", left, "0 [0]");
    let beat = two.heartbeat();
    t.expect("heartbeat of the other", beat, "27 RebalanceInProgress");
    let answer = two.join();
    t.note("the other joins again", joined(&answer, &[&one, &two]));
    let answer = two.sync_alone("everything");
    t.note("and syncs", answer);
}

pub(crate) fn group_errors(t: &mut T<'_>) {
    let group = t.group("g");
    let mut nobody = t.member(&group).with(|m| (m.id, m.generation) = ("nobody".to_owned(), 1));
    let beat = nobody.heartbeat();
    t.expect("heartbeat, unknown group", beat, "25 UnknownMemberId");
    let answer = nobody.sync(&[]);
    t.note("sync, unknown group", answer);
    let answer = nobody.leave();
    t.note("leave, unknown group", answer);
    let answer = nobody.join();
    t.expect("join with an id never given", code(answer.error_code), "25 UnknownMemberId");
    let mut one = t.member(&group);
    one.join_fully();
    one.sync_alone("all");
    let answer = nobody.join();
    t.note("join with an id never given, group there", joined(&answer, &[&one]));
    let beat = nobody.heartbeat();
    t.expect("heartbeat, unknown member", beat, "25 UnknownMemberId");
    one.generation += 1;
    let beat = one.heartbeat();
    t.expect("heartbeat, next generation", beat, "22 IllegalGeneration");
    let answer = one.sync(&[]);
    t.note("sync, next generation", answer);
    one.generation -= 1;
    let own = one.kind.clone();
    one.kind = "band".to_owned();
    let answer = one.sync(&[]);
    t.note("sync, another type", answer);
    let answer = one.join();
    t.note("join again, another type", joined(&answer, &[&one]));
    one.kind = own;
    one.protocols[0].0 = "key".to_owned();
    let answer = one.sync(&[]);
    t.note("sync, another protocol", answer);
    one.protocols[0].0 = "part".to_owned();
    let mut odd = t.member(&group).with(|m| m.kind = "band".to_owned());
    let answer = odd.join();
    t.expect("join, another type", code(answer.error_code), "23 InconsistentGroupProtocol");
    let mut odd = t.member(&group).with(|m| m.protocols[0].0 = "key".to_owned());
    let answer = odd.join();
    t.expect("join, no common protocol", code(answer.error_code), "23 InconsistentGroupProtocol");
    let beat = one.heartbeat();
    t.expect("the member is not disturbed", beat, "0");
}

pub(crate) fn group_errors_of_a_first_join(t: &mut T<'_>) {
    let group = t.group("g");
    for (label, change) in [
        ("no protocol", Box::new(|m: &mut Member| m.protocols.clear()) as Box<dyn Fn(&mut Member)>),
        ("an empty type", Box::new(|m: &mut Member| m.kind.clear())),
        ("too short a session", Box::new(|m: &mut Member| m.session = 10)),
        ("too long a session", Box::new(|m: &mut Member| m.session = 10_000_000)),
        ("an empty group id", Box::new(|m: &mut Member| m.group.clear())),
    ] {
        let mut member = t.member(&group).with(|m| change(m));
        let answer = member.join();
        t.note(label, joined(&answer, &[&member]));
    }
    for version in [0, 1, 2, 3, 4, 5, 6, 7, 8] {
        let member = t.member(&format!("{group}-{version}"));
        let mut request = member.join_request();
        if version == 0 {
            request.rebalance_timeout_ms = -1;
        }
        let mut client = t.connect();
        let answer = client.call(version, &request);
        let line = format!("{} generation {}", code(answer.error_code), answer.generation_id);
        t.note(format!("version {version}"), line);
    }
}

pub(crate) fn group_chooses_a_protocol(t: &mut T<'_>) {
    let group = t.group("g");
    let with = |names: [&str; 2]| {
        names.map(|name| (name.to_owned(), Bytes::copy_from_slice(name.as_bytes()))).to_vec()
    };
    let mut one = t.member(&group).with(|m| m.protocols = with(["a", "b"]));
    let answer = one.join_fully();
    t.note("alone", joined(&answer, &[&one]));
    let mut two = t.member(&group).with(|m| m.protocols = with(["c", "b"]));
    two.join();
    two.start_join();
    t.until("a rebalance", |_| (one.heartbeat() != "0").then_some(()));
    one.start_join();
    let (first, second) = (one.joined(), two.joined());
    t.note("the first of two", joined(&first, &[&one, &two]));
    t.note("the second of two", joined(&second, &[&one, &two]));
}

pub(crate) fn group_of_static_members(t: &mut T<'_>) {
    let group = t.group("g");
    let mut one = t.member(&group).with(|m| m.instance = Some("seat-1".to_owned()));
    let answer = one.join();
    t.expect("first join", code(answer.error_code), "0");
    t.note("first join, answer", joined(&answer, &[&one]));
    t.note("the id", one.id.starts_with("seat-1-"));
    one.sync_alone("solo");
    let mut again = t.member(&group).with(|m| m.instance = Some("seat-1".to_owned()));
    let answer = again.join();
    t.note("another process in the same seat", joined(&answer, &[&one, &again]));
    t.expect("has another id", one.id != again.id, true);
    let beat = one.heartbeat();
    t.expect("heartbeat of the old one", beat, "82 FencedInstanceId");
    let answer = again.sync(&[]);
    t.note("sync of the new one", answer);
    let beat = again.heartbeat();
    t.expect("heartbeat of the new one", beat, "0");
    let answer = one.join();
    t.note("join of the old one", joined(&answer, &[&one, &again]));
    let answer = one.leave();
    t.note("leave of the old one", answer);
    again.id.clear();
    let answer = again.leave();
    t.expect("leave by the seat alone", answer, "0 [0]");
    let mut other = t.member(&group).with(|m| m.instance = Some("seat-9".to_owned()));
    other.id.clear();
    let answer = other.leave();
    t.note("leave of an unknown seat", answer);
}

pub(crate) fn group_session_ends(t: &mut T<'_>) {
    let group = t.group("g");
    let mut one = t.member(&group).with(|m| m.session = 700);
    one.join_fully();
    one.sync_alone("all");
    std::thread::sleep(Duration::from_millis(500));
    let beat = one.heartbeat();
    t.expect("in time", beat, "0");
    std::thread::sleep(Duration::from_millis(500));
    let beat = one.heartbeat();
    t.expect("in time again", beat, "0");
    std::thread::sleep(Duration::from_millis(1500));
    let beat = one.heartbeat();
    t.expect("too late", beat, "25 UnknownMemberId");
}

pub(crate) fn group_waits_for_a_rebalance(t: &mut T<'_>) {
    let group = t.group("g");
    let mut one = t.member(&group).with(|m| (m.session, m.rebalance) = (10_000, 1000));
    one.join_fully();
    one.sync_alone("all");
    let mut two = t.member(&group).with(|m| m.rebalance = 1000);
    two.join();
    let began = Instant::now();
    let answer = two.join();
    let waited = began.elapsed();
    t.expect("waits for the first", (800..5000).contains(&waited.as_millis()), true);
    t.note("goes on without it", joined(&answer, &[&one, &two]));
    let beat = one.heartbeat();
    t.expect("the first is out", beat, "25 UnknownMemberId");
    two.sync_alone("rest");
    let beat = two.heartbeat();
    t.expect("the second is in", beat, "0");
}

pub(crate) fn group_sync_cut_short(t: &mut T<'_>) {
    let group = t.group("g");
    let mut one = t.member(&group);
    one.join_fully();
    one.sync_alone("all");
    let mut two = t.member(&group);
    two.join();
    two.start_join();
    t.until("a rebalance", |_| (one.heartbeat() != "0").then_some(()));
    one.start_join();
    one.joined();
    two.joined();
    two.start_sync(&[]);
    std::thread::sleep(Duration::from_millis(100));
    // The leader joins again, with news, instead of assigning.
    one.protocols[0].1 = Bytes::from_static(b"tenor");
    one.start_join();
    let answer = two.synced();
    t.expect("a sync that waits is sent away", answer, "27 RebalanceInProgress \"\"");
    let answer = two.join();
    t.note("the next generation", joined(&answer, &[&one, &two]));
    one.joined();
}

pub(crate) fn group_leader_never_syncs(t: &mut T<'_>) {
    let group = t.group("g");
    let mut one = t.member(&group).with(|m| m.rebalance = 1000);
    one.join_fully();
    one.sync_alone("all");
    let mut two = t.member(&group).with(|m| m.rebalance = 1000);
    two.join();
    two.start_join();
    t.until("a rebalance", |_| (one.heartbeat() != "0").then_some(()));
    one.start_join();
    one.joined();
    two.joined();
    let began = Instant::now();
    // Joining again with nothing new gets the same answer again.
    let answer = one.join();
    t.note("the leader joins again", joined(&answer, &[&one, &two]));
    let answer = two.sync(&[]);
    t.expect("the sync of the other", answer, "27 RebalanceInProgress \"\"");
    let waited = began.elapsed();
    t.expect("after the rebalance timeout", (700..5000).contains(&waited.as_millis()), true);
    let beat = one.heartbeat();
    t.expect("the leader is out", beat, "25 UnknownMemberId");
    let answer = two.join();
    t.note("the other goes on", joined(&answer, &[&one, &two]));
}

pub(crate) fn group_versions_of_small_requests(t: &mut T<'_>) {
    let group = t.group("g");
    let mut one = t.member(&group);
    one.join_fully();
    for version in 0..=5 {
        let request = SyncGroupRequest::default()
            .with_group_id(GroupId(text(&group)))
            .with_generation_id(one.generation)
            .with_member_id(text(&one.id));
        let request = match version {
            5 => request.with_protocol_type(Some(text("choir"))).with_protocol_name(Some(text("part"))),
            _ => request,
        };
        let answer = t.client.call(version, &request);
        t.note(format!("sync, version {version}"), code(answer.error_code));
    }
    let request = SyncGroupRequest::default()
        .with_group_id(GroupId(text(&group)))
        .with_generation_id(one.generation)
        .with_member_id(text(&one.id));
    let answer = t.client.call(5, &request);
    t.note("sync, version 5, no type", code(answer.error_code));
    for version in 0..=4 {
        let request = HeartbeatRequest::default()
            .with_group_id(GroupId(text(&group)))
            .with_generation_id(one.generation)
            .with_member_id(text(&one.id));
        let answer = t.client.call(version, &request);
        t.note(format!("heartbeat, version {version}"), code(answer.error_code));
    }
    for version in 0..=2 {
        let request = LeaveGroupRequest::default()
            .with_group_id(GroupId(text(&group)))
            .with_member_id(text(if version == 2 { &one.id } else { "nobody" }));
        let answer = t.client.call(version, &request);
        t.note(format!("leave, version {version}"), code(answer.error_code));
    }
}
