//! `GET /connectors/{c}/status` and `/connectors/{c}/tasks/{n}/status`.

use axum::extract::Path;
use axum::response::Response;

use super::error::ApiError;
use super::exchange::Exchange;
use super::json::json;
use super::tasks::number;

pub(super) async fn connector(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    exchange.local(exchange.state.herder.reader().connector_status(&name)).await.map(json)
}

pub(super) async fn task(
    Path((name, task)): Path<(String, String)>,
    exchange: Exchange,
) -> Result<Response, ApiError> {
    let task = number(&task, |task| format!("No status found for task {name}-{task}"))?;
    exchange.local(exchange.state.herder.reader().task_status(&name, task)).await.map(json)
}
