//! The built-in converters.

use connect_api::ConverterPlugin;

/// All of them.
pub fn plugins() -> Vec<ConverterPlugin> {
    vec![]
}
