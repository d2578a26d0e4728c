//! Settings as a user's file gives them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    [("bootstrap.servers", "localhost:9092")]
        .iter()
        .chain(pairs)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn client(pairs: &[(&str, &str)]) -> Result<ClientSettings, SettingError> {
    ClientSettings::from_properties(&map(pairs))
}

/// A self-signed pair in PEM: certificate, key.
fn pair() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[test]
fn defaults_are_kafka_s() {
    let consumer = ConsumerSettings::from_properties(&map(&[])).unwrap();
    assert_eq!(consumer.group_id, None);
    assert_eq!((consumer.fetch_min_bytes, consumer.fetch_max_bytes), (1, None));
    assert_eq!(consumer.fetch_max_wait, Duration::from_millis(500));
    assert_eq!(consumer.max_partition_fetch_bytes, 1 << 20);
    assert!(!consumer.read_committed);
    let client = consumer.client;
    assert_eq!(client.bootstrap_servers, [("localhost".to_owned(), 9092)]);
    assert_eq!(client.request_timeout, Duration::from_secs(30));
    assert_eq!(client.connections_max_idle, Some(Duration::from_secs(540)));
    assert!(client.security.tls.is_none() && client.security.sasl.is_none());
    assert_eq!(ProducerSettings::from_properties(&map(&[])).unwrap().max_request_size, 1 << 20);
}

#[test]
fn set_values_arrive() {
    let consumer = ConsumerSettings::from_properties(&map(&[
        ("group.id", "g"),
        ("fetch.max.bytes", " 1000 "),
        ("isolation.level", "read_committed"),
        ("client.rack", "r1"),
        ("connections.max.idle.ms", "-1"),
        ("receive.buffer.bytes", "65536"),
        ("send.buffer.bytes", "-1"),
    ]))
    .unwrap();
    assert_eq!(consumer.group_id.as_deref(), Some("g"));
    assert_eq!(consumer.fetch_max_bytes, Some(1000));
    assert!(consumer.read_committed);
    assert_eq!(consumer.client_rack, "r1");
    assert_eq!(consumer.client.connections_max_idle, None);
    assert_eq!((consumer.client.receive_buffer, consumer.client.send_buffer), (Some(65536), None));
}

#[test]
fn bootstrap_addresses() {
    let servers = |text: &str| client(&[("bootstrap.servers", text)]).map(|client| client.bootstrap_servers);
    let expected = [("a".to_owned(), 1), ("::1".to_owned(), 2), ("c-d.e".to_owned(), 3)];
    assert_eq!(servers(" a:1, [::1]:2 ,PLAINTEXT://c-d.e:3,,a:1").unwrap(), expected);
    for text in ["", ",", "a", "a:", ":1", "a:0", "a:65536", "a b:1", "a:x"] {
        let error = servers(text).unwrap_err();
        assert_eq!(error.key, "bootstrap.servers", "{text}");
        assert!(error.reason.contains("host1:9092"), "{error}");
    }
}

#[test]
fn unusable_values_name_key_value_and_range() {
    let error = client(&[("request.timeout.ms", "soon")]).unwrap_err().to_string();
    assert_eq!(error, "request.timeout.ms=soon: must be a whole number, at least 0");
    let error = client(&[("receive.buffer.bytes", "-2")]).unwrap_err().to_string();
    assert_eq!(error, "receive.buffer.bytes=-2: must be a whole number from -1 to 2147483647");
    let error = client(&[("security.protocol", "TLS")]).unwrap_err().to_string();
    assert_eq!(error, "security.protocol=TLS: must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL");
}

#[test]
fn tls_without_stores_trusts_the_system() {
    let tls = client(&[("security.protocol", "ssl")]).unwrap().security.tls.unwrap();
    assert!(tls.trusted.is_none() && tls.identity.is_none() && tls.verify_host_name);
    let unchecked = [("security.protocol", "SSL"), ("ssl.endpoint.identification.algorithm", "")];
    assert!(!client(&unchecked).unwrap().security.tls.unwrap().verify_host_name);
}

#[test]
fn inline_pem_on_one_line() {
    let pair = pair();
    let (certificate, key) = (pair.0.replace('\n', " "), pair.1.replace('\n', " "));
    let properties = [
        ("security.protocol", "SSL"),
        ("ssl.truststore.type", "PEM"),
        ("ssl.truststore.certificates", &certificate),
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.certificate.chain", &certificate),
        ("ssl.keystore.key", &key),
    ];
    let tls = client(&properties).unwrap().security.tls.unwrap();
    let (trusted, own) = (tls.trusted.unwrap(), tls.identity.unwrap());
    assert_eq!((own.chain.as_slice(), own.chain_pem()), (trusted.as_slice(), pair.0.replace("\r\n", "\n")));
    assert_eq!(own.key_pem(), pair.1.replace("\r\n", "\n"));
    let without_chain: Vec<_> =
        properties.iter().copied().filter(|(key, _)| *key != "ssl.keystore.certificate.chain").collect();
    assert_eq!(client(&without_chain).unwrap_err().key, "ssl.keystore.certificate.chain");
}

