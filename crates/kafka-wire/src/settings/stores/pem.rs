//! PEM text as Kafka accepts it: blocks may stand on one line, with blanks for line ends. Private keys may be
//! encrypted (PKCS #8).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pkcs8::EncryptedPrivateKeyInfoRef;
use tokio_rustls::rustls::pki_types::{
    PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};

use super::store_error::StoreError;

/// One `-----BEGIN label-----` block.
pub(super) struct Block {
    /// Its label, for example `CERTIFICATE`.
    label: String,
    text: String,
}

impl Block {
    /// A certificate.
    pub(super) fn is_certificate(&self) -> bool {
        matches!(self.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE")
    }

    /// A private key, encrypted or not.
    pub(super) fn is_private_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }

    /// Bytes that the text encodes.
    pub(super) fn der(&self) -> Result<Vec<u8>, StoreError> {
        let code: Vec<u8> = self.text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        BASE64_STANDARD.decode(code).map_err(|error| {
            StoreError::Unreadable(format!("has a damaged PEM block {}: {error}", self.label))
        })
    }

    /// The private key of this block.
    pub(super) fn private_key(&self, password: Option<&str>) -> Result<PrivateKeyDer<'static>, StoreError> {
        if self.text.contains("ENCRYPTED") {
            let reason = "holds a private key that is encrypted in the way of older openssl; rewrite it with \
                          `openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.pem -out new.pem`";
            return Err(StoreError::Unreadable(reason.to_owned()));
        }
        let bytes = self.der()?;
        Ok(match self.label.as_str() {
            "ENCRYPTED PRIVATE KEY" => PrivatePkcs8KeyDer::from(decrypt(&bytes, password)?).into(),
            "PRIVATE KEY" => PrivatePkcs8KeyDer::from(bytes).into(),
            "RSA PRIVATE KEY" => PrivatePkcs1KeyDer::from(bytes).into(),
            "EC PRIVATE KEY" => PrivateSec1KeyDer::from(bytes).into(),
            other => {
                return Err(StoreError::Unreadable(format!(
                    "holds a private key of an unknown form, {other}"
                )));
            }
        })
    }
}

fn decrypt(bytes: &[u8], password: Option<&str>) -> Result<Vec<u8>, StoreError> {
    let info = EncryptedPrivateKeyInfoRef::try_from(bytes).map_err(|error| {
        StoreError::Unreadable(format!(
            "holds a private key that is encrypted with something else than PBES2 ({error}); rewrite it with \
             `openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.pem -out new.pem`"
        ))
    })?;
    let password = password.ok_or(StoreError::NoPassword)?;
    let key = info.decrypt(password).map_err(|_| StoreError::WrongPassword)?;
    Ok(key.as_bytes().to_vec())
}

/// All blocks of `text`, in order; text around them is skipped.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((label, body, after)) = next_block(rest) {
        found.push(Block { label: label.to_owned(), text: body.to_owned() });
        rest = after;
    }
    found
}

fn next_block(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find("-----BEGIN ")? + "-----BEGIN ".len();
    let label_end = start + text[start..].find("-----")?;
    let label = &text[start..label_end];
    let body = &text[label_end + 5..];
    let end_mark = format!("-----END {label}-----");
    let end = body.find(&end_mark)?;
    Some((label, &body[..end], &body[end + end_mark.len()..]))
}

/// A block with 64 characters a line, as strict readers want it.
pub(super) fn to_text(label: &str, der: &[u8]) -> String {
    let code = BASE64_STANDARD.encode(der);
    let lines = code.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let body: String = lines.flat_map(|line| [line, "\n".into()]).collect();
    format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_line_becomes_lines() {
        let code = "QUJD".repeat(20);
        let found = blocks(&format!(
            "subject=x -----BEGIN CERTIFICATE----- {code} -----END CERTIFICATE-----\
             -----BEGIN PRIVATE KEY-----\n{code}\n-----END PRIVATE KEY-----"
        ));
        assert_eq!(found.len(), 2);
        assert!(found[0].is_certificate() && found[1].is_private_key());
        let text = to_text("CERTIFICATE", &found[0].der().unwrap());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!((lines[1].len(), lines[2].len()), (64, 16));
        assert!(blocks("-----BEGIN CERTIFICATE-----\nAA==\n").is_empty());
    }
}
