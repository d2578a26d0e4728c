//! One request with its body, and how it becomes a call of the herder: within a limit of time, here or, when another worker
//! has to do it, forwarded there (at most two hops).

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::to_bytes;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::time::{sleep, timeout};

use super::error::ApiError;
use super::forward::Forwarded;
use super::state::RestState;
use super::{encoding, forward};
use crate::answers::HerderError;
use crate::answers::Stage;
use crate::herder::api::HerderResult;

/// Longest body. Java has no limit; configurations of thousands of keys stay far below this.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Time for a whole body to arrive.
const BODY_LIMIT: Duration = Duration::from_secs(60);

/// Pause before a read that met a rebalance is tried again, and how long that goes on.
const REBALANCE_PAUSE: Duration = Duration::from_millis(250);
const REBALANCE_LIMIT: Duration = Duration::from_secs(10);

const NO_LEADER: &str = "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was \
                         underway.";
const TOO_MANY_HOPS: &str =
    "Cannot complete request because of a conflicting operation (e.g. worker rebalance)";
const STALE: &str = "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent \
                     config change)";

/// A request, its body read. The argument of every handler.
pub struct Exchange {
    parts: Parts,
    pub(super) body: Bytes,
    pub(super) state: Arc<RestState>,
}

impl<S> FromRequest<S> for Exchange
where
    S: Send + Sync,
    Arc<RestState>: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        accepts_json(&parts.headers)?;
        let sends_json = matches!(parts.method, Method::POST | Method::PUT | Method::PATCH);
        let read = timeout(BODY_LIMIT, to_bytes(body, MAX_BODY)).await;
        let body = read
            .map_err(|_| ApiError::bare(StatusCode::REQUEST_TIMEOUT))?
            .map_err(|_| ApiError::bare(StatusCode::PAYLOAD_TOO_LARGE))?;
        // These two say nothing of what they take.
        let takes_all = matches!(parts.uri.path().trim_end_matches('/'), "" | "/health");
        match Kind::of(&parts.headers) {
            Kind::Other if !takes_all => return Err(ApiError::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
            Kind::Open if sends_json && !body.is_empty() => {
                return Err(ApiError::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "HTTP 415 Unsupported Media Type",
                ));
            }
            _ => {}
        }
        let body = encoding::to_utf8(body)?;
        Ok(Self { parts, body, state: Arc::<RestState>::from_ref(state) })
    }
}

/// Declared type of a request's body. That it must be JSON holds for requests without a body, too.
enum Kind {
    Json,
    /// Nothing, or anything: all right as long as there is nothing to read.
    Open,
    Other,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Self {
        let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Self::Open };
        let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        match kind.to_ascii_lowercase().as_str() {
            "application/json" => Self::Json,
            "*/*" | "application/*" => Self::Open,
            _ => Self::Other,
        }
    }
}

/// Everything that Connect answers is JSON.
fn accepts_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    let fits = |value: &axum::http::HeaderValue| {
        let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
        text.split(',').any(|range| {
            let range = range.split(';').next().unwrap_or_default().trim();
            matches!(range, "" | "*/*" | "*" | "application/*" | "application/json")
        })
    };
    if accepted.peek().is_none() || accepted.any(fits) {
        return Ok(());
    }
    Err(ApiError::bare(StatusCode::NOT_ACCEPTABLE))
}

/// Outcome of a call: it was done here, or another worker has answered.
pub(super) enum Done<T> {
    Here(T),
    There(Forwarded),
}

impl<T> Done<T> {
    /// The answer of another worker, or what `respond` makes of the result.
    pub(super) fn respond(self, respond: impl FnOnce(T) -> Response) -> Response {
        match self {
            Self::Here(result) => respond(result),
            Self::There(forwarded) => forwarded.into_response(),
        }
    }
}

