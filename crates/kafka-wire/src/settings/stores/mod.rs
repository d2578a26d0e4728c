//! Key and trust stores: `ssl.keystore.*`, `ssl.truststore.*` and `ssl.key.password`, for whoever speaks TLS,
//! client or server.
//!
//! The kind of a store is told by its bytes: PEM, JKS and PKCS #12 are told apart whatever `ssl.…store.type`
//! says, as Java reads a JKS store where PKCS #12 is configured, and the reverse. Guarantees that no password
//! gets into a message.

mod jks;
mod pem;
mod pkcs12;
mod store_error;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use tokio_rustls::rustls::crypto::aws_lc_rs::sign::any_supported_type;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tracing::warn;

use super::reader::{Reader, SettingError};
use pem::Block;
use store_error::StoreError;

const KEY_PASSWORD: &str = "ssl.key.password";

/// Identity of this side: a private key with its certificate.
pub struct Identity {
    /// The certificate, then those that lead to its authority. Never empty.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key, of a kind that can be used.
    pub key: PrivateKeyDer<'static>,
}

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

impl Identity {
    /// The chain in PEM.
    pub fn chain_pem(&self) -> String {
        certificates_pem(&self.chain)
    }

    /// The key in PEM, without a password.
    pub fn key_pem(&self) -> String {
        let label = match &self.key {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            _ => "PRIVATE KEY",
        };
        pem::to_text(label, self.key.secret_der())
    }
}

/// `certificates` in PEM, one after the other.
pub fn certificates_pem(certificates: &[CertificateDer<'_>]) -> String {
    certificates.iter().map(|certificate| pem::to_text("CERTIFICATE", certificate)).collect()
}

/// Content of one store.
#[derive(Default)]
struct Contents {
    keys: Vec<Entry>,
    trusted: Vec<CertificateDer<'static>>,
}

/// A private key, as far as its password is known, and what belongs to it.
struct Entry {
    alias: String,
    key: Result<PrivateKeyDer<'static>, StoreError>,
    chain: Vec<CertificateDer<'static>>,
}

/// Passwords for one store.
#[derive(Clone, Copy)]
struct Passwords<'a> {
    store: Option<&'a str>,
    /// `ssl.key.password`; where it is not set, keys have the store's.
    key: Option<&'a str>,
}

/// The key and certificate of `ssl.keystore.*`; `None` when there is neither a location nor a key in the
/// settings.
///
/// Of several keys the first is taken that has a certificate and is of a kind that TLS can use.
///
/// # Errors
/// The setting at fault: a file that cannot be read, a password that is wrong, a store without a usable key.
pub fn identity(properties: &BTreeMap<String, String>) -> Result<Option<Identity>, SettingError> {
    let reader = Reader(properties);
    let Some((setting, entries)) = private_keys(&reader)? else { return Ok(None) };
    if entries.is_empty() {
        let reason = "holds no private key; is it a trust store (ssl.truststore.location)?";
        return Err(reader.error(setting, reason));
    }
    let mut reasons = Vec::new();
    for Entry { alias, key, chain } in entries {
        match key.map(|key| any_supported_type(&key).map(|_| key)) {
            Err(error) => return Err(Store::KEYS.error(&reader, error)),
            Ok(Err(error)) => reasons.push(format!("{alias:?} cannot be used: {error}")),
            Ok(Ok(_)) if chain.is_empty() => reasons.push(format!("{alias:?} has no certificate")),
            Ok(Ok(key)) => {
                warn_if_over(setting, &chain[0]);
                return Ok(Some(Identity { chain, key }));
            }
        }
    }
    Err(reader.error(setting, format!("has no usable private key: {}", reasons.join(", "))))
}

