//! The built-in predicates.

use connect_api::PredicatePlugin;

/// All of them.
pub fn plugins() -> Vec<PredicatePlugin> {
    vec![]
}
