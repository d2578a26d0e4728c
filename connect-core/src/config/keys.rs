//! Small helpers around flat maps of settings.

use crate::api::ConfigMap;

/// The settings whose keys have the prefix, the prefix removed.
pub fn prefixed(settings: &ConfigMap, prefix: &str) -> ConfigMap {
    let strip =
        |(key, value): (&String, &String)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone()));
    settings.iter().filter_map(strip).collect()
}

/// A comma-separated list without empty items.
pub(crate) fn string_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}
