//! AlterConfigs, which names all settings that a resource is to have, and IncrementalAlterConfigs, which
//! names changes.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse as Altered;
use kafka_protocol::messages::incremental_alter_configs_request::AlterableConfig;
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse as Changed;
use kafka_protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, ApiKey, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};

use super::{Refused, Resource, dynamic, resource};
use crate::api::{Context, code, text};
use crate::config::{self, ALL_BROKERS, BROKER_SETTINGS, Kind, topic_setting};
use crate::state::State;

/// Settings of a resource.
type Settings = BTreeMap<String, String>;

pub(super) fn alter(context: &Context, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let throttle = context.throttle_ms(ApiKey::AlterConfigs);
    let one = |asked: kafka_protocol::messages::alter_configs_request::AlterConfigsResource| {
        let (kind, name) = (asked.resource_type, asked.resource_name.clone());
        let wanted =
            asked.configs.iter().map(|c| (c.name.to_string(), c.value.as_ref().map(|v| v.to_string())));
        let wanted: Vec<_> = wanted.collect();
        let replace = |_: &State, _: &Resource, _: &Settings| whole(wanted);
        let outcome = apply(context, ApiKey::AlterConfigs, kind, &name, request.validate_only, replace);
        let (error, message) = outcome.err().unwrap_or((0, None));
        Altered::default()
            .with_resource_type(kind)
            .with_resource_name(name)
            .with_error_code(error)
            .with_error_message(message.map(text))
    };
    let responses = request.resources.into_iter().map(one).collect();
    AlterConfigsResponse::default().with_throttle_time_ms(throttle).with_responses(responses)
}

pub(super) fn change(
    context: &Context,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    const API: ApiKey = ApiKey::IncrementalAlterConfigs;
    let throttle = context.throttle_ms(API);
    let one = |asked: kafka_protocol::messages::incremental_alter_configs_request::AlterConfigsResource| {
        let (kind, name) = (asked.resource_type, asked.resource_name.clone());
        let edit =
            |state: &State, resource: &Resource, own: &Settings| edited(state, resource, own, &asked.configs);
        let outcome = apply(context, API, kind, &name, request.validate_only, edit);
        let (error, message) = outcome.err().unwrap_or((0, None));
        Changed::default()
            .with_resource_type(kind)
            .with_resource_name(name)
            .with_error_code(error)
            .with_error_message(message.map(text))
    };
    let responses = request.resources.into_iter().map(one).collect();
    IncrementalAlterConfigsResponse::default().with_throttle_time_ms(throttle).with_responses(responses)
}

/// Gives a resource the settings that `edit` makes of those it has, unless that is only to be tried.
fn apply(
    context: &Context,
    api: ApiKey,
    kind: i8,
    name: &str,
    validate_only: bool,
    edit: impl FnOnce(&State, &Resource, &Settings) -> Result<Settings, Refused>,
) -> Result<(), (i16, Option<String>)> {
    if let Some(code) = context.injected_error(api) {
        return Err((code, None));
    }
    let outcome = context.cluster.with(|state| {
        let resource = resource(context, state, kind, name)?;
        let own = match &resource {
            Resource::Topic(topic) => state.topics.get(topic).map(|t| t.config.clone()).unwrap_or_default(),
            Resource::Broker(id) => state.dynamic.all(*id),
            Resource::Empty => {
                let message = format!("Settings of resource type {kind} cannot be changed here");
                return Err((ResponseError::InvalidRequest, message));
            }
        };
        let wanted = edit(state, &resource, &own)?;
        check(state, &resource, &own, &wanted)?;
        if !validate_only {
            store(state, &resource, &own, wanted);
        }
        Ok(())
    });
    outcome.map_err(|(error, message)| (code(error), Some(message)))
}

fn whole(wanted: Vec<(String, Option<String>)>) -> Result<Settings, Refused> {
    let one = |(name, value): (String, Option<String>)| match value {
        Some(value) => Ok((name, value)),
        None => Err((ResponseError::InvalidRequest, format!("Null value not supported for : {name}"))),
    };
    wanted.into_iter().map(one).collect()
}

