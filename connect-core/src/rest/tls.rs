//! TLS of the REST interface, from `ssl.*` settings: certificates and keys in PEM (in the settings or in files) or PKCS12.

use std::sync::Arc;

use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    CipherSuite, ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion,
};

use super::RestError;
use crate::api::ConfigMap;
use crate::config::keys::string_list;
use crate::config::rest::{RestSettings, Scheme};

const KEYSTORE: &str = "ssl.keystore.location";
const TRUSTSTORE: &str = "ssl.truststore.location";
const CLIENT_AUTH: &str = "ssl.client.auth";
const PROTOCOLS: &str = "ssl.enabled.protocols";
const SUITES: &str = "ssl.cipher.suites";

/// A certificate chain with its private key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// How listeners with `https` speak: needs a keystore; `ssl.client.auth` says whether clients need a certificate, which is then
/// checked against the truststore. Fails with the setting at fault.
pub fn server_config(ssl: &ConfigMap) -> Result<Arc<ServerConfig>, RestError> {
    let identity = identity(ssl)?
        .ok_or_else(|| RestError::tls(KEYSTORE, "is not set, but https needs a certificate"))?;
    let provider = provider(ssl)?;
    let versions = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(ssl)?)
        .map_err(|e| RestError::tls(PROTOCOLS, e))?;
    let builder = match ssl.get(CLIENT_AUTH).map(|value| value.trim()) {
        None | Some("" | "none") => versions.with_no_client_auth(),
        Some(demand) => {
            let roots = roots(ssl)?
                .ok_or_else(|| RestError::tls(TRUSTSTORE, "is not set, but ssl.client.auth needs one"))?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = match demand {
                "required" => verifier,
                "requested" => verifier.allow_unauthenticated(),
                _ => return Err(RestError::tls(CLIENT_AUTH, "must be none, requested or required")),
            };
            versions.with_client_cert_verifier(verifier.build().map_err(|e| RestError::tls(TRUSTSTORE, e))?)
        }
    };
    let config =
        builder.with_single_cert(identity.chain, identity.key).map_err(|e| RestError::tls(KEYSTORE, e))?;
    Ok(Arc::new(config))
}

/// How this worker reaches others over `https`; `None` when it does not speak `https` itself.
pub(super) fn forwarding_client(settings: &RestSettings) -> Result<Option<Arc<ClientConfig>>, RestError> {
    let https = settings.listeners.iter().any(|listener| listener.scheme == Scheme::Https);
    if !https {
        return Ok(None);
    }
    let ssl = &settings.ssl;
    let versions = ClientConfig::builder_with_provider(provider(ssl)?)
        .with_protocol_versions(&versions(ssl)?)
        .map_err(|e| RestError::tls(PROTOCOLS, e))?;
    let builder = match roots(ssl)? {
        Some(roots) => versions.with_root_certificates(roots),
        None => versions.with_platform_verifier().map_err(|e| RestError::tls(TRUSTSTORE, e))?,
    };
    let config = match identity(ssl)? {
        Some(own) => {
            builder.with_client_auth_cert(own.chain, own.key).map_err(|e| RestError::tls(KEYSTORE, e))?
        }
        None => builder.with_no_client_auth(),
    };
    Ok(Some(Arc::new(config)))
}

/// With what is left of its cipher suites by `ssl.cipher.suites`. As in Java, names that are not known here count for nothing.
fn provider(ssl: &ConfigMap) -> Result<Arc<CryptoProvider>, RestError> {
    let mut provider = aws_lc_rs::default_provider();
    if let Some(list) = text(ssl, SUITES) {
        let wanted = string_list(list);
        provider.cipher_suites.retain(|suite| wanted.contains(&standard_name(suite.suite())));
        if provider.cipher_suites.is_empty() {
            let known = aws_lc_rs::default_provider().cipher_suites;
            let known: Vec<_> = known.iter().map(|suite| standard_name(suite.suite())).collect();
            let reason = format!("has no cipher suite that there is; there are {}", known.join(", "));
            return Err(RestError::tls(SUITES, reason));
        }
    }
    Ok(Arc::new(provider))
}

/// As standards and Java call it.
fn standard_name(suite: CipherSuite) -> String {
    let name = format!("{suite:?}");
    name.strip_prefix("TLS13_").map(|rest| format!("TLS_{rest}")).unwrap_or(name)
}

/// What `ssl.enabled.protocols` leaves of TLS 1.2 and 1.3; older ones are never spoken.
fn versions(ssl: &ConfigMap) -> Result<Vec<&'static SupportedProtocolVersion>, RestError> {
    let Some(list) = text(ssl, PROTOCOLS) else { return Ok(vec![&TLS13, &TLS12]) };
    let wanted = string_list(list);
    let enabled = [("TLSv1.3", &TLS13), ("TLSv1.2", &TLS12)];
    let enabled = enabled.into_iter().filter(|(name, _)| wanted.iter().any(|wanted| wanted == name));
    let versions: Vec<_> = enabled.map(|(_, version)| version).collect();
    match versions.is_empty() {
        true => Err(RestError::tls(PROTOCOLS, "must have TLSv1.2 or TLSv1.3, the versions that there are")),
        false => Ok(versions),
    }
}

/// A setting that is there and not blank.
fn text<'a>(ssl: &'a ConfigMap, key: &str) -> Option<&'a str> {
    ssl.get(key).map(String::as_str).filter(|value| !value.trim().is_empty())
}

