//! Requests of workers of one group to each other (KIP-507, KIP-618). The herder checks the signature.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;

use super::body;
use super::error::ApiError;
use super::exchange::Exchange;
use super::forward::{SIGNATURE_ALGORITHM_HEADER, SIGNATURE_HEADER};
use crate::answers::InternalRequestSignature;

/// The algorithms that a Java machine knows, in any case of letters.
const ALGORITHMS: [&str; 11] = [
    "HmacMD5",
    "HmacSHA1",
    "HmacSHA224",
    "HmacSHA256",
    "HmacSHA384",
    "HmacSHA512",
    "HmacSHA512/224",
    "HmacSHA512/256",
    "HmacSHA3-256",
    "HmacSHA3-384",
    "HmacSHA3-512",
];

pub(super) async fn put_task_configs(
    Path(name): Path<String>,
    exchange: Exchange,
) -> Result<Response, ApiError> {
    let configs = body::task_configs(&exchange.body)?;
    let signature = signature(exchange.headers(), exchange.body.clone())?;
    let call = exchange.state.herder.put_task_configs(&name, configs, signature);
    let done = exchange.forwardable(call).await?;
    Ok(done.respond(|()| StatusCode::NO_CONTENT.into_response()))
}

pub(super) async fn fence(Path(name): Path<String>, exchange: Exchange) -> Result<Response, ApiError> {
    let signature = signature(exchange.headers(), exchange.body.clone())?;
    let done = exchange.forwardable(exchange.state.herder.fence_zombies(&name, signature)).await?;
    Ok(done.respond(|()| StatusCode::NO_CONTENT.into_response()))
}

/// The signature, `None` unless both headers are there.
fn signature(headers: &HeaderMap, body: Bytes) -> Result<Option<InternalRequestSignature>, ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(signature), Some(algorithm)) = (text(SIGNATURE_HEADER), text(SIGNATURE_ALGORITHM_HEADER))
    else {
        return Ok(None);
    };
    if !ALGORITHMS.iter().any(|known| known.eq_ignore_ascii_case(algorithm)) {
        return Err(ApiError::bad_request(format!("Algorithm {algorithm} not available")));
    }
    let signature =
        BASE64_STANDARD.decode(signature).map_err(|error| ApiError::bad_request(error.to_string()))?;
    Ok(Some(InternalRequestSignature { body, algorithm: algorithm.to_owned(), signature }))
}
