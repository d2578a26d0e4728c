//! The worker's REST interface, in the shapes and words of Java's Connect 3.9. It asks a [`Herder`] and waits for it no longer
//! than a request may take. Executables build a [`RestApi`], open a [`RestServer`] and serve the routers on it; they may add
//! routes of their own.

mod body;
mod connectors;
mod encoding;
mod error;
mod exchange;
pub mod extensions;
mod files;
mod forward;
mod headers;
mod health;
mod internal;
mod json;
mod lifecycle;
mod listeners;
mod loggers;
mod offsets;
mod plugins;
mod root;
mod route;
mod server;
mod state;
mod status;
mod tasks;
pub mod tls;
mod worker_client;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post, put};

pub use body::{CreateConnector, create_connector as parse_create_connector};
pub use error::ApiError;
pub use exchange::Exchange;
pub use files::RestFiles;
pub use forward::{SIGNATURE_ALGORITHM_HEADER, SIGNATURE_HEADER};
pub use json::{Json, json};
pub use listeners::{RestError, advertised_address, advertised_url};
pub use route::Route;
pub use server::{RestServer, RunningRest};
pub use state::{RenderMetrics, RestOptions};
pub use worker_client::WorkerClient;

use self::forward::Forwarder;
use self::state::RestState;
use crate::config::rest::RestSettings;
use crate::herder::api::Herder;

/// The interface of one worker, not yet on any port.
pub struct RestApi {
    state: Arc<RestState>,
    settings: RestSettings,
    extension: Vec<Route>,
    filters: Vec<extensions::Filter>,
}

type Routes = Vec<(&'static str, MethodRouter<Arc<RestState>>)>;

impl RestApi {
    /// The interface of `herder`, which reads the files of `settings` itself.
    ///
    /// # Errors
    /// As [`RestFiles::read`].
    pub fn new(
        herder: Arc<dyn Herder>,
        settings: RestSettings,
        options: RestOptions,
    ) -> Result<Self, RestError> {
        let files = RestFiles::read(&settings)?;
        Ok(Self::with_files(herder, settings, files, options))
    }

    /// The interface of `herder`, with the files of `settings` as they were read before.
    pub fn with_files(
        herder: Arc<dyn Herder>,
        settings: RestSettings,
        files: RestFiles,
        options: RestOptions,
    ) -> Self {
        let RestFiles { forwarding, filters } = files;
        let state = Arc::new(RestState { herder, options, forwarder: Forwarder::new(forwarding) });
        Self { state, settings, extension: Vec::new(), filters }
    }

    /// With further resources, which are served beside Connect's own.
    #[must_use]
    pub fn with_routes(mut self, routes: Vec<Route>) -> Self {
        self.extension.extend(routes);
        self
    }

    /// Everything that is served on `listeners`.
    pub fn public_router(&self) -> Router {
        let mut routes = public_routes();
        if self.settings.admin.is_public() {
            routes.extend(admin_routes());
        }
        routes.extend(self.extension.iter().map(|route| (route.path, route.methods.clone())));
        let router = with_slashes(routes).with_state(self.state.clone());
        // The first extension is asked first, so it is put around all others.
        let router = self.filters.iter().rev().fold(finish(router), extensions::apply);
        headers::decorate(router, &self.settings)
    }

    /// Everything that is served on `admin.listeners`, where these are others.
    pub fn admin_router(&self) -> Router {
        let router = finish(with_slashes(admin_routes()).with_state(self.state.clone()));
        headers::log_requests(router)
    }
}

impl std::fmt::Debug for RestApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RestApi({:?})", self.settings)
    }
}

fn public_routes() -> Routes {
    vec![
        ("/", get(root::show)),
        ("/health", get(health::show)),
        ("/openapi.json", get(root::openapi)),
        ("/metrics", get(root::metrics)),
        ("/connectors", get(connectors::list).post(connectors::create)),
        ("/connectors/{connector}", get(connectors::show).delete(connectors::delete)),
        (
            "/connectors/{connector}/config",
            get(connectors::config).put(connectors::put_config).patch(connectors::patch_config),
        ),
        ("/connectors/{connector}/tasks-config", get(tasks::configs)),
        ("/connectors/{connector}/status", get(status::connector)),
        ("/connectors/{connector}/tasks", get(tasks::list).post(internal::put_task_configs)),
        ("/connectors/{connector}/tasks/{task}/status", get(status::task)),
        ("/connectors/{connector}/tasks/{task}/restart", post(lifecycle::restart_task)),
        ("/connectors/{connector}/restart", post(lifecycle::restart)),
        ("/connectors/{connector}/pause", put(lifecycle::pause)),
        ("/connectors/{connector}/resume", put(lifecycle::resume)),
        ("/connectors/{connector}/stop", put(lifecycle::stop)),
        ("/connectors/{connector}/fence", put(internal::fence)),
        ("/connectors/{connector}/topics", get(lifecycle::topics)),
        ("/connectors/{connector}/topics/reset", put(lifecycle::reset_topics)),
        (
            "/connectors/{connector}/offsets",
            get(offsets::show).patch(offsets::alter).merge(delete(offsets::reset)),
        ),
        ("/connector-plugins", get(plugins::list)),
        ("/connector-plugins/{plugin}/config", get(plugins::config)),
        ("/connector-plugins/{plugin}/config/validate", put(plugins::validate)),
    ]
}

fn admin_routes() -> Routes {
    vec![
        ("/admin/loggers", get(loggers::list)),
        ("/admin/loggers/{logger}", get(loggers::show).put(loggers::set)),
    ]
}

/// Connect answers with and without a final slash.
fn with_slashes(routes: Routes) -> Router<Arc<RestState>> {
    let mut router = Router::new();
    for (path, methods) in routes {
        if path != "/" {
            router = router.route(&format!("{path}/"), methods.clone());
        }
        router = router.route(path, methods);
    }
    router.method_not_allowed_fallback(error::method_not_allowed)
}

/// With answers for unknown paths and for OPTIONS. Parameters in paths (`/connectors/c;a=b`) are no part of a name.
fn finish(router: Router) -> Router {
    let options = |mut request: Request, next: Next| async move {
        if let Some(refusal) = error::refuse_path(request.uri()) {
            return refusal;
        }
        error::tidy_path(request.uri_mut());
        if error::is_nowhere(request.uri()) {
            return error::unknown_path().await.into_response();
        }
        let method = request.method().clone();
        let response: Response = next.run(request).await;
        error::answer_options(&method, response)
    };
    // From outside the answer is seen with the list of methods.
    Router::new().fallback_service(router.fallback(error::unknown_path)).layer(from_fn(options))
}
