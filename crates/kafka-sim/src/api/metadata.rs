//! Metadata.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{ApiKey, BrokerId, MetadataRequest, MetadataResponse, TopicName};

use super::produce::is_internal;
use super::{Context, cluster, code, text, topics};
use crate::state::{State, Topic};

pub(super) fn metadata(context: &Context, request: MetadataRequest, version: i16) -> MetadataResponse {
    // Before version 4 there is no choice.
    let create = version < 4 || request.allow_auto_topic_creation;
    let authorised = request.include_topic_authorized_operations;
    let of_cluster =
        if request.include_cluster_authorized_operations { cluster::OPERATIONS } else { i32::MIN };
    // In version 0 an empty list means all.
    let wanted = request.topics.filter(|topics| version > 0 || !topics.is_empty());
    let injected = |name: &str| context.injected(ApiKey::Metadata, name, -1);
    context.cluster.with(|state| {
        let topics = match wanted {
            None => {
                let names: Vec<String> = state.topics.keys().cloned().collect();
                names.iter().map(|name| describe(state, name, &state.topics[name], version)).collect()
            }
            Some(wanted) => {
                distinct(&wanted).map(|topic| one(state, topic, create, version)).collect::<Vec<_>>()
            }
        };
        let finish = |topic: MetadataResponseTopic| {
            let error = topic.name.as_ref().and_then(|name| injected(name));
            let topic = match error {
                Some(error) => MetadataResponseTopic::default().with_name(topic.name).with_error_code(error),
                None => topic,
            };
            topic.with_topic_authorized_operations(if authorised { 0xdf8 } else { i32::MIN })
        };
        MetadataResponse::default()
            .with_brokers(state.brokers.iter().filter(|(_, b)| b.up).map(broker).collect())
            .with_cluster_id(Some(text(&*state.cluster_id)))
            .with_controller_id(state.controller().into())
            .with_topics(topics.into_iter().map(finish).collect())
            .with_cluster_authorized_operations(of_cluster)
            .with_throttle_time_ms(context.throttle_ms(ApiKey::Metadata))
    })
}

/// A topic that is named twice is described once.
fn distinct(wanted: &[MetadataRequestTopic]) -> impl Iterator<Item = &MetadataRequestTopic> {
    let mut seen = BTreeSet::new();
    wanted.iter().filter(move |topic| seen.insert((topic.name.as_deref(), topic.topic_id)))
}

fn broker((id, broker): (&i32, &crate::state::Broker)) -> MetadataResponseBroker {
    MetadataResponseBroker::default()
        .with_node_id((*id).into())
        .with_host(text(&*broker.host))
        .with_port(i32::from(broker.port))
        .with_rack(broker.rack.as_deref().map(text))
}

fn one(
    state: &mut State,
    wanted: &MetadataRequestTopic,
    create: bool,
    version: i16,
) -> MetadataResponseTopic {
    let failed = |name: Option<TopicName>, error: ResponseError| {
        let answer = MetadataResponseTopic::default().with_name(name).with_topic_id(wanted.topic_id);
        answer.with_error_code(code(error))
    };
    let name = match &wanted.name {
        Some(name) => name.to_string(),
        None => match state.topic_by_id(wanted.topic_id) {
            Some((name, _)) => name.clone(),
            None => return failed(None, ResponseError::UnknownTopicId),
        },
    };
    if let Some(topic) = state.topics.get(&name) {
        return describe(state, &name, topic, version);
    }
    let answer = Some(TopicName(text(&*name)));
    if topics::name_error(&name).is_some() {
        return failed(answer, ResponseError::InvalidTopicException);
    }
    if create && state.broker_setting("auto.create.topics.enable") == "true" {
        topics::create_automatically(state, &name);
        // Those who ask again find it.
        return failed(answer, ResponseError::LeaderNotAvailable);
    }
    failed(answer, ResponseError::UnknownTopicOrPartition)
}

fn describe(state: &State, name: &str, topic: &Topic, version: i16) -> MetadataResponseTopic {
    let up = |id: &i32| state.is_up(*id);
    let ids = |ids: &mut dyn Iterator<Item = i32>| ids.map(BrokerId).collect::<Vec<_>>();
    let partition = |(index, p): (usize, &crate::state::Partition)| {
        let error = match p.leader {
            -1 if version >= 1 => code(ResponseError::LeaderNotAvailable),
            -1 => code(ResponseError::ReplicaNotAvailable),
            _ => 0,
        };
        MetadataResponsePartition::default()
            .with_error_code(error)
            .with_partition_index(index as i32)
            .with_leader_id(p.leader.into())
            .with_leader_epoch(p.leader_epoch)
            .with_replica_nodes(ids(&mut p.replicas.iter().copied()))
            .with_isr_nodes(ids(&mut p.replicas.iter().copied().filter(|id| up(id))))
            .with_offline_replicas(ids(&mut p.replicas.iter().copied().filter(|id| !up(id))))
    };
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(text(name))))
        .with_topic_id(topic.id)
        .with_is_internal(is_internal(name))
        .with_partitions(topic.partitions.iter().enumerate().map(partition).collect())
}
