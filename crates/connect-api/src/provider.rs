//! Config providers: values that are looked up when they are used and never stored.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::ConnectError;

/// Result of a lookup.
#[derive(Debug, Clone, Default)]
pub struct Provided {
    /// Values by key; keys that do not exist are absent.
    pub data: BTreeMap<String, String>,
    /// After this time the values should be looked up again.
    pub ttl: Option<Duration>,
}

/// A source of values for `${provider:path:key}`.
pub trait ConfigProvider: Send + Sync {
    /// The values of `keys` at `path` (empty when the variable has none).
    fn get(&self, path: &str, keys: &[String]) -> Result<Provided, ConnectError>;
}