/// The certificates of `ssl.truststore.*`; `None` without any: the system's are trusted.
///
/// # Errors
/// The setting at fault: a file that cannot be read, a password that is wrong, a store without trusted
/// certificates.
pub fn trusted_certificates(
    properties: &BTreeMap<String, String>,
) -> Result<Option<Vec<CertificateDer<'static>>>, SettingError> {
    const INLINE: &str = "ssl.truststore.certificates";
    let reader = Reader(properties);
    let store = Store::TRUST;
    let (key, trusted) = match (reader.text(INLINE), store.read(&reader)?) {
        (Some(_), Some(_)) => {
            let reason = format!("is set together with {INLINE}; remove one of them");
            return Err(reader.error(store.location, reason));
        }
        (Some(text), None) => (INLINE, certificates(&reader, INLINE, &pem::blocks(text))?),
        (None, Some(Content::Pem(blocks))) => {
            (store.location, certificates(&reader, store.location, &blocks)?)
        }
        (None, Some(Content::Store(bytes))) => (store.location, store.open(&reader, &bytes)?.trusted),
        (None, None) => return Ok(None),
    };
    if trusted.is_empty() {
        Err(reader.error(key, "holds no trusted certificate; put one there with `keytool -importcert`"))
    } else {
        Ok(Some(trusted))
    }
}

/// The private keys of the settings or the store, and the setting that they come from.
fn private_keys(reader: &Reader<'_>) -> Result<Option<(&'static str, Vec<Entry>)>, SettingError> {
    const KEY: &str = "ssl.keystore.key";
    const CHAIN: &str = "ssl.keystore.certificate.chain";
    let store = Store::KEYS;
    let from_store = store.read(reader)?;
    match (reader.text(KEY), reader.text(CHAIN), from_store) {
        (None, None, None) => Ok(None),
        (None, None, Some(Content::Pem(blocks))) => {
            let entry = pem_entry(reader, (store.location, &blocks), (store.location, &blocks))?;
            Ok(Some((store.location, vec![entry])))
        }
        (None, None, Some(Content::Store(bytes))) => {
            Ok(Some((store.location, store.open(reader, &bytes)?.keys)))
        }
        (Some(key), Some(chain), None) => {
            let entry = pem_entry(reader, (KEY, &pem::blocks(key)), (CHAIN, &pem::blocks(chain)))?;
            Ok(Some((KEY, vec![entry])))
        }
        (_, _, Some(_)) => {
            let reason = format!("is set together with {KEY} or {CHAIN}; remove one of them");
            Err(reader.error(store.location, reason))
        }
        (Some(_), None, None) => Err(reader.error(CHAIN, format!("is missing; {KEY} needs it"))),
        (None, Some(_), None) => Err(reader.error(KEY, "is missing; the certificate chain needs it")),
    }
}

