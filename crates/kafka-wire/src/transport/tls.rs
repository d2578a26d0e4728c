//! TLS by rustls, with the stores of the settings.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs::{self, sign::any_supported_type};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{ClientConfig, Error, InconsistentKeys};

use super::BoxStream;
use super::tls_error::TlsError;
use super::verifier::server_verifier;
use crate::settings::{Identity, TlsSettings};

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
        let config = match &settings.identity {
            Some(own) => builder.with_client_cert_resolver(certified(own)?),
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

/// `identity` as both clients and servers show it.
///
/// # Errors
/// The key is not the certificate's.
pub fn certified(identity: &Identity) -> Result<Arc<SingleCertAndKey>, TlsError> {
    let wrong = |reason: Error| TlsError::new("ssl.keystore.location", reason);
    let key = any_supported_type(&identity.key).map_err(wrong)?;
    let own = CertifiedKey::new(identity.chain.clone(), key);
    match own.keys_match() {
        // Certificates that webpki does not read, such as those of version 1, are the other side's to judge.
        Err(error @ Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(wrong(error)),
        _ => Ok(Arc::new(SingleCertAndKey::from(own))),
    }
}
