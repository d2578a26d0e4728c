//! Taking the REST ports, and the address by which other workers and statuses know this one.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};

use tokio::net::TcpListener;

use crate::config::rest::{Listener, RestSettings};

/// Why the REST interface cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestError {
    /// A port that cannot be had.
    #[error("cannot listen on http://{host}:{port}: {reason}. Choose another address or port with listeners")]
    Bind {
        /// Host as configured.
        host: String,
        /// Port as configured.
        port: u16,
        /// The system's reason.
        #[source]
        reason: std::io::Error,
    },
    /// Certificates or keys cannot be used.
    #[error("{setting}: {reason}")]
    Tls {
        /// The setting at fault.
        setting: &'static str,
        /// The fault.
        reason: String,
    },
    /// A store cannot be read.
    #[error(transparent)]
    Store(#[from] kafka_wire::settings::SettingError),
    /// Trusted certificates cannot be used.
    #[error(transparent)]
    Trust(#[from] kafka_wire::transport::TlsError),
    /// `rest.extension.classes` cannot be done.
    #[error("rest.extension.classes: {0}")]
    Extension(String),
}

impl RestError {
    pub(super) fn new(host: &str, port: u16, reason: std::io::Error) -> Self {
        Self::Bind { host: host.to_owned(), port, reason }
    }

    pub(super) fn tls(setting: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Tls { setting, reason: reason.to_string() }
    }

    pub(super) fn no_certificate(listener: &Listener) -> Self {
        let reason =
            format!("is not set, but https://{}:{} needs a certificate", listener.host, listener.port);
        Self::Tls { setting: "listeners.https.ssl.keystore.location", reason }
    }
}

/// Takes one port. Without a host: on every interface, of IPv6 too where the machine has it.
pub(super) async fn bind(host: &str, port: u16) -> Result<TcpListener, RestError> {
    let bound = match host {
        "" => match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
            Err(reason) if reason.kind() != ErrorKind::AddrInUse => {
                TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await
            }
            bound => bound,
        },
        host => TcpListener::bind((host.trim_matches(['[', ']']), port)).await,
    };
    bound.map_err(|e| RestError::new(host, port, e))
}

/// `host:port` under which statuses name this worker: what `rest.advertised.host.name` and `rest.advertised.port` say,
/// else the listener's own, else (for a listener on every interface) this machine's address on its main network.
pub fn advertised_address(
    listener: &(String, u16),
    advertised_host: Option<&str>,
    advertised_port: Option<u16>,
) -> String {
    let (listener_host, listener_port) = listener;
    let port = advertised_port.unwrap_or(*listener_port);
    let everywhere = matches!(listener_host.as_str(), "" | "0.0.0.0" | "::" | "[::]");
    let host = match advertised_host {
        Some(host) => host.to_owned(),
        None if everywhere => main_address(),
        None => listener_host.clone(),
    };
    // An address of IPv6 stands in brackets wherever a port follows.
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// The URL under which other workers reach this one, ending in a slash, and `host:port` as statuses name it. `bound` are the
/// addresses in use, in the order of `listeners`: they tell ports that the system chose.
pub fn advertised_url(settings: &RestSettings, bound: &[std::net::SocketAddr]) -> (String, String) {
    let fallback = Listener { scheme: crate::config::rest::Scheme::Http, host: String::new(), port: 8083 };
    let listener = settings.advertised().unwrap_or(&fallback);
    let index = settings.listeners.iter().position(|known| known == listener);
    let port = index.and_then(|index| bound.get(index)).map_or(listener.port, std::net::SocketAddr::port);
    let host = settings.advertised_host.as_deref();
    let address = advertised_address(&(listener.host.clone(), port), host, settings.advertised_port);
    (format!("{}://{address}/", listener.scheme.name()), address)
}

fn main_address() -> String {
    // Connecting a datagram socket sends nothing; it only makes the system choose its own address.
    let chosen = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    chosen.map_or("127.0.0.1".to_owned(), |address| address.ip().to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    #[test]
    fn the_advertised_address_follows_the_settings() {
        let listener = |host: &str| (host.to_owned(), 8083);
        assert_eq!(advertised_address(&listener("h"), None, None), "h:8083");
        assert_eq!(advertised_address(&listener("h"), Some("public"), Some(80)), "public:80");
        assert_eq!(advertised_address(&listener("::1"), None, None), "[::1]:8083");
        assert_eq!(advertised_address(&listener("h"), Some("[fe80::1]"), None), "[fe80::1]:8083");
        let own = advertised_address(&listener(""), None, None);
        assert!(own.ends_with(":8083") && !own.starts_with("0.0.0.0"), "{own}");
        let settings = RestSettings { advertised_host: Some("h".to_owned()), ..RestSettings::default() };
        let bound = ["0.0.0.0:7".parse().unwrap()];
        assert_eq!(advertised_url(&settings, &bound), ("http://h:7/".to_owned(), "h:7".to_owned()));
    }

    #[tokio::test]
    async fn a_listener_without_a_host_is_reached_by_either_protocol() {
        let listener = bind("", 0).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        // Only where the machine has IPv6 at all.
        if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok() {
            TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_taken_port_names_the_setting() {
        let first = bind("127.0.0.1", 0).await.unwrap();
        let port = first.local_addr().unwrap().port();
        let error = bind("127.0.0.1", port).await.unwrap_err().to_string();
        assert!(error.contains(&format!("127.0.0.1:{port}")) && error.contains("listeners"), "{error}");
    }
}