/// The first private key with all certificates, from where each stands.
fn pem_entry(
    reader: &Reader<'_>,
    (key_from, keys): (&'static str, &[Block]),
    (chain_from, chain): (&'static str, &[Block]),
) -> Result<Entry, SettingError> {
    let Some(block) = keys.iter().find(|block| block.is_private_key()) else {
        return Err(reader.error(key_from, "holds no PEM private key (-----BEGIN PRIVATE KEY-----)"));
    };
    let key =
        block.private_key(reader.text(KEY_PASSWORD)).map_err(|error| pem_error(reader, key_from, error))?;
    let chain = certificates(reader, chain_from, chain)?;
    Ok(Entry { alias: "the private key".to_owned(), key: Ok(key), chain })
}

fn certificates(
    reader: &Reader<'_>,
    key: &'static str,
    blocks: &[Block],
) -> Result<Vec<CertificateDer<'static>>, SettingError> {
    let certificates = blocks.iter().filter(|block| block.is_certificate());
    let found: Vec<_> = certificates
        .map(|block| block.der().map(CertificateDer::from))
        .collect::<Result<_, _>>()
        .map_err(|error| pem_error(reader, key, error))?;
    if found.is_empty() {
        Err(reader.error(key, "holds no PEM certificate (-----BEGIN CERTIFICATE-----)"))
    } else {
        Ok(found)
    }
}

fn pem_error(reader: &Reader<'_>, setting: &str, error: StoreError) -> SettingError {
    match error {
        StoreError::NoPassword | StoreError::NoKeyPassword(_) => {
            reader.error(KEY_PASSWORD, format!("is missing; the private key of {setting} is encrypted"))
        }
        StoreError::WrongPassword | StoreError::WrongKeyPassword(_) => {
            reader.error(KEY_PASSWORD, format!("is not the password of the private key of {setting}"))
        }
        StoreError::Unreadable(reason) => reader.error(setting, reason),
    }
}

/// A store in a file, by the names of its properties.
struct Store {
    kind: &'static str,
    location: &'static str,
    password: &'static str,
    key_password: Option<&'static str>,
}

/// Kind that a file turned out to be.
enum Content {
    Pem(Vec<Block>),
    Store(Vec<u8>),
}

impl Store {
    const KEYS: Store = Store {
        kind: "ssl.keystore.type",
        location: "ssl.keystore.location",
        password: "ssl.keystore.password",
        key_password: Some(KEY_PASSWORD),
    };
    const TRUST: Store = Store {
        kind: "ssl.truststore.type",
        location: "ssl.truststore.location",
        password: "ssl.truststore.password",
        key_password: None,
    };

    /// The file, `None` without a location.
    fn read(&self, reader: &Reader<'_>) -> Result<Option<Content>, SettingError> {
        let known = [("PEM", ()), ("JKS", ()), ("PKCS12", ())];
        reader.choice(self.kind, &known)?;
        let Some(location) = reader.text(self.location) else { return Ok(None) };
        let bytes = std::fs::read(Path::new(location))
            .map_err(|error| reader.error(self.location, format!("cannot be read: {error}")))?;
        let blocks = pem::blocks(&String::from_utf8_lossy(&bytes));
        Ok(Some(if blocks.is_empty() { Content::Store(bytes) } else { Content::Pem(blocks) }))
    }

    /// The store in `bytes`, which are no PEM.
    fn open(&self, reader: &Reader<'_>, bytes: &[u8]) -> Result<Contents, SettingError> {
        let passwords = Passwords {
            store: reader.text(self.password),
            key: self.key_password.and_then(|setting| reader.text(setting)),
        };
        let read = match bytes {
            [0xfe, 0xed, 0xfe, 0xed, ..] => jks::read(bytes, passwords),
            [0x30, ..] => pkcs12::read(bytes, passwords),
            [0xce, 0xce, 0xce, 0xce, ..] => Err(StoreError::Unreadable(
                "is a JCEKS store, which cannot be read; convert it with `keytool -importkeystore -srckeystore old.jceks \
                 -srcstoretype JCEKS -destkeystore new.p12 -deststoretype PKCS12`"
                    .to_owned(),
            )),
            _ => Err(StoreError::Unreadable("is neither PEM nor a JKS or PKCS12 store".to_owned())),
        };
        read.map_err(|error| self.error(reader, error))
    }

    /// `error` said of the setting that mends it.
    fn error(&self, reader: &Reader<'_>, error: StoreError) -> SettingError {
        let location = reader.text(self.location).unwrap_or_default();
        let (setting, reason) = match error {
            StoreError::NoPassword => {
                (self.password, format!("is missing; {location} cannot be read without it"))
            }
            StoreError::WrongPassword => {
                (self.password, format!("is not the password of {location}, or the file is damaged"))
            }
            StoreError::NoKeyPassword(alias) => (
                KEY_PASSWORD,
                format!("is missing; key {alias:?} of {location} has not the store's password"),
            ),
            StoreError::WrongKeyPassword(alias) => {
                (KEY_PASSWORD, format!("is not the password of key {alias:?} of {location}"))
            }
            StoreError::Unreadable(reason) => (self.location, reason),
        };
        reader.error(setting, reason)
    }
}

/// Peers refuse a certificate whose time is over; Java says nothing either until they do.
fn warn_if_over(key: &str, certificate: &CertificateDer<'_>) {
    if let Some(reason) = crate::transport::validity(certificate) {
        warn!("{key}: {reason}; the other side will refuse it");
    }
}
