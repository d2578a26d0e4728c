//! `security.protocol` and what belongs to it: PEM stores for TLS, the JAAS line for SASL.

use std::path::Path;

use super::pem::{self, Block};
use super::reader::{Reader, SettingError};
use super::{SaslMechanism, SaslSettings, Security, TlsSettings, jaas};

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
    let (certificate_chain_pem, private_key_pem) = keystore(reader)?;
    Ok(TlsSettings {
        truststore_pem: truststore(reader)?,
        certificate_chain_pem,
        private_key_pem,
        verify_host_name: verify_host_name(reader)?,
    })
}

/// `https` or not set: names are compared; set to nothing: they are not.
fn verify_host_name(reader: &Reader<'_>) -> Result<bool, SettingError> {
    const KEY: &str = "ssl.endpoint.identification.algorithm";
    match reader.0.get(KEY).map(|value| value.trim()) {
        None => Ok(true),
        Some("") => Ok(false),
        Some(value) if value.eq_ignore_ascii_case("https") => Ok(true),
        Some(_) => Err(reader.error(KEY, "must be https, or empty to skip the comparison of host names")),
    }
}

fn truststore(reader: &Reader<'_>) -> Result<Option<String>, SettingError> {
    const INLINE: &str = "ssl.truststore.certificates";
    let store = Store { type_key: "ssl.truststore.type", location_key: "ssl.truststore.location" };
    let (key, blocks) = match (reader.text(INLINE), store.read(reader)?) {
        (Some(_), Some(_)) => {
            let reason = "is set together with ssl.truststore.certificates; remove one of them";
            return Err(reader.error(store.location_key, reason));
        }
        (Some(text), None) => (INLINE, pem::blocks(text)),
        (None, Some(blocks)) => (store.location_key, blocks),
        (None, None) => return Ok(None),
    };
    let certificates: Vec<_> = blocks.into_iter().filter(Block::is_certificate).collect();
    match certificates.is_empty() {
        true => Err(reader.error(key, "holds no PEM certificate (-----BEGIN CERTIFICATE-----)")),
        false => Ok(Some(pem::to_text(&certificates))),
    }
}

/// Certificate chain and private key, both or neither.
fn keystore(reader: &Reader<'_>) -> Result<(Option<String>, Option<String>), SettingError> {
    const KEY: &str = "ssl.keystore.key";
    const CHAIN: &str = "ssl.keystore.certificate.chain";
    let store = Store { type_key: "ssl.keystore.type", location_key: "ssl.keystore.location" };
    let from_store = store.read(reader)?;
    let (key_from, chain_from, blocks) = match (reader.text(KEY), reader.text(CHAIN), from_store) {
        (None, None, None) => return Ok((None, None)),
        (None, None, Some(blocks)) => (store.location_key, store.location_key, blocks),
        (Some(key), Some(chain), None) => {
            let key = pem::blocks(key).into_iter().filter(Block::is_private_key);
            (KEY, CHAIN, key.chain(pem::blocks(chain)).collect())
        }
        (_, _, Some(_)) => {
            let reason =
                "is set together with ssl.keystore.key or ssl.keystore.certificate.chain; remove one of them";
            return Err(reader.error(store.location_key, reason));
        }
        (Some(_), None, None) => return Err(reader.error(CHAIN, "is missing; ssl.keystore.key needs it")),
        (None, Some(_), None) => return Err(reader.error(KEY, "is missing; the certificate chain needs it")),
    };
    let (keys, rest): (Vec<_>, Vec<_>) = blocks.into_iter().partition(Block::is_private_key);
    let Some(key) = keys.first() else {
        return Err(reader.error(key_from, "holds no PEM private key (-----BEGIN PRIVATE KEY-----)"));
    };
    if key.is_encrypted() {
        let reason = "holds an encrypted private key, which cannot be read yet; decrypt it with \
                      `openssl pkcs8 -in encrypted.pem -out key.pem` and protect the file by its permissions";
        return Err(reader.error(key_from, reason));
    }
    let chain: Vec<_> = rest.into_iter().filter(Block::is_certificate).collect();
    if chain.is_empty() {
        return Err(reader.error(chain_from, "holds no PEM certificate (-----BEGIN CERTIFICATE-----)"));
    }
    Ok((Some(pem::to_text(&chain)), Some(pem::to_text([key]))))
}

/// A store in a file, by the names of its two properties.
struct Store {
    type_key: &'static str,
    location_key: &'static str,
}

impl Store {
    /// The PEM blocks of the file, `None` without a location. A file that is plainly PEM needs no type.
    fn read(&self, reader: &Reader<'_>) -> Result<Option<Vec<Block>>, SettingError> {
        let kind = reader.text(self.type_key);
        let Some(location) = reader.text(self.location_key) else {
            return match kind {
                Some(kind) if !kind.eq_ignore_ascii_case("PEM") && self.has_inline(reader) => {
                    Err(reader
                        .error(self.type_key, "must be PEM when the certificates stand in the file itself"))
                }
                _ => Ok(None),
            };
        };
        if let Some(kind) = kind.filter(|kind| !kind.eq_ignore_ascii_case("PEM")) {
            return Err(reader.error(self.type_key, self.remedy(kind, location)));
        }
        let bytes = std::fs::read(Path::new(location))
            .map_err(|error| reader.error(self.location_key, format!("cannot be read: {error}")))?;
        let blocks = pem::blocks(&String::from_utf8_lossy(&bytes));
        if !blocks.is_empty() {
            return Ok(Some(blocks));
        }
        let found = match bytes.as_slice() {
            [0xfe, 0xed, 0xfe, 0xed, ..] => "JKS",
            [0x30, ..] => "PKCS12",
            _ => return Err(reader.error(self.location_key, "holds no PEM block (-----BEGIN …-----)")),
        };
        Err(reader.error(self.location_key, self.remedy(found, location)))
    }

    fn has_inline(&self, reader: &Reader<'_>) -> bool {
        let inline: &[&str] = match self.type_key {
            "ssl.truststore.type" => &["ssl.truststore.certificates"],
            _ => &["ssl.keystore.key", "ssl.keystore.certificate.chain"],
        };
        inline.iter().any(|key| reader.text(key).is_some())
    }

    fn remedy(&self, kind: &str, location: &str) -> String {
        let first = match kind.eq_ignore_ascii_case("JKS") {
            true => format!(
                "`keytool -importkeystore -srckeystore {location} -destkeystore store.p12 -deststoretype PKCS12` and \
                 `openssl pkcs12 -in store.p12 -out store.pem -nodes`"
            ),
            false => format!("`openssl pkcs12 -in {location} -out store.pem -nodes`"),
        };
        format!(
            "{kind} stores cannot be read yet, only PEM; convert it with {first}, then set {}=PEM and {}=store.pem",
            self.type_key, self.location_key
        )
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
