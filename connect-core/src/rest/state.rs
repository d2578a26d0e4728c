//! The state that all handlers share, and the options that it is made of.

use std::sync::Arc;
use std::time::Duration;

use super::forward::Forwarder;
use crate::herder::api::Herder;

/// Renders the worker's metrics as Prometheus text.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// Behaviour of the interface.
#[derive(Clone)]
pub struct RestOptions {
    /// Version of the product, for `GET /`.
    pub version: String,
    /// Commit it was built from, for `GET /`.
    pub commit: String,
    /// `topic.tracking.enable`.
    pub topic_tracking: bool,
    /// `topic.tracking.allow.reset`.
    pub topic_tracking_reset: bool,
    /// Time that a request may take; Connect: 90 s.
    pub request_timeout: Duration,
    /// Time that `GET /health` may take; Connect: 10 s.
    pub health_timeout: Duration,
    /// `GET /metrics`; without it there is no such path.
    pub metrics: Option<RenderMetrics>,
}

impl Default for RestOptions {
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: "unknown".to_owned(),
            topic_tracking: true,
            topic_tracking_reset: true,
            request_timeout: Duration::from_secs(90),
            health_timeout: Duration::from_secs(10),
            metrics: None,
        }
    }
}

/// Everything that handlers read. Handlers of other crates see it only through [`Exchange`](super::Exchange).
pub struct RestState {
    pub(super) herder: Arc<dyn Herder>,
    pub(super) options: RestOptions,
    pub(super) forwarder: Forwarder,
}
