//! `GET /health` (KIP-1017): 200 once the worker is ready and its herder comes round, 503 before, 500 when it is stuck.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::time::timeout;

use super::exchange::{Exchange, summary};
use crate::answers::HerderError;

pub(super) async fn show(exchange: Exchange) -> Response {
    let state = &exchange.state;
    let limited = timeout(state.options.health_timeout, state.herder.health_check());
    match limited.await {
        Ok(Ok(())) => {
            let message = "Worker has completed startup and is ready to handle requests.";
            answer(StatusCode::OK, "healthy", message.to_owned())
        }
        Ok(Err(error)) if !matches!(error, HerderError::ServiceUnavailable(_)) => {
            super::ApiError::from(error).into_response()
        }
        _ => {
            let (status, word, message) = if state.herder.is_ready() {
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "unhealthy",
                    "Worker was unable to handle this request and may be unable to handle other requests.",
                )
            } else {
                (StatusCode::SERVICE_UNAVAILABLE, "starting", "Worker is still starting up.")
            };
            let stage = state.herder.stage().map(|stage| format!(" {}", summary(&stage)));
            answer(status, word, format!("{message}{}", stage.unwrap_or_default()))
        }
    }
}

fn answer(status: StatusCode, word: &str, message: String) -> Response {
    (status, super::json::Json(json!({ "status": word, "message": message }))).into_response()
}
