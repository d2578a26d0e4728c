//! Java client properties, said to librdkafka: same meanings under its names. What it has no word for is dropped, with a
//! warning unless it could have no effect here anyway.

use connect_api::{ConfigMap, ConnectError};
use kafka_wire::settings::{
    ClientSettings, Identity, SaslMechanism, SaslSettings, Security, certificates_pem,
};
use rdkafka::config::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use tracing::warn;

use super::policy::ClientKind;

/// Understood by both under one name.
const SAME: [&str; 29] = [
    "acks",
    "allow.auto.create.topics",
    "bootstrap.servers",
    "check.crcs",
    "client.id",
    "client.rack",
    "connections.max.idle.ms",
    "enable.auto.commit",
    "enable.idempotence",
    "fetch.max.bytes",
    "fetch.min.bytes",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "heartbeat.interval.ms",
    "isolation.level",
    "linger.ms",
    "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "retries",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "session.timeout.ms",
    "socket.connection.setup.timeout.ms",
    "transaction.timeout.ms",
    "transactional.id",
];

/// Java's name and librdkafka's.
const RENAMED: [(&str, &str); 7] = [
    ("fetch.max.wait.ms", "fetch.wait.max.ms"),
    ("receive.buffer.bytes", "socket.receive.buffer.bytes"),
    ("send.buffer.bytes", "socket.send.buffer.bytes"),
    ("compression.gzip.level", "compression.level"),
    ("compression.lz4.level", "compression.level"),
    ("compression.zstd.level", "compression.level"),
    ("max.request.size", "message.max.bytes"),
];

/// Without effect here, or handled elsewhere: dropped without a word.
const SILENT: [&str; 15] = [
    "key.serializer",
    "value.serializer",
    "key.deserializer",
    "value.deserializer",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "auto.include.jmx.reporter",
    "default.api.timeout.ms",
    "max.poll.records",
    "client.dns.lookup",
    "enable.metrics.push",
    "metadata.recovery.strategy",
    "socket.connection.setup.timeout.max.ms",
];

/// The configuration of a producer or consumer.
///
/// # Errors
/// Security settings that cannot be used.
pub(crate) fn client_config(kind: ClientKind, properties: &ConfigMap) -> Result<ClientConfig, ConnectError> {
    let mut config = ClientConfig::new();
    config.set_log_level(rdkafka::config::RDKafkaLogLevel::Info);
    // Where its defaults are others than Java's. A producer waits for an unknown topic as long as a send may take.
    let defaults: &[(&str, &str)] = match kind {
        ClientKind::Producer => &[
            ("partitioner", "murmur2_random"),
            ("linger.ms", "0"),
            // The most that it can count in microseconds without an overflow, which would mean no time at all.
            ("topic.metadata.propagation.max.ms", "2147483"),
        ],
        ClientKind::Consumer => {
            &[("isolation.level", "read_uncommitted"), ("allow.auto.create.topics", "true")]
        }
        ClientKind::Admin => &[],
    };
    for (key, value) in defaults {
        config.set(*key, *value);
    }
    for (key, value) in properties {
        translate(kind, &mut config, key, value.trim());
    }
    secure(&mut config, properties)?;
    Ok(config)
}