fn edited(
    state: &State,
    resource: &Resource,
    own: &Settings,
    changes: &[AlterableConfig],
) -> Result<Settings, Refused> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = changes.iter().find(|c| !seen.insert(c.name.to_string())) {
        let message = format!("Error due to duplicate config keys: {}", &*twice.name);
        return Err((ResponseError::InvalidRequest, message));
    }
    let mut settings = own.clone();
    for change in changes {
        let name = change.name.to_string();
        let value = change.value.as_ref().map(ToString::to_string);
        if value.is_none() && change.config_operation != 1 {
            let message = format!("Null value not supported for : {name}");
            return Err((ResponseError::InvalidRequest, message));
        }
        let value = value.unwrap_or_default();
        match change.config_operation {
            0 => _ = settings.insert(name, value),
            1 => _ = settings.remove(&name),
            2 | 3 => {
                let current = list(state, resource, own, &name)?;
                let changed = combined(&current, &value, change.config_operation == 2);
                settings.insert(name, changed);
            }
            odd => {
                let message = format!("Unknown operation {odd}");
                return Err((ResponseError::UnknownServerError, message));
            }
        }
    }
    Ok(settings)
}

/// The value of a list that is in force, before it is added to or taken from.
fn list(state: &State, resource: &Resource, own: &Settings, name: &str) -> Result<String, Refused> {
    let setting = match resource {
        Resource::Topic(_) => topic_setting(name),
        _ => config::TOPIC_SETTINGS.iter().find(|s| s.synonym == name),
    };
    let Some(setting) = setting.filter(|s| s.kind == Kind::List) else {
        let message = format!("Config value append is not allowed for config key: {name}");
        return Err((ResponseError::InvalidConfig, message));
    };
    let in_force = config::topic_value(state.release, &state.properties, own, setting.name);
    Ok(own.get(name).cloned().unwrap_or_else(|| in_force.to_owned()))
}

fn combined(current: &str, value: &str, add: bool) -> String {
    let parts = |list: &str| {
        let parts = list.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut all = parts(current);
    for part in parts(value) {
        let known = all.contains(&part);
        if add && !known {
            all.push(part);
        } else if !add && known {
            all.retain(|known| *known != part);
        }
    }
    all.join(",")
}

/// Whether a resource may have these settings; those that do not change are not asked about.
fn check(state: &State, resource: &Resource, own: &Settings, wanted: &Settings) -> Result<(), Refused> {
    for (name, value) in wanted.iter().filter(|(name, value)| own.get(*name) != Some(*value)) {
        match resource {
            Resource::Topic(_) => config::validate(state.release, name, value)
                .map_err(|message| (ResponseError::InvalidConfig, message))?,
            _ => check_broker(state, name, value)?,
        }
    }
    Ok(())
}

fn check_broker(state: &State, name: &str, value: &str) -> Result<(), Refused> {
    let fixed = |known: &&(&str, &str)| known.0 == name;
    if !dynamic(name) && (name == "broker.id" || BROKER_SETTINGS.iter().any(|known| fixed(&known))) {
        let message = format!("Cannot update these configs dynamically: Set({name})");
        return Err((ResponseError::InvalidRequest, message));
    }
    match config::TOPIC_SETTINGS.iter().find(|s| s.synonym == name) {
        Some(setting) => config::validate(state.release, setting.name, value)
            .map_err(|message| (ResponseError::InvalidRequest, message)),
        None => Ok(()),
    }
}

fn store(state: &mut State, resource: &Resource, own: &Settings, wanted: Settings) {
    match resource {
        Resource::Topic(topic) => {
            if let Some(topic) = state.topics.get_mut(topic) {
                topic.config = wanted;
            }
        }
        Resource::Broker(id) => {
            let id = if *id < 0 { ALL_BROKERS } else { *id };
            for name in own.keys().filter(|name| !wanted.contains_key(*name)) {
                state.dynamic.change(&mut state.properties, id, name, None);
            }
            for (name, value) in wanted {
                state.dynamic.change(&mut state.properties, id, &name, Some(value));
            }
        }
        Resource::Empty => {}
    }
    state.touch();
}
