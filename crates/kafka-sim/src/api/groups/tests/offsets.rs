//! Offsets of groups, and groups as administrators meet them.

use bytes::Bytes;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest, OffsetCommitRequest, OffsetDeleteRequest,
    OffsetFetchRequest,
};

use super::{alone, answer, ask, cluster, join, joining, leave, state, sync, syncing};
use crate::api::text;
use crate::{Cluster, Release};

fn committing(
    generation: i32,
    member: &str,
    topic: &str,
    partition: i32,
    metadata: String,
) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(partition)
        .with_committed_offset(42)
        .with_committed_metadata(Some(text(metadata)));
    let topic =
        OffsetCommitRequestTopic::default().with_name(text(topic).into()).with_partitions(vec![partition]);
    OffsetCommitRequest::default()
        .with_group_id(text("g").into())
        .with_generation_id_or_member_epoch(generation)
        .with_member_id(text(member))
        .with_topics(vec![topic])
}

async fn commit(cluster: &Cluster, request: OffsetCommitRequest, version: i16) -> i16 {
    let answer = answer!(OffsetCommit, ask(cluster, 1, request, version).await);
    answer.topics[0].partitions[0].error_code
}

async fn fetch_all(cluster: &Cluster) -> Vec<(String, i32, i64)> {
    let group = OffsetFetchRequestGroup::default().with_group_id(text("g").into()).with_topics(None);
    let request = OffsetFetchRequest::default().with_groups(vec![group]);
    let group = answer!(OffsetFetch, ask(cluster, 1, request, 9).await).groups.remove(0);
    assert_eq!(group.error_code, 0);
    let topic = |t: kafka_protocol::messages::offset_fetch_response::OffsetFetchResponseTopics| {
        let name = t.name.to_string();
        t.partitions.into_iter().map(move |p| (name.clone(), p.partition_index, p.committed_offset))
    };
    group.topics.into_iter().flat_map(topic).collect()
}

#[tokio::test(start_paused = true)]
async fn offsets_are_committed_by_members_and_by_nobody_in_an_empty_group() {
    let cluster = cluster();
    let plain = |generation, member: &str| committing(generation, member, "t", 0, "x".to_owned());
    assert_eq!(commit(&cluster, plain(3, "m"), 8).await, 22);
    assert_eq!(commit(&cluster, plain(3, "m"), 9).await, 69);
    assert_eq!(fetch_all(&cluster).await, []);
    for version in 2..=9 {
        assert_eq!(commit(&cluster, plain(-1, ""), version).await, 0);
    }
    assert_eq!(fetch_all(&cluster).await, [("t".to_owned(), 0, 42)]);
    let id = alone(&cluster).await;
    assert_eq!(commit(&cluster, plain(-1, ""), 9).await, 25);
    assert_eq!(commit(&cluster, plain(2, &id), 9).await, 22);
    assert_eq!(commit(&cluster, plain(1, "other"), 9).await, 25);
    assert_eq!(commit(&cluster, plain(1, &id), 9).await, 0);
    assert_eq!(commit(&cluster, committing(1, &id, "t", 2, String::new()), 9).await, 3);
    assert_eq!(commit(&cluster, committing(1, &id, "t", 1, "x".repeat(4097)), 9).await, 12);
    assert_eq!(commit(&cluster, committing(1, &id, "t", 1, "x".repeat(4096)), 9).await, 0);
    let old = Cluster::builder().release(Release::V3_9).build();
    old.create_topic("t", 1, 1, &[]);
    assert_eq!(commit(&old, plain(3, "m"), 9).await, 22);
}

#[tokio::test(start_paused = true)]
async fn offsets_of_a_topic_go_with_it() {
    let cluster = cluster();
    assert_eq!(commit(&cluster, committing(-1, "", "t", 0, String::new()), 9).await, 0);
    assert!(cluster.recreate_topic("t"));
    assert_eq!(fetch_all(&cluster).await, []);
}

#[tokio::test]
async fn offsets_are_fetched_in_all_versions() {
    let cluster = cluster();
    assert_eq!(commit(&cluster, committing(-1, "", "t", 0, "x".to_owned()), 9).await, 0);
    for version in 1..=7 {
        let topic = OffsetFetchRequestTopic::default()
            .with_name(text("t").into())
            .with_partition_indexes(vec![0, 1, 7]);
        let request =
            OffsetFetchRequest::default().with_group_id(text("g").into()).with_topics(Some(vec![topic]));
        let answer = answer!(OffsetFetch, ask(&cluster, 1, request, version).await);
        let offsets: Vec<_> =
            answer.topics[0].partitions.iter().map(|p| (p.committed_offset, p.error_code)).collect();
        assert_eq!(offsets, [(42, 0), (-1, 0), (-1, 0)]);
        assert_eq!(answer.topics[0].partitions[0].metadata.as_deref(), Some("x"));
    }
    for version in [8, 9] {
        let topic =
            OffsetFetchRequestTopics::default().with_name(text("t").into()).with_partition_indexes(vec![0]);
        let group = |id: &str| {
            let group = OffsetFetchRequestGroup::default().with_group_id(text(id).into());
            group.with_topics(Some(vec![topic.clone()]))
        };
        let request = OffsetFetchRequest::default().with_groups(vec![group("g"), group("other")]);
        let groups = answer!(OffsetFetch, ask(&cluster, 1, request, version).await).groups;
        let offsets: Vec<_> = groups.iter().map(|g| g.topics[0].partitions[0].committed_offset).collect();
        assert_eq!(offsets, [42, -1]);
    }
}