fn translate(kind: ClientKind, config: &mut ClientConfig, key: &str, value: &str) {
    let renamed = RENAMED.iter().find(|(java, _)| *java == key).map(|(_, name)| *name);
    match (key, renamed) {
        ("security.protocol", _) => {}
        _ if key.starts_with("ssl.") || key.starts_with("sasl.") => {}
        // librdkafka lets a transactional producer's time-out follow `transaction.timeout.ms`.
        ("delivery.timeout.ms", _) => {
            let unlimited = value.parse() == Ok(i32::MAX);
            config.set("message.timeout.ms", if unlimited { "0" } else { value });
        }
        ("compression.type", _) => {
            config.set("compression.type", value.to_ascii_lowercase());
        }
        // Bytes of one request: in librdkafka a batch's, which may hold up to what one message may have.
        ("batch.size", _) => {
            config.set("batch.size", at_least(value, 1));
        }
        ("buffer.memory", _) => {
            let kbytes = value.parse::<i64>().map_or(32_768, |bytes| (bytes / 1024).clamp(1, 2_147_483_647));
            config.set("queue.buffering.max.kbytes", kbytes.to_string());
        }
        // In librdkafka a consumer's time for a request follows other settings.
        ("request.timeout.ms", _) if kind == ClientKind::Producer => {
            config.set("request.timeout.ms", at_least(value, 1));
        }
        ("request.timeout.ms", _) => {}
        // How long a record may wait for a topic that is not there; Java's worker has no limit unless told.
        ("max.block.ms", _) => {
            if let Ok(millis) = value.parse::<i64>() {
                config.set("topic.metadata.propagation.max.ms", millis.clamp(1, 2_147_483).to_string());
            }
        }
        ("partition.assignment.strategy", _) => {
            config.set("partition.assignment.strategy", assignors(value));
        }
        ("isolation.level", _) => {
            config.set(key, value.to_ascii_lowercase());
        }
        ("auto.offset.reset", _) => {
            let value = value.to_ascii_lowercase();
            config.set(key, if value == "none" { "error" } else { &value });
        }
        // How often it looks what has become of its topics; its own metadata.max.age.ms follows.
        ("metadata.max.age.ms", _) => {
            if let Ok(millis) = value.parse::<i64>() {
                config.set("topic.metadata.refresh.interval.ms", millis.clamp(100, 3_600_000).to_string());
            }
        }
        (_, Some(name)) if value != "-1" => {
            config.set(name, value);
        }
        (_, Some(_)) => {}
        _ if SAME.contains(&key) => {
            config.set(key, value);
        }
        _ if SILENT.contains(&key) => {}
        _ => warn!("client property {key} has no effect: this worker's clients do not know it"),
    }
}

fn at_least(value: &str, least: i64) -> String {
    value.parse::<i64>().map_or_else(|_| value.to_owned(), |n| n.max(least).to_string())
}

/// Java's assignors by their names in the protocol.
fn assignors(classes: &str) -> String {
    let name = |class: &str| match crate::plugins::simple_name(class.trim()) {
        "RangeAssignor" => "range".to_owned(),
        "RoundRobinAssignor" => "roundrobin".to_owned(),
        "CooperativeStickyAssignor" => "cooperative-sticky".to_owned(),
        other => other.to_owned(),
    };
    let mut names: Vec<String> = classes.split(',').map(name).collect();
    // librdkafka cannot go from one protocol to the other in a running group; Java's default names both.
    if names.iter().any(|name| name == "range" || name == "roundrobin") {
        names.retain(|name| name != "cooperative-sticky");
    }
    names.join(",")
}

/// `security.protocol`, `ssl.*` and `sasl.*`, read as everywhere else in this worker.
fn secure(config: &mut ClientConfig, properties: &ConfigMap) -> Result<(), ConnectError> {
    let settings = ClientSettings::from_properties(properties).map_err(ConnectError::config)?;
    let Security { tls, sasl } = settings.security;
    config.set(
        "security.protocol",
        match (tls.is_some(), sasl.is_some()) {
            (false, false) => "plaintext",
            (true, false) => "ssl",
            (false, true) => "sasl_plaintext",
            (true, true) => "sasl_ssl",
        },
    );
    if let Some(tls) = tls {
        if !cfg!(feature = "client-tls") {
            return Err(ConnectError::config(
                "security.protocol asks for TLS, but this worker was built without TLS for the producers and consumers \
                 of connectors (cargo feature client-tls)",
            ));
        }
        let identification = if tls.verify_host_name { "https" } else { "none" };
        config.set("ssl.endpoint.identification.algorithm", identification);
        let own = tls.identity.as_ref();
        let stores = [
            ("ssl.ca.pem", tls.trusted.as_deref().map(certificates_pem)),
            ("ssl.certificate.pem", own.map(Identity::chain_pem)),
            ("ssl.key.pem", own.map(Identity::key_pem)),
        ];
        for (key, pem) in stores {
            if let Some(pem) = pem {
                config.set(key, pem);
            }
        }
    }
    if let Some(sasl) = sasl {
        log_in(config, sasl)?;
    }
    Ok(())
}

/// librdkafka computes SCRAM's proofs with OpenSSL, so has them only where it has TLS, and knows no delegation tokens.
fn log_in(config: &mut ClientConfig, sasl: SaslSettings) -> Result<(), ConnectError> {
    let name = sasl.mechanism.name();
    if sasl.mechanism != SaslMechanism::Plain && !cfg!(feature = "client-tls") {
        return Err(ConnectError::config(format!(
            "sasl.mechanism={name} needs OpenSSL, but this worker was built without it for the producers and consumers \
             of connectors (cargo feature client-tls)"
        )));
    }
    if sasl.token {
        return Err(ConnectError::config(
            "sasl.jaas.config has tokenauth=\"true\", but the producers and consumers of connectors cannot log in with \
             delegation tokens; use the user name and password of an account",
        ));
    }
    config
        .set("sasl.mechanism", name)
        .set("sasl.username", sasl.username)
        .set("sasl.password", sasl.password);
    Ok(())
}

