//! CreateTopics, DeleteTopics, CreatePartitions, and topics that come into being by being asked for.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{
    ApiKey, CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse, TopicName,
};
use uuid::Uuid;

use super::{Context, code, text};
use crate::config;
use crate::protocol::Release;
use crate::state::State;

/// An error with words.
type Refused = (ResponseError, String);

/// A topic that may be created.
struct Draft {
    name: String,
    replicas: Vec<Vec<i32>>,
    config: BTreeMap<String, String>,
}

/// Kafka's complaint about a topic's name, if it has one.
pub(crate) fn name_error(name: &str) -> Option<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match name {
        "" => Some("Topic name is invalid: the empty string is not allowed".to_owned()),
        "." | ".." => Some(format!("Topic name is invalid: '{name}' is not allowed")),
        _ if name.len() > 249 => {
            Some(format!("Topic name is invalid: its length is {}, more than 249", name.len()))
        }
        _ if !name.chars().all(legal) => Some(format!(
            "Topic name '{name}' contains characters other than ASCII alphanumerics, '.', '_' and '-'"
        )),
        _ => None,
    }
}

/// A topic with the brokers' defaults.
pub(crate) fn create_automatically(state: &mut State, name: &str) {
    let partitions = state.broker_number("num.partitions").max(1) as usize;
    let factor = state.broker_number("default.replication.factor").max(1) as usize;
    let replicas = state.place(0, partitions, factor);
    state.add_topic(name, replicas, BTreeMap::new());
}

pub(super) fn create(context: &Context, request: CreateTopicsRequest, version: i16) -> CreateTopicsResponse {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<TopicName> =
        request.topics.iter().map(|t| t.name.clone()).filter(|name| !seen.insert(name.clone())).collect();
    let injected = context.injected_error(ApiKey::CreateTopics);
    let release = context.cluster.with(|state| state.release);
    let mut results = Vec::new();
    for topic in request.topics {
        if twice.contains(&topic.name) {
            if release >= Release::V4_3 && results.iter().any(|r: &CreatableTopicResult| r.name == topic.name)
            {
                continue;
            }
            let said = "Duplicate topic name.".to_owned();
            results.push(refused(topic.name, code(ResponseError::InvalidRequest), said));
            continue;
        }
        if let Some(error) = injected {
            results.push(refused(topic.name, error, "as a test wants it".to_owned()));
            continue;
        }
        results.push(context.cluster.with(|state| create_one(state, &topic, request.validate_only, version)));
    }
    CreateTopicsResponse::default()
        .with_topics(results)
        .with_throttle_time_ms(context.throttle_ms(ApiKey::CreateTopics))
}

fn refused(name: TopicName, error: i16, message: String) -> CreatableTopicResult {
    CreatableTopicResult::default()
        .with_name(name)
        .with_error_code(error)
        .with_error_message(Some(text(message)))
        .with_num_partitions(-1)
        .with_replication_factor(-1)
        .with_configs(Some(Vec::new()))
}

fn create_one(
    state: &mut State,
    topic: &CreatableTopic,
    validate_only: bool,
    version: i16,
) -> CreatableTopicResult {
    let draft = match draft(state, topic) {
        Ok(draft) => draft,
        Err((error, message)) => return refused(topic.name.clone(), code(error), message),
    };
    let (partitions, factor) = (draft.replicas.len() as i32, draft.replicas[0].len() as i16);
    let name = draft.name.clone();
    let own = draft.config.clone();
    if !validate_only {
        state.add_topic(&draft.name, draft.replicas, draft.config);
    }
    let described = |setting: &config::Setting| {
        let value = config::topic_value(state.release, &state.properties, &own, setting.name);
        CreatableTopicConfigs::default()
            .with_name(text(setting.name))
            .with_value(Some(text(value)))
            // 1: the topic's own, 5: a default.
            .with_config_source(if own.contains_key(setting.name) { 1 } else { 5 })
    };
    let configs = (version >= 5).then(|| config::topic_settings(state.release).map(described).collect());
    let id = match state.topics.get(&name) {
        Some(topic) => topic.id,
        // 4.3 gives an id to what might have been.
        None if state.release >= Release::V4_3 => state.new_id(),
        None => Uuid::nil(),
    };
    CreatableTopicResult::default()
        .with_name(topic.name.clone())
        .with_error_message(None)
        .with_topic_id(id)
        .with_num_partitions(partitions)
        .with_replication_factor(factor)
        .with_configs(configs)
}

