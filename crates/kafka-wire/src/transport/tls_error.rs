//! Error of TLS settings.

/// Certificates or keys that cannot be used; names the setting.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {reason}")]
pub struct TlsError {
    /// The Java property at fault.
    pub setting: &'static str,
    /// The fault in it.
    pub reason: String,
}

impl TlsError {
    pub(super) fn new(setting: &'static str, reason: impl std::fmt::Display) -> Self {
        Self { setting, reason: reason.to_string() }
    }
}
