//! `rest.extension.classes`: extensions that are part of this program, by the names of their Java classes. Others cannot be
//! loaded, and a worker that is told to is refused a start: an extension may be what keeps strangers out.

mod basic_auth;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use std::sync::Arc;

use self::basic_auth::BasicAuth;
use super::RestError;
use crate::config::rest::RestSettings;

/// An extension that looks at requests before anything else does.
#[derive(Clone)]
pub(super) enum Filter {
    /// `BasicAuthSecurityRestExtension`.
    BasicAuth(Arc<BasicAuth>),
}

/// The filters that the settings ask for, in their order.
pub(super) fn load(settings: &RestSettings) -> Result<Vec<Filter>, RestError> {
    let mut filters = Vec::new();
    for class in &settings.extensions {
        match class.rsplit('.').next().unwrap_or_default() {
            "BasicAuthSecurityRestExtension" => {
                filters.push(Filter::BasicAuth(Arc::new(BasicAuth::load(settings)?)));
            }
            // Its routes are added by the replicator itself.
            "ReplicatorMonitoringExtension" => {}
            _ => {
                let message = format!(
                    "{class} is not part of this program, and Java classes cannot be loaded; there are \
                     org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension and \
                     io.confluent.connect.replicator.monitoring.ReplicatorMonitoringExtension"
                );
                return Err(RestError::Extension(message));
            }
        }
    }
    Ok(filters)
}

/// The router behind the filter. As in Java's, paths and methods that there are not are told to everybody.
pub(super) fn apply(router: Router, filter: &Filter) -> Router {
    let Filter::BasicAuth(auth) = filter.clone();
    router.layer(from_fn(move |request: Request, next: Next| {
        let auth = auth.clone();
        async move {
            let (method, uri) = (request.method().clone(), request.uri().clone());
            match auth.check(&method, uri.path(), request.headers()) {
                Err(refusal) if leads_somewhere(&method, uri, next.clone()).await => refusal.into_response(),
                _ => next.run(request).await,
            }
        }
    }))
}

/// Whether something would be done for a request: what a question for the methods of its path says. In doubt, yes.
async fn leads_somewhere(method: &Method, uri: Uri, next: Next) -> bool {
    let mut question = Request::new(Body::empty());
    *question.method_mut() = Method::OPTIONS;
    *question.uri_mut() = uri;
    let answer = next.run(question).await;
    match answer.status() {
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => false,
        _ => match answer.headers().get(header::ALLOW).and_then(|methods| methods.to_str().ok()) {
            Some(methods) => methods.split(',').any(|one| one.trim() == method.as_str()),
            None => true,
        },
    }
}
