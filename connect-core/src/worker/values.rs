//! Values of flat configurations, of workers and connectors alike, read as Connect reads them.

use std::str::FromStr;
use std::time::Duration;

use connect_api::{ConfigMap, ConnectError};

/// A value without surrounding space; `None` when it is missing or empty.
pub(crate) fn text<'a>(config: &'a ConfigMap, key: &str) -> Option<&'a str> {
    config.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// A number or boolean.
pub(crate) fn parsed<T: FromStr>(config: &ConfigMap, key: &str, default: T) -> Result<T, ConnectError> {
    match text(config, key) {
        None => Ok(default),
        Some(value) => value.to_ascii_lowercase().parse().map_err(|_| {
            ConnectError::config(format!(
                "Invalid value {value} for configuration {key}: it cannot be parsed"
            ))
        }),
    }
}

/// A time of at least 0.
pub(crate) fn millis(config: &ConfigMap, key: &str, default: u64) -> Result<Duration, ConnectError> {
    let wrong = |_| {
        let value = text(config, key).unwrap_or_default();
        ConnectError::config(format!(
            "Invalid value {value} for configuration {key}: a time in milliseconds of at least 0 is expected"
        ))
    };
    parsed(config, key, default).map(Duration::from_millis).map_err(wrong)
}

/// A comma-separated list without empty entries.
pub(crate) fn list(config: &ConfigMap, key: &str) -> Vec<String> {
    let value = config.get(key).map(String::as_str).unwrap_or_default();
    value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// The entries under a prefix, the prefix removed.
pub(crate) fn with_prefix(config: &ConfigMap, prefix: &str) -> ConfigMap {
    let entries = config.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
    entries.map(|(key, value)| (key[prefix.len()..].to_owned(), value.clone())).collect()
}
