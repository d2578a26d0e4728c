//! Errors as Connect answers them: `{"error_code":404,"message":"..."}` with the same code as HTTP status.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// For people.
    pub message: String,
}

#[derive(Serialize)]
struct Body {
    error_code: u16,
    message: String,
}

impl ApiError {
    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, message: message.into() }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Body { error_code: self.status.as_u16(), message: self.message };
        (self.status, Json(body)).into_response()
    }
}

pub(super) async fn unknown_path() -> ApiError {
    ApiError::not_found("HTTP 404 Not Found")
}

pub(super) async fn method_not_allowed() -> ApiError {
    ApiError { status: StatusCode::METHOD_NOT_ALLOWED, message: "HTTP 405 Method Not Allowed".to_owned() }
}
