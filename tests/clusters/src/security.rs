//! Certificates and accounts for a cluster with TLS and SASL listeners, made anew for each cluster.
//!
//! Guarantees: broker certificates are valid for `localhost` and `127.0.0.1` and signed by one authority, whose
//! certificate a client gets with [`Security::ca_pem`]. Used by [`crate::ClusterBuilder::with_security`].

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::error::{Result, create_folder, write_file};
use crate::stores::{JavaStores, StoreKind};

/// What a client needs to use the secured listeners.
#[derive(Debug, Clone)]
pub struct Security {
    /// PEM text of the authority's certificate; trust it to accept the brokers.
    pub ca_pem: String,
    /// The same in a file.
    pub ca_file: PathBuf,
    /// PEM text of a client certificate signed by the same authority (the listeners request one but do not insist).
    pub client_certificate_pem: String,
    /// PEM text (PKCS #8) of that certificate's key.
    pub client_key_pem: String,
    /// Key and certificate in one file, as `ssl.keystore.location` with `ssl.keystore.type=PEM` takes it.
    pub client_file: PathBuf,
    /// An account for SASL/PLAIN.
    pub username: String,
    /// Its password.
    pub password: String,
    broker_file: PathBuf,
}

impl Security {
    /// Makes all keys and certificates and writes them into `folder`.
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        create_folder(folder)?;
        let authority_key = KeyPair::generate()?;
        let mut params = named("kafka-clusters test authority", &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_pem = params.self_signed(&authority_key)?.pem();
        let authority = Issuer::new(params, authority_key);

        let (broker_certificate, broker_key) = signed("localhost", &["localhost", "127.0.0.1"], &authority)?;
        let (client_certificate, client_key) = signed("kafka-clusters test client", &[], &authority)?;
        let files = ["ca.pem", "broker.pem", "client.pem"].map(|name| folder.join(name));
        let [ca_file, broker_file, client_file] = files;
        write_file(&ca_file, &ca_pem)?;
        write_file(&broker_file, format!("{broker_key}{broker_certificate}"))?;
        write_file(&client_file, format!("{client_key}{client_certificate}"))?;
        Ok(Self {
            ca_pem,
            ca_file,
            client_certificate_pem: client_certificate,
            client_key_pem: client_key,
            client_file,
            username: "replicator".to_owned(),
            password: "replicator-secret".to_owned(),
            broker_file,
        })
    }

    /// What a client needs for TLS, in stores that keytool made; two starts of Java.
    ///
    /// # Errors
    /// keytool cannot be run.
    pub fn java_stores(&self, kind: StoreKind) -> Result<JavaStores> {
        JavaStores::create(self, kind)
    }

    /// The broker's side, as server properties.
    pub(crate) fn broker_properties(&self) -> Vec<(String, String)> {
        let jaas = format!(
            "org.apache.kafka.common.security.plain.PlainLoginModule required user_{}=\"{}\";",
            self.username, self.password
        );
        let mut properties = vec![
            ("ssl.keystore.type".to_owned(), "PEM".to_owned()),
            ("ssl.keystore.location".to_owned(), self.broker_file.display().to_string()),
            ("ssl.truststore.type".to_owned(), "PEM".to_owned()),
            ("ssl.truststore.location".to_owned(), self.ca_file.display().to_string()),
            ("ssl.client.auth".to_owned(), "requested".to_owned()),
            ("sasl.enabled.mechanisms".to_owned(), "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512".to_owned()),
        ];
        for listener in ["sasl_plaintext", "sasl_ssl"] {
            properties.push((format!("listener.name.{listener}.plain.sasl.jaas.config"), jaas.clone()));
            for mechanism in ["scram-sha-256", "scram-sha-512"] {
                let login = "org.apache.kafka.common.security.scram.ScramLoginModule required;".to_owned();
                properties.push((format!("listener.name.{listener}.{mechanism}.sasl.jaas.config"), login));
            }
        }
        properties
    }
}

fn named(name: &str, hosts: &[&str]) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

/// Certificate and key, both PEM.
fn signed(name: &str, hosts: &[&str], authority: &Issuer<'_, KeyPair>) -> Result<(String, String)> {
    let key = KeyPair::generate()?;
    let certificate = named(name, hosts)?.signed_by(&key, authority)?;
    Ok((certificate.pem(), key.serialize_pem()))
}
