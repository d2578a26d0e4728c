//! `security.protocol` and what belongs to it: stores for TLS, the JAAS line for SASL.

use std::collections::BTreeMap;

use super::reader::{Reader, SettingError};
use super::{SaslMechanism, SaslSettings, Security, TlsSettings, jaas, stores};

/// Reads the security settings; `ssl.*` and `sasl.*` that the protocol does not call for are not looked at,
/// as in Java.
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

/// `ssl.endpoint.identification.algorithm`: `https` or not set: names are compared; set to nothing: they are
/// not.
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

const MECHANISMS: [SaslMechanism; 3] =
    [SaslMechanism::Plain, SaslMechanism::ScramSha256, SaslMechanism::ScramSha512];

fn read_sasl(reader: &Reader<'_>) -> Result<SaslSettings, SettingError> {
    const MECHANISM: &str = "sasl.mechanism";
    let known = MECHANISMS.map(SaslMechanism::name).join(", ");
    let Some(name) = reader.text(MECHANISM) else {
        let reason = format!("is not set, and Kafka's default GSSAPI is not supported; supported: {known}");
        return Err(reader.error(MECHANISM, reason));
    };
    match MECHANISMS.into_iter().find(|mechanism| mechanism.name() == name) {
        Some(mechanism) => credentials(reader, mechanism),
        None => Err(reader.error(MECHANISM, format!("is not supported; supported: {known}"))),
    }
}

/// User name and password of the login module that belongs to the mechanism.
fn credentials(reader: &Reader<'_>, mechanism: SaslMechanism) -> Result<SaslSettings, SettingError> {
    const JAAS: &str = "sasl.jaas.config";
    let expected = match mechanism {
        SaslMechanism::Plain => "org.apache.kafka.common.security.plain.PlainLoginModule",
        _ => "org.apache.kafka.common.security.scram.ScramLoginModule",
    };
    let example = format!("write {expected} required username=\"…\" password=\"…\";");
    let wrong = |reason: String| reader.error(JAAS, format!("{reason}; {example}"));
    let line = reader.text(JAAS).ok_or_else(|| wrong("is missing".to_owned()))?;
    let mut module = jaas::parse(line).map_err(wrong)?;
    let simple_name = |class: &str| class.rsplit('.').next().map(str::to_owned);
    if simple_name(&module.class) != simple_name(expected) {
        let class = &module.class;
        return Err(wrong(format!("{class} does not belong to sasl.mechanism={}", mechanism.name())));
    }
    let mut option =
        |name: &str| module.options.remove(name).ok_or_else(|| wrong(format!("has no option {name}")));
    let (username, password) = (option("username")?, option("password")?);
    let token = option("tokenauth").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    Ok(SaslSettings { mechanism, username, password, token: token && mechanism != SaslMechanism::Plain })
}
