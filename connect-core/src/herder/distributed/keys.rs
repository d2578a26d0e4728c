//! Session keys and the signatures of internal requests (KIP-507): a request to `/connectors/{c}/tasks` or `/fence` proves that it
//! comes from a worker of this group.

use aws_lc_rs::hmac;
use rand::Rng;

use crate::answers::HerderError;
use crate::answers::InternalRequestSignature;
use crate::storage::SessionKey;

/// The HMAC of one of Java's names, with the bytes of a key that Java generates for it.
fn algorithm(name: &str) -> Option<(hmac::Algorithm, usize)> {
    Some(match name.to_ascii_uppercase().as_str() {
        "HMACSHA1" => (hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, 64),
        "HMACSHA224" => (hmac::HMAC_SHA224, 28),
        "HMACSHA256" => (hmac::HMAC_SHA256, 32),
        "HMACSHA384" => (hmac::HMAC_SHA384, 48),
        "HMACSHA512" => (hmac::HMAC_SHA512, 64),
        _ => return None,
    })
}

/// A new random key. `bits`: `inter.worker.key.size`, `None` for the algorithm's own.
pub(super) fn generate(algorithm_name: &str, bits: Option<usize>, now_ms: i64) -> SessionKey {
    let default = algorithm(algorithm_name).map_or(32, |(_, bytes)| bytes);
    let mut key = vec![0; bits.map_or(default, |bits| bits.div_ceil(8)).max(1)];
    rand::rng().fill_bytes(&mut key);
    SessionKey { key, algorithm: algorithm_name.to_owned(), created: now_ms }
}

/// The signature of a body; `None` for an algorithm that is not known.
pub(super) fn sign(key: &SessionKey, algorithm_name: &str, body: &[u8]) -> Option<Vec<u8>> {
    let (algorithm, _) = algorithm(algorithm_name)?;
    let key = hmac::Key::new(algorithm, &key.key);
    Some(hmac::sign(&key, body).as_ref().to_vec())
}

/// Checks a request's signature in the order and with the statuses of Connect: none or an algorithm that is not accepted is 400,
/// no key yet is 503, a wrong signature is 403.
pub(super) fn check(
    signature: Option<&InternalRequestSignature>,
    key: Option<&SessionKey>,
    accepted: &[String],
) -> Result<(), HerderError> {
    let Some(signature) = signature else {
        return Err(HerderError::BadRequest("Internal request missing required signature".to_owned()));
    };
    let known = accepted.contains(&signature.algorithm);
    let Some((algorithm, _)) = algorithm(&signature.algorithm).filter(|_| known) else {
        return Err(HerderError::BadRequest(format!(
            "This worker does not support the '{}' key signing algorithm used by other workers. This worker is \
             currently configured to use: {}. Check that all workers' configuration files permit the same set of \
             signature algorithms, and correct any misconfigured worker and restart it.",
            signature.algorithm,
            java_list(accepted)
        )));
    };
    let Some(key) = key else {
        return Err(HerderError::ServiceUnavailable(
            "This worker is still starting up and has not been able to read a session key from the config topic yet"
                .to_owned(),
        ));
    };
    let key = hmac::Key::new(algorithm, &key.key);
    hmac::verify(&key, &signature.body, &signature.signature)
        .map_err(|_| HerderError::Forbidden("Internal request contained invalid signature.".to_owned()))
}

fn java_list(items: &[String]) -> String {
    format!("[{}]", items.join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn accepted() -> Vec<String> {
        vec!["HmacSHA256".to_owned()]
    }

    fn signed(key: &SessionKey, body: &'static [u8]) -> InternalRequestSignature {
        let signature = sign(key, "HmacSHA256", body).unwrap();
        InternalRequestSignature { body: body.into(), algorithm: "HmacSHA256".to_owned(), signature }
    }

    #[test]
    fn a_signature_is_hmac_over_the_body() {
        // RFC 4231, test case 2.
        let key = SessionKey { key: b"Jefe".to_vec(), algorithm: "HmacSHA256".to_owned(), created: 0 };
        let signature = sign(&key, "HmacSHA256", b"what do ya want for nothing?").unwrap();
        let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn answers_have_connects_statuses() {
        let key = generate("HmacSHA256", None, 1);
        assert_eq!(key.key.len(), 32);
        assert_eq!(generate("HmacSHA256", Some(128), 1).key.len(), 16);
        assert!(check(Some(&signed(&key, b"[]")), Some(&key), &accepted()).is_ok());
        let status = |signature: Option<&InternalRequestSignature>, key: Option<&SessionKey>| {
            check(signature, key, &accepted()).unwrap_err().status()
        };
        assert_eq!(status(None, None), 400);
        let other = InternalRequestSignature { algorithm: "HmacSHA1".to_owned(), ..signed(&key, b"[]") };
        assert_eq!(status(Some(&other), Some(&key)), 400);
        assert_eq!(status(Some(&signed(&key, b"[]")), None), 503);
        assert_eq!(status(Some(&signed(&key, b"[]")), Some(&generate("HmacSHA256", None, 1))), 403);
    }
}
