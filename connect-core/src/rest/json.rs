//! Answers in JSON.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use java::json as java_json;
use serde::Serialize;

/// A body of JSON as Java writes it.
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match java_json::text(&self.0) {
            Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
            Err(reason) => (StatusCode::INTERNAL_SERVER_ERROR, reason.to_string()).into_response(),
        }
    }
}

/// 200 with JSON.
pub fn json(body: impl Serialize) -> Response {
    Json(body).into_response()
}
