//! TLS by rustls, with the stores of the settings.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;

use super::BoxStream;
use super::verifier::server_verifier;
use crate::settings::TlsSettings;

/// Certificates or keys that cannot be used; names the setting.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {reason}")]
pub struct TlsError {
    /// The Java property at fault.
    pub setting: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl TlsError {
    pub(super) fn new(setting: &'static str, reason: impl std::fmt::Display) -> Self {
        Self { setting, reason: reason.to_string() }
    }
}

/// A TLS client for one cluster.
#[derive(Clone)]
pub(super) struct TlsClient {
    config: Arc<ClientConfig>,
}

impl std::fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsClient")
    }
}

impl TlsClient {
    pub(super) fn new(settings: &TlsSettings) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let trusted = settings.trusted.as_deref();
        let verifier = server_verifier(trusted, provider.clone(), settings.verify_host_name)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| TlsError::new("ssl.enabled.protocols", e))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match settings.identity.clone() {
            Some(own) => builder
                .with_client_auth_cert(own.chain, own.key)
                .map_err(|e| TlsError::new("ssl.keystore.location", e))?,
            None => builder.with_no_client_auth(),
        };
        Ok(Self { config: Arc::new(config) })
    }

    pub(super) async fn handshake(&self, host: &str, stream: TcpStream) -> io::Result<BoxStream> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
        let stream = TlsConnector::from(self.config.clone()).connect(name, stream).await?;
        Ok(Box::new(stream))
    }
}
