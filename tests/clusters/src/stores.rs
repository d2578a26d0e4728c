//! Key and trust stores for a secured cluster's clients as Java's users have them: made by keytool.
//! Used by [`crate::Security::java_stores`].

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};

use crate::distribution::java;
use crate::error::{Result, create_folder, write_file};
use crate::security::Security;
use crate::tools;

const LIMIT: Duration = Duration::from_secs(60);

/// A kind of store, as `ssl.keystore.type` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Java's own format; its key has a password of its own.
    Jks,
    /// As Java writes it now.
    Pkcs12,
    /// As Java wrote it before 8u301.
    OldPkcs12,
}

impl StoreKind {
    /// The value of `ssl.keystore.type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jks => "JKS",
            Self::Pkcs12 | Self::OldPkcs12 => "PKCS12",
        }
    }
}

/// Stores of one kind, and their passwords.
#[derive(Debug, Clone)]
pub struct JavaStores {
    /// Holds the authority's certificate.
    pub truststore: PathBuf,
    /// Holds the client's key with its certificate.
    pub keystore: PathBuf,
    /// Of both.
    pub password: String,
    /// Of the key.
    pub key_password: String,
    /// What they are.
    pub kind: StoreKind,
}

impl JavaStores {
    /// As client properties.
    pub fn properties(&self) -> Vec<(&'static str, String)> {
        let kind = self.kind.name().to_owned();
        vec![
            ("ssl.truststore.type", kind.clone()),
            ("ssl.truststore.location", self.truststore.display().to_string()),
            ("ssl.truststore.password", self.password.clone()),
            ("ssl.keystore.type", kind),
            ("ssl.keystore.location", self.keystore.display().to_string()),
            ("ssl.keystore.password", self.password.clone()),
            ("ssl.key.password", self.key_password.clone()),
        ]
    }

    pub(crate) fn create(security: &Security, kind: StoreKind) -> Result<Self> {
        let folder = security.ca_file.with_file_name(format!("{kind:?}"));
        create_folder(&folder)?;
        let password = "store-secret".to_owned();
        let key_password = if kind == StoreKind::Jks { "key-secret".to_owned() } else { password.clone() };
        let stores = Self {
            truststore: folder.join("truststore"),
            keystore: folder.join("keystore"),
            password,
            key_password,
            kind,
        };
        if stores.keystore.exists() {
            return Ok(stores);
        }
        let authority = security.ca_file.display().to_string();
        let import = ["-importcert", "-noprompt", "-alias", "ca", "-file", authority.as_str()];
        stores.keytool(&import, "-storepass", &stores.truststore)?;
        // keytool takes no keys in PEM, only those of other stores.
        let given = folder.join("given.p12");
        write_file(&given, stores.as_pkcs12(security)?)?;
        let given = given.display().to_string();
        let mut import =
            vec!["-importkeystore", "-noprompt", "-srckeystore", &given, "-srcstorepass", &stores.password];
        import.extend(["-srcalias", "client", "-destkeypass", &stores.key_password]);
        stores.keytool(&import, "-deststorepass", &stores.keystore)?;
        Ok(stores)
    }

    /// keytool with what it needs to write `store`.
    fn keytool(&self, arguments: &[&str], password: &str, store: &Path) -> Result<()> {
        let importing = arguments.contains(&"-importkeystore");
        let (kind, location) =
            if importing { ("-deststoretype", "-destkeystore") } else { ("-storetype", "-keystore") };
        let mut command = Command::new(java().with_file_name("keytool"));
        command.args(arguments).args([kind, self.kind.name(), password, &self.password, location]).arg(store);
        if self.kind == StoreKind::OldPkcs12 {
            command.arg("-J-Dkeystore.pkcs12.legacy");
        }
        tools::run("keytool", &command, None, LIMIT).map(drop)
    }

    fn as_pkcs12(&self, security: &Security) -> Result<Vec<u8>> {
        let (certificate, key) = (der(&security.client_certificate_pem), der(&security.client_key_pem));
        let certificate = Certificate::from_der(&certificate)?;
        let chain = PrivateKeyChain::new("client", PrivateKey::from_der(&key)?, [certificate]);
        let mut store = KeyStore::new();
        store.add_entry("client", KeyStoreEntry::PrivateKeyChain(chain));
        Ok(store.writer(&self.password).write()?)
    }
}

/// What the lines of a PEM block encode.
fn der(pem: &str) -> Vec<u8> {
    let code: String = pem.lines().filter(|line| !line.starts_with('-')).map(str::trim).collect();
    BASE64_STANDARD.decode(code).expect("rcgen writes PEM")
}
