//! `GET /connectors`, `/connectors/{c}` and `/connectors/{c}/config`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Serialize;
use serde_json::{Map, Value};

use super::status::status_of;
use super::tasks::TaskRef;
use super::{ApiError, RestState};
use crate::herder::ConnectorView;
use crate::storage::Properties;

/// A connector as Connect describes it.
#[derive(Serialize)]
pub(super) struct ConnectorInfo {
    name: String,
    config: Properties,
    tasks: Vec<TaskRef>,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl From<ConnectorView> for ConnectorInfo {
    fn from(view: ConnectorView) -> Self {
        let tasks =
            (0..view.tasks.len()).map(|task| TaskRef { connector: view.name.clone(), task }).collect();
        Self { name: view.name, config: view.config, tasks, kind: view.kind }
    }
}

/// The connector, or the 404 that Connect answers.
pub(super) fn find(state: &RestState, name: &str) -> Result<ConnectorView, ApiError> {
    state.view.connector(name).ok_or_else(|| ApiError::not_found(format!("Connector {name} not found")))
}

/// Names only, or an object with what `expand` (repeatable: `status`, `info`) asks for; other values are ignored.
pub(super) async fn list(
    State(state): State<Arc<RestState>>,
    Query(query): Query<Vec<(String, String)>>,
) -> Json<Value> {
    let expand: Vec<_> =
        query.iter().filter(|(key, _)| key == "expand").map(|(_, value)| value.as_str()).collect();
    let names = state.view.connectors();
    if expand.is_empty() {
        return Json(names.into());
    }
    let expanded = |name: String| expanded(&state, &name, &expand).map(|what| (name, Value::Object(what)));
    Json(Value::Object(names.into_iter().filter_map(expanded).collect()))
}

/// What was asked for of one connector; `None` when it has vanished.
fn expanded(state: &RestState, name: &str, expand: &[&str]) -> Option<Map<String, Value>> {
    let mut out = Map::new();
    for what in expand {
        let value = match *what {
            "status" => serde_json::to_value(status_of(state, name).ok()?).ok()?,
            "info" => serde_json::to_value(ConnectorInfo::from(state.view.connector(name)?)).ok()?,
            _ => continue,
        };
        out.insert((*what).to_owned(), value);
    }
    Some(out)
}

pub(super) async fn show(
    State(state): State<Arc<RestState>>,
    Path(name): Path<String>,
) -> Result<Json<ConnectorInfo>, ApiError> {
    Ok(Json(find(&state, &name)?.into()))
}

pub(super) async fn config(
    State(state): State<Arc<RestState>>,
    Path(name): Path<String>,
) -> Result<Json<Properties>, ApiError> {
    Ok(Json(find(&state, &name)?.config))
}
