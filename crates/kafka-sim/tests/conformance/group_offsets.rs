//! OffsetCommit, OffsetFetch, OffsetDelete.

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::{GroupId, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest};

use crate::support::groups::Member;
use crate::support::{T, code, name, text};

/// A commit of one partition: topic, partition, offset, leader epoch, metadata.
type Commit<'a> = (&'a str, i32, i64, i32, Option<&'a str>);

fn commit_request(group: &str, commits: &[Commit<'_>]) -> OffsetCommitRequest {
    let topic = |(topic, partition, offset, epoch, metadata): &Commit<'_>| {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(*partition)
            .with_committed_offset(*offset)
            .with_committed_leader_epoch(*epoch)
            .with_committed_metadata(metadata.map(text));
        OffsetCommitRequestTopic::default().with_name(name(topic)).with_partitions(vec![partition])
    };
    OffsetCommitRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(commits.iter().map(topic).collect())
}

impl T<'_> {
    pub(crate) fn commit(&mut self, request: &OffsetCommitRequest) -> String {
        self.commit_as(8, request)
    }

    fn commit_as(&mut self, version: i16, request: &OffsetCommitRequest) -> String {
        let answer = self.client.call(version, request);
        let each = answer.topics.iter().flat_map(|topic| &topic.partitions);
        each.map(|partition| code(partition.error_code)).collect::<Vec<_>>().join(", ")
    }

    /// What a group has committed for some partitions of a topic; `stable`: only what no transaction may change.
    pub(crate) fn committed(&mut self, group: &str, topic: &str, partitions: &[i32], stable: bool) -> String {
        let topic = OffsetFetchRequestTopics::default()
            .with_name(name(topic))
            .with_partition_indexes(partitions.to_vec());
        self.committed_of(group, Some(vec![topic]), stable)
    }

    fn committed_of(
        &mut self,
        group: &str,
        topics: Option<Vec<OffsetFetchRequestTopics>>,
        stable: bool,
    ) -> String {
        let group =
            OffsetFetchRequestGroup::default().with_group_id(GroupId(text(group))).with_topics(topics);
        let request = OffsetFetchRequest::default().with_groups(vec![group]).with_require_stable(stable);
        let answer = self.client.call(8, &request).groups.remove(0);
        let mut lines: Vec<String> = Vec::new();
        for topic in &answer.topics {
            for p in &topic.partitions {
                let metadata = p.metadata.as_ref().map_or("null".to_owned(), |m| format!("{:?}", &**m));
                lines.push(format!(
                    "{}/{} {} offset {} epoch {} {metadata}",
                    &*topic.name,
                    p.partition_index,
                    code(p.error_code),
                    p.committed_offset,
                    p.committed_leader_epoch
                ));
            }
        }
        lines.sort();
        format!("{} [{}]", code(answer.error_code), lines.join(", "))
    }
}