/// Headers for a producer; `None` when there are none.
pub(crate) fn owned_headers<'a, V: AsRef<[u8]> + 'a>(
    headers: impl ExactSizeIterator<Item = (&'a str, Option<&'a V>)>,
) -> Option<OwnedHeaders> {
    if headers.len() == 0 {
        return None;
    }
    let mut out = OwnedHeaders::new_with_capacity(headers.len());
    for (key, value) in headers {
        out = out.insert(Header { key, value: value.map(AsRef::as_ref) });
    }
    Some(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn translated(kind: ClientKind, entries: &[(&str, &str)]) -> ClientConfig {
        let mut properties: ConfigMap =
            entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        properties.insert("bootstrap.servers".to_owned(), "b:1".to_owned());
        client_config(kind, &properties).unwrap()
    }

    #[test]
    fn java_properties_are_said_in_librdkafkas_words() {
        let config = translated(
            ClientKind::Producer,
            &[
                ("acks", "all"),
                ("delivery.timeout.ms", "2147483647"),
                ("compression.type", "ZSTD"),
                ("max.request.size", "2000000"),
                ("buffer.memory", "67108864"),
                ("interceptor.classes", "x.Y"),
            ],
        );
        for (key, value) in [
            ("acks", "all"),
            ("message.timeout.ms", "0"),
            ("compression.type", "zstd"),
            ("message.max.bytes", "2000000"),
            ("queue.buffering.max.kbytes", "65536"),
            ("security.protocol", "plaintext"),
        ] {
            assert_eq!(config.get(key), Some(value), "{key}");
        }
        assert_eq!(config.get("interceptor.classes"), None);
        config.create_native_config().unwrap();
    }

    #[test]
    fn a_consumer_keeps_to_one_rebalance_protocol() {
        const JAVA: &str = "org.apache.kafka.clients.consumer.RangeAssignor,\
                            org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
        let config = translated(
            ClientKind::Consumer,
            &[
                ("group.id", "g"),
                ("partition.assignment.strategy", JAVA),
                ("fetch.max.wait.ms", "100"),
                ("isolation.level", "READ_COMMITTED"),
                ("auto.offset.reset", "none"),
                ("metadata.max.age.ms", "1000"),
            ],
        );
        assert_eq!(config.get("partition.assignment.strategy"), Some("range"));
        assert_eq!(config.get("fetch.wait.max.ms"), Some("100"));
        assert_eq!(config.get("auto.offset.reset"), Some("error"));
        assert_eq!(config.get("topic.metadata.refresh.interval.ms"), Some("1000"));
        config.create_native_config().unwrap();
    }

    #[test]
    fn scram_needs_the_build_with_openssl() {
        let login = |options: &str| {
            format!("org.apache.kafka.common.security.scram.ScramLoginModule required {options};")
        };
        let tried = |options: &str| {
            let entries = [
                ("bootstrap.servers", "b:1".to_owned()),
                ("security.protocol", "SASL_PLAINTEXT".to_owned()),
                ("sasl.mechanism", "SCRAM-SHA-512".to_owned()),
                ("sasl.jaas.config", login(options)),
            ];
            client_config(ClientKind::Consumer, &entries.map(|(k, v)| (k.to_owned(), v)).into())
        };
        let plain = tried("username=u password=p");
        let token = tried("username=u password=p tokenauth=true").unwrap_err().to_string();
        if cfg!(feature = "client-tls") {
            assert_eq!(plain.unwrap().get("sasl.mechanism"), Some("SCRAM-SHA-512"));
            assert!(token.contains("delegation tokens"), "{token}");
        } else {
            let error = plain.unwrap_err().to_string();
            assert!(error.contains("SCRAM-SHA-512") && error.contains("client-tls"), "{error}");
        }
    }

    #[test]
    fn sasl_plain_comes_from_the_jaas_line() {
        let jaas =
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"p\";";
        let config = translated(
            ClientKind::Consumer,
            &[
                ("security.protocol", "SASL_PLAINTEXT"),
                ("sasl.mechanism", "PLAIN"),
                ("sasl.jaas.config", jaas),
            ],
        );
        assert_eq!(config.get("security.protocol"), Some("sasl_plaintext"));
        assert_eq!((config.get("sasl.username"), config.get("sasl.password")), (Some("u"), Some("p")));
    }
}
