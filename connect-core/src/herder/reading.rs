//! Answers about connectors, put together from what is configured and what statuses say; the same for both kinds of
//! herders.

use java::json::in_hash_order;
use tracing::warn;

use crate::answers::{BAD_REQUEST_CLASS, HerderError};
use crate::answers::{
    ConfigInfos, ConnectorInfo, ConnectorKind, ConnectorOffsets, ConnectorStateInfo, ConnectorTaskId,
    OffsetEntry, StateInfo, TaskInfo, TaskStateInfo,
};
use crate::api::{ConfigMap, ConnectError, ConnectorOffset, ConnectorType};
use crate::plugins::Plugins;
use crate::storage::{ConfigState, Properties, StatusId, StatusStore};
use crate::validation::{self, Rules};
use crate::worker::{ClientKind, Worker};

/// Which way a connector's data goes, by its class.
pub(super) fn kind(config: Option<&Properties>, plugins: &Plugins) -> ConnectorKind {
    let class = config.and_then(|config| config.get("connector.class")?.as_deref());
    match class.and_then(|class| plugins.connector(class).ok()).map(|plugin| plugin.kind()) {
        Some(ConnectorType::Source) => ConnectorKind::Source,
        Some(ConnectorType::Sink) => ConnectorKind::Sink,
        None => ConnectorKind::Unknown,
    }
}

/// `GET /connectors/{c}`.
pub(super) fn connector_info(
    state: &ConfigState,
    plugins: &Plugins,
    name: &str,
) -> Result<ConnectorInfo, HerderError> {
    let config = state.connector(name).ok_or_else(|| HerderError::unknown_connector(name))?;
    let task = |(task, _)| ConnectorTaskId { connector: name.to_owned(), task };
    Ok(ConnectorInfo {
        name: name.to_owned(),
        config: config.clone(),
        tasks: state.tasks(name).into_iter().enumerate().map(task).collect(),
        kind: kind(Some(config), plugins),
    })
}

/// `GET /connectors/{c}/tasks`.
pub(super) fn task_infos(state: &ConfigState, name: &str) -> Result<Vec<TaskInfo>, HerderError> {
    if state.connector(name).is_none() {
        return Err(HerderError::unknown_connector(name));
    }
    let info = |(task, config): (usize, &Properties)| TaskInfo {
        id: ConnectorTaskId { connector: name.to_owned(), task },
        config: config.clone(),
    };
    Ok(state.tasks(name).into_iter().enumerate().map(info).collect())
}

/// `GET /connectors/{c}/status`.
pub(super) fn connector_state(
    state: &ConfigState,
    plugins: &Plugins,
    statuses: &StatusStore,
    name: &str,
) -> Result<ConnectorStateInfo, HerderError> {
    let connector = statuses.get(&StatusId::Connector(name.to_owned()));
    let connector = connector.ok_or_else(|| no_status(name))?;
    let task = |(id, status)| TaskStateInfo { id, state: StateInfo::from(status) };
    Ok(ConnectorStateInfo {
        name: name.to_owned(),
        connector: connector.into(),
        tasks: statuses.tasks(name).into_iter().map(task).collect(),
        kind: kind(state.connector(name), plugins),
    })
}

/// `GET /connectors/{c}/tasks/{n}/status`.
pub(super) fn task_state(
    statuses: &StatusStore,
    name: &str,
    task: usize,
) -> Result<TaskStateInfo, HerderError> {
    let status = statuses.get(&StatusId::Task(name.to_owned(), task));
    let missing = || HerderError::NotFound(format!("No status found for task {name}-{task}"));
    Ok(TaskStateInfo { id: task, state: status.ok_or_else(missing)?.into() })
}

/// `GET /connectors/{c}/offsets`.
pub(super) async fn connector_offsets(
    worker: &Worker,
    name: &str,
    config: &ConfigMap,
) -> Result<ConnectorOffsets, HerderError> {
    let offsets = worker.connector_offsets(name, config).await.map_err(failed)?;
    let entry = |o: ConnectorOffset| OffsetEntry {
        partition: Some(in_hash_order(&o.partition)),
        offset: o.offset.as_ref().map(in_hash_order),
    };
    Ok(ConnectorOffsets { offsets: offsets.into_iter().map(entry).collect() })
}

/// Changes (`Some`) or resets offsets; the message for the client.
pub(super) async fn alter_offsets(
    worker: &Worker,
    name: &str,
    config: &ConfigMap,
    offsets: Option<ConnectorOffsets>,
) -> Result<String, HerderError> {
    let is_sink = worker.plugin(config).is_ok_and(|plugin| plugin.kind() == ConnectorType::Sink);
    let stored = |entry: OffsetEntry| {
        if entry.partition.is_none() && is_sink {
            let message = "The partition for a sink connector offset cannot be null or missing";
            return Err(HerderError::BadRequest(message.to_owned()));
        }
        if entry.partition.is_none() && entry.offset.is_some() {
            return Err(HerderError::other("Partition objects cannot be null"));
        }
        Ok(ConnectorOffset {
            partition: in_hash_order(&entry.partition.unwrap_or_default()),
            offset: entry.offset.as_ref().map(in_hash_order),
        })
    };
    let offsets =
        offsets.map(|all| all.offsets.into_iter().map(stored).collect::<Result<_, _>>()).transpose()?;
    worker.alter_connector_offsets(name, config, offsets).await.map_err(failed)
}

/// Checks a connector's configuration by everything that this worker knows.
pub(super) async fn validate(worker: &Worker, config: &Properties) -> Result<ConfigInfos, HerderError> {
    let settings = worker.settings();
    let kinds = ClientKind::ALL;
    let forbidden = |prefix: &str, config: &ConfigMap| {
        let kind = kinds.into_iter().find(|kind| kind.override_prefix() == prefix);
        kind.map(|kind| settings.override_policy.violations(kind, config)).unwrap_or_default()
    };
    let rules = Rules {
        plugins: worker.plugins(),
        group_id: settings.group_id.as_deref(),
        exactly_once: settings.exactly_once,
        forbidden: &forbidden,
        resolve: &|config| worker.variables().resolve(config),
    };
    validation::validate(&rules, config).await
}

/// An error of the worker as an answer, which has no causes: they are in the log.
fn failed(error: ConnectError) -> HerderError {
    match error.class() {
        BAD_REQUEST_CLASS => HerderError::BadRequest(error.to_string()),
        class => {
            warn!("{error}");
            HerderError::Other { class: class.to_owned(), message: error.message().to_owned() }
        }
    }
}

/// A stored configuration as connectors get it; null values are left out.
pub(super) fn plain(properties: &Properties) -> ConfigMap {
    properties.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect()
}

/// 404 of a status.
pub(super) fn no_status(name: &str) -> HerderError {
    HerderError::NotFound(format!("No status found for connector {name}"))
}
