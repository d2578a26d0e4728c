//! `GET /`: who this is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::RestState;

#[derive(Serialize)]
pub(super) struct Body {
    version: String,
    commit: String,
    kafka_cluster_id: String,
}

pub(super) async fn show(State(state): State<Arc<RestState>>) -> Json<Body> {
    let info = state.info.clone();
    Json(Body { version: info.version, commit: info.commit, kafka_cluster_id: info.kafka_cluster_id })
}
