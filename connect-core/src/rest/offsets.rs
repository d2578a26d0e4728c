//! `/connectors/{c}/offsets` (KIP-875).

use axum::extract::Path;
use axum::response::Response;
use serde_json::json;

use super::body;
use super::error::ApiError;
use super::exchange::Exchange;
use super::json::json as json_answer;

pub(super) async fn show(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let herder = &exchange.state.herder;
    exchange.read(|| herder.reader().connector_offsets(&name)).await.map(json_answer)
}

pub(super) async fn alter(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let offsets = body::offsets(&exchange.body)?;
    if offsets.offsets.is_empty() {
        let message = "Partitions / offsets need to be provided for an alter offsets request";
        return Err(ApiError::bad_request(message));
    }
    let done = exchange.forwardable(exchange.state.herder.alter_connector_offsets(&name, offsets)).await?;
    Ok(done.respond(|message| json_answer(json!({ "message": message }))))
}

pub(super) async fn reset(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let done = exchange.forwardable(exchange.state.herder.reset_connector_offsets(&name)).await?;
    Ok(done.respond(|message| json_answer(json!({ "message": message }))))
}
