//! What only shows on real connections: TLS, slow clients, basic authentication.

use std::time::Duration;

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::*;
use super::stub::Stub;
use crate::answers::HerderError;
use crate::api::ConfigMap;
use crate::config::rest::{Listener, Scheme};

fn own(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn certificate() -> CertifiedKey<rcgen::KeyPair> {
    generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap()
}

fn https(ssl: ConfigMap) -> RestSettings {
    let listener = Listener { scheme: Scheme::Https, host: "127.0.0.1".to_owned(), port: 0 };
    RestSettings { listeners: vec![listener], ssl, ..RestSettings::default() }
}

/// A leader that is served over TLS, and a follower that forwards to it.
async fn forward_over(ssl: ConfigMap, follower: ConfigMap) -> (u16, Vec<String>) {
    let leader = Arc::new(Stub::default());
    let settings = https(ssl);
    let api = RestApi::new(leader.clone(), settings.clone(), RestOptions::default()).unwrap();
    let tls = tls::server_config(&settings.ssl).unwrap();
    let server = RestServer::open(&settings.listeners, Some(tls)).await.unwrap();
    let leader_url = Some(format!("https://localhost:{}/", server.addresses()[0].port()));
    let running = server.serve(api.public_router());
    let stub = Arc::new(Stub::default());
    *stub.refusal.lock().unwrap() = Some(HerderError::NotLeader { message: "m".to_owned(), leader_url });
    let router = RestApi::new(stub, https(follower), RestOptions::default()).unwrap().public_router();
    let server = RestServer::bind(&[("127.0.0.1".to_owned(), 0)]).await.unwrap();
    let address = server.addresses()[0];
    let plain = server.serve(router);
    let answer =
        ask(address, "PUT /connectors/c/stop HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await;
    plain.stop().await;
    running.stop().await;
    (answer[9..12].parse().unwrap(), leader.taken())
}

async fn ask(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn workers_speak_over_tls_with_pem_in_settings() {
    let CertifiedKey { cert, signing_key } = certificate();
    let (chain, key) = (cert.pem().replace('\n', " "), signing_key.serialize_pem().replace('\n', " "));
    let server = own(&[("ssl.keystore.certificate.chain", &chain), ("ssl.keystore.key", &key)]);
    let client = own(&[("ssl.truststore.certificates", &chain)]);
    let (status, asked) = forward_over(server.clone(), client).await;
    assert_eq!((status, asked), (204, vec!["stop c".to_owned()]));
    let other = certificate().cert.pem();
    let stranger = own(&[("ssl.truststore.certificates", &other)]);
    assert_eq!(forward_over(server, stranger).await, (500, vec![]), "an unknown certificate is refused");
}

#[tokio::test]
async fn workers_speak_over_tls_with_pkcs12_stores_and_client_certificates() {
    let CertifiedKey { cert, signing_key } = certificate();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let certificate = Certificate::from_der(cert.der()).unwrap();
    let key = PrivateKey::from_der(&signing_key.serialize_der()).unwrap();
    let chain = PrivateKeyChain::new(vec![1u8], key, [certificate.clone()]);
    for (name, entry) in [
        ("key.p12", KeyStoreEntry::PrivateKeyChain(chain)),
        ("trust.p12", KeyStoreEntry::Certificate(certificate)),
    ] {
        let mut store = KeyStore::new();
        store.add_entry("a", entry);
        std::fs::write(path(name), store.writer("secret").write().unwrap()).unwrap();
    }
    let trust =
        [("ssl.truststore.location", path("trust.p12")), ("ssl.truststore.password", "secret".to_owned())];
    let keys = [
        ("ssl.keystore.location", path("key.p12")),
        ("ssl.keystore.password", "secret".to_owned()),
        ("ssl.client.auth", "required".to_owned()),
    ];
    let all = |settings: &[&[(&str, String)]]| -> ConfigMap {
        settings.iter().flat_map(|some| some.iter()).map(|(k, v)| ((*k).to_owned(), v.clone())).collect()
    };
    let both = all(&[&trust, &keys]);
    assert_eq!(forward_over(both.clone(), both.clone()).await.0, 204);
    assert_eq!(
        forward_over(both.clone(), all(&[&trust])).await.0,
        500,
        "a client without certificate is refused"
    );
    let wrong = ConfigMap::from([("ssl.keystore.password".to_owned(), "other".to_owned())]);
    let wrong: ConfigMap = both.into_iter().chain(wrong).collect();
    let error = tls::server_config(&wrong).unwrap_err().to_string();
    assert!(error.contains("ssl.keystore.password=[hidden]: is not the password of"), "{error}");
    assert!(!error.contains("other"), "{error}");
}

#[tokio::test]
async fn workers_speak_over_tls_with_stores_of_java() {
    let sample = |name: &str| {
        format!("{}/../crates/kafka-wire/src/settings/stores/samples/{name}", env!("CARGO_MANIFEST_DIR"))
    };
    let (keys, trust) = (sample("key.jks"), sample("trust.jks"));
    let both = own(&[
        ("ssl.keystore.location", &keys),
        ("ssl.keystore.password", "store-secret"),
        ("ssl.key.password", "key-secret"),
        ("ssl.truststore.location", &trust),
        ("ssl.truststore.password", "store-secret"),
        ("ssl.client.auth", "required"),
    ]);
    assert_eq!(forward_over(both.clone(), both.clone()).await.0, 204);
    let wrong = ConfigMap::from([("ssl.key.password".to_owned(), "mistaken".to_owned())]);
    let error = tls::server_config(&both.into_iter().chain(wrong).collect()).unwrap_err().to_string();
    assert!(error.contains("ssl.key.password=[hidden]: is not the password of key \"broker\""), "{error}");
}

#[tokio::test]
async fn versions_and_cipher_suites_of_tls_are_those_of_the_settings() {
    let CertifiedKey { cert, signing_key } = certificate();
    let base = [
        ("ssl.keystore.certificate.chain", cert.pem()),
        ("ssl.keystore.key", signing_key.serialize_pem()),
        ("ssl.truststore.certificates", cert.pem()),
    ];
    let with = |more: &[(&'static str, &str)]| -> ConfigMap {
        let more = more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        base.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).chain(more).collect()
    };
    let version = |version: &str| with(&[("ssl.enabled.protocols", version)]);
    let (old, new) = (version("TLSv1.2"), version("TLSv1.3"));
    assert_eq!(forward_over(old.clone(), with(&[])).await.0, 204);
    assert_eq!(forward_over(old.clone(), version("SSLv3, TLSv1.2")).await.0, 204);
    assert_eq!(forward_over(old, new).await.0, 500, "no version that both have");
    let suite = |suite: &str| with(&[("ssl.cipher.suites", suite)]);
    let (one, other) = (suite("TLS_AES_128_GCM_SHA256,NONE_THAT_IS"), suite("TLS_AES_256_GCM_SHA384"));
    assert_eq!(forward_over(one.clone(), with(&[])).await.0, 204);
    assert_eq!(forward_over(one, other).await.0, 500, "no cipher suite that both have");
    for (key, value) in [("ssl.enabled.protocols", "TLSv1"), ("ssl.cipher.suites", "NONE_THAT_IS")] {
        let error = tls::server_config(&with(&[(key, value)])).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[tokio::test]
async fn https_without_a_certificate_is_refused() {
    let error = tls::server_config(&ConfigMap::new()).unwrap_err().to_string();
    assert!(error.contains("ssl.keystore.location"), "{error}");
    let error = RestServer::open(&https(ConfigMap::new()).listeners, None).await.unwrap_err().to_string();
    assert!(error.contains("listeners.https.ssl.keystore.location"), "{error}");
}

#[tokio::test]
async fn a_client_that_says_nothing_is_cut_off() {
    let router = RestApi::new(Arc::<Stub>::default(), RestSettings::default(), RestOptions::default());
    let server = RestServer::bind(&[("127.0.0.1".to_owned(), 0)]).await.unwrap();
    let address = server.addresses()[0];
    let running = server.serve(router.unwrap().public_router());
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    // It is taken before the clock runs ahead.
    assert!(
        ask(address, "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 200")
    );
    tokio::time::pause();
    let mut rest = Vec::new();
    let cut = tokio::time::timeout(Duration::from_secs(60), slow.read_to_end(&mut rest)).await;
    assert!(cut.is_ok(), "still open after a minute");
    tokio::time::resume();
    let long = format!("GET / HTTP/1.1\r\nhost: h\r\nx: {}\r\n\r\n", "a".repeat(300_000));
    let mut greedy = TcpStream::connect(address).await.unwrap();
    // The server may close before it has read everything.
    let _ = greedy.write_all(long.as_bytes()).await;
    let mut answer = vec![0; 12];
    let read = greedy.read_exact(&mut answer).await;
    assert!(read.is_err() || answer == b"HTTP/1.1 431", "{:?}", String::from_utf8_lossy(&answer));
    running.stop().await;
}

#[tokio::test]
async fn strangers_are_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let (jaas, users) = (folder.path().join("jaas"), folder.path().join("users"));
    std::fs::write(&users, "fred=secret\n").unwrap();
    let module = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";
    std::fs::write(&jaas, format!("KafkaConnect {{ {module} required file=\"{}\"; }};", users.display()))
        .unwrap();
    let settings = RestSettings {
        extensions: vec!["BasicAuthSecurityRestExtension".to_owned()],
        jaas_file: Some(jaas.display().to_string()),
        ..RestSettings::default()
    };
    let api = RestApi::new(Arc::<Stub>::default(), settings, RestOptions::default()).unwrap();
    let server = RestServer::bind(&[("127.0.0.1".to_owned(), 0)]).await.unwrap();
    let address = server.addresses()[0];
    let running = server.serve(api.public_router());
    let head = "host: h\r\nconnection: close\r\n";
    let refused = ask(address, &format!("GET /connectors HTTP/1.1\r\n{head}\r\n")).await;
    assert!(
        refused.starts_with("HTTP/1.1 401") && refused.ends_with("User cannot access the resource."),
        "{refused}"
    );
    for (request, status) in [("GET /nothing", 404), ("PUT /connectors", 405), ("OPTIONS /connectors", 401)] {
        let answer = ask(address, &format!("{request} HTTP/1.1\r\n{head}\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
    }
    let known = BASE64_STANDARD.encode("fred:secret");
    let request = format!("GET /connectors HTTP/1.1\r\n{head}authorization: Basic {known}\r\n\r\n");
    assert!(ask(address, &request).await.starts_with("HTTP/1.1 200"));
    running.stop().await;
}
