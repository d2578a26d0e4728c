//! Resources that an executable adds to the worker's interface. They are served as Connect's own: with and without a final slash, with
//! the same errors, log lines and extensions.

use std::future::Future;
use std::sync::Arc;

use axum::response::Response;
use axum::routing::{MethodRouter, get};

use super::error::ApiError;
use super::exchange::Exchange;
use super::state::RestState;

/// One path and its handlers.
pub struct Route {
    pub(super) path: &'static str,
    pub(super) methods: MethodRouter<Arc<RestState>>,
}

impl Route {
    /// A resource that can be read. `path` begins with a slash and ends without one; no other route has it.
    pub fn get<F, A>(path: &'static str, handler: F) -> Self
    where
        F: Fn(Exchange) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Response, ApiError>> + Send + 'static,
    {
        Self { path, methods: get(handler) }
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Route({})", self.path)
    }
}
