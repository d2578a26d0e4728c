//! ListGroups, DescribeGroups, DeleteGroups.

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, GroupId, ListGroupsRequest, OffsetCommitRequest,
};

use crate::support::groups::Member;
use crate::support::{T, code, name, text};

impl T<'_> {
    /// State and members of a group.
    fn described(&mut self, version: i16, group: &str, known: &[&Member]) -> String {
        let request = DescribeGroupsRequest::default().with_groups(vec![GroupId(text(group))]);
        let answer = self.client.call(version, &request).groups.remove(0);
        let mut members: Vec<String> = answer
            .members
            .iter()
            .map(|m| {
                let place = known.iter().position(|member| member.id == *m.member_id);
                format!(
                    "M{} client {} host {} metadata {:?} assignment {:?}",
                    place.map_or(0, |at| at + 1),
                    &*m.client_id,
                    &*m.client_host,
                    String::from_utf8_lossy(&m.member_metadata),
                    String::from_utf8_lossy(&m.member_assignment)
                )
            })
            .collect();
        members.sort();
        format!(
            "{} {:?} type {:?} protocol {:?} operations {} [{}]",
            code(answer.error_code),
            &*answer.group_state,
            &*answer.protocol_type,
            &*answer.protocol_data,
            answer.authorized_operations,
            members.join(", ")
        )
    }

    /// How a group is listed, if it is.
    fn listed(&mut self, version: i16, group: &str, states: &[&str], types: &[&str]) -> String {
        let request = ListGroupsRequest::default()
            .with_states_filter(states.iter().map(|state| text(state)).collect())
            .with_types_filter(types.iter().map(|kind| text(kind)).collect());
        let answer = self.client.call(version, &request);
        let found = answer.groups.iter().find(|found| *found.group_id == *group);
        let found = found.map_or("not listed".to_owned(), |g| {
            format!("type {:?} state {:?} kind {:?}", &*g.protocol_type, &*g.group_state, &*g.group_type)
        });
        format!("{} {found}", code(answer.error_code))
    }

    fn delete_group(&mut self, group: &str) -> String {
        let request = DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text(group))]);
        code(self.client.call(2, &request).results.remove(0).error_code)
    }

    fn commit_one(&mut self, group: &str, topic: &str) {
        let partition = OffsetCommitRequestPartition::default()
            .with_committed_offset(1)
            .with_committed_leader_epoch(-1)
            .with_committed_metadata(None);
        let topic =
            OffsetCommitRequestTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
        let request = OffsetCommitRequest::default()
            .with_group_id(GroupId(text(group)))
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![topic]);
        assert_eq!(self.commit(&request), "0");
    }
}

pub(crate) fn groups_described(t: &mut T<'_>) {
    let group = t.group("g");
    let line = t.described(5, &group, &[]);
    t.note("no such group, version 5", line);
    if t.is_4_3() {
        let line = t.described(6, &group, &[]);
        t.note("no such group, version 6", line);
    }
    let mut one = t.member(&group);
    one.join();
    one.join();
    let line = t.described(5, &group, &[&one]);
    t.note("joined, not synced", line);
    one.sync_alone("solo");
    for version in 0..=t.by(5, 6) {
        let line = t.described(version, &group, &[&one]);
        t.note(format!("stable, version {version}"), line);
    }
    let mut two = t.member(&group);
    two.join();
    two.start_join();
    t.until("a rebalance", |_| (one.heartbeat() != "0").then_some(()));
    let line = t.described(5, &group, &[&one, &two]);
    t.note("while another joins", line);
    one.start_join();
    one.joined();
    two.joined();
    one.leave();
    two.leave();
    let line = t.described(5, &group, &[]);
    t.note("all have left", line);
    let (offsets, topic) = (t.group("offsets"), t.topic("t"));
    t.commit_one(&offsets, &topic);
    let line = t.described(5, &offsets, &[]);
    t.note("only offsets", line);
}

pub(crate) fn groups_listed(t: &mut T<'_>) {
    let (group, topic, empty) = (t.group("g"), t.topic("t"), t.group("empty"));
    let line = t.listed(4, &group, &[], &[]);
    t.note("no such group", line);
    t.commit_one(&empty, &topic);
    let mut one = t.member(&group);
    one.join_fully();
    one.sync_alone("");
    for version in 0..=5 {
        let line = t.listed(version, &group, &[], &[]);
        t.note(format!("stable, version {version}"), line);
        let line = t.listed(version, &empty, &[], &[]);
        t.note(format!("only offsets, version {version}"), line);
    }
    for states in [&["Stable"][..], &["stable"], &["Empty"], &["Empty", "Stable"], &["Dead"], &["Nonsense"]] {
        let line = t.listed(4, &group, states, &[]);
        t.note(format!("stable, asked for {states:?}"), line);
    }
    for types in [&["classic"][..], &["Classic"], &["consumer"], &["nonsense"]] {
        let line = t.listed(5, &group, &[], types);
        t.note(format!("stable, asked for type {types:?}"), line);
    }
}

pub(crate) fn groups_deleted(t: &mut T<'_>) {
    let (group, topic) = (t.group("g"), t.topic("t"));
    let answer = t.delete_group(&group);
    t.expect("no such group", answer, "69 GroupIdNotFound");
    let mut one = t.member(&group);
    one.join_fully();
    one.sync_alone("");
    let answer = t.delete_group(&group);
    t.expect("with a member", answer, "68 NonEmptyGroup");
    one.leave();
    t.commit_one(&group, &topic);
    let answer = t.delete_group(&group);
    t.expect("empty", answer, "0");
    let line = t.committed(&group, &topic, &[0], false);
    t.note("its offsets", line);
    let line = t.described(5, &group, &[]);
    t.note("described afterwards", line);
    let line = t.listed(4, &group, &[], &[]);
    t.note("listed afterwards", line);
    let answer = t.delete_group(&group);
    t.expect("again", answer, "69 GroupIdNotFound");
}
