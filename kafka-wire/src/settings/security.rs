//! `security.protocol` and what belongs to it: stores for TLS, the JAAS line for SASL.

use std::collections::BTreeMap;

use super::reader::{Reader, SettingError};
use super::{SaslMechanism, SaslSettings, Security, TlsSettings, jaas, stores};

/// Reads the security settings; `ssl.*` and `sasl.*` that the protocol does not call for are not looked at, as in Java.
pub(super) fn read(reader: &Reader<'_>) -> Result<Security, SettingError> {
    let protocols = [
        ("PLAINTEXT", (false, false)),
        ("SSL", (true, false)),
        ("SASL_PLAINTEXT", (false, true)),
        ("SASL_SSL", (true, true)),
    ];
    let (tls, sasl) = reader.choice("security.protocol", &protocols)?.unwrap_or((false, false));
    Ok(Security {
        tls: tls.then(|| read_tls(reader)).transpose()?,
        sasl: sasl.then(|| read_sasl(reader)).transpose()?,
    })
}

fn read_tls(reader: &Reader<'_>) -> Result<TlsSettings, SettingError> {
    Ok(TlsSettings {
        trusted: stores::trusted_certificates(reader.0)?,
        identity: stores::identity(reader.0)?,
        verify_host_name: verify_host_name(reader.0)?,
    })
}

/// `ssl.endpoint.identification.algorithm`: `https` or not set: names are compared; set to nothing: they are not.
///
/// # Errors
/// Any other value.
pub fn verify_host_name(properties: &BTreeMap<String, String>) -> Result<bool, SettingError> {
    const KEY: &str = "ssl.endpoint.identification.algorithm";
    match properties.get(KEY).map(|value| value.trim()) {
        None => Ok(true),
        Some("") => Ok(false),
        Some(value) if value.eq_ignore_ascii_case("https") => Ok(true),
        Some(_) => {
            Err(Reader(properties).error(KEY, "must be https, or empty to skip the comparison of host names"))
        }
    }
}

fn read_sasl(reader: &Reader<'_>) -> Result<SaslSettings, SettingError> {
    const MECHANISM: &str = "sasl.mechanism";
    match reader.text(MECHANISM) {
        Some("PLAIN") => {}
        Some(_) => return Err(reader.error(MECHANISM, "is not supported yet; supported now: PLAIN")),
        None => {
            let reason = "is not set, and Kafka's default GSSAPI is not supported yet; supported now: PLAIN";
            return Err(reader.error(MECHANISM, reason));
        }
    }
    Ok(SaslSettings { mechanism: plain(reader)? })
}

fn plain(reader: &Reader<'_>) -> Result<SaslMechanism, SettingError> {
    const JAAS: &str = "sasl.jaas.config";
    const EXAMPLE: &str = "write org.apache.kafka.common.security.plain.PlainLoginModule required \
                           username=\"…\" password=\"…\";";
    let Some(line) = reader.text(JAAS) else {
        return Err(reader.error(JAAS, format!("is missing; {EXAMPLE}")));
    };
    let mut module =
        jaas::parse(line).map_err(|reason| reader.error(JAAS, format!("{reason}; {EXAMPLE}")))?;
    if !module.class.ends_with("PlainLoginModule") {
        let reason = format!("{} does not belong to sasl.mechanism=PLAIN; {EXAMPLE}", module.class);
        return Err(reader.error(JAAS, reason));
    }
    let mut option = |name: &str| {
        let missing = || reader.error(JAAS, format!("has no option {name}; {EXAMPLE}"));
        module.options.remove(name).ok_or_else(missing)
    };
    Ok(SaslMechanism::Plain { username: option("username")?, password: option("password")? })
}
