//! Files that the interface's settings name, read once: a worker reads them before it waits for anything, so that a wrong one is refused
//! at once, and builds its interface and its client of them.

use std::sync::Arc;

use tokio_rustls::rustls::ClientConfig;

use super::RestError;
use super::extensions::{self, Filter};
use super::tls;
use crate::config::RestSettings;

/// Contents of the files, as [`super::RestApi`] and [`super::WorkerClient`] take them.
#[derive(Clone)]
pub struct RestFiles {
    /// Client side of `https` to other workers; `None` when this worker does not speak it.
    pub(super) forwarding: Option<Arc<ClientConfig>>,
    /// Filters of `rest.extension.classes`, in their order.
    pub(super) filters: Vec<Filter>,
}

impl RestFiles {
    /// Reads the key and trust stores of `listeners.https.*` and the logins of the extensions.
    ///
    /// # Errors
    /// A certificate or login file cannot be used, or `rest.extension.classes` names what does not exist.
    pub fn read(settings: &RestSettings) -> Result<Self, RestError> {
        Ok(Self { forwarding: tls::forwarding_client(settings)?, filters: extensions::load(settings)? })
    }
}

impl std::fmt::Debug for RestFiles {
    /// Says nothing of keys and logins.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RestFiles({} filters)", self.filters.len())
    }
}
