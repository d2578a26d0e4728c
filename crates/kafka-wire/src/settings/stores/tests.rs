//! Stores that keytool and openssl made (`samples/make`).
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;

fn sample(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/settings/stores/samples");
    folder.join(name).display().to_string()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// With the passwords where they are set.
fn keystore(location: &str, store: &str, key: &str) -> Result<Identity, SettingError> {
    let properties =
        [("ssl.keystore.location", location), ("ssl.keystore.password", store), ("ssl.key.password", key)];
    identity(&map(&properties)).map(Option::unwrap)
}

fn truststore(location: &str, password: &str) -> Result<Vec<CertificateDer<'static>>, SettingError> {
    let properties = [("ssl.truststore.location", location), ("ssl.truststore.password", password)];
    trusted_certificates(&map(&properties)).map(Option::unwrap)
}

fn certificate(name: &str) -> CertificateDer<'static> {
    truststore(&sample(name), "").unwrap().remove(0)
}

/// The key is the one of key.pem, its certificate broker.pem, then ca.pem.
fn is_the_brokers(identity: &Identity) {
    assert_eq!(identity.chain, [certificate("broker.pem"), certificate("ca.pem")]);
    let key = std::fs::read_to_string(sample("key.pem")).unwrap();
    let expected = pem::blocks(&key)[0].der().unwrap();
    assert!(identity.key.secret_der() == expected || sec1(&expected) == sec1(identity.key.secret_der()));
}

/// The secret number of an elliptic curve's key, whose wrapping differs between Java and openssl.
fn sec1(key: &[u8]) -> Option<&[u8]> {
    let mark = key.windows(5).position(|bytes| bytes == [2, 1, 1, 4, 32])?;
    key.get(mark + 5..mark + 37)
}

#[test]
fn keys_with_their_chains_from_every_kind_of_store() {
    for (name, key) in [
        ("key.jks", "key-secret"),
        ("key.p12", ""),
        ("key.p12", "store-secret"),
        ("key-legacy.p12", ""),
        ("key-openssl.p12", ""),
    ] {
        is_the_brokers(&keystore(&sample(name), "store-secret", key).unwrap());
    }
    // Without its own password a JKS store is read, unchecked, if the key's is known.
    is_the_brokers(&keystore(&sample("key.jks"), "", "key-secret").unwrap());
}

#[test]
fn the_type_in_the_settings_does_not_matter() {
    for (kind, name) in
        [("JKS", "trust.p12"), ("PKCS12", "trust.jks"), ("pkcs12", "trust.p12"), ("jks", "ca.pem")]
    {
        let location = sample(name);
        let properties = [
            ("ssl.truststore.type", kind),
            ("ssl.truststore.location", location.as_str()),
            ("ssl.truststore.password", "store-secret"),
        ];
        assert!(trusted_certificates(&map(&properties)).is_ok(), "{kind} {name}");
    }
}

#[test]
fn trusted_certificates_from_every_kind_of_store() {
    let expected = [certificate("ca.pem"), certificate("other.pem")];
    for (name, password) in [
        ("trust.jks", "store-secret"),
        ("trust.jks", ""),
        ("trust.p12", "store-secret"),
        ("trust-legacy.p12", "store-secret"),
        ("trust-open.p12", ""),
        ("trust-open.p12", "whatever"),
        ("trust-plain.p12", ""),
    ] {
        let mut found = truststore(&sample(name), password).unwrap();
        found.sort_by_key(|certificate| certificate != &expected[0]);
        assert_eq!(found, expected, "{name}");
    }
    // Of a store with keys, their own certificates are trusted as well, and no password of a key is needed.
    assert_eq!(truststore(&sample("key.jks"), "store-secret").unwrap(), [certificate("broker.pem")]);
    assert_eq!(truststore(&sample("several.p12"), "store-secret").unwrap().len(), 4);
}

#[test]
fn of_several_keys_the_first_usable_one() {
    let own = keystore(&sample("several.p12"), "store-secret", "").unwrap();
    assert_eq!(own.chain.len(), 1);
    assert!(any_supported_type(&own.key).is_ok());
    assert_eq!(own.key_pem().lines().next(), Some("-----BEGIN PRIVATE KEY-----"));
}

