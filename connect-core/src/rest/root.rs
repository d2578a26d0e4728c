//! `GET /`: who this is; and what else describes the worker: `/openapi.json` and `/metrics`.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::error::ApiError;
use super::exchange::Exchange;
use super::json::json as json_answer;

pub(super) async fn show(exchange: Exchange) -> Result<Response, ApiError> {
    let state = &exchange.state;
    let id = exchange.local(state.herder.reader().kafka_cluster_id()).await?;
    let (version, commit) = (&state.options.version, &state.options.commit);
    Ok(json_answer(json!({ "version": version, "commit": commit, "kafka_cluster_id": id })))
}

/// The description of this interface.
pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}

/// Prometheus text; its media type is not JSON, so that this takes no part in the negotiation of the others.
pub(super) async fn metrics(
    axum::extract::State(state): axum::extract::State<std::sync::Arc<super::RestState>>,
) -> Response {
    match &state.options.metrics {
        Some(metrics) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics()).into_response(),
        None => ApiError::bare(StatusCode::NOT_FOUND).into_response(),
    }
}