async fn delete_offset(cluster: &Cluster, topic: &str, partition: i32) -> (i16, Option<i16>) {
    let partition = OffsetDeleteRequestPartition::default().with_partition_index(partition);
    let topic =
        OffsetDeleteRequestTopic::default().with_name(text(topic).into()).with_partitions(vec![partition]);
    let request = OffsetDeleteRequest::default().with_group_id(text("g").into()).with_topics(vec![topic]);
    let answer = answer!(OffsetDelete, ask(cluster, 1, request, 0).await);
    (answer.error_code, answer.topics.first().map(|t| t.partitions[0].error_code))
}

#[tokio::test(start_paused = true)]
async fn offsets_are_deleted_unless_somebody_reads_the_topic() {
    let cluster = cluster();
    cluster.create_topic("u", 1, 1, &[]);
    assert_eq!(delete_offset(&cluster, "t", 0).await, (69, None));
    for topic in ["t", "u"] {
        assert_eq!(commit(&cluster, committing(-1, "", topic, 0, String::new()), 9).await, 0);
    }
    // Version 0 of a subscription: the topic t, no user data.
    let subscribed: &[(&str, &'static [u8])] = &[("range", b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff")];
    let joined = join(&cluster, joining("", subscribed), 3).await;
    let id = joined.member_id.to_string();
    assert_eq!(sync(&cluster, syncing(1, &id, &[])).await.error_code, 0);
    assert_eq!(delete_offset(&cluster, "t", 0).await, (0, Some(86)));
    assert_eq!(delete_offset(&cluster, "t", 9).await, (0, Some(3)));
    assert_eq!(delete_offset(&cluster, "u", 0).await, (0, Some(0)));
    assert_eq!(fetch_all(&cluster).await, [("t".to_owned(), 0, 42)]);
    assert_eq!(leave(&cluster, &id, None).await, 0);
    assert_eq!(delete_offset(&cluster, "t", 0).await, (0, Some(0)));
    assert_eq!(fetch_all(&cluster).await, []);
}

#[tokio::test(start_paused = true)]
async fn groups_are_listed_described_and_deleted() {
    let cluster = cluster();
    assert_eq!(state(&cluster, 5).await, (0, "Dead".to_owned(), 0));
    assert_eq!(state(&cluster, 6).await, (69, "Dead".to_owned(), 0));
    let id = alone(&cluster).await;
    let list = async |states: &[&str], types: &[&str], version| {
        let texts = |values: &[&str]| values.iter().map(|v| text(*v)).collect();
        let request =
            ListGroupsRequest::default().with_states_filter(texts(states)).with_types_filter(texts(types));
        answer!(ListGroups, ask(&cluster, 1, request, version).await).groups
    };
    for version in 0..=5 {
        let groups = list(&[], &[], version).await;
        assert_eq!((groups[0].group_id.as_str(), groups[0].protocol_type.as_str()), ("g", "consumer"));
    }
    assert_eq!(list(&["Stable"], &["classic"], 5).await[0].group_state.as_str(), "Stable");
    assert_eq!(list(&["Empty"], &[], 4).await.len(), 0);
    assert_eq!(list(&[], &["consumer"], 5).await.len(), 0);
    let request = DescribeGroupsRequest::default().with_groups(vec![text("g").into()]);
    let group = answer!(DescribeGroups, ask(&cluster, 1, request, 4).await).groups.remove(0);
    assert_eq!(group.protocol_data.as_str(), "range");
    assert_eq!(group.members[0].member_assignment, Bytes::from_static(b"all"));
    assert_eq!(group.members[0].client_id.as_str(), "c");
    let delete = async || {
        let request = DeleteGroupsRequest::default().with_groups_names(vec![text("g").into()]);
        answer!(DeleteGroups, ask(&cluster, 1, request, 2).await).results[0].error_code
    };
    assert_eq!(delete().await, 68);
    assert_eq!(leave(&cluster, &id, None).await, 0);
    assert_eq!(delete().await, 0);
    assert_eq!(delete().await, 69);
    assert_eq!(list(&[], &[], 5).await.len(), 0);
}
