//! `GET /connectors/{c}/tasks`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;

use super::connectors::find;
use super::{ApiError, RestState};
use crate::storage::Properties;

/// A task by connector and number.
#[derive(Serialize)]
pub(super) struct TaskRef {
    pub(super) connector: String,
    pub(super) task: usize,
}

#[derive(Serialize)]
pub(super) struct TaskInfo {
    id: TaskRef,
    config: Properties,
}

pub(super) async fn list(
    State(state): State<Arc<RestState>>,
    Path(name): Path<String>,
) -> Result<Json<Vec<TaskInfo>>, ApiError> {
    let tasks = find(&state, &name)?.tasks.into_iter().enumerate();
    let info = |(task, config)| TaskInfo { id: TaskRef { connector: name.clone(), task }, config };
    Ok(Json(tasks.map(info).collect()))
}
