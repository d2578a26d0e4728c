//! Errors as Connect answers them: `{"error_code":404,"message":"..."}` with the same code as HTTP status.

use std::borrow::Cow;

use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use java::order::sort_as_hash_map;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;

use super::json::Json;
use crate::answers::HerderError;

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// For people.
    pub message: String,
    /// False: the body is JSON but does not say so, as Connect's own answers about paths and methods.
    typed: bool,
}

#[derive(Serialize)]
struct Body {
    error_code: u16,
    message: String,
}

impl ApiError {
    /// Any status.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), typed: true }
    }

    /// 404.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 409.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 500.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// A status in the words of the HTTP layer, without a content type.
    pub(super) fn bare(status: StatusCode) -> Self {
        Self { status, message: format!("HTTP {status}"), typed: false }
    }
}

impl From<HerderError> for ApiError {
    fn from(error: HerderError) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Body { error_code: self.status.as_u16(), message: self.message };
        let mut response = (self.status, Json(body)).into_response();
        if !self.typed {
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        response
    }
}

pub(super) async fn unknown_path() -> ApiError {
    ApiError::bare(StatusCode::NOT_FOUND)
}

pub(super) async fn method_not_allowed() -> ApiError {
    ApiError::bare(StatusCode::METHOD_NOT_ALLOWED)
}

/// Answers OPTIONS on a path that is there: which methods it has, which the router's refusal of OPTIONS has told.
pub(super) fn answer_options(method: &Method, mut response: Response) -> Response {
    if method != Method::OPTIONS || response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let allowed = response.headers_mut().remove(header::ALLOW);
    let mut methods: Vec<String> = allowed
        .as_ref()
        .and_then(|value| value.to_str().ok())
        .map(|text| text.split(',').map(|method| method.trim().to_owned()).collect())
        .unwrap_or_default();
    methods.push("OPTIONS".to_owned());
    // Java's worker has them in a hash set.
    sort_as_hash_map(&mut methods, |method| method);
    (StatusCode::OK, [(header::ALLOW, methods.join(","))]).into_response()
}

/// The answer of Java's server to a path that is none: wrong percent signs, or an encoded zero.
pub(super) fn refuse_path(uri: &Uri) -> Option<Response> {
    let wrong = uri.path().split('%').skip(1).any(|rest| match rest.as_bytes() {
        [high, low, ..] => !high.is_ascii_hexdigit() || !low.is_ascii_hexdigit() || rest.starts_with("00"),
        _ => true,
    });
    let page = "<h1>Bad Message 400</h1><pre>reason: Bad Request</pre>";
    let headers = [(header::CONTENT_TYPE, "text/html;charset=iso-8859-1")];
    wrong.then(|| (StatusCode::BAD_REQUEST, headers, page).into_response())
}

/// Makes a path what servers of Java look at: `;name=value` taken out of its segments, and bytes that are no text replaced.
pub(super) fn tidy_path(uri: &mut Uri) {
    if !uri.path().contains([';', '%']) {
        return;
    }
    let segments: Vec<Cow<'_, str>> = uri.path().split('/').map(tidy_segment).collect();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    if let Ok(bare) = format!("{}{query}", segments.join("/")).parse() {
        *uri = bare;
    }
}

fn tidy_segment(segment: &str) -> Cow<'_, str> {
    let bare = segment.split(';').next().unwrap_or_default();
    let bytes = percent_decode_str(bare);
    match bytes.clone().decode_utf8() {
        Ok(_) => Cow::Borrowed(bare),
        Err(_) => utf8_percent_encode(&bytes.decode_utf8_lossy(), NON_ALPHANUMERIC).to_string().into(),
    }
}

/// A path with an empty segment inside leads nowhere: names are not empty.
pub(super) fn is_nowhere(uri: &Uri) -> bool {
    uri.path().contains("//")
}
