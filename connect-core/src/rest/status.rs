//! `GET /connectors/{c}/status` and `/connectors/{c}/tasks/{n}/status`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;

use super::{ApiError, RestState};
use crate::storage::{State as Lifecycle, Status};

#[derive(Serialize)]
pub(super) struct ConnectorStatus {
    name: String,
    connector: StateBody,
    tasks: Vec<TaskStatus>,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
pub(super) struct TaskStatus {
    id: usize,
    #[serde(flatten)]
    state: StateBody,
}

#[derive(Serialize)]
struct StateBody {
    state: Lifecycle,
    worker_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl From<Status> for StateBody {
    fn from(status: Status) -> Self {
        let trace = status.trace.filter(|trace| !trace.is_empty());
        Self { state: status.state, worker_id: status.worker_id, trace, version: status.version }
    }
}

/// A connector's status, or the 404 that Connect answers.
pub(super) fn status_of(state: &RestState, name: &str) -> Result<ConnectorStatus, ApiError> {
    let missing = || ApiError::not_found(format!("No status found for connector {name}"));
    let connector = state.view.connector_status(name).ok_or_else(missing)?;
    let task = |(id, status): (usize, Status)| TaskStatus { id, state: status.into() };
    Ok(ConnectorStatus {
        name: name.to_owned(),
        connector: connector.into(),
        tasks: state.view.task_statuses(name).into_iter().map(task).collect(),
        kind: state.view.connector(name).map_or("unknown", |view| view.kind),
    })
}

pub(super) async fn connector(
    State(state): State<Arc<RestState>>,
    Path(name): Path<String>,
) -> Result<Json<ConnectorStatus>, ApiError> {
    status_of(&state, &name).map(Json)
}

pub(super) async fn task(
    State(state): State<Arc<RestState>>,
    Path((name, task)): Path<(String, String)>,
) -> Result<Json<TaskStatus>, ApiError> {
    let Ok(id) = task.parse::<usize>() else { return Err(super::error::unknown_path().await) };
    let status = state.view.task_status(&name, id);
    let missing = || ApiError::not_found(format!("No status found for task {name}-{id}"));
    Ok(Json(TaskStatus { id, state: status.ok_or_else(missing)?.into() }))
}
