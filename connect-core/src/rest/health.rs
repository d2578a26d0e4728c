//! `GET /health` (KIP-1017): 503 until start-up has got as far as starting connectors, then 200.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::RestState;

#[derive(Serialize)]
pub(super) struct Body {
    status: &'static str,
    message: &'static str,
}

pub(super) async fn show(State(state): State<Arc<RestState>>) -> (StatusCode, Json<Body>) {
    if state.view.is_ready() {
        let message = "Worker has completed startup and is ready to handle requests.";
        (StatusCode::OK, Json(Body { status: "healthy", message }))
    } else {
        let message = "Worker is still starting up.";
        (StatusCode::SERVICE_UNAVAILABLE, Json(Body { status: "starting", message }))
    }
}
