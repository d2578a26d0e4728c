//! The client's side of SCRAM (RFC 5802, 7677) as Kafka speaks it: no channel binding, names and passwords as
//! they are written. Both sides prove that they know the password; a server that does not is refused.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{digest, hmac, pbkdf2, rand};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::settings::SaslSettings;

/// Fewer make a stolen proof cheap to guess; Java's clients have the same bound.
const MIN_ITERATIONS: u32 = 4_096;
/// Brokers allow 16384 at most; what asks for far more only wants to keep this side busy.
const MAX_ITERATIONS: u32 = 100_000;
const GS2_HEADER: &str = "n,,";

/// The hash function of a mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    fn digest(self, data: &[u8]) -> digest::Digest {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, data)
    }

    fn sign(self, key: &[u8], data: &[u8]) -> hmac::Tag {
        let algorithm = match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), data)
    }

    fn salted(self, password: &str, salt: &[u8], iterations: std::num::NonZeroU32) -> Vec<u8> {
        let (algorithm, length) = match self {
            Self::Sha256 => (pbkdf2::PBKDF2_HMAC_SHA256, 32),
            Self::Sha512 => (pbkdf2::PBKDF2_HMAC_SHA512, 64),
        };
        let mut out = vec![0; length];
        pbkdf2::derive(algorithm, iterations, salt, password.as_bytes(), &mut out);
        out
    }
}

/// An exchange that has begun.
pub(super) struct Scram<'a> {
    hash: Hash,
    password: &'a str,
    nonce: String,
    first_bare: String,
}

/// An exchange that waits for the server's proof.
pub(super) struct Proven {
    server_signature: hmac::Tag,
}

impl<'a> Scram<'a> {
    /// A new exchange, with a nonce of its own.
    pub(super) fn new(hash: Hash, settings: &'a SaslSettings) -> Result<Self, String> {
        let mut random = [0; 24];
        rand::fill(&mut random).map_err(|_| "the system has no random numbers".to_owned())?;
        Ok(Self::with_nonce(hash, settings, BASE64_STANDARD.encode(random)))
    }

    fn with_nonce(hash: Hash, settings: &'a SaslSettings, nonce: String) -> Self {
        let user = settings.username.replace('=', "=3D").replace(',', "=2C");
        let token = if settings.token { ",tokenauth=true" } else { "" };
        let first_bare = format!("n={user},r={nonce}{token}");
        Self { hash, password: &settings.password, nonce, first_bare }
    }

    /// The first message.
    pub(super) fn first(&self) -> String {
        format!("{GS2_HEADER}{}", self.first_bare)
    }

    /// The answer to the server's first message: the proof of the password.
    pub(super) fn prove(self, server_first: &[u8]) -> Result<(String, Proven), String> {
        let server_first = text(server_first)?;
        let mut fields = server_first.split(',');
        let nonce = field(&mut fields, "r=")?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("its nonce does not continue ours".to_owned());
        }
        let salt = BASE64_STANDARD.decode(field(&mut fields, "s=")?).map_err(|_| "its salt is not Base64")?;
        let iterations = field(&mut fields, "i=")?.parse().map_err(|_| "its iteration count is no number")?;
        let iterations = match std::num::NonZeroU32::new(iterations) {
            Some(count) if (MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations) => count,
            _ => {
                return Err(format!(
                    "it asks for {iterations} iterations, which is not between {MIN_ITERATIONS} and {MAX_ITERATIONS}"
                ));
            }
        };
        let salted = self.hash.salted(self.password, &salt, iterations);
        let client_key = self.hash.sign(&salted, b"Client Key");
        let stored_key = self.hash.digest(client_key.as_ref());
        let without_proof = format!("c={},r={nonce}", BASE64_STANDARD.encode(GS2_HEADER));
        let signed = format!("{},{server_first},{without_proof}", self.first_bare);
        let signature = self.hash.sign(stored_key.as_ref(), signed.as_bytes());
        let proof: Vec<u8> = client_key.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        let server_key = self.hash.sign(&salted, b"Server Key");
        let server_signature = self.hash.sign(server_key.as_ref(), signed.as_bytes());
        Ok((format!("{without_proof},p={}", BASE64_STANDARD.encode(proof)), Proven { server_signature }))
    }
}