fn draft(state: &State, topic: &CreatableTopic) -> Result<Draft, Refused> {
    let name = topic.name.to_string();
    if let Some(message) = name_error(&name) {
        return Err((ResponseError::InvalidTopicException, message));
    }
    if state.topics.contains_key(&name) {
        return Err((ResponseError::TopicAlreadyExists, format!("Topic '{name}' already exists.")));
    }
    let plain = |name: &str| name.replace('.', "_");
    if let Some(other) = state.topics.keys().find(|other| plain(other) == plain(&name)) {
        let message = format!("Topic '{name}' collides with existing topic: {other}");
        return Err((ResponseError::InvalidTopicException, message));
    }
    let replicas = if topic.assignments.is_empty() { spread(state, topic)? } else { assigned(state, topic)? };
    let mut own = BTreeMap::new();
    for setting in &topic.configs {
        let Some(value) = &setting.value else {
            let message = format!("Null value not supported for topic configs: {}", &*setting.name);
            return Err((ResponseError::InvalidConfig, message));
        };
        config::validate(state.release, &setting.name, value)
            .map_err(|m| (ResponseError::InvalidConfig, m))?;
        own.insert(setting.name.to_string(), value.to_string());
    }
    Ok(Draft { name, replicas, config: own })
}

/// Partitions and replication factor as numbers; -1 is the broker's default.
fn spread(state: &State, topic: &CreatableTopic) -> Result<Vec<Vec<i32>>, Refused> {
    let or_default = |value: i64, name: &str| if value == -1 { state.broker_number(name) } else { value };
    let partitions = or_default(i64::from(topic.num_partitions), "num.partitions");
    let factor = or_default(i64::from(topic.replication_factor), "default.replication.factor");
    let up = state.brokers.values().filter(|b| b.up).count() as i64;
    if partitions <= 0 {
        let message = "Number of partitions was set to an invalid non-positive value.".to_owned();
        return Err((ResponseError::InvalidPartitions, message));
    }
    if factor <= 0 {
        let message = "Replication factor must be larger than 0, or -1 to use the default value.".to_owned();
        return Err((ResponseError::InvalidReplicationFactor, message));
    }
    if factor > up {
        let message = format!(
            "Unable to replicate the partition {factor} time(s): only {up} broker(s) are registered."
        );
        return Err((ResponseError::InvalidReplicationFactor, message));
    }
    Ok(state.place(0, partitions as usize, factor as usize))
}

/// Replicas as the request has them.
fn assigned(state: &State, topic: &CreatableTopic) -> Result<Vec<Vec<i32>>, Refused> {
    if topic.num_partitions != -1 || topic.replication_factor != -1 {
        let message =
            "Both partitions or replicas and assignments were set; use one or the other.".to_owned();
        return Err((ResponseError::InvalidRequest, message));
    }
    let wrong = |message: String| (ResponseError::InvalidReplicaAssignment, message);
    let mut by_partition = BTreeMap::new();
    for assignment in &topic.assignments {
        let ids: Vec<i32> = assignment.broker_ids.iter().map(|id| id.0).collect();
        check_replicas(state, &ids)?;
        by_partition.insert(assignment.partition_index, ids);
    }
    let dense = by_partition.keys().copied().eq(0..topic.assignments.len() as i32);
    if !dense {
        return Err(wrong("partitions should be a consecutive 0-based integer sequence".to_owned()));
    }
    Ok(by_partition.into_values().collect())
}

fn check_replicas(state: &State, ids: &[i32]) -> Result<(), Refused> {
    let unique: BTreeSet<&i32> = ids.iter().collect();
    let known = ids.iter().all(|id| state.brokers.contains_key(id));
    if ids.is_empty() || unique.len() != ids.len() || !known {
        let message = format!("{ids:?} are not different brokers that exist");
        return Err((ResponseError::InvalidReplicaAssignment, message));
    }
    Ok(())
}

pub(super) fn delete(context: &Context, request: DeleteTopicsRequest, version: i16) -> DeleteTopicsResponse {
    let by_name = |name: TopicName| DeleteTopicState::default().with_name(Some(name));
    let topics =
        if version >= 6 { request.topics } else { request.topic_names.into_iter().map(by_name).collect() };
    let injected = context.injected_error(ApiKey::DeleteTopics);
    let results = context.cluster.with(|state| match state.release {
        Release::V3_9 => delete_leniently(state, topics, injected),
        Release::V4_3 => delete_strictly(state, topics, injected),
    });
    DeleteTopicsResponse::default()
        .with_responses(results)
        .with_throttle_time_ms(context.throttle_ms(ApiKey::DeleteTopics))
}

/// As 3.9 does it: a topic that is named twice is deleted, and both answers say so; who names it is not told
/// its id.
fn delete_leniently(
    state: &mut State,
    topics: Vec<DeleteTopicState>,
    injected: Option<i16>,
) -> Vec<DeletableTopicResult> {
    let mut deleted = BTreeSet::new();
    let one = |topic: DeleteTopicState| {
        let name = topic.name.clone();
        if name.as_ref().is_some_and(|name| deleted.contains(name)) {
            return DeletableTopicResult::default().with_name(name);
        }
        let result = delete_one(state, topic, injected);
        match name {
            Some(name) if result.error_code == 0 => {
                deleted.insert(name);
                result.with_topic_id(Uuid::nil())
            }
            _ => result,
        }
    };
    topics.into_iter().map(one).collect()
}

