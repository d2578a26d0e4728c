//! TLS and SASL against brokers that have them, and what is said when the two sides do not fit.

use std::time::{Duration, Instant};

use kafka_clusters::{Listener, Version};
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

async fn all(version: Version) {
    let builder = kafka_clusters::Cluster::builder().version(version).with_security();
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