impl Exchange {
    /// First value of a query parameter, decoded.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        self.queries(name).into_iter().next()
    }

    /// All values of a query parameter.
    pub(super) fn queries(&self, name: &str) -> Vec<String> {
        pairs(&self.parts).into_iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect()
    }

    /// A boolean parameter as Java reads it: anything but `true` in any case is false.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.query(name).map(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// Runs a call that this worker answers by itself. A read that meets a rebalance is tried again for a while.
    pub(super) async fn read<T, F>(&self, call: impl Fn() -> F) -> Result<T, ApiError>
    where
        F: Future<Output = HerderResult<T>>,
    {
        let tries = async {
            let first = tokio::time::Instant::now();
            loop {
                match call().await {
                    Err(HerderError::Conflict { .. }) if first.elapsed() < REBALANCE_LIMIT => {
                        sleep(REBALANCE_PAUSE).await;
                    }
                    other => return other,
                }
            }
        };
        self.local(tries).await
    }

    /// Runs a call that this worker answers by itself.
    pub(super) async fn local<T>(&self, call: impl Future<Output = HerderResult<T>>) -> Result<T, ApiError> {
        match self.limited(call).await? {
            Ok(result) => Ok(result),
            Err(HerderError::Stale(_)) => Err(ApiError::conflict(STALE)),
            Err(HerderError::NotLeader { leader_url: None, .. }) => Err(ApiError::conflict(NO_LEADER)),
            Err(error) => Err(error.into()),
        }
    }

    /// Runs a call, and forwards the request where the herder says that another worker has to do it.
    pub(super) async fn forwardable<T>(
        &self,
        call: impl Future<Output = HerderResult<T>>,
    ) -> Result<Done<T>, ApiError> {
        let url = match self.limited(call).await? {
            Ok(result) => return Ok(Done::Here(result)),
            Err(HerderError::NotLeader { leader_url, .. }) => leader_url,
            Err(HerderError::NotAssigned { owner_url, .. }) => owner_url,
            Err(HerderError::Stale(_)) => return Err(ApiError::conflict(STALE)),
            Err(error) => return Err(error.into()),
        };
        let next = match self.flag("forward") {
            None => "true",
            Some(true) => "false",
            Some(false) => return Err(ApiError::conflict(TOO_MANY_HOPS)),
        };
        let url = url.ok_or_else(|| ApiError::conflict(NO_LEADER))?;
        let request = forward::Request {
            method: self.parts.method.clone(),
            url: self.target(&url, next),
            authorization: self.parts.headers.get(header::AUTHORIZATION).cloned(),
            signature: None,
            body: self.body.clone(),
        };
        let sent = timeout(self.state.options.request_timeout, self.state.forwarder.send(request)).await;
        sent.map_err(|_| ApiError::internal("Request timed out"))?.map(Done::There)
    }

    /// The same path and query at another worker, with the next value of `forward`.
    fn target(&self, base: &str, next: &str) -> String {
        let query = self.parts.uri.query().unwrap_or_default();
        let kept = query
            .split('&')
            .filter(|part| !part.is_empty() && *part != "forward" && !part.starts_with("forward="));
        let forward = format!("forward={next}");
        let query: Vec<&str> = kept.chain([forward.as_str()]).collect();
        format!("{}{}?{}", base.trim_end_matches('/'), self.parts.uri.path(), query.join("&"))
    }

    async fn limited<T>(&self, call: impl Future<Output = T>) -> Result<T, ApiError> {
        let limited = timeout(self.state.options.request_timeout, call).await;
        limited.map_err(|_| timed_out(self.state.herder.stage().as_ref()))
    }

    /// The absolute address of a path at the address that the client used.
    pub(super) fn absolute(&self, path: &str) -> String {
        let host = self.parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let scheme =
            if self.parts.extensions.get::<super::server::OverTls>().is_some() { "https" } else { "http" };
        match host {
            Some(host) if !host.is_empty() => format!("{scheme}://{host}{path}"),
            _ => path.to_owned(),
        }
    }
}

fn pairs(parts: &Parts) -> Vec<(String, String)> {
    let decoded = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    decoded.map(|query| query.0).unwrap_or_default()
}

/// The text of a time-out, which says what the herder is at.
pub(super) fn timed_out(stage: Option<&Stage>) -> ApiError {
    ApiError::internal(match stage {
        Some(stage) => format!("Request timed out. {}", summary(stage)),
        None => "Request timed out".to_owned(),
    })
}

/// The herder's work of the moment, in Connect's words.
pub(super) fn summary(stage: &Stage) -> String {
    let (what, began) = (&stage.description, instant(stage.started));
    match stage.completed {
        Some(completed) => format!(
            "The last operation the worker completed was {what}, which began at {began} and completed at {}.",
            instant(completed)
        ),
        None => format!("The worker is currently {what}, which began at {began}."),
    }
}

/// A moment as Java's `Instant` prints it, with milliseconds where there are any.
fn instant(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds =
        time::OffsetDateTime::from_unix_timestamp(i64::try_from(since.as_secs()).unwrap_or_default());
    let at = seconds.unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    let millis = match since.subsec_millis() {
        0 => String::new(),
        millis => format!(".{millis:03}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{millis}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_says_what_the_herder_is_at() {
        let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
        let mut stage = Stage { description: "polling".to_owned(), started: at(1_000), completed: None };
        assert_eq!(
            timed_out(Some(&stage)).message,
            "Request timed out. The worker is currently polling, which began at 1970-01-01T00:00:01Z."
        );
        stage.completed = Some(at(1_732_000_000_123));
        assert_eq!(
            summary(&stage),
            "The last operation the worker completed was polling, which began at 1970-01-01T00:00:01Z and \
             completed at 2024-11-19T07:06:40.123Z."
        );
        assert_eq!(timed_out(None).message, "Request timed out");
    }
}
