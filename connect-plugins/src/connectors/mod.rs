//! The built-in connectors.

use std::sync::Arc;

use connect_api::ConnectorPlugin;

/// All of them, also those made only for tests of workers.
pub fn plugins() -> Vec<Arc<dyn ConnectorPlugin>> {
    vec![]
}