#[test]
fn encrypted_keys_in_pem() {
    let chain = std::fs::read_to_string(sample("broker.pem")).unwrap()
        + &std::fs::read_to_string(sample("ca.pem")).unwrap();
    let with = |name: &str, password: &str| {
        let key = std::fs::read_to_string(sample(name)).unwrap().replace('\n', " ");
        let properties = [
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.key", key.as_str()),
            ("ssl.keystore.certificate.chain", chain.as_str()),
            ("ssl.key.password", password),
        ];
        identity(&map(&properties)).map(Option::unwrap)
    };
    for name in ["key-aes.pem", "key-3des.pem", "key.pem"] {
        is_the_brokers(&with(name, "key-secret").unwrap());
    }
    for (name, password, key, says) in [
        (
            "key-aes.pem",
            "",
            "ssl.key.password",
            "is missing; the private key of ssl.keystore.key is encrypted",
        ),
        ("key-aes.pem", "wrong!", "ssl.key.password", "is not the password"),
        ("key-pbes1.pem", "key-secret", "ssl.keystore.key", "openssl pkcs8"),
    ] {
        let error = with(name, password).err().unwrap();
        assert_eq!(error.key, key, "{error}");
        assert!(error.reason.contains(says) && !error.to_string().contains("wrong!"), "{error}");
    }
}

#[test]
fn what_cannot_be_read_is_told_without_the_password() {
    let key = |name: &str, store: &str, key: &str| keystore(&sample(name), store, key).err().unwrap();
    let trust = |name: &str, password: &str| truststore(&sample(name), password).err().unwrap();
    for (error, setting, says) in [
        (key("key.jks", "wrong!", ""), "ssl.keystore.password", "is not the password of"),
        (
            key("key.jks", "store-secret", "wrong!"),
            "ssl.key.password",
            "is not the password of key \"broker\"",
        ),
        (key("key.jks", "store-secret", ""), "ssl.key.password", "is missing; key \"broker\""),
        (key("key.jks", "", ""), "ssl.keystore.password", "is missing"),
        (key("key.p12", "wrong!", ""), "ssl.keystore.password", "is not the password of"),
        (key("key-legacy.p12", "wrong!", ""), "ssl.keystore.password", "is not the password of"),
        (key("key.p12", "", ""), "ssl.keystore.password", "is missing"),
        (key("trust.jks", "store-secret", ""), "ssl.keystore.location", "no private key"),
        (key("trust.p12", "store-secret", ""), "ssl.keystore.location", "no private key"),
        (key("make", "store-secret", ""), "ssl.keystore.location", "neither PEM nor a JKS"),
        (trust("trust.jks", "wrong!"), "ssl.truststore.password", "is not the password of"),
        (trust("trust.p12", "wrong!"), "ssl.truststore.password", "is not the password of"),
        (trust("trust.p12", ""), "ssl.truststore.password", "is missing"),
        (trust("nothing.jks", "x"), "ssl.truststore.location", "cannot be read"),
    ] {
        assert_eq!(error.key, setting, "{error}");
        assert!(error.reason.contains(says), "{error}");
        assert!(!error.to_string().contains("wrong!"), "{error}");
    }
}

/// Whatever is cut off or changed, there is an answer, and never a key that is not the one.
#[test]
fn damaged_stores_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store").display().to_string();
    for name in ["key.jks", "key.p12"] {
        let whole = std::fs::read(sample(name)).unwrap();
        for length in (5..whole.len()).step_by(61) {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(keystore(&path, "store-secret", "key-secret").is_err(), "{name} cut to {length}");
            assert!(keystore(&path, "", "key-secret").is_err(), "{name} cut to {length}, unchecked");
        }
        for at in (4..whole.len()).step_by(97) {
            let mut changed = whole.clone();
            changed[at] ^= 0x41;
            std::fs::write(&path, &changed).unwrap();
            assert!(keystore(&path, "store-secret", "key-secret").is_err(), "{name} changed at {at}");
        }
    }
}

#[test]
fn a_certificate_whose_time_is_over_is_named_with_the_date() {
    let own = keystore(&sample("expired.p12"), "store-secret", "").unwrap();
    let reason = crate::transport::validity(&own.chain[0]).unwrap();
    assert!(reason.contains("CN=old expired on Jan") && reason.contains("2020"), "{reason}");
    assert_eq!(crate::transport::validity(&certificate("ca.pem")), None);
}
