//! DescribeConfigs.

use std::collections::BTreeMap;

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::{ApiKey, DescribeConfigsRequest, DescribeConfigsResponse};

use super::{Refused, Resource, dynamic, resource};
use crate::api::{Context, code, text};
use crate::config::{ALL_BROKERS, BROKER_SETTINGS, Kind, Setting, topic_default, topic_settings};
use crate::state::State;

const API: ApiKey = ApiKey::DescribeConfigs;

/// Source of a value, by Kafka's numbers.
const OF_TOPIC: i8 = 1;
const OF_BROKER: i8 = 2;
const OF_ALL_BROKERS: i8 = 3;
const OF_PROPERTIES: i8 = 4;
const DEFAULT: i8 = 5;

/// A setting with all that gives it a value, the strongest first: name, value, source.
struct Described {
    name: String,
    kind: Kind,
    read_only: bool,
    /// Built in: nothing else gives one.
    default: Option<String>,
    synonyms: Vec<(String, String, i8)>,
}

pub(super) fn describe(context: &Context, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let synonyms = request.include_synonyms;
    let one = |asked: DescribeConfigsResource| {
        let answer = DescribeConfigsResult::default()
            .with_resource_type(asked.resource_type)
            .with_resource_name(asked.resource_name.clone());
        if let Some(code) = context.injected_error(API) {
            return answer.with_error_code(code);
        }
        match context.cluster.with(|state| settings(context, state, &asked)) {
            Ok(settings) => {
                answer.with_configs(settings.into_iter().map(|s| described(s, synonyms)).collect())
            }
            Err((error, message)) => {
                answer.with_error_code(code(error)).with_error_message(Some(text(message)))
            }
        }
    };
    let results = request.resources.into_iter().map(one).collect();
    DescribeConfigsResponse::default().with_throttle_time_ms(context.throttle_ms(API)).with_results(results)
}

fn described(setting: Described, synonyms: bool) -> DescribeConfigsResourceResult {
    let first = setting.synonyms.first();
    let (value, source) = match first {
        Some((_, value, source)) => (Some(value.clone()), *source),
        None => (setting.default, DEFAULT),
    };
    let synonym = |(name, value, source): (String, String, i8)| {
        DescribeConfigsSynonym::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
            .with_source(source)
    };
    let all = if synonyms { setting.synonyms } else { Vec::new() };
    DescribeConfigsResourceResult::default()
        .with_name(text(setting.name))
        .with_value(value.map(text))
        .with_read_only(setting.read_only)
        .with_config_source(source)
        .with_synonyms(all.into_iter().map(synonym).collect())
        .with_config_type(number(setting.kind))
}

/// Kafka's number of a type.
fn number(kind: Kind) -> i8 {
    match kind {
        Kind::Boolean => 1,
        Kind::String => 2,
        Kind::Int => 3,
        Kind::Long => 5,
        Kind::Double => 6,
        Kind::List => 7,
    }
}

fn settings(
    context: &Context,
    state: &State,
    asked: &DescribeConfigsResource,
) -> Result<Vec<Described>, Refused> {
    let mut settings = match resource(context, state, asked.resource_type, &asked.resource_name)? {
        Resource::Topic(topic) => of_topic(context, state, &topic),
        Resource::Broker(ALL_BROKERS) => of_all_brokers(state),
        Resource::Broker(id) => of_broker(state, id),
        Resource::Empty => Vec::new(),
    };
    if let Some(keys) = asked.configuration_keys.as_ref().filter(|keys| !keys.is_empty()) {
        settings.retain(|setting| keys.iter().any(|key| **key == *setting.name));
    }
    Ok(settings)
}

fn of_topic(context: &Context, state: &State, topic: &str) -> Vec<Described> {
    let own = state.topics.get(topic).map(|t| t.config.clone()).unwrap_or_default();
    let one = |setting: &'static Setting| {
        let own = own.get(setting.name).map(|v| (setting.name.to_owned(), v.clone(), OF_TOPIC));
        let of_broker = given(state, context.broker, setting.synonym);
        let default = topic_default(state.release, setting).to_owned();
        // The defaults of these are other settings', in hours.
        let elsewhere = matches!(setting.name, "retention.ms" | "segment.ms" | "segment.jitter.ms");
        let last = (!elsewhere && !setting.synonym.is_empty())
            .then(|| (setting.synonym.to_owned(), default.clone(), DEFAULT));
        Described {
            name: setting.name.to_owned(),
            kind: setting.kind,
            read_only: false,
            default: Some(default),
            synonyms: own.into_iter().chain(of_broker).chain(last).collect(),
        }
    };
    topic_settings(state.release).map(one).collect()
}

/// Sources of a broker setting's value, but for its default.
fn given(state: &State, broker: i32, name: &str) -> Vec<(String, String, i8)> {
    let dynamic = &state.dynamic;
    let all = [
        (dynamic.get(broker, name), OF_BROKER),
        (dynamic.get(ALL_BROKERS, name), OF_ALL_BROKERS),
        (dynamic.fixed(&state.properties, name), OF_PROPERTIES),
    ];
    let given = |(value, source): (Option<&str>, i8)| Some((name.to_owned(), value?.to_owned(), source));
    all.into_iter().filter_map(given).collect()
}

/// Broker settings that are known: name, type, default.
fn known(state: &State) -> BTreeMap<String, (Kind, Option<String>)> {
    let default = |value: &str| (kind_of(value), Some(value.to_owned()));
    let mut known: BTreeMap<_, _> =
        BROKER_SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), default(value))).collect();
    for setting in topic_settings(state.release).filter(|s| !s.synonym.is_empty()) {
        let value = topic_default(state.release, setting).to_owned();
        known.insert(setting.synonym.to_owned(), (setting.kind, Some(value)));
    }
    for (name, hours) in [("log.retention", "168"), ("log.roll", "168"), ("log.roll.jitter", "0")] {
        known.insert(format!("{name}.ms"), (Kind::Long, None));
        known.insert(format!("{name}.hours"), (Kind::Int, Some(hours.to_owned())));
    }
    for name in state.properties.keys() {
        known.entry(name.clone()).or_insert((Kind::String, None));
    }
    known
}

fn kind_of(value: &str) -> Kind {
    match value.parse::<i64>() {
        Ok(_) => Kind::Int,
        Err(_) if matches!(value, "true" | "false") => Kind::Boolean,
        Err(_) => Kind::String,
    }
}

fn of_broker(state: &State, id: i32) -> Vec<Described> {
    let one = |(name, (kind, default)): (String, (Kind, Option<String>))| {
        let last = default.clone().map(|value| (name.clone(), value, DEFAULT));
        let synonyms = given(state, id, &name).into_iter().chain(last).collect();
        Described { read_only: !dynamic(&name), name, kind, default, synonyms }
    };
    let fixed = Described {
        name: "broker.id".to_owned(),
        kind: Kind::Int,
        read_only: true,
        default: None,
        synonyms: vec![("broker.id".to_owned(), id.to_string(), OF_PROPERTIES)],
    };
    known(state).into_iter().map(one).chain([fixed]).collect()
}

/// Only what was changed for all brokers.
fn of_all_brokers(state: &State) -> Vec<Described> {
    let one = |(name, value): (String, String)| Described {
        kind: kind_of(&value),
        read_only: false,
        default: None,
        synonyms: vec![(name.clone(), value, OF_ALL_BROKERS)],
        name,
    };
    state.dynamic.all(ALL_BROKERS).into_iter().map(one).collect()
}
