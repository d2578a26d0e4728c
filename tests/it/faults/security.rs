//! Encrypted and authenticated links, end to end, and what happens to passwords.

use std::time::Duration;

use kafka_clusters::{Cluster, Listener, StoreKind, Version};

use super::load::{Plan, produce_all};
use super::oracle::{check, read_raw};
use super::subject::{Running, Subject};
use super::{heavy, own_pair_of};
use crate::support::clusters::builder;
use crate::support::topics;

fn jaas(module: &str, user: &str, password: &str) -> String {
    format!(
        "org.apache.kafka.common.security.{module}LoginModule required username=\"{user}\" password=\"{password}\";"
    )
}

/// Properties of a client that uses `listener`: with PEM and PLAIN, and where there are both TLS and SASL, as most have it in
/// Java, with keytool's stores and SCRAM.
fn link(cluster: &Cluster, listener: Listener, password: &str) -> Vec<(&'static str, String)> {
    let security = cluster.security().unwrap();
    let mut lines = vec![
        ("bootstrap.servers", cluster.bootstrap_of(listener)),
        ("security.protocol", listener.protocol().to_owned()),
    ];
    if listener == Listener::SaslSsl {
        lines.extend(security.java_stores(StoreKind::Jks).unwrap().properties());
        lines.push(("sasl.mechanism", "SCRAM-SHA-512".to_owned()));
        lines.push(("sasl.jaas.config", jaas("scram.Scram", &security.username, password)));
    }
    if listener == Listener::Ssl {
        lines.push(("ssl.truststore.type", "PEM".to_owned()));
        lines.push(("ssl.truststore.location", security.ca_file.display().to_string()));
    }
    if listener == Listener::SaslPlaintext {
        lines.push(("sasl.mechanism", "PLAIN".to_owned()));
        lines.push(("sasl.jaas.config", jaas("plain.Plain", &security.username, password)));
    }
    lines
}

#[test]
fn secured_links_copy_and_keep_their_secrets() {
    let _heavy = heavy();
    let pair = own_pair_of(builder(Version::V39Zk).with_security(), builder(Version::V43).with_security());
    let (origin, destination) = (pair.origin.bootstrap(), pair.destination.bootstrap());
    let password = pair.origin.security().unwrap().password.clone();
    for cluster in [&pair.origin, &pair.destination] {
        let user = &cluster.security().unwrap().username;
        cluster.add_scram_user("SCRAM-SHA-512", user, &password).unwrap();
    }
    let links =
        [("tls", Listener::Ssl, Listener::SaslPlaintext), ("both", Listener::SaslSsl, Listener::SaslSsl)];
    for (name, from, to) in links {
        topics::create(&pair.origin, name, 2, &[]);
        let owed = produce_all(&origin, &Plan::new(name, 2, 0), 0, 1000);
        let mut subject = Subject::new(&pair, name, &[name]);
        for (key, value) in link(&pair.origin, from, &password) {
            subject = subject.consumer(key, value);
        }
        for (key, value) in link(&pair.destination, to, &password) {
            subject = subject.producer(key, value);
        }
        let mut running = subject.start_copying();
        check(&origin, &destination, (name, &format!("{name}.replica")), &owed);
        let secrets = [password.as_str(), "store-secret", "key-secret"];
        keeps_secrets(&running, &destination, &subject, &secrets);
        assert_eq!(running.terminate(Duration::from_secs(15)).0, Some(0));
        assert!(!secrets.iter().any(|secret| running.log().contains(secret)), "no password in the log");
    }
    wrong_passwords(&pair);
}

fn keeps_secrets(running: &Running, destination: &str, subject: &Subject, secrets: &[&str]) {
    let tells = |text: &str| secrets.iter().any(|secret| text.contains(secret));
    for path in ["/connectors/replicator/config", "/connectors/replicator", "/connectors/replicator/tasks"] {
        let body = running.rest(path).unwrap().to_string();
        assert!(!tells(&body), "{path}: {body}");
    }
    for topic in ["configs", "offsets", "status"] {
        for (key, value) in read_raw(destination, &subject.storage(topic)) {
            let text = String::from_utf8_lossy(&[key, value].concat()).into_owned();
            assert!(!tells(&text), "{topic}: {text}");
        }
    }
}

fn wrong_passwords(pair: &crate::support::Pair) {
    let right = pair.origin.security().unwrap().password.clone();
    for (name, at_origin) in [("wrong-origin", true), ("wrong-destination", false)] {
        let mut subject = Subject::new(pair, name, &["tls"]);
        let of = |mine: bool| if mine { "a-wrong-secret".to_owned() } else { right.clone() };
        for (key, value) in link(&pair.origin, Listener::SaslSsl, &of(at_origin)) {
            subject = subject.consumer(key, value);
        }
        for (key, value) in link(&pair.destination, Listener::SaslPlaintext, &of(!at_origin)) {
            subject = subject.producer(key, value);
        }
        let mut running = subject.start();
        let code = running.exit_code(Duration::from_secs(30));
        let log = running.log();
        assert_eq!(code, Some(78), "{log}");
        let said = running.lines("cannot start");
        assert!(
            said.iter().any(|l| l.contains("\"replicator\"") && l.contains("sasl.jaas.config")),
            "the user and the setting are named: {log}"
        );
        assert!(!log.contains("a-wrong-secret") && !log.contains(&right), "{log}");
    }
}
