//! The built-in transformations.

use connect_api::TransformationPlugin;

/// All of them.
pub fn plugins() -> Vec<TransformationPlugin> {
    vec![]
}