/// As 4.3 does it: what is named twice is refused, with one answer.
fn delete_strictly(
    state: &mut State,
    topics: Vec<DeleteTopicState>,
    injected: Option<i16>,
) -> Vec<DeletableTopicResult> {
    let key = |topic: &DeleteTopicState| (topic.name.clone(), topic.topic_id);
    let mut counts = BTreeMap::new();
    topics.iter().for_each(|topic| *counts.entry(key(topic)).or_insert(0) += 1);
    let mut results = Vec::new();
    for topic in topics {
        match counts.remove(&key(&topic)) {
            Some(1) => results.push(delete_one(state, topic, injected)),
            Some(_) => results.push(
                DeletableTopicResult::default()
                    .with_name(topic.name)
                    .with_topic_id(topic.topic_id)
                    .with_error_code(code(ResponseError::InvalidRequest))
                    .with_error_message(Some(text("Duplicate topic name."))),
            ),
            None => {}
        }
    }
    results
}

fn delete_one(state: &mut State, topic: DeleteTopicState, injected: Option<i16>) -> DeletableTopicResult {
    let answer = DeletableTopicResult::default().with_name(topic.name.clone()).with_topic_id(topic.topic_id);
    let failed = |error: ResponseError| answer.clone().with_error_code(code(error));
    if let Some(error) = injected {
        return answer.with_error_code(error);
    }
    if state.broker_setting("delete.topic.enable") != "true" {
        return failed(ResponseError::TopicDeletionDisabled);
    }
    let name = match &topic.name {
        Some(name) => name.to_string(),
        None => match state.topic_by_id(topic.topic_id) {
            Some((name, _)) => name.clone(),
            None => return failed(ResponseError::UnknownTopicId),
        },
    };
    match state.topics.remove(&name) {
        Some(gone) => {
            state.groups.forget_topic(&name);
            state.touch();
            answer.with_name(Some(TopicName(text(name)))).with_topic_id(gone.id)
        }
        None => failed(ResponseError::UnknownTopicOrPartition),
    }
}

pub(super) fn create_partitions(
    context: &Context,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let injected = context.injected_error(ApiKey::CreatePartitions);
    let one = |topic: CreatePartitionsTopic| {
        let answer = CreatePartitionsTopicResult::default().with_name(topic.name.clone());
        if let Some(error) = injected {
            return answer.with_error_code(error);
        }
        match context.cluster.with(|state| grow(state, &topic, request.validate_only)) {
            Ok(()) => answer,
            Err((error, message)) => {
                answer.with_error_code(code(error)).with_error_message(Some(text(message)))
            }
        }
    };
    CreatePartitionsResponse::default()
        .with_results(request.topics.into_iter().map(one).collect())
        .with_throttle_time_ms(context.throttle_ms(ApiKey::CreatePartitions))
}

fn grow(state: &mut State, topic: &CreatePartitionsTopic, validate_only: bool) -> Result<(), Refused> {
    let Some(existing) = state.topics.get(topic.name.as_str()) else {
        let message = "This server does not host this topic-partition.".to_owned();
        return Err((ResponseError::UnknownTopicOrPartition, message));
    };
    let now = existing.partitions.len();
    let factor = existing.partitions.first().map_or(1, |p| p.replicas.len());
    let wanted = usize::try_from(topic.count).unwrap_or(0);
    if wanted <= now {
        let message =
            format!("The topic currently has {now} partition(s); {} would not be an increase.", topic.count);
        return Err((ResponseError::InvalidPartitions, message));
    }
    let replicas = match &topic.assignments {
        None => state.place(now, wanted - now, factor),
        Some(assignments) => {
            let ids: Vec<Vec<i32>> =
                assignments.iter().map(|a| a.broker_ids.iter().map(|id| id.0).collect()).collect();
            if ids.len() != wanted - now {
                let message = format!("{} partitions were assigned, {} are new", ids.len(), wanted - now);
                return Err((ResponseError::InvalidReplicaAssignment, message));
            }
            ids.iter().try_for_each(|ids| check_replicas(state, ids))?;
            ids
        }
    };
    if validate_only {
        return Ok(());
    }
    let new: Vec<_> = replicas.into_iter().map(|replicas| state.new_partition(replicas)).collect();
    if let Some(topic) = state.topics.get_mut(topic.name.as_str()) {
        topic.partitions.extend(new);
    }
    state.touch();
    Ok(())
}
