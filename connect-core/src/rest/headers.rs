//! The frame of every answer: headers of `response.http.headers.config`, cross-origin rules, and the request log.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tracing::info;

use super::server::Peer;
use crate::config::keys::string_list;
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
        let peer = request
            .extensions()
            .get::<Peer>()
            .map_or_else(String::new, |peer| peer.0.ip().to_canonical().to_string());
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
    // What a body is, its maker knows better.
    if name == header::CONTENT_TYPE && headers.contains_key(&name) {
        return;
    }
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
            methods => string_list(methods).join(","),
        };
        Self { origins: settings.allow_origin.clone(), methods }
    }

    /// Whether any of these origins, which spaces separate, is one of those that may; `*` in the setting stands for any text.
    fn allows(&self, origins: &str) -> bool {
        let mut origins = origins.split_ascii_whitespace();
        origins.any(|origin| self.origins.iter().any(|known| is_like(known, origin)))
    }

    /// Headers for an answer to this request; none for an origin that may not.
    fn granted(&self, method: &Method, headers: &HeaderMap) -> HeaderMap {
        let mut granted = HeaderMap::new();
        let Some(origin) = headers.get(header::ORIGIN) else { return granted };
        if !origin.to_str().is_ok_and(|origin| self.allows(origin)) {
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
        // A preflight answered to anyone does not depend on who asks.
        if asked.is_none() || !self.origins.iter().any(|origin| origin == "*") {
            granted.insert(header::VARY, HeaderValue::from_static("Origin"));
        }
        granted.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        granted
    }
}

/// Whether `text` is `pattern`, in which `*` stands for any text.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(tail) = text.strip_prefix(start) else { return false };
    tail.char_indices().map(|(at, _)| at).chain([tail.len()]).any(|at| is_like(rest, &tail[at..]))
}

#[cfg(test)]
mod tests {
    use super::{HeaderAction, HeaderMap, HeaderRule, apply, header, is_like};

    #[test]
    fn a_rule_says_what_a_body_is_only_where_nobody_else_does() {
        let rule = HeaderRule {
            action: HeaderAction::Set,
            name: "Content-Type".to_owned(),
            value: "text/plain".to_owned(),
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "application/json".parse().expect("a value"));
        apply(&rule, &mut headers);
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        headers.clear();
        apply(&rule, &mut headers);
        assert_eq!(headers[header::CONTENT_TYPE], "text/plain");
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("http://a.example", "http://a.example", true),
            ("http://a.example", "http://a.examples", false),
            ("http://*.b.example", "http://x.b.example", true),
            ("http://*.b.example", "http://b.example", false),
            ("http://*.b.example", "http://x.b.example.c", false),
            ("*", "null", true),
        ] {
            assert_eq!(is_like(pattern, text), expected, "{pattern} {text}");
        }
    }
}
