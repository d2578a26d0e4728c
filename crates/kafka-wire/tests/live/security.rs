//! TLS and SASL against brokers that have them, and what is said when the two sides do not fit.

use std::time::{Duration, Instant};

use kafka_clusters::{Listener, StoreKind, Version};
use kafka_wire::WireError;
use kafka_wire::cluster::Cluster;

use crate::load::Load;
use crate::support::{Kafka, client, create, fetch_settings, read};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_zookeeper_mode() {
    all(Version::V39Zk).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_kraft_mode() {
    all(Version::V43).await;
}

/// Settings for a listener; `password` and `trust` as wanted.
fn secured(kafka: &Kafka, listener: Listener, password: &str, trusted: bool) -> Cluster {
    let security = kafka.cluster.security().unwrap();
    let jaas = format!(
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"{}\" password=\"{password}\";",
        security.username
    );
    let (ca, own) = (security.ca_file.display().to_string(), security.client_file.display().to_string());
    let mut settings = vec![
        ("security.protocol", listener.protocol()),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.jaas.config", &jaas),
        ("request.timeout.ms", "5000"),
    ];
    if trusted {
        settings.extend([("ssl.truststore.type", "PEM"), ("ssl.truststore.location", &ca)]);
        settings.extend([("ssl.keystore.type", "PEM"), ("ssl.keystore.location", &own)]);
    }
    client(&kafka.cluster.bootstrap_of(listener), &settings)
}

/// How long a broker lets a login live (`connections.max.reauth.ms`).
const SESSION: Duration = Duration::from_secs(4);

async fn all(version: Version) {
    let builder = kafka_clusters::Cluster::builder()
        .version(version)
        .with_security()
        .property("ssl.client.auth", "required")
        .property("connections.max.reauth.ms", SESSION.as_millis());
    let kafka = Kafka::start(builder).await;
    let password = kafka.cluster.security().unwrap().password.clone();
    for listener in [Listener::Ssl, Listener::SaslPlaintext, Listener::SaslSsl] {
        let client = secured(&kafka, listener, &password, true);
        client.connect().await.unwrap();
        let topic = format!("over-{}", listener.protocol());
        create(&client, &topic, 2, &[]).await;
        Load::new(&client, &topic, 2, None).write(1_000).await;
        read(&client, fetch_settings(), &topic, 2, 1_000).await;
    }
    for listener in [Listener::SaslPlaintext, Listener::SaslSsl] {
        let error = secured(&kafka, listener, "wrong", true).connect().await.unwrap_err();
        assert!(matches!(error, WireError::Authentication { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("replicator") && text.contains("sasl.jaas.config"), "{text}");
        assert!(!text.contains("wrong"), "passwords are not shown: {text}");
    }
    // A certificate of an authority that is not trusted.
    let error = secured(&kafka, Listener::Ssl, &password, false).connect().await.unwrap_err();
    assert!(matches!(error, WireError::Authentication { .. }), "{error:?}");
    assert!(error.to_string().contains("ssl.truststore"), "{error}");
    mismatches(&kafka, &password).await;
    outlives_sessions(&secured(&kafka, Listener::SaslPlaintext, &password, true)).await;
    java_stores(&kafka).await;
    scram(&kafka).await;
}

/// The broker ends connections whose login is too old; neither writer nor reader loses anything.
async fn outlives_sessions(client: &Cluster) {
    client.connect().await.unwrap();
    create(client, "sessions", 1, &[]).await;
    let mut load = Load::new(client, "sessions", 1, None);
    let (started, mut end) = (Instant::now(), 0);
    while started.elapsed() < SESSION * 5 / 2 {
        end += 100;
        load.write(end).await;
    }
    read(client, fetch_settings(), "sessions", 1, usize::try_from(end).unwrap()).await;
}

/// Settings, as owned pairs, for a client that has not connected yet.
fn client_of(kafka: &Kafka, listener: Listener, settings: &[(&str, String)]) -> Cluster {
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let protocol = [("security.protocol", listener.protocol()), ("request.timeout.ms", "5000")];
    client(&kafka.cluster.bootstrap_of(listener), &[&protocol, settings.as_slice()].concat())
}

/// Stores that keytool made, at brokers that insist on a certificate.
async fn java_stores(kafka: &Kafka) {
    for kind in [StoreKind::Jks, StoreKind::Pkcs12, StoreKind::OldPkcs12] {
        let stores = kafka
            .run(move |cluster| cluster.security().unwrap().java_stores(kind).unwrap())
            .await
            .properties();
        client_of(kafka, Listener::Ssl, &stores).connect().await.unwrap();
        let trust: Vec<_> = stores.into_iter().filter(|(key, _)| key.contains("truststore")).collect();
        let error = client_of(kafka, Listener::Ssl, &trust).fetch_metadata(Some(&[])).await.unwrap_err();
        assert!(matches!(error, WireError::Authentication { .. }), "{kind:?}: {error:?}");
        assert!(error.to_string().contains("ssl.keystore.location"), "{kind:?}: {error}");
    }
}

/// Accounts of both mechanisms, with and without TLS.
async fn scram(kafka: &Kafka) {
    const USER: &str = "scram,user=1";
    const PASSWORD: &str = "pass-of-scram";
    let mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-512"];
    for mechanism in mechanisms {
        kafka.run(move |cluster| cluster.add_scram_user(mechanism, USER, PASSWORD).unwrap()).await;
    }
    let login = |mechanism: &str, user: &str, password: &str| {
        let module = "org.apache.kafka.common.security.scram.ScramLoginModule";
        let jaas = format!("{module} required username=\"{user}\" password=\"{password}\";");
        vec![("sasl.mechanism", mechanism.to_owned()), ("sasl.jaas.config", jaas)]
    };
    let stores = kafka.run(|cluster| cluster.security().unwrap().java_stores(StoreKind::Jks).unwrap()).await;
    for mechanism in mechanisms {
        for listener in [Listener::SaslPlaintext, Listener::SaslSsl] {
            let with = |user: &str, password: &str| {
                let settings = [stores.properties(), login(mechanism, user, password)].concat();
                client_of(kafka, listener, &settings)
            };
            with(USER, PASSWORD).connect().await.unwrap();
            for (user, password) in [(USER, "mistaken"), ("nobody", PASSWORD)] {
                let error = with(user, password).connect().await.unwrap_err();
                assert!(matches!(error, WireError::Authentication { .. }), "{error:?}");
                let text = error.to_string();
                assert!(text.contains(user) && text.contains("sasl.jaas.config"), "{text}");
                assert!(!text.contains(password), "passwords are not shown: {text}");
            }
        }
    }
}

/// A client of one protocol at the port of another: a message that names the setting, soon.
async fn mismatches(kafka: &Kafka, password: &str) {
    let pairs = [
        (Listener::Ssl, Listener::Plaintext),
        (Listener::SaslSsl, Listener::SaslPlaintext),
        (Listener::Plaintext, Listener::Ssl),
        (Listener::SaslPlaintext, Listener::SaslSsl),
        (Listener::Plaintext, Listener::SaslPlaintext),
        (Listener::SaslPlaintext, Listener::Plaintext),
    ];
    for (speaks, port) in pairs {
        let mut settings = secured(kafka, speaks, password, true).settings().clone();
        settings.bootstrap_servers =
            secured(kafka, port, password, true).settings().bootstrap_servers.clone();
        let connector = std::sync::Arc::new(kafka_wire::transport::TcpConnector::new(&settings).unwrap());
        let client = Cluster::new("test", settings, connector);
        let started = Instant::now();
        let error = client.fetch_metadata(Some(&[])).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(15), "{speaks:?} at {port:?} took long");
        let text = error.to_string();
        assert!(text.contains("security.protocol"), "{speaks:?} at {port:?}: {text}");
    }
}
