//! Java's own key store format, JKS, as `sun.security.provider.JavaKeyStore` writes it. Read only. Small
//! enough that no library is worth its dependencies; every length is checked against what is there.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, Digest, SHA1_FOR_LEGACY_USE_ONLY};
use bytes::Buf;
use der::asn1::{AnyRef, OctetStringRef};
use der::{Decode, Reader, SliceReader};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::store_error::StoreError;
use super::{Contents, Entry, Passwords};

const DIGEST: usize = 20;
const PRIVATE_KEY: u32 = 1;
const TRUSTED_CERTIFICATE: u32 = 2;
/// The algorithm of `sun.security.provider.KeyProtector`, 1.3.6.1.4.1.42.2.17.1.1, as DER.
const KEY_PROTECTOR: [u8; 12] = [0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x2a, 0x02, 0x11, 0x01, 0x01];

/// Reads a store. Without its password its digest is not compared, as in Java, and keys are left out.
pub(super) fn read(bytes: &[u8], passwords: Passwords<'_>) -> Result<Contents, StoreError> {
    let body_length = bytes.len().checked_sub(DIGEST).ok_or_else(cut)?;
    let (body, digest) = bytes.split_at(body_length);
    if let Some(password) = passwords.store {
        let expected = hash(&[&utf16(password), b"Mighty Aphrodite", body]);
        verify_slices_are_equal(expected.as_ref(), digest).map_err(|_| StoreError::WrongPassword)?;
    }
    let mut input = Input(body);
    let _magic = input.u32()?;
    let version = input.u32()?;
    if !(1..=2).contains(&version) {
        return Err(StoreError::Unreadable(format!("is a JKS store of an unknown version, {version}")));
    }
    let mut contents = Contents::default();
    for _ in 0..input.u32()? {
        let tag = input.u32()?;
        let alias = input.text()?;
        let _created = input.take(8)?;
        match tag {
            PRIVATE_KEY => key_entry(&mut input, version, alias, passwords, &mut contents)?,
            TRUSTED_CERTIFICATE => contents.trusted.push(input.certificate(version)?),
            _ => return Err(StoreError::Unreadable(format!("has a JKS entry of an unknown kind, {tag}"))),
        }
    }
    Ok(contents)
}

/// A key with its chain, whose first certificate is trusted too if this is a trust store.
fn key_entry(
    input: &mut Input<'_>,
    version: u32,
    alias: String,
    passwords: Passwords<'_>,
    contents: &mut Contents,
) -> Result<(), StoreError> {
    let length = input.length()?;
    let protected = input.take(length)?;
    let mut chain = Vec::new();
    for _ in 0..input.u32()? {
        chain.push(input.certificate(version)?);
    }
    contents.trusted.extend(chain.first().cloned());
    let key = match passwords.key.or(passwords.store) {
        None => Err(StoreError::NoPassword),
        Some(password) => match unprotect(protected, password)? {
            Some(key) => Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key))),
            None if passwords.key.is_none() => Err(StoreError::NoKeyPassword(alias.clone())),
            None => Err(StoreError::WrongKeyPassword(alias.clone())),
        },
    };
    contents.keys.push(Entry { alias, key, chain });
    Ok(())
}

/// The key behind Java's protection; `None` if this is not its password.
///
/// Salt (20 bytes), the key xor a stream of SHA-1 over the password and the block before, and SHA-1 of
/// password and key.
fn unprotect(protected: &[u8], password: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let broken = |error: der::Error| StoreError::Unreadable(format!("has a damaged private key: {error}"));
    let mut reader = SliceReader::new(protected).map_err(broken)?;
    let (algorithm, data) = reader
        .sequence(|inner| Ok::<_, der::Error>((AnyRef::decode(inner)?, <&OctetStringRef>::decode(inner)?)))
        .map_err(broken)?;
    if !algorithm.value().starts_with(&KEY_PROTECTOR) {
        let reason = "has a private key that is protected in another way than a JKS store's";
        return Err(StoreError::Unreadable(reason.to_owned()));
    }
    let data = data.as_bytes();
    let Some(key_length) = data.len().checked_sub(2 * DIGEST) else {
        return Err(StoreError::Unreadable("has a private key that is cut short".to_owned()));
    };
    let password = utf16(password);
    let (salt, rest) = data.split_at(DIGEST);
    let (scrambled, check) = rest.split_at(key_length);
    let mut block = salt.to_vec();
    let mut key = Vec::with_capacity(key_length);
    for chunk in scrambled.chunks(DIGEST) {
        block = hash(&[&password, &block]).as_ref().to_vec();
        key.extend(chunk.iter().zip(&block).map(|(a, b)| a ^ b));
    }
    let expected = hash(&[&password, &key]);
    Ok(verify_slices_are_equal(expected.as_ref(), check).is_ok().then_some(key))
}

fn hash(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    parts.iter().for_each(|part| context.update(part));
    context.finish()
}

/// A password as Java hashes it: two bytes for each unit of UTF-16.
fn utf16(password: &str) -> Vec<u8> {
    password.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn cut() -> StoreError {
    StoreError::Unreadable("is a JKS store that is cut short".to_owned())
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn u32(&mut self) -> Result<u32, StoreError> {
        self.0.try_get_u32().map_err(|_| cut())
    }

    fn length(&mut self) -> Result<usize, StoreError> {
        usize::try_from(self.u32()?).map_err(|_| cut())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], StoreError> {
        let (head, rest) = self.0.split_at_checked(length).ok_or_else(cut)?;
        self.0 = rest;
        Ok(head)
    }

    /// Java's own UTF-8; differs from the real one only beyond the common characters, and is only shown.
    fn text(&mut self) -> Result<String, StoreError> {
        let length = self.0.try_get_u16().map_err(|_| cut())?;
        Ok(String::from_utf8_lossy(self.take(length.into())?).into_owned())
    }

    fn certificate(&mut self, version: u32) -> Result<CertificateDer<'static>, StoreError> {
        if version > 1 {
            self.text()?;
        }
        let length = self.length()?;
        Ok(CertificateDer::from(self.take(length)?.to_vec()))
    }
}
