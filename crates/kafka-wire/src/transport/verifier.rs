//! Which certificates of the other side are accepted: what webpki accepts, and beyond it what Java's clients
//! and servers accept too, as users have such certificates in their stores.
//!
//! - A certificate that stands in the trust store itself is trusted, whatever it is: an authority's that
//!   serves too, or one whose authority is unknown.
//! - A certificate may be of version 1.
//! - A name may stand in the subject (CN) of a certificate without alternative names of hosts.

use std::sync::Arc;

use rustls_platform_verifier::Verifier as PlatformVerifier;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore,
    SignatureScheme,
};
use tracing::warn;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::tls_error::TlsError;
use super::version_one::VersionOne;

const TRUSTSTORE: &str = "ssl.truststore.location";

/// Verifier by which a client judges servers: by `trusted`, or by what the system trusts; their names only
/// when asked to.
///
/// # Errors
/// No certificate of `trusted` can be used, or the system has none.
pub fn server_verifier(
    trusted: Option<&[CertificateDer<'static>]>,
    provider: Arc<CryptoProvider>,
    verify_host_name: bool,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let algorithms = provider.signature_verification_algorithms;
    let chain: Arc<dyn ServerCertVerifier> = match trusted {
        None => Arc::new(PlatformVerifier::new(provider).map_err(|e| TlsError::new(TRUSTSTORE, e))?),
        Some(trusted) => WebPkiServerVerifier::builder_with_provider(roots(trusted)?, provider)
            .build()
            .map_err(|e| TlsError::new(TRUSTSTORE, e))?,
    };
    let trusted = Trusted { certificates: trusted.unwrap_or_default().to_vec(), algorithms };
    Ok(Arc::new(ServerVerifier { chain, trusted, verify_host_name }))
}

/// Verifier by which a server judges clients, by `trusted`; those without a certificate are let in unless one
/// is `required`.
///
/// # Errors
/// No certificate of `trusted` can be used.
pub fn client_verifier(
    trusted: &[CertificateDer<'static>],
    provider: Arc<CryptoProvider>,
    required: bool,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let algorithms = provider.signature_verification_algorithms;
    let builder = WebPkiClientVerifier::builder_with_provider(roots(trusted)?, provider);
    let builder = if required { builder } else { builder.allow_unauthenticated() };
    let chain = builder.build().map_err(|e| TlsError::new(TRUSTSTORE, e))?;
    Ok(Arc::new(ClientVerifier { chain, trusted: Trusted { certificates: trusted.to_vec(), algorithms } }))
}

/// The roots of those that can be one; Java's stores hold all sorts.
fn roots(trusted: &[CertificateDer<'static>]) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(trusted.iter().cloned());
    match (added, ignored) {
        (0, _) => return Err(TlsError::new(TRUSTSTORE, "holds no certificate that can be read")),
        (_, 0) => {}
        _ => warn!("{TRUSTSTORE}: {ignored} of its certificates cannot be read and are not trusted"),
    }
    Ok(Arc::new(roots))
}

/// Why `certificate` is not valid at this time, with its name and the date; `None` when it is.
pub(crate) fn validity(certificate: &[u8]) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let (validity, now) = (parsed.validity(), ASN1Time::now());
    let subject = parsed.subject();
    if now > validity.not_after {
        Some(format!("the certificate of {subject} expired on {}", validity.not_after))
    } else if now < validity.not_before {
        Some(format!("the certificate of {subject} is not valid before {}", validity.not_before))
    } else {
        None
    }
}

/// `error` with the name and the date of the certificate whose time it is not.
fn explained(error: Error, certificates: &[&CertificateDer<'_>]) -> Error {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    let Error::InvalidCertificate(Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }) =
        error
    else {
        return error;
    };
    match certificates.iter().find_map(|certificate| validity(certificate)) {
        Some(reason) => CertificateError::Other(OtherError(Arc::new(Untimely(reason)))).into(),
        None => error,
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Untimely(String);

fn named_in(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
    match VersionOne::read(certificate) {
        // It has no place for one but the subject.
        Some(_) => Err(CertificateError::NotValidForName.into()),
        None => verify_server_name(&ParsedCertificate::try_from(certificate)?, name),
    }
}

/// Whether `name` is the common name of a certificate without alternative names of hosts.
fn is_common_name(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let ServerName::DnsName(name) = name else { return false };
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return false };
    let Ok(alternatives) = parsed.subject_alternative_name() else { return false };
    let named = |general: &GeneralName<'_>| matches!(general, GeneralName::DNSName(_));
    if alternatives.is_some_and(|extension| extension.value.general_names.iter().any(named)) {
        return false;
    }
    let common = parsed.subject().iter_common_name().last().and_then(|name| name.as_str().ok());
    common.is_some_and(|common| matches_host(common, name.as_ref()))
}

/// `*` may stand for the first part of a name.
fn matches_host(pattern: &str, host: &str) -> bool {
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    match (pattern.strip_prefix("*."), host.split_once('.')) {
        (Some(domain), Some((_, rest))) => domain.contains('.') && domain.eq_ignore_ascii_case(rest),
        _ => false,
    }
}

fn is_about_name(error: &Error) -> bool {
    use CertificateError::{NotValidForName, NotValidForNameContext};
    matches!(error, Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
}

/// The trust store, for what webpki does not know.
#[derive(Debug)]
struct Trusted {
    certificates: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Trusted {
    /// `None`: webpki shall judge.
    fn judge(&self, certificate: &CertificateDer<'_>) -> Option<Result<(), Error>> {
        if self.certificates.contains(certificate) {
            return Some(Ok(()));
        }
        Some(VersionOne::read(certificate)?.verify(&self.certificates, &self.algorithms))
    }

    fn verify_tls12(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match VersionOne::read(certificate) {
            Some(old) => old.verify_tls12(message, dss, &self.algorithms),
            None => verify_tls12_signature(message, certificate, dss, &self.algorithms),
        }
    }

    fn verify_tls13(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match VersionOne::read(certificate) {
            Some(old) => old.verify_tls13(message, dss, &self.algorithms),
            None => verify_tls13_signature(message, certificate, dss, &self.algorithms),
        }
    }
}

#[derive(Debug)]
struct ServerVerifier {
    chain: Arc<dyn ServerCertVerifier>,
    trusted: Trusted,
    verify_host_name: bool,
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let named = match self.trusted.judge(end_entity) {
            Some(judgement) => judgement.and_then(|()| named_in(end_entity, server_name)),
            // It compares names when all else is right.
            None => self
                .chain
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map(drop),
        };
        match named {
            Err(error) if is_about_name(&error) => {
                if !self.verify_host_name || is_common_name(end_entity, server_name) {
                    Ok(ServerCertVerified::assertion())
                } else {
                    Err(error)
                }
            }
            Err(error) => {
                let all: Vec<_> = std::iter::once(end_entity).chain(intermediates).collect();
                Err(explained(error, &all))
            }
            Ok(()) => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trusted.verify_tls12(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trusted.verify_tls13(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

#[derive(Debug)]
struct ClientVerifier {
    chain: Arc<dyn ClientCertVerifier>,
    trusted: Trusted,
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.chain.client_auth_mandatory()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let judgement = match self.trusted.judge(end_entity) {
            Some(judgement) => judgement.map(|()| ClientCertVerified::assertion()),
            None => self.chain.verify_client_cert(end_entity, intermediates, now),
        };
        judgement.map_err(|error| {
            let all: Vec<_> = std::iter::once(end_entity).chain(intermediates).collect();
            explained(error, &all)
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trusted.verify_tls12(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trusted.verify_tls13(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