pub(crate) fn offsets_without_members(t: &mut T<'_>) {
    let (group, topic) = (t.group("g"), t.topic_with("t", 3, &[]));
    let line = t.committed(&group, &topic, &[0], false);
    t.note("before any commit", line);
    let line = t.committed_of(&group, None, false);
    t.note("everything, before any commit", line);
    let line =
        t.commit(&commit_request(&group, &[(&topic, 0, 5, 3, Some("note")), (&topic, 1, 7, -1, None)]));
    t.expect("commit", line, "0, 0");
    let line = t.committed(&group, &topic, &[0, 1, 2], false);
    t.note("committed", line);
    let line = t.committed_of(&group, None, false);
    t.note("everything", line);
    let line = t.commit(&commit_request(&group, &[(&topic, 0, 2, -1, Some(""))]));
    t.expect("backwards", line, "0");
    let line = t.committed(&group, &topic, &[0], false);
    t.note("backwards, found", line);
    let unknown = t.unique("unknown");
    let line = t.commit(&commit_request(&group, &[(&unknown, 0, 1, -1, None), (&topic, 9, 1, -1, None)]));
    t.expect(
        "unknown topic, unknown partition",
        line,
        "3 UnknownTopicOrPartition, 3 UnknownTopicOrPartition",
    );
    let line = t.committed(&group, &unknown, &[0], false);
    t.note("fetched for an unknown topic", line);
    let long = "x".repeat(5000);
    let line =
        t.commit(&commit_request(&group, &[(&topic, 2, 1, -1, Some(&long)), (&topic, 0, 4, -1, None)]));
    // Which of the two topics comes first is chance.
    let both = line.contains("12 OffsetMetadataTooLarge") && line.split(", ").any(|code| code == "0");
    t.expect("metadata of 5000 bytes, and another", both, true);
    let line = t.commit(&commit_request(&group, &[(&topic, 2, -1, -1, None)]));
    t.note("offset -1", line);
    let line = t.committed(&group, &topic, &[2], false);
    t.note("offset -1, found", line);
    let line = t.commit(&commit_request("", &[(&topic, 0, 1, -1, None)]));
    t.note("an empty group id", line);
    let other = t.group("other");
    let mut request = commit_request(&other, &[(&topic, 0, 1, -1, None)]);
    request.generation_id_or_member_epoch = 3;
    request.member_id = text("nobody");
    let line = t.commit(&request);
    t.note("a generation of a group that is not there", line);
    request.generation_id_or_member_epoch = -1;
    let line = t.commit(&request);
    t.note("a member of a group that is not there", line);
}

pub(crate) fn offsets_versions(t: &mut T<'_>) {
    let (group, topic) = (t.group("g"), t.topic("t"));
    for version in 2..=9 {
        let mut request = commit_request(&group, &[(&topic, 0, i64::from(version), -1, None)]);
        request.retention_time_ms = -1;
        let line = t.commit_as(version, &request);
        t.note(format!("commit, version {version}"), line);
    }
    for version in 1..=7 {
        let topic =
            OffsetFetchRequestTopic::default().with_name(name(&topic)).with_partition_indexes(vec![0]);
        let request =
            OffsetFetchRequest::default().with_group_id(GroupId(text(&group))).with_topics(Some(vec![topic]));
        let answer = t.client.call(version, &request);
        let p = &answer.topics[0].partitions[0];
        let line =
            format!("{} {} offset {}", code(answer.error_code), code(p.error_code), p.committed_offset);
        t.note(format!("fetch, version {version}"), line);
    }
    let groups = [&group, "another"].map(|group| {
        OffsetFetchRequestGroup::default().with_group_id(GroupId(text(group))).with_topics(None)
    });
    let mut request = OffsetFetchRequest::default().with_groups(groups.to_vec());
    for version in [8, 9] {
        if version == 9 {
            request.groups.iter_mut().for_each(|group| group.member_epoch = -1);
        }
        let answer = t.client.call(version, &request);
        let each: Vec<String> = answer
            .groups
            .iter()
            .map(|g| format!("{} {} topics {}", &*g.group_id, code(g.error_code), g.topics.len()))
            .collect();
        t.note(format!("two groups, version {version}"), each.join(", "));
    }
}

