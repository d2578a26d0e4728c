//! The plugins that a worker brings along, each under the name of its Java class.

pub mod connectors;
pub mod converters;
pub mod predicates;
pub mod providers;
pub mod transforms;

use connect_api::PluginSet;

/// The plugins that every worker has. Executables register them.
pub fn all() -> PluginSet {
    PluginSet {
        connectors: connectors::plugins(),
        converters: converters::plugins(),
        transformations: transforms::plugins(),
        predicates: predicates::plugins(),
        providers: providers::plugins(),
    }
}
