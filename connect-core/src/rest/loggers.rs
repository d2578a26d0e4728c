//! `/admin/loggers`: levels of loggers, changed at run time and not kept.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tracing::warn;

use super::body;
use super::error::ApiError;
use super::exchange::Exchange;
use super::json::json;
use crate::loggers::Level;

pub(super) async fn list(exchange: Exchange) -> Response {
    json(exchange.state.herder.reader().all_logger_levels())
}

pub(super) async fn show(Path(logger): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let level = exchange.state.herder.reader().logger_level(&logger);
    level.map(json).ok_or_else(|| ApiError::not_found(format!("Logger {logger} not found.")))
}

pub(super) async fn set(Path(logger): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let body = body::config(&exchange.body)?;
    let Some(Some(level)) = body.get("level") else {
        let message = "Desired 'level' parameter was not specified in request.";
        return Err(ApiError::bad_request(message));
    };
    if Level::from_name(level).is_none() {
        return Err(ApiError::not_found(format!("invalid log level '{level}'.")));
    }
    let herder = &exchange.state.herder;
    match exchange.query("scope").map(|scope| scope.to_lowercase()).as_deref() {
        Some("cluster") => {
            exchange.local(herder.set_cluster_logger_level(&logger, level)).await?;
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        Some("worker") | None => {}
        Some(other) => {
            warn!("the scope {other:?} of a change of log levels is not known; taking it as worker")
        }
    }
    Ok(json(herder.reader().set_worker_logger_level(&logger, level)))
}