pub(crate) fn offsets_of_members(t: &mut T<'_>) {
    let (group, topic) = (t.group("g"), t.topic("t"));
    let mut one = t.member(&group);
    one.join_fully();
    let by = |member: &Member, offset: i64| {
        commit_request(&member.group, &[(&topic, 0, offset, -1, None)])
            .with_generation_id_or_member_epoch(member.generation)
            .with_member_id(text(&member.id))
    };
    let line = t.commit(&by(&one, 1));
    t.note("between join and sync", line);
    one.sync_alone("all");
    let line = t.commit(&by(&one, 2));
    t.expect("a member", line, "0");
    let line = t.commit(&by(&one, 3).with_generation_id_or_member_epoch(one.generation + 1));
    t.expect("the next generation", line, "22 IllegalGeneration");
    let line = t.commit(&by(&one, 3).with_generation_id_or_member_epoch(one.generation - 1));
    t.expect("an older generation", line, "22 IllegalGeneration");
    let line = t.commit(&by(&one, 3).with_member_id(text("nobody")));
    t.expect("an unknown member", line, "25 UnknownMemberId");
    let line = t.commit(&commit_request(&group, &[(&topic, 0, 9, -1, None)]));
    t.note("nobody, while there are members", line);
    let line = t.committed(&group, &topic, &[0], false);
    t.note("committed", line);
    let mut two = t.member(&group);
    two.join();
    two.start_join();
    t.until("a rebalance", |_| (one.heartbeat() != "0").then_some(()));
    let line = t.commit(&by(&one, 4));
    t.note("during a rebalance", line);
    one.start_join();
    one.joined();
    two.joined();
    let line = t.commit(&by(&two, 5));
    t.note("before the sync of the next generation", line);
    one.leave();
    two.leave();
    let line = t.commit(&commit_request(&group, &[(&topic, 0, 9, -1, None)]));
    t.expect("nobody, after all left", line, "0");
}

pub(crate) fn offsets_deleted(t: &mut T<'_>) {
    let call = |t: &mut T<'_>, group: &str, topic: &str, partitions: &[i32]| {
        let partition = |index: &i32| OffsetDeleteRequestPartition::default().with_partition_index(*index);
        let topic = OffsetDeleteRequestTopic::default()
            .with_name(name(topic))
            .with_partitions(partitions.iter().map(partition).collect());
        let request =
            OffsetDeleteRequest::default().with_group_id(GroupId(text(group))).with_topics(vec![topic]);
        let answer = t.client.call(0, &request);
        let each = answer.topics.iter().flat_map(|topic| &topic.partitions);
        let each: Vec<String> = each.map(|p| code(p.error_code)).collect();
        format!("{} [{}]", code(answer.error_code), each.join(", "))
    };
    let (group, topic) = (t.group("g"), t.topic_with("t", 2, &[]));
    let line = call(t, &group, &topic, &[0]);
    t.expect("no such group", line, "69 GroupIdNotFound []");
    t.commit(&commit_request(&group, &[(&topic, 0, 1, -1, None), (&topic, 1, 2, -1, None)]));
    let line = call(t, &group, &topic, &[0]);
    t.expect("delete", line, "0 [0]");
    let line = t.committed(&group, &topic, &[0, 1], false);
    t.note("left", line);
    let line = call(t, &group, &topic, &[0]);
    t.note("delete again", line);
    let line = call(t, &group, &topic, &[7]);
    t.note("unknown partition", line);
    let unknown = t.unique("unknown");
    let line = call(t, &group, &unknown, &[0]);
    t.note("unknown topic", line);
    let mut consumer = t.member(&group).with(|m| {
        m.kind = "consumer".to_owned();
        m.protocols = vec![("range".to_owned(), subscription(&topic))];
    });
    consumer.join_fully();
    consumer.sync_alone("");
    let line = call(t, &group, &topic, &[1]);
    t.expect("a topic that is subscribed", line, "0 [86 GroupSubscribedToTopic]");
    let other = t.group("other");
    t.commit(&commit_request(&other, &[(&topic, 0, 1, -1, None)]));
    let mut member = t.member(&other);
    member.join_fully();
    member.sync_alone("");
    let line = call(t, &other, &topic, &[0]);
    t.note("a group of another type with a member", line);
}

/// A consumer's metadata, version 0, with one topic.
fn subscription(topic: &str) -> bytes::Bytes {
    let mut metadata = vec![0, 0, 0, 0, 0, 1];
    metadata.extend_from_slice(&(topic.len() as i16).to_be_bytes());
    metadata.extend_from_slice(topic.as_bytes());
    metadata.extend_from_slice(&(-1_i32).to_be_bytes());
    metadata.into()
}
