//! Handshakes with real certificates: which are accepted, which are not, and what is said.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::version::{TLS12, TLS13};

use super::tls::TlsClient;
use super::{certified, client_verifier};
use crate::settings::{TlsSettings, identity, trusted_certificates};

/// A certificate and its key, in PEM.
struct Pair {
    certificate: String,
    key: String,
}

/// Signed by `issuer`, or by itself.
fn pair(issuer: Option<&Issuer<'_, KeyPair>>, adapt: impl FnOnce(&mut CertificateParams)) -> Pair {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "localhost");
    adapt(&mut params);
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    Pair { certificate: certificate.pem(), key: key.serialize_pem() }
}

/// An authority with its certificate in PEM.
fn authority(name: &str) -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).unwrap().pem();
    (Issuer::new(params, key), pem)
}

fn sample(name: &str) -> String {
    let path = format!("{}/src/settings/stores/samples/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The pair of version 1, whose authority is in `ca.pem`.
fn version_one() -> Pair {
    let text = sample("v1.pem");
    let (key, certificate) = text.split_at(text.find("-----BEGIN CERTIFICATE").unwrap());
    Pair { certificate: certificate.to_owned(), key: key.to_owned() }
}

/// What one side trusts and who it is.
fn settings(trusted: &str, own: Option<&Pair>) -> TlsSettings {
    let mut map = BTreeMap::from([("ssl.truststore.certificates".to_owned(), trusted.to_owned())]);
    if let Some(own) = own {
        map.insert("ssl.keystore.key".to_owned(), own.key.clone());
        map.insert("ssl.keystore.certificate.chain".to_owned(), own.certificate.clone());
    }
    TlsSettings {
        trusted: trusted_certificates(&map).unwrap(),
        identity: identity(&map).unwrap(),
        verify_host_name: true,
    }
}

/// A server that insists on a client's certificate where it trusts any.
fn server(own: &Pair, clients: Option<&str>, old: bool) -> TlsAcceptor {
    let own = settings(clients.unwrap_or(&own.certificate), Some(own));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let version = if old { &TLS12 } else { &TLS13 };
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(&[version]).unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(_) => {
            let trusted = own.trusted.as_deref().unwrap();
            builder.with_client_cert_verifier(client_verifier(trusted, provider, true).unwrap())
        }
    };
    let certified = certified(own.identity.as_ref().unwrap()).unwrap();
    TlsAcceptor::from(Arc::new(builder.with_cert_resolver(certified)))
}

/// One byte from the server, which comes when both sides are content.
async fn meet(server: TlsAcceptor, client: &TlsSettings) -> io::Result<()> {
    let client = TlsClient::new(client).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut stream = server.accept(stream).await?;
        stream.write_all(b"!").await?;
        stream.shutdown().await
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let met = match client.handshake("localhost", stream).await {
        Ok(mut stream) => stream.read_u8().await.map(drop),
        Err(error) => Err(error),
    };
    // What the server says of it, the client has been told.
    drop(serving.await.unwrap());
    met
}

async fn meet_both_ways(server_pair: &Pair, trusted: &str) -> io::Result<()> {
    for old in [false, true] {
        meet(server(server_pair, None, old), &settings(trusted, None)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_java_accepts_is_accepted() {
    let (issuer, ca) = authority("authority");
    let usual = pair(Some(&issuer), |_| {});
    meet_both_ways(&usual, &ca).await.unwrap();
    let self_signed_authority = pair(None, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    meet_both_ways(&self_signed_authority, &self_signed_authority.certificate).await.unwrap();
    // The certificate itself is trusted, its authority is not known.
    meet_both_ways(&usual, &usual.certificate).await.unwrap();
    let common_name = pair(Some(&issuer), |params| params.subject_alt_names.clear());
    meet_both_ways(&common_name, &ca).await.unwrap();
    meet_both_ways(&version_one(), &sample("ca.pem")).await.unwrap();
}

#[tokio::test]
async fn what_java_refuses_is_refused() {
    let (issuer, ca) = authority("authority");
    let ((_, stranger), (_, again)) = (authority("stranger"), authority("authority"));
    let named = |names: &[&str], common: &str| {
        let names = names.iter().map(|name| rcgen::SanType::DnsName((*name).try_into().unwrap())).collect();
        pair(Some(&issuer), |params| {
            params.subject_alt_names = names;
            params.distinguished_name.push(DnType::CommonName, common);
        })
    };
    let over = pair(Some(&issuer), |params| {
        (params.not_before, params.not_after) =
            (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 2, 3));
    });
    let usual = pair(Some(&issuer), |_| {});
    for (server, trusted, says) in [
        (&usual, &stranger, "UnknownIssuer"),
        (&usual, &again, "BadSignature"),
        (&version_one(), &stranger, "UnknownIssuer"),
        (&version_one(), &sample("other.pem"), "UnknownIssuer"),
        (&named(&["other"], "localhost"), &ca, "not valid for name"),
        (&named(&[], "other"), &ca, "not valid for"),
        (&over, &ca, "the certificate of CN=localhost expired on Feb  3"),
    ] {
        for old in [false, true] {
            let error = meet(self::server(server, None, old), &settings(trusted, None)).await.unwrap_err();
            assert!(error.to_string().contains(says), "{says}: {error}");
        }
    }
}

#[tokio::test]
async fn names_are_not_compared_when_the_settings_say_so() {
    let (issuer, ca) = authority("authority");
    let other = pair(Some(&issuer), |params| {
        params.subject_alt_names.clear();
        params.distinguished_name.push(DnType::CommonName, "other");
    });
    let lenient = TlsSettings { verify_host_name: false, ..settings(&ca, None) };
    meet(server(&other, None, false), &lenient).await.unwrap();
}

#[tokio::test]
async fn clients_are_judged_in_the_same_way() {
    let (issuer, ca) = authority("authority");
    let usual = pair(Some(&issuer), |_| {});
    let stranger = pair(None, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let v1_ca = sample("ca.pem");
    for (client, trusted, right) in [
        (&usual, &ca, true),
        (&stranger, &stranger.certificate, true),
        (&version_one(), &v1_ca, true),
        (&stranger, &ca, false),
        (&version_one(), &ca, false),
    ] {
        for old in [false, true] {
            let met = meet(server(&usual, Some(trusted), old), &settings(&ca, Some(client))).await;
            assert_eq!(met.is_ok(), right, "TLS 1.2: {old}: {met:?}");
        }
    }
}

/// A server of version 1 that shows another's certificate: it has not its key.
#[tokio::test]
async fn a_certificate_without_its_key_is_no_proof() {
    let thief = Pair { key: pair(None, |_| {}).key, ..version_one() };
    for old in [false, true] {
        assert!(meet(server(&thief, None, old), &settings(&sample("ca.pem"), None)).await.is_err());
    }
}

#[test]
fn a_key_that_is_not_the_certificates_is_refused() {
    let wrong = Pair { key: pair(None, |_| {}).key, ..pair(None, |_| {}) };
    let own = settings(&wrong.certificate, Some(&wrong)).identity.unwrap();
    assert!(certified(&own).unwrap_err().to_string().starts_with("ssl.keystore.location: "));
}
