//! What stands around every answer: headers of `response.http.headers.config`, cross-origin rules, and the request log.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tracing::info;

use super::server::Peer;
use crate::config::rest::{HeaderAction, HeaderRule, RestSettings};

/// The headers a page of another origin may send; Jetty's list, which Connect leaves as it is.
const ALLOWED_HEADERS: &str = "X-Requested-With,Content-Type,Accept,Origin";

/// Seconds that a browser may remember the answer to a preflight.
const MAX_AGE: &str = "1800";

/// With everything that `settings` ask for, the log outermost.
pub(super) fn decorate(router: Router, settings: &RestSettings) -> Router {
    let mut router = router;
    if !settings.response_headers.is_empty() {
        let rules = Arc::new(settings.response_headers.clone());
        router = router.layer(from_fn(move |request: Request, next: Next| {
            let rules = rules.clone();
            async move {
                let mut response = next.run(request).await;
                rules.iter().for_each(|rule| apply(rule, response.headers_mut()));
                response
            }
        }));
    }
    if !settings.allow_origin.is_empty() {
        let cors = Arc::new(Cors::new(settings));
        router = router.layer(from_fn(move |request: Request, next: Next| {
            let cors = cors.clone();
            async move {
                let granted = cors.granted(request.method(), request.headers());
                let mut response = next.run(request).await;
                response.headers_mut().extend(granted);
                response
            }
        }));
    }
    log_requests(router)
}

/// One line for every request, as Connect's, to the log's target `connect_core::rest::requests`.
pub(super) fn log_requests(router: Router) -> Router {
    router.layer(from_fn(|request: Request, next: Next| async move {
        let began = Instant::now();
        let peer =
            request.extensions().get::<Peer>().map_or_else(String::new, |peer| peer.0.ip().to_string());
        let line = format!("{} {} {:?}", request.method(), request.uri(), request.version());
        let text = |headers: &HeaderMap, name: HeaderName| {
            headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-").to_owned()
        };
        let referer = text(request.headers(), header::REFERER);
        let agent = text(request.headers(), header::USER_AGENT);
        let response: Response = next.run(request).await;
        let (status, millis) = (response.status().as_u16(), began.elapsed().as_millis());
        let length = text(response.headers(), header::CONTENT_LENGTH);
        info!(
            target: "connect_core::rest::requests",
            "{peer} - - \"{line}\" {status} {length} \"{referer}\" \"{agent}\" {millis}"
        );
        response
    }))
}

fn apply(rule: &HeaderRule, headers: &mut HeaderMap) {
    let value = match rule.action {
        HeaderAction::Set | HeaderAction::Add => rule.value.clone(),
        HeaderAction::SetDate | HeaderAction::AddDate => {
            let ahead = rule.value.parse().map_or(Duration::ZERO, Duration::from_millis);
            httpdate::fmt_http_date(SystemTime::now() + ahead)
        }
    };
    let (Ok(name), Ok(value)) = (HeaderName::try_from(rule.name.as_str()), HeaderValue::try_from(value))
    else {
        // The settings were checked when they were read.
        return;
    };
    match rule.action {
        HeaderAction::Set | HeaderAction::SetDate => drop(headers.insert(name, value)),
        HeaderAction::Add | HeaderAction::AddDate => drop(headers.append(name, value)),
    }
}

/// `access.control.allow.origin` and `access.control.allow.methods`.
struct Cors {
    origins: Vec<String>,
    methods: String,
}

impl Cors {
    fn new(settings: &RestSettings) -> Self {
        let methods = match settings.allow_methods.as_str() {
            "" => "GET,POST,HEAD".to_owned(),
            methods => methods.to_owned(),
        };
        Self { origins: settings.allow_origin.clone(), methods }
    }

    /// Headers for an answer to this request; none for an origin that may not.
    fn granted(&self, method: &Method, headers: &HeaderMap) -> HeaderMap {
        let mut granted = HeaderMap::new();
        let Some(origin) = headers.get(header::ORIGIN) else { return granted };
        let anyone = self.origins.iter().any(|origin| origin == "*");
        let named = origin.to_str().is_ok_and(|origin| self.origins.iter().any(|known| known == origin));
        if !anyone && !named {
            return granted;
        }
        let asked = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).filter(|_| method == Method::OPTIONS);
        if let Some(asked) = asked {
            let allowed = self.methods.split(',').any(|known| asked.as_bytes() == known.trim().as_bytes());
            if !allowed {
                return granted;
            }
            granted.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
            if let Ok(methods) = HeaderValue::from_str(&self.methods) {
                granted.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            }
            granted.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
        }
        granted.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if !anyone {
            granted.insert(header::VARY, HeaderValue::from_static("Origin"));
        }
        granted.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        granted
    }
}
