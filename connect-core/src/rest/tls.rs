//! TLS of the REST interface, from `ssl.*` settings.

use std::sync::Arc;

use kafka_wire::settings::{identity, trusted_certificates, verify_host_name};
use kafka_wire::transport::{certified, client_verifier, server_verifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{CipherSuite, ClientConfig, ServerConfig, SupportedProtocolVersion};

use super::RestError;
use crate::api::ConfigMap;
use crate::config::keys::string_list;
use crate::config::rest::{RestSettings, Scheme};

const KEYSTORE: &str = "ssl.keystore.location";
const TRUSTSTORE: &str = "ssl.truststore.location";
const CLIENT_AUTH: &str = "ssl.client.auth";
const PROTOCOLS: &str = "ssl.enabled.protocols";
const SUITES: &str = "ssl.cipher.suites";

/// Server side of listeners with `https`: needs a keystore; `ssl.client.auth` says whether clients need a certificate, which is then
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
            let required = match demand {
                "required" => true,
                "requested" => false,
                _ => return Err(RestError::tls(CLIENT_AUTH, "must be none, requested or required")),
            };
            let trusted = trusted_certificates(ssl)?
                .ok_or_else(|| RestError::tls(TRUSTSTORE, "is not set, but ssl.client.auth needs one"))?;
            versions.with_client_cert_verifier(client_verifier(&trusted, provider, required)?)
        }
    };
    Ok(Arc::new(builder.with_cert_resolver(certified(&identity)?)))
}

/// Client side of `https` to other workers; `None` when this worker does not speak `https` itself.
pub(super) fn forwarding_client(settings: &RestSettings) -> Result<Option<Arc<ClientConfig>>, RestError> {
    let https = settings.listeners.iter().any(|listener| listener.scheme == Scheme::Https);
    if !https {
        return Ok(None);
    }
    let ssl = &settings.ssl;
    let provider = provider(ssl)?;
    let trusted = trusted_certificates(ssl)?;
    let verifier = server_verifier(trusted.as_deref(), provider.clone(), verify_host_name(ssl)?)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(ssl)?)
        .map_err(|e| RestError::tls(PROTOCOLS, e))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match identity(ssl)? {
        Some(own) => builder.with_client_cert_resolver(certified(&own)?),
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

/// Versions that `ssl.enabled.protocols` leaves of TLS 1.2 and 1.3; older ones are never spoken.
fn versions(ssl: &ConfigMap) -> Result<Vec<&'static SupportedProtocolVersion>, RestError> {
    let Some(list) = text(ssl, PROTOCOLS) else { return Ok(vec![&TLS13, &TLS12]) };
    let wanted = string_list(list);
    let enabled = [("TLSv1.3", &TLS13), ("TLSv1.2", &TLS12)];
    let enabled = enabled.into_iter().filter(|(name, _)| wanted.iter().any(|wanted| wanted == name));
    let versions: Vec<_> = enabled.map(|(_, version)| version).collect();
    if versions.is_empty() {
        Err(RestError::tls(PROTOCOLS, "must have TLSv1.2 or TLSv1.3, the versions that there are"))
    } else {
        Ok(versions)
    }
}

/// A setting that is there and not blank.
fn text<'a>(ssl: &'a ConfigMap, key: &str) -> Option<&'a str> {
    ssl.get(key).map(String::as_str).filter(|value| !value.trim().is_empty())
}
