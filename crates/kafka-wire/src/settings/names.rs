//! The names of all Java consumer and producer properties, from Kafka 3.9 and 4.3, with their defaults and, for those that
//! change nothing here, why. A flat list; whoever reads a file asks it which keys to warn about.

/// A property of Kafka's Java clients.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownProperty {
    /// Its name.
    pub name: &'static str,
    /// Kafka's default as text; empty when there is none.
    pub default: &'static str,
    /// Why it changes nothing here; `None` when it has its effect.
    pub unused_because: Option<&'static str>,
}

/// The consumer property called `name`.
pub fn consumer_property(name: &str) -> Option<&'static KnownProperty> {
    consumer_properties().find(|property| property.name == name)
}

/// The producer property called `name`.
pub fn producer_property(name: &str) -> Option<&'static KnownProperty> {
    producer_properties().find(|property| property.name == name)
}

/// Every property of a consumer.
pub fn consumer_properties() -> impl Iterator<Item = &'static KnownProperty> {
    CLIENT.iter().chain(CONSUMER)
}

/// Every property of a producer.
pub fn producer_properties() -> impl Iterator<Item = &'static KnownProperty> {
    CLIENT.iter().chain(PRODUCER)
}

/// True when the value of property `name`, with or without a prefix, must never be shown.
pub fn is_secret(name: &str) -> bool {
    const SECRET_ENDS: [&str; 8] = [
        "password",
        "passphrase",
        "secret",
        "sasl.jaas.config",
        "ssl.keystore.key",
        "user.info",
        "license",
        "token",
    ];
    SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

const fn used(name: &'static str, default: &'static str) -> KnownProperty {
    KnownProperty { name, default, unused_because: None }
}

const fn unused(name: &'static str, default: &'static str, reason: &'static str) -> KnownProperty {
    KnownProperty { name, default, unused_because: Some(reason) }
}

const BYTES: &str = "keys, values and headers are copied as bytes";
const BATCHES: &str = "batches pass through as the origin's producers made them, compression included";
const JAVA: &str = "Java classes cannot be loaded";
const SASL: &str = "of SASL only PLAIN and SCRAM are supported";
const TLS: &str = "TLS 1.2 and 1.3 with their safe cipher suites are always offered";
const METRICS: &str = "metrics are served by the worker's REST server";
const DELIVERY: &str =
    "records are always written with an idempotent producer, acks=all, and retried until they are written";
const PARTITIONS: &str = "records keep their partition";
const CRC: &str = "checksums are always verified";
const OFFSETS: &str = "where to start and when to commit follow offset.start and offset.flush.interval.ms";
const TOPICS: &str =
    "topics follow topic.whitelist, topic.regex and topic.blacklist; the origin is never written";
const ASSIGNED: &str = "partitions are assigned by the worker, not by a consumer group";
const CONNECTION: &str = "all addresses are tried, and tried again, until one answers";

/// Properties that consumers and producers share.
const CLIENT: &[KnownProperty] = &[
    unused("auto.include.jmx.reporter", "true", METRICS),
    used("bootstrap.servers", ""),
    unused("client.dns.lookup", "use_all_dns_ips", CONNECTION),
    used("client.id", ""),
    unused("config.providers", "", JAVA),
    used("connections.max.idle.ms", "540000"),
    unused("enable.metrics.push", "true", METRICS),
    unused("interceptor.classes", "", JAVA),
    used("metadata.max.age.ms", "300000"),
    unused("metadata.recovery.rebootstrap.trigger.ms", "300000", CONNECTION),
    unused("metadata.recovery.strategy", "rebootstrap", CONNECTION),
    unused("metric.reporters", "org.apache.kafka.common.metrics.JmxReporter", METRICS),
    unused("metrics.num.samples", "2", METRICS),
    unused("metrics.recording.level", "INFO", METRICS),
    unused("metrics.sample.window.ms", "30000", METRICS),
    used("receive.buffer.bytes", "65536"),
    used("reconnect.backoff.max.ms", "1000"),
    used("reconnect.backoff.ms", "50"),
    used("request.timeout.ms", "30000"),
    used("retry.backoff.max.ms", "1000"),
    used("retry.backoff.ms", "100"),
    unused("sasl.client.callback.handler.class", "", JAVA),
    used("sasl.jaas.config", ""),
    unused("sasl.kerberos.kinit.cmd", "/usr/bin/kinit", SASL),
    unused("sasl.kerberos.min.time.before.relogin", "60000", SASL),
    unused("sasl.kerberos.service.name", "", SASL),
    unused("sasl.kerberos.ticket.renew.jitter", "0.05", SASL),
    unused("sasl.kerberos.ticket.renew.window.factor", "0.8", SASL),
    unused("sasl.login.callback.handler.class", "", JAVA),
    unused("sasl.login.class", "", JAVA),
    unused("sasl.login.connect.timeout.ms", "", SASL),
    unused("sasl.login.read.timeout.ms", "", SASL),
    unused("sasl.login.refresh.buffer.seconds", "300", SASL),
    unused("sasl.login.refresh.min.period.seconds", "60", SASL),
    unused("sasl.login.refresh.window.factor", "0.8", SASL),
    unused("sasl.login.refresh.window.jitter", "0.05", SASL),
    unused("sasl.login.retry.backoff.max.ms", "10000", SASL),
    unused("sasl.login.retry.backoff.ms", "100", SASL),
    used("sasl.mechanism", "GSSAPI"),
    unused("sasl.oauthbearer.assertion.algorithm", "RS256", SASL),
    unused("sasl.oauthbearer.assertion.claim.aud", "", SASL),
    unused("sasl.oauthbearer.assertion.claim.exp.seconds", "300", SASL),
    unused("sasl.oauthbearer.assertion.claim.iss", "", SASL),
    unused("sasl.oauthbearer.assertion.claim.jti.include", "false", SASL),
    unused("sasl.oauthbearer.assertion.claim.nbf.seconds", "60", SASL),
    unused("sasl.oauthbearer.assertion.claim.sub", "", SASL),
    unused("sasl.oauthbearer.assertion.file", "", SASL),
    unused("sasl.oauthbearer.assertion.private.key.file", "", SASL),
    unused("sasl.oauthbearer.assertion.private.key.passphrase", "", SASL),
    unused("sasl.oauthbearer.assertion.template.file", "", SASL),
    unused("sasl.oauthbearer.client.credentials.client.id", "", SASL),
    unused("sasl.oauthbearer.client.credentials.client.secret", "", SASL),
    unused("sasl.oauthbearer.clock.skew.seconds", "30", SASL),
    unused("sasl.oauthbearer.expected.audience", "", SASL),
    unused("sasl.oauthbearer.expected.issuer", "", SASL),
    unused("sasl.oauthbearer.header.urlencode", "false", SASL),
    unused("sasl.oauthbearer.jwks.endpoint.refresh.ms", "3600000", SASL),
    unused("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", "10000", SASL),
    unused("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", "100", SASL),
    unused("sasl.oauthbearer.jwks.endpoint.url", "", SASL),
    unused(
        "sasl.oauthbearer.jwt.retriever.class",
        "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever",
        JAVA,
    ),
    unused(
        "sasl.oauthbearer.jwt.validator.class",
        "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator",
        JAVA,
    ),
    unused("sasl.oauthbearer.scope", "", SASL),
    unused("sasl.oauthbearer.scope.claim.name", "scope", SASL),
    unused("sasl.oauthbearer.sub.claim.name", "sub", SASL),
    unused("sasl.oauthbearer.token.endpoint.url", "", SASL),
    used("security.protocol", "PLAINTEXT"),
    unused("security.providers", "", JAVA),
    used("send.buffer.bytes", "131072"),
    unused("socket.connection.setup.timeout.max.ms", "30000", CONNECTION),
    used("socket.connection.setup.timeout.ms", "10000"),
    unused("ssl.cipher.suites", "", TLS),
    unused("ssl.enabled.protocols", "TLSv1.2,TLSv1.3", TLS),
    used("ssl.endpoint.identification.algorithm", "https"),
    unused("ssl.engine.factory.class", "", JAVA),
    used("ssl.key.password", ""),
    unused("ssl.keymanager.algorithm", "SunX509", TLS),
    used("ssl.keystore.certificate.chain", ""),
    used("ssl.keystore.key", ""),
    used("ssl.keystore.location", ""),
    used("ssl.keystore.password", ""),
    used("ssl.keystore.type", "JKS"),
    unused("ssl.protocol", "TLSv1.3", TLS),
    unused("ssl.provider", "", JAVA),
    unused("ssl.secure.random.implementation", "", TLS),
    unused("ssl.trustmanager.algorithm", "PKIX", TLS),
    used("ssl.truststore.certificates", ""),
    used("ssl.truststore.location", ""),
    used("ssl.truststore.password", ""),
    used("ssl.truststore.type", "JKS"),
];

/// Properties of consumers only.
const CONSUMER: &[KnownProperty] = &[
    unused("allow.auto.create.topics", "true", TOPICS),
    unused("auto.commit.interval.ms", "5000", OFFSETS),
    unused("auto.offset.reset", "latest", OFFSETS),
    unused("check.crcs", "true", CRC),
    used("client.rack", ""),
    unused("default.api.timeout.ms", "60000", CONNECTION),
    unused("enable.auto.commit", "true", OFFSETS),
    unused("exclude.internal.topics", "true", TOPICS),
    used("fetch.max.bytes", "52428800"),
    used("fetch.max.wait.ms", "500"),
    used("fetch.min.bytes", "1"),
    used("group.id", ""),
    unused("group.instance.id", "", ASSIGNED),
    unused("group.protocol", "classic", ASSIGNED),
    unused("group.remote.assignor", "", ASSIGNED),
    unused("heartbeat.interval.ms", "3000", ASSIGNED),
    unused("internal.leave.group.on.close", "true", ASSIGNED),
    unused("internal.throw.on.fetch.stable.offset.unsupported", "false", ASSIGNED),
    used("isolation.level", "read_uncommitted"),
    unused("key.deserializer", "", BYTES),
    used("max.partition.fetch.bytes", "1048576"),
    unused("max.poll.interval.ms", "300000", ASSIGNED),
    unused("max.poll.records", "500", BATCHES),
    unused("partition.assignment.strategy", "org.apache.kafka.clients.consumer.RangeAssignor", ASSIGNED),
    unused("session.timeout.ms", "45000", ASSIGNED),
    unused("share.acknowledgement.mode", "implicit", ASSIGNED),
    unused("share.acquire.mode", "BATCH_OPTIMIZED", ASSIGNED),
    unused("value.deserializer", "", BYTES),
];

/// Properties of producers only.
const PRODUCER: &[KnownProperty] = &[
    unused("acks", "all", DELIVERY),
    unused("batch.size", "16384", BATCHES),
    unused("buffer.memory", "33554432", BATCHES),
    unused("compression.gzip.level", "-1", BATCHES),
    unused("compression.lz4.level", "9", BATCHES),
    unused("compression.type", "none", BATCHES),
    unused("compression.zstd.level", "3", BATCHES),
    unused("delivery.timeout.ms", "120000", DELIVERY),
    unused("enable.idempotence", "true", DELIVERY),
    unused("key.serializer", "", BYTES),
    unused("linger.ms", "5", BATCHES),
    unused("max.block.ms", "60000", DELIVERY),
    unused("max.in.flight.requests.per.connection", "5", DELIVERY),
    used("max.request.size", "1048576"),
    unused("metadata.max.idle.ms", "300000", CONNECTION),
    unused("partitioner.adaptive.partitioning.enable", "true", PARTITIONS),
    unused("partitioner.availability.timeout.ms", "0", PARTITIONS),
    unused("partitioner.class", "", JAVA),
    unused("partitioner.ignore.keys", "false", PARTITIONS),
    unused("retries", "2147483647", DELIVERY),
    unused("transaction.timeout.ms", "60000", DELIVERY),
    unused("transaction.two.phase.commit.enable", "false", DELIVERY),
    unused("transactional.id", "", DELIVERY),
    unused("value.serializer", "", BYTES),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_name_twice() {
        for all in [consumer_properties().collect::<Vec<_>>(), producer_properties().collect()] {
            let names: BTreeSet<_> = all.iter().map(|property| property.name).collect();
            assert_eq!(names.len(), all.len());
        }
    }

    #[test]
    fn secrets_are_known_with_any_prefix() {
        for name in [
            "ssl.key.password",
            "src.kafka.sasl.jaas.config",
            "dest.kafka.ssl.keystore.key",
            "confluent.license",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in
            ["bootstrap.servers", "ssl.keystore.key.x", "ssl.truststore.certificates", "topic.whitelist"]
        {
            assert!(!is_secret(name), "{name}");
        }
    }
}