impl Proven {
    /// Checks the server's proof.
    pub(super) fn verify(self, server_final: &[u8]) -> Result<(), String> {
        let server_final = text(server_final)?;
        let mut fields = server_final.split(',');
        if let Some(reason) = server_final.strip_prefix("e=") {
            return Err(reason.to_owned());
        }
        let proof =
            BASE64_STANDARD.decode(field(&mut fields, "v=")?).map_err(|_| "its proof is not Base64")?;
        verify_slices_are_equal(self.server_signature.as_ref(), &proof).map_err(|_| {
            "it does not know the password itself; is it the broker that it claims to be?".to_owned()
        })
    }
}

fn text(message: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(message).map_err(|_| "its SCRAM message is no text".to_owned())
}

fn field<'t>(fields: &mut impl Iterator<Item = &'t str>, name: &str) -> Result<&'t str, String> {
    fields
        .next()
        .and_then(|field| field.strip_prefix(name))
        .ok_or_else(|| format!("its SCRAM message has no {name} where it belongs"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::settings::SaslMechanism;

    fn settings(user: &str, token: bool) -> SaslSettings {
        let (username, password) = (user.to_owned(), "pencil".to_owned());
        SaslSettings { mechanism: SaslMechanism::ScramSha256, username, password, token }
    }

    /// RFC 7677, section 3.
    const SERVER_FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn begun(settings: &SaslSettings) -> Scram<'_> {
        Scram::with_nonce(Hash::Sha256, settings, "rOprNGfwEbeRWgbNEkqO".to_owned())
    }

    #[test]
    fn the_exchange_of_rfc_7677() {
        let settings = settings("user", false);
        let scram = begun(&settings);
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let (last, proven) = scram.prove(SERVER_FIRST.as_bytes()).unwrap();
        assert_eq!(
            last,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        proven.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
        let again = || begun(&settings).prove(SERVER_FIRST.as_bytes()).unwrap().1;
        for (message, says) in [
            ("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", "Base64"),
            ("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "does not know the password"),
            ("v=", "does not know the password"),
            ("e=invalid-proof", "invalid-proof"),
            ("", "no v="),
        ] {
            assert!(again().verify(message.as_bytes()).unwrap_err().contains(says), "{message}");
        }
    }

    #[test]
    fn sha_512_has_longer_proofs() {
        let settings = settings("user", false);
        let scram = Scram::with_nonce(Hash::Sha512, &settings, "rOprNGfwEbeRWgbNEkqO".to_owned());
        let (last, _) = scram.prove(SERVER_FIRST.as_bytes()).unwrap();
        let proof = last.split_once(",p=").unwrap().1;
        assert_eq!(BASE64_STANDARD.decode(proof).unwrap().len(), 64);
    }

    #[test]
    fn names_are_escaped_and_tokens_announced() {
        assert_eq!(
            begun(&settings("a=b,c", true)).first(),
            "n,,n=a=3Db=2Cc,r=rOprNGfwEbeRWgbNEkqO,tokenauth=true"
        );
        let (one, other) = (settings("u", false), settings("u", false));
        let nonce = |settings| Scram::new(Hash::Sha512, settings).unwrap().nonce;
        assert_ne!(nonce(&one), nonce(&other));
    }

    #[test]
    fn servers_that_cheat_are_refused() {
        let settings = settings("user", false);
        for (message, says) in [
            ("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "nonce"),
            ("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "nonce"),
            ("m=x,r=rOprNGfwEbeRWgbNEkqO1,s=QUJD,i=4096", "no r="),
            ("r=rOprNGfwEbeRWgbNEkqO1,s=!,i=4096", "salt"),
            ("r=rOprNGfwEbeRWgbNEkqO1,s=QUJD,i=many", "iteration"),
            ("r=rOprNGfwEbeRWgbNEkqO1,s=QUJD,i=1", "asks for 1 iterations"),
            ("r=rOprNGfwEbeRWgbNEkqO1,s=QUJD,i=4000000000", "asks for 4000000000 iterations"),
            ("r=rOprNGfwEbeRWgbNEkqO1,s=QUJD", "no i="),
        ] {
            let error = begun(&settings).prove(message.as_bytes()).err().unwrap();
            assert!(error.contains(says), "{message}: {error}");
        }
        assert!(begun(&settings).prove(&[0xff]).is_err());
    }
}
