//! PKCS #12 stores, as keytool of any age and openssl write them, in terms of Java's `PKCS12KeyStore`: which
//! certificate belongs to which key, and which are trusted. The format itself is `p12-keystore`'s.

use der::{Decode, Encode, Reader, SliceReader, asn1::AnyRef};
use p12_keystore::error::Error;
use p12_keystore::{CertificateBag, Pkcs12Archive, PrivateKeyBag};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::store_error::StoreError;
use super::{Contents, Entry, Passwords};

/// Reads a store. Keys have its password; Java lets nobody choose another.
pub(super) fn read(bytes: &[u8], passwords: Passwords<'_>) -> Result<Contents, StoreError> {
    let archive = match passwords.store.or(passwords.key) {
        Some(password) => Pkcs12Archive::from_pkcs12(bytes, password).map_err(|error| refusal(&error))?,
        None => without_password(bytes)?,
    };
    let mut contents = Contents::default();
    for key in &archive.keys {
        let chain = chain(key, archive.keys.len() == 1, &archive.certs);
        contents.trusted.extend(chain.first().cloned());
        contents.keys.push(Entry {
            alias: key.friendly_name.clone().unwrap_or_else(|| "without a name".to_owned()),
            key: Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.key.as_der().to_vec()))),
            chain,
        });
    }
    // As in Java, only what keytool marked as trusted is; openssl does not.
    contents.trusted.extend(archive.certs.iter().filter(|bag| bag.trusted).map(der));
    Ok(contents)
}

/// With the empty password, which openssl's users may have chosen, or with none, where nothing is encrypted;
/// the checksum, which needs a password too, is then not looked at.
fn without_password(bytes: &[u8]) -> Result<Pkcs12Archive, StoreError> {
    if let Ok(archive) = Pkcs12Archive::from_pkcs12(bytes, "") {
        return Ok(archive);
    }
    let bare = without_mac(bytes)
        .map_err(|error| StoreError::Unreadable(format!("is not a PKCS12 store: {error}")))?;
    match Pkcs12Archive::from_pkcs12(&bare, "") {
        Ok(archive) => Ok(archive),
        Err(_) => Err(StoreError::NoPassword),
    }
}

/// `PFX ::= SEQUENCE { version, authSafe, macData OPTIONAL }` without the last.
fn without_mac(bytes: &[u8]) -> der::Result<Vec<u8>> {
    let (version, safe) = SliceReader::new(bytes)?.sequence(|inner| {
        let kept = (AnyRef::decode(inner)?, AnyRef::decode(inner)?);
        let rest = inner.remaining_len();
        inner.read_slice(rest)?;
        Ok::<_, der::Error>(kept)
    })?;
    let content = [version.to_der()?, safe.to_der()?].concat();
    AnyRef::new(der::Tag::Sequence, &content)?.to_der()
}

fn refusal(error: &Error) -> StoreError {
    match error {
        Error::MacError(_) | Error::Pkcs5Error(_) | Error::UnpadError => StoreError::WrongPassword,
        other => StoreError::Unreadable(format!("cannot be read as a PKCS12 store: {other}")),
    }
}

/// The certificate with the key's id, or the first if there is but one key without, and then issuers as far
/// as there are any.
fn chain(key: &PrivateKeyBag, alone: bool, bags: &[CertificateBag]) -> Vec<CertificateDer<'static>> {
    let id = key.local_key_id.as_ref().map(AsRef::as_ref);
    let own = bags.iter().find(|bag| id.is_some() && bag.local_key_id.as_deref() == id);
    let mut next = own.or_else(|| bags.iter().find(|bag| alone && !bag.trusted));
    let mut chain = Vec::new();
    while let Some(bag) = next {
        let certificate = der(bag);
        if chain.contains(&certificate) {
            break;
        }
        chain.push(certificate);
        let own_issuer = bag.cert.issuer() == bag.cert.subject();
        next = bags.iter().find(|other| !own_issuer && other.cert.subject() == bag.cert.issuer());
    }
    chain
}

fn der(bag: &CertificateBag) -> CertificateDer<'static> {
    CertificateDer::from(bag.cert.as_der().to_vec())
}
