//! An operator's acts on a connector that exists: pause, resume, stop, restart; and the topics it has used.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::error::ApiError;
use super::exchange::Exchange;
use super::json::{Json, json as json_answer};
use super::tasks::number;
use crate::storage::RestartRequest;

/// Any worker does this by itself.
pub(super) async fn pause(Path(name): Path<String>, exchange: Exchange) -> Result<StatusCode, ApiError> {
    exchange.local(exchange.state.herder.pause_connector(&name)).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Any worker does this by itself.
pub(super) async fn resume(Path(name): Path<String>, exchange: Exchange) -> Result<StatusCode, ApiError> {
    exchange.local(exchange.state.herder.resume_connector(&name)).await?;
    Ok(StatusCode::ACCEPTED)
}

pub(super) async fn stop(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let done = exchange.forwardable(exchange.state.herder.stop_connector(&name)).await?;
    Ok(done.respond(|()| StatusCode::NO_CONTENT.into_response()))
}

pub(super) async fn restart(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let flag = |name| exchange.flag(name).unwrap_or(false);
    let (include_tasks, only_failed) = (flag("includeTasks"), flag("onlyFailed"));
    let request = RestartRequest { connector: name.clone(), only_failed, include_tasks };
    let herder = &exchange.state.herder;
    if request.is_connector_only() {
        let done = exchange.forwardable(herder.restart_connector(&name)).await?;
        return Ok(done.respond(|()| StatusCode::NO_CONTENT.into_response()));
    }
    let done = exchange.forwardable(herder.restart_connector_and_tasks(request)).await?;
    Ok(done.respond(|state| (StatusCode::ACCEPTED, Json(state)).into_response()))
}

pub(super) async fn restart_task(
    Path((name, task)): Path<(String, String)>,
    exchange: Exchange,
) -> Result<Response, ApiError> {
    let task = number(&task, |task| format!("Unknown task: {name}-{task}"))?;
    let done = exchange.forwardable(exchange.state.herder.restart_task(&name, task)).await?;
    Ok(done.respond(|()| StatusCode::NO_CONTENT.into_response()))
}

pub(super) async fn topics(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    if !exchange.state.options.topic_tracking {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "Topic tracking is disabled."));
    }
    let active = exchange.local(exchange.state.herder.reader().connector_active_topics(&name)).await?;
    Ok(json_answer(json!({ active.connector: { "topics": active.topics } })))
}

pub(super) async fn reset_topics(
    Path(name): Path<String>,
    exchange: Exchange,
) -> Result<StatusCode, ApiError> {
    let options = &exchange.state.options;
    let refused = match (options.topic_tracking, options.topic_tracking_reset) {
        (false, _) => Some("Topic tracking is disabled."),
        (true, false) => Some("Topic tracking reset is disabled."),
        (true, true) => None,
    };
    if let Some(message) = refused {
        return Err(ApiError::new(StatusCode::FORBIDDEN, message));
    }
    exchange.local(exchange.state.herder.reader().reset_connector_active_topics(&name)).await?;
    Ok(StatusCode::ACCEPTED)
}
