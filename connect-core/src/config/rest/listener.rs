//! Listeners as `listeners` and `admin.listeners` write them.

use crate::api::ConnectError;

/// Protocol of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// As it is.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// As URLs write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// An entry of `listeners`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its protocol.
    pub scheme: Scheme,
    /// Host or address; empty: every interface.
    pub host: String,
    /// Port; 0: the system chooses one.
    pub port: u16,
}

/// Listeners that serve `/admin/loggers`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AdminListeners {
    /// `admin.listeners` is not set: with everything else.
    #[default]
    Public,
    /// It is set to nothing: nowhere.
    Off,
    /// On listeners of its own.
    Own(Vec<Listener>),
}

impl AdminListeners {
    /// True when it is served with everything else.
    pub fn is_public(&self) -> bool {
        *self == Self::Public
    }
}

/// Takes a list of listeners apart.
///
/// # Errors
/// The first that has not the form `protocol://host:port`.
pub(super) fn listeners(items: &[String]) -> Result<Vec<Listener>, ConnectError> {
    items.iter().map(|item| listener(item)).collect::<Result<_, _>>().map_err(ConnectError::config)
}

/// `protocol://host:port`, the host possibly in brackets or empty.
fn listener(text: &str) -> Result<Listener, String> {
    const FORMAT: &str = "Listener doesn't have the right format (protocol://hostname:port).";
    let (scheme, address) = text.rsplit_once("://").ok_or(FORMAT)?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err("Listener protocol must be either \"http\" or \"https\".".to_owned()),
    };
    let (host, port) = address.trim_end_matches('/').rsplit_once(':').ok_or(FORMAT)?;
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '%' | '.' | '_' | ':');
    let port = port.parse().map_err(|_| FORMAT)?;
    if host.chars().all(legal) {
        Ok(Listener { scheme, host: host.to_owned(), port })
    } else {
        Err(FORMAT.to_owned())
    }
}