fn identity(ssl: &ConfigMap) -> Result<Option<Identity>, RestError> {
    if let (Some(key), Some(chain)) =
        (text(ssl, "ssl.keystore.key"), text(ssl, "ssl.keystore.certificate.chain"))
    {
        return Ok(Some(Identity {
            chain: certificates("ssl.keystore.certificate.chain", &unfold(chain))?,
            key: private_key("ssl.keystore.key", &unfold(key))?,
        }));
    }
    let Some(location) = text(ssl, KEYSTORE) else { return Ok(None) };
    let bytes = read(KEYSTORE, location)?;
    if let Ok(pem) = std::str::from_utf8(&bytes) {
        return Ok(Some(Identity { chain: certificates(KEYSTORE, pem)?, key: private_key(KEYSTORE, pem)? }));
    }
    let store = pkcs12(KEYSTORE, &bytes, text(ssl, "ssl.keystore.password"))?;
    let (_, chain) = store
        .private_key_chain()
        .ok_or_else(|| RestError::tls(KEYSTORE, "holds no private key with its certificate"))?;
    Ok(Some(Identity {
        chain: chain.certs().iter().map(|cert| CertificateDer::from(cert.as_der().to_vec())).collect(),
        key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(chain.key().as_der().to_vec())),
    }))
}

/// The certificate authorities that are trusted; `None` without a truststore.
fn roots(ssl: &ConfigMap) -> Result<Option<RootCertStore>, RestError> {
    let (setting, certificates) = match (text(ssl, "ssl.truststore.certificates"), text(ssl, TRUSTSTORE)) {
        (Some(pem), _) => {
            let setting = "ssl.truststore.certificates";
            (setting, certificates(setting, &unfold(pem))?)
        }
        (None, Some(location)) => (TRUSTSTORE, truststore(location, text(ssl, "ssl.truststore.password"))?),
        (None, None) => return Ok(None),
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|e| RestError::tls(setting, e))?;
    }
    Ok(Some(roots))
}

fn truststore(location: &str, password: Option<&str>) -> Result<Vec<CertificateDer<'static>>, RestError> {
    let bytes = read(TRUSTSTORE, location)?;
    if let Ok(pem) = std::str::from_utf8(&bytes) {
        return certificates(TRUSTSTORE, pem);
    }
    let store = pkcs12(TRUSTSTORE, &bytes, password)?;
    let mut found = Vec::new();
    for (_, entry) in store.entries() {
        match entry {
            KeyStoreEntry::Certificate(cert) => found.push(CertificateDer::from(cert.as_der().to_vec())),
            KeyStoreEntry::PrivateKeyChain(chain) => {
                found.extend(chain.certs().iter().map(|cert| CertificateDer::from(cert.as_der().to_vec())));
            }
            _ => {}
        }
    }
    match found.is_empty() {
        true => Err(RestError::tls(TRUSTSTORE, "holds no trusted certificate")),
        false => Ok(found),
    }
}

fn read(setting: &'static str, location: &str) -> Result<Vec<u8>, RestError> {
    std::fs::read(location).map_err(|e| RestError::tls(setting, format!("{location} cannot be read: {e}")))
}

fn pkcs12(setting: &'static str, bytes: &[u8], password: Option<&str>) -> Result<KeyStore, RestError> {
    if bytes.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) {
        let reason = "is a JKS store, which cannot be read; convert it with `keytool -importkeystore -srckeystore old.jks \
                      -destkeystore new.p12 -deststoretype PKCS12`";
        return Err(RestError::tls(setting, reason));
    }
    KeyStore::from_pkcs12(bytes, password.unwrap_or_default(), Pkcs12ImportPolicy::Relaxed).map_err(|e| {
        RestError::tls(setting, format!("cannot be read as PEM or PKCS12 (is its password right?): {e}"))
    })
}

/// PEM in a setting may stand on one line, with blanks for line ends.
fn unfold(pem: &str) -> String {
    let mut out = String::with_capacity(pem.len());
    let mut rest = pem;
    while let Some(begin) = rest.find("-----BEGIN ") {
        let Some(label) = rest[begin + 11..].find("-----").map(|end| &rest[begin + 11..begin + 11 + end])
        else {
            break;
        };
        let body = begin + 11 + label.len() + 5;
        let mark = format!("-----END {label}-----");
        let Some(end) = rest[body..].find(&mark).map(|end| body + end) else { break };
        out.push_str(&format!("-----BEGIN {label}-----\n"));
        rest[body..end].split_whitespace().for_each(|line| {
            out.push_str(line);
            out.push('\n');
        });
        out.push_str(&format!("{mark}\n"));
        rest = &rest[end + mark.len()..];
    }
    out
}

fn certificates(setting: &'static str, pem: &str) -> Result<Vec<CertificateDer<'static>>, RestError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| RestError::tls(setting, e))?;
    match found.is_empty() {
        true => Err(RestError::tls(setting, "holds no PEM certificate (-----BEGIN CERTIFICATE-----)")),
        false => Ok(found),
    }
}

fn private_key(setting: &'static str, pem: &str) -> Result<PrivateKeyDer<'static>, RestError> {
    if pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        let reason = "holds an encrypted private key, which cannot be read; use a PKCS12 store, or decrypt it with \
                      `openssl pkcs8 -in encrypted.pem -out key.pem`";
        return Err(RestError::tls(setting, reason));
    }
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|e| RestError::tls(setting, e))
}
