//! TLS by rustls: trust from PEM or the system, client certificates from PEM, host names compared or not.

use std::io;
use std::sync::Arc;

use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::BoxStream;
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
    fn new(setting: &'static str, reason: impl std::fmt::Display) -> Self {
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
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|e| TlsError::new("ssl.enabled.protocols", e))?;
        let builder = match &settings.truststore_pem {
            None => {
                builder.with_platform_verifier().map_err(|e| TlsError::new("ssl.truststore.location", e))?
            }
            Some(pem) => {
                let roots = Arc::new(root_store(pem)?);
                let inner = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider)
                    .build()
                    .map_err(|e| TlsError::new("ssl.truststore.certificates", e))?;
                if settings.verify_host_name {
                    builder.with_root_certificates(roots)
                } else {
                    builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyHostName(inner)))
                }
            }
        };
        let config = match (&settings.certificate_chain_pem, &settings.private_key_pem) {
            (Some(chain), Some(key)) => {
                let chain = certificates("ssl.keystore.certificate.chain", chain)?;
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
                    .map_err(|e| TlsError::new("ssl.keystore.key", e))?;
                builder.with_client_auth_cert(chain, key).map_err(|e| TlsError::new("ssl.keystore.key", e))?
            }
            _ => builder.with_no_client_auth(),
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

fn certificates(setting: &'static str, pem: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| TlsError::new(setting, e))?;
    if found.is_empty() {
        return Err(TlsError::new(setting, "holds no PEM certificate"));
    }
    Ok(found)
}

fn root_store(pem: &str) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ssl.truststore.certificates", pem)? {
        roots.add(certificate).map_err(|e| TlsError::new("ssl.truststore.certificates", e))?;
    }
    Ok(roots)
}

/// `ssl.endpoint.identification.algorithm=` (empty): the chain is checked in full, the name is not.
#[derive(Debug)]
struct AnyHostName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyHostName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
