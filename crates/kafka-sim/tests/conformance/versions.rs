//! Requests in every version that both releases speak, for the errors that come of writing an old answer.

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_request as single;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, AlterConfigsRequest, BrokerId,
    CreatePartitionsRequest, CreateTopicsRequest, DeleteGroupsRequest, DeleteRecordsRequest,
    DeleteTopicsRequest, DescribeConfigsRequest, EndTxnRequest, GroupId, IncrementalAlterConfigsRequest,
    InitProducerIdRequest, OffsetForLeaderEpochRequest, ProducerId, TransactionalId, TxnOffsetCommitRequest,
};

use crate::support::topics::creatable;
use crate::support::{T, code, name, text};

pub(crate) fn versions_of_topics(t: &mut T<'_>) {
    for version in 2..=7 {
        let topic = t.unique(&format!("made-{version}"));
        let request = CreateTopicsRequest::default()
            .with_topics(vec![creatable(&topic, 1, &[])])
            .with_timeout_ms(20_000);
        let result = t.client.call(version, &request).topics.remove(0);
        t.note(format!("create, version {version}"), code(result.error_code));
        let result = t.client.call(version, &request).topics.remove(0);
        t.note(format!("create again, version {version}"), code(result.error_code));
    }
    for version in 0..=3 {
        let topic = t.unique(&format!("made-{}", version + 2));
        let grown =
            CreatePartitionsTopic::default().with_name(name(&topic)).with_count(2).with_assignments(None);
        let request = CreatePartitionsRequest::default().with_topics(vec![grown]).with_timeout_ms(20_000);
        let result = t.client.call(version, &request).results.remove(0);
        t.note(format!("grow, version {version}"), code(result.error_code));
    }
    for version in 1..=6 {
        let topic = name(&t.unique(&format!("made-{}", version + 1)));
        let mut request = DeleteTopicsRequest::default().with_timeout_ms(20_000);
        match version {
            6 => request.topics = vec![DeleteTopicState::default().with_name(Some(topic))],
            _ => request.topic_names = vec![topic],
        }
        let result = t.client.call(version, &request).responses.remove(0);
        t.note(format!("delete, version {version}"), code(result.error_code));
    }
}

pub(crate) fn versions_of_records_and_epochs(t: &mut T<'_>) {
    let topic = t.topic("t");
    t.put(&topic, &crate::support::Batch::numbered(t.base, 5));
    for version in 0..=2 {
        let partition = DeleteRecordsPartition::default().with_offset(i64::from(version) + 1);
        let records = DeleteRecordsTopic::default().with_name(name(&topic)).with_partitions(vec![partition]);
        let request = DeleteRecordsRequest::default().with_topics(vec![records]).with_timeout_ms(20_000);
        let result = t.client.call(version, &request).topics.remove(0).partitions.remove(0);
        t.note(
            format!("delete records, version {version}"),
            format!("{} low {}", code(result.error_code), result.low_watermark),
        );
    }
    for version in 2..=4 {
        let partition =
            OffsetForLeaderPartition::default().with_current_leader_epoch(-1).with_leader_epoch(0);
        let asked = OffsetForLeaderTopic::default().with_topic(name(&topic)).with_partitions(vec![partition]);
        let mut request = OffsetForLeaderEpochRequest::default().with_topics(vec![asked]);
        if version >= 3 {
            request.replica_id = BrokerId(-1);
        }
        let result = t.client.call(version, &request).topics.remove(0).partitions.remove(0);
        let line =
            format!("{} epoch {} end {}", code(result.error_code), result.leader_epoch, result.end_offset);
        t.note(format!("end of an epoch, version {version}"), line);
    }
}

pub(crate) fn versions_of_configs(t: &mut T<'_>) {
    let topic = t.topic("t");
    for version in 1..=4 {
        let resource = DescribeConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text(&topic))
            .with_configuration_keys(Some(vec![text("retention.ms")]));
        let mut request = DescribeConfigsRequest::default().with_resources(vec![resource]);
        request.include_documentation = version >= 3;
        let result = t.client.call(version, &request).results.remove(0);
        let config = &result.configs[0];
        let value = config.value.as_ref().map_or("null".to_owned(), |value| value.to_string());
        let explained = config.documentation.as_ref().is_some_and(|text| !text.is_empty());
        let line =
            format!("{} {value} type {} explained {explained}", code(result.error_code), config.config_type);
        t.note(format!("describe, version {version}"), line);
    }
    for version in 0..=2 {
        let resource = AlterConfigsResource::default().with_resource_type(2).with_resource_name(text(&topic));
        let request = AlterConfigsRequest::default().with_resources(vec![resource]);
        let result = t.client.call(version, &request).responses.remove(0);
        t.note(format!("alter, version {version}"), code(result.error_code));
    }
    for version in 0..=1 {
        let resource =
            single::AlterConfigsResource::default().with_resource_type(2).with_resource_name(text(&topic));
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        let result = t.client.call(version, &request).responses.remove(0);
        t.note(format!("change, version {version}"), code(result.error_code));
    }
}

pub(crate) fn versions_of_transactions(t: &mut T<'_>) {
    let (topic, group) = (t.topic("t"), t.group("g"));
    let own = t.transactional("P1");
    let id = TransactionalId(text(&own.transaction));
    for version in 0..=t.by(4, 5) {
        let mut request = InitProducerIdRequest::default().with_transaction_timeout_ms(60_000);
        request.transactional_id = None;
        let answer = t.client.call(version, &request);
        t.note(format!("a producer id, version {version}"), code(answer.error_code));
    }
    for version in 0..=3 {
        let part = AddPartitionsToTxnTopic::default().with_name(name(&topic)).with_partitions(vec![0]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(id.clone())
            .with_v3_and_below_producer_id(ProducerId(own.id))
            .with_v3_and_below_producer_epoch(own.epoch)
            .with_v3_and_below_topics(vec![part]);
        let answer = t.until("the end of the transaction before", |t| {
            let answer = t.client.call(version, &request);
            let result = answer.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code;
            (result != 51).then_some(result)
        });
        t.note(format!("add a partition, version {version}"), code(answer));
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(id.clone())
            .with_producer_id(ProducerId(own.id))
            .with_producer_epoch(own.epoch)
            .with_group_id(GroupId(text(&group)));
        let answer = t.client.call(version, &request);
        t.note(format!("add a group, version {version}"), code(answer.error_code));
        let partition = TxnOffsetCommitRequestPartition::default()
            .with_committed_offset(1)
            .with_committed_leader_epoch(-1)
            .with_committed_metadata(None);
        let offsets =
            TxnOffsetCommitRequestTopic::default().with_name(name(&topic)).with_partitions(vec![partition]);
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(id.clone())
            .with_group_id(GroupId(text(&group)))
            .with_producer_id(ProducerId(own.id))
            .with_producer_epoch(own.epoch)
            .with_generation_id(-1)
            .with_topics(vec![offsets]);
        let answer = t.client.call(version, &request);
        t.note(format!("offsets, version {version}"), code(answer.topics[0].partitions[0].error_code));
        let request = EndTxnRequest::default()
            .with_transactional_id(id.clone())
            .with_producer_id(ProducerId(own.id))
            .with_producer_epoch(own.epoch)
            .with_committed(version % 2 == 0);
        let answer = t.client.call(version, &request);
        t.note(format!("end, version {version}"), code(answer.error_code));
    }
    for version in 0..=2 {
        let request = DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text("nobody's"))]);
        let answer = t.client.call(version, &request).results.remove(0);
        t.note(format!("delete a group, version {version}"), code(answer.error_code));
    }
}
