//! `GET /connectors/{c}/tasks` and the deprecated `/connectors/{c}/tasks-config`.

use axum::extract::Path;
use axum::response::Response;
use tracing::warn;

use super::error::ApiError;
use super::exchange::Exchange;
use super::json::json;

pub(super) async fn list(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let herder = &exchange.state.herder;
    exchange.read(|| herder.reader().task_configs(&name)).await.map(json)
}

pub(super) async fn configs(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    warn!(
        "GET /connectors/{{connector}}/tasks-config is deprecated; use GET /connectors/{{connector}}/tasks"
    );
    let herder = &exchange.state.herder;
    exchange.read(|| herder.reader().tasks_config(&name)).await.map(json)
}

/// A task's number in a path: what is no 32-bit number is no path at all; a negative one is a task that is never there, which
/// `missing` says.
pub(super) fn number(text: &str, missing: impl FnOnce(i32) -> String) -> Result<usize, ApiError> {
    let number: i32 = text.parse().map_err(|_| ApiError::not_found("HTTP 404 Not Found"))?;
    usize::try_from(number).map_err(|_| ApiError::not_found(missing(number)))
}
