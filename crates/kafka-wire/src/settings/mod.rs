//! Java client properties as typed settings.
//!
//! Guarantees that every value here is already checked: whoever holds a [`ClientSettings`] can connect
//! without asking again. Names, units and defaults are those of Kafka's `ConsumerConfig` and
//! `ProducerConfig`.

mod client;
mod jaas;
mod names;
mod reader;
mod security;
mod stores;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use jaas::{LoginModule, parse as parse_login_module};
pub use names::{
    KnownProperty, Unused, consumer_properties, consumer_property, is_secret, producer_properties,
    producer_property,
};
pub use reader::{HIDDEN, SettingError};
pub use security::verify_host_name;
pub use stores::{Identity, certificates_pem, identity, trusted_certificates};
use tokio_rustls::rustls::pki_types::CertificateDer;

/// Settings that every client of one cluster shares: its address and the way to speak to it.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// `bootstrap.servers`: `(host, port)` pairs, in the order given, never empty.
    pub bootstrap_servers: Vec<(String, u16)>,
    /// `client.id`, may be empty.
    pub client_id: String,
    /// Transport security and authentication.
    pub security: Security,
    /// `request.timeout.ms`.
    pub request_timeout: Duration,
    /// `retry.backoff.ms`.
    pub retry_backoff: Duration,
    /// `retry.backoff.max.ms`.
    pub retry_backoff_max: Duration,
    /// `reconnect.backoff.ms`.
    pub reconnect_backoff: Duration,
    /// `reconnect.backoff.max.ms`.
    pub reconnect_backoff_max: Duration,
    /// `connections.max.idle.ms`; `None` when negative (never closed).
    pub connections_max_idle: Option<Duration>,
    /// `metadata.max.age.ms`.
    pub metadata_max_age: Duration,
    /// `socket.connection.setup.timeout.ms`.
    pub connect_timeout: Duration,
    /// `send.buffer.bytes`; `None` leaves the system's default (-1).
    pub send_buffer: Option<usize>,
    /// `receive.buffer.bytes`; `None` leaves the system's default (-1).
    pub receive_buffer: Option<usize>,
}

/// `security.protocol` taken apart: TLS or not, SASL or not.
#[derive(Clone, Debug, Default)]
pub struct Security {
    /// Present for `SSL` and `SASL_SSL`.
    pub tls: Option<TlsSettings>,
    /// Present for `SASL_PLAINTEXT` and `SASL_SSL`.
    pub sasl: Option<SaslSettings>,
}

/// The `ssl.*` settings, stores already read.
#[derive(Clone, Default)]
pub struct TlsSettings {
    /// Certificates of `ssl.truststore.*`; `None`: the system's.
    pub trusted: Option<Vec<CertificateDer<'static>>>,
    /// Key and certificate of `ssl.keystore.*`.
    pub identity: Option<Identity>,
    /// False when `ssl.endpoint.identification.algorithm` is empty: host names are not compared.
    pub verify_host_name: bool,
}

/// The `sasl.*` settings, the JAAS line already read.
#[derive(Clone)]
pub struct SaslSettings {
    /// `sasl.mechanism`.
    pub mechanism: SaslMechanism,
    /// `username` of the JAAS line.
    pub username: String,
    /// `password` of the JAAS line.
    pub password: String,
    /// `tokenauth` of the JAAS line: name and password are a delegation token's. Never with PLAIN.
    pub token: bool,
}

/// The mechanisms of SASL that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslMechanism {
    /// User name and password, sent as they are.
    Plain,
    /// Proofs that both sides know the password, with SHA-256.
    ScramSha256,
    /// The same with SHA-512.
    ScramSha512,
}

impl SaslMechanism {
    /// Its name in `sasl.mechanism` and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl std::fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsSettings")
            .field("own_truststore", &self.trusted.is_some())
            .field("client_certificate", &self.identity.is_some())
            .field("verify_host_name", &self.verify_host_name)
            .finish()
    }
}

impl std::fmt::Debug for SaslSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SaslSettings({}, {})", self.mechanism.name(), self.username)
    }
}

/// Settings of a consumer's file beyond the connection.
#[derive(Clone, Debug)]
pub struct ConsumerSettings {
    /// The cluster that is read.
    pub client: ClientSettings,
    /// `group.id`.
    pub group_id: Option<String>,
    /// `fetch.min.bytes`.
    pub fetch_min_bytes: i32,
    /// `fetch.max.wait.ms`.
    pub fetch_max_wait: Duration,
    /// `fetch.max.bytes`, only when the user set it (the copy path has a smaller default of its own).
    pub fetch_max_bytes: Option<i32>,
    /// `max.partition.fetch.bytes`.
    pub max_partition_fetch_bytes: i32,
    /// True for `isolation.level=read_committed`.
    pub read_committed: bool,
    /// `client.rack`.
    pub client_rack: String,
}

/// Settings of a producer's file beyond the connection.
#[derive(Clone, Debug)]
pub struct ProducerSettings {
    /// The cluster that is written.
    pub client: ClientSettings,
    /// `max.request.size`: upper bound of one produce request.
    pub max_request_size: usize,
}
