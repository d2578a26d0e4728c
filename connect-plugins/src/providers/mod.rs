//! The built-in config providers.

use connect_api::ConfigProviderPlugin;

/// All of them.
pub fn plugins() -> Vec<ConfigProviderPlugin> {
    vec![]
}