#[test]
fn pem_files_and_other_stores() {
    let (certificate, key) = pair();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let both = file("both.pem", format!("{key}{certificate}").as_bytes());
    let properties = [("security.protocol", "SSL"), ("ssl.keystore.location", both.as_str())];
    let tls = client(&properties).unwrap().security.tls.unwrap();
    assert_eq!(tls.identity.unwrap().key_pem(), key.replace("\r\n", "\n"));

    let encrypted = file("e.pem", key.replace("PRIVATE", "ENCRYPTED PRIVATE").as_bytes());
    for (location, kind, about, says) in [
        (file("s.jks", &[0xfe, 0xed, 0xfe, 0xed, 0]), "", "ssl.keystore.location", "cut short"),
        (file("s.p12", &[0x30, 0x82, 1]), "", "ssl.keystore.location", "not a PKCS12 store"),
        (
            file("s.jceks", &[0xce, 0xce, 0xce, 0xce]),
            "JKS",
            "ssl.keystore.location",
            "keytool -importkeystore",
        ),
        (file("t.bks", &[0, 0]), "BKS", "ssl.keystore.type", "PEM, JKS, PKCS12"),
        (file("c.pem", certificate.as_bytes()), "PEM", "ssl.keystore.location", "no PEM private key"),
        (encrypted, "PEM", "ssl.keystore.location", "something else than PBES2"),
        (file("empty", b""), "PEM", "ssl.keystore.location", "neither PEM nor"),
        ("/nonexistent/k.pem".to_owned(), "PEM", "ssl.keystore.location", "cannot be read"),
    ] {
        let error = client(&[
            ("security.protocol", "SSL"),
            ("ssl.keystore.location", &location),
            ("ssl.keystore.type", kind),
        ])
        .unwrap_err();
        assert_eq!(error.key, about, "{error}");
        assert!(error.reason.contains(says), "{error}");
    }
}

#[test]
fn stores_are_not_touched_without_tls() {
    assert!(client(&[("ssl.keystore.location", "/nonexistent/k.jks")]).is_ok());
}

#[test]
fn sasl_plain() {
    let line =
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"p w\";";
    let properties =
        [("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "PLAIN"), ("sasl.jaas.config", line)];
    let security = client(&properties).unwrap().security;
    assert!(security.tls.is_none());
    let sasl = security.sasl.unwrap();
    assert_eq!((sasl.username.as_str(), sasl.password.as_str()), ("u", "p w"));
    assert_eq!(sasl.mechanism, SaslMechanism::Plain);
}

#[test]
fn sasl_scram() {
    for (mechanism, options, token) in
        [("SCRAM-SHA-256", "", false), ("SCRAM-SHA-512", " tokenauth=\"true\"", true)]
    {
        let line = format!(
            "org.apache.kafka.common.security.scram.ScramLoginModule required username=u password=p{options};"
        );
        let properties =
            [("security.protocol", "SASL_SSL"), ("sasl.mechanism", mechanism), ("sasl.jaas.config", &line)];
        let sasl = client(&properties).unwrap().security.sasl.unwrap();
        assert_eq!((sasl.mechanism.name(), sasl.token), (mechanism, token));
        assert_eq!(format!("{sasl:?}"), format!("SaslSettings({mechanism}, u)"));
    }
}

#[test]
fn sasl_errors_name_key_and_remedy_and_no_password() {
    let cases = [
        ("", "M required;", "sasl.mechanism", "GSSAPI"),
        ("OAUTHBEARER", "M required;", "sasl.mechanism", "supported: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"),
        (
            "SCRAM-SHA-512",
            "x.PlainLoginModule required username=a password=hunter2;",
            "sasl.jaas.config",
            "x.PlainLoginModule does not belong to sasl.mechanism=SCRAM-SHA-512; write org.apache.kafka.common.security.scram",
        ),
        ("PLAIN", "", "sasl.jaas.config", "is missing"),
        (
            "PLAIN",
            "x.ScramLoginModule required username=a password=hunter2;",
            "sasl.jaas.config",
            "x.ScramLogin",
        ),
        ("PLAIN", "PlainLoginModule required password=hunter2;", "sasl.jaas.config", "no option username"),
        ("PLAIN", "PlainLoginModule required username=a password=hunter2", "sasl.jaas.config", "semicolon"),
    ];
    for (mechanism, line, key, says) in cases {
        let properties =
            [("security.protocol", "SASL_SSL"), ("sasl.mechanism", mechanism), ("sasl.jaas.config", line)];
        let error = client(&properties).unwrap_err();
        assert_eq!(error.key, key, "{error}");
        assert!(error.reason.contains(says), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
