//! The names of all Java consumer and producer properties, from Kafka 3.9 and 4.3, with their defaults and,
//! for those that change nothing here, why. A flat list; whoever reads a file asks it which keys to warn
//! about.

use Unused::{
    Assigned, Batches, Bytes, Checksums, Connection, Delivery, Java, Metrics, Offsets, Partitions, Sasl, Tls,
    Topics,
};

/// A property of Kafka's Java clients.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownProperty {
    /// Its name.
    pub name: &'static str,
    /// Kafka's default as text; empty when there is none.
    pub default: &'static str,
    /// Why it changes nothing here; `None` when it has its effect.
    pub unused_because: Option<Unused>,
}

/// Reason why a property changes nothing. The words for users are the caller's, who knows its own settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unused {
    /// Keys, values and headers are not decoded.
    Bytes,
    /// Batches are written as they were read.
    Batches,
    /// It names a Java class.
    Java,
    /// It is for a SASL mechanism that this client does not speak.
    Sasl,
    /// The offer of TLS versions and cipher suites is fixed.
    Tls,
    /// Metrics are the caller's to serve.
    Metrics,
    /// The producer is always idempotent, with acks=all.
    Delivery,
    /// Records keep their partition.
    Partitions,
    /// Checksums are always verified.
    Checksums,
    /// Positions and commits are the caller's.
    Offsets,
    /// The choice of topics is the caller's.
    Topics,
    /// The assignment of partitions is the caller's.
    Assigned,
    /// All addresses are tried until one answers.
    Connection,
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

const fn unused(name: &'static str, default: &'static str, reason: Unused) -> KnownProperty {
    KnownProperty { name, default, unused_because: Some(reason) }
}

/// Properties that consumers and producers share.
const CLIENT: &[KnownProperty] = &[
    unused("auto.include.jmx.reporter", "true", Metrics),
    used("bootstrap.servers", ""),
    unused("client.dns.lookup", "use_all_dns_ips", Connection),
    used("client.id", ""),
    unused("config.providers", "", Java),
    used("connections.max.idle.ms", "540000"),
    unused("enable.metrics.push", "true", Metrics),
    unused("interceptor.classes", "", Java),
    used("metadata.max.age.ms", "300000"),
    unused("metadata.recovery.rebootstrap.trigger.ms", "300000", Connection),
    unused("metadata.recovery.strategy", "rebootstrap", Connection),
    unused("metric.reporters", "org.apache.kafka.common.metrics.JmxReporter", Metrics),
    unused("metrics.num.samples", "2", Metrics),
    unused("metrics.recording.level", "INFO", Metrics),
    unused("metrics.sample.window.ms", "30000", Metrics),
    used("receive.buffer.bytes", "65536"),
    used("reconnect.backoff.max.ms", "1000"),
    used("reconnect.backoff.ms", "50"),
    used("request.timeout.ms", "30000"),
    used("retry.backoff.max.ms", "1000"),
    used("retry.backoff.ms", "100"),
    unused("sasl.client.callback.handler.class", "", Java),
    used("sasl.jaas.config", ""),
    unused("sasl.kerberos.kinit.cmd", "/usr/bin/kinit", Sasl),
    unused("sasl.kerberos.min.time.before.relogin", "60000", Sasl),
    unused("sasl.kerberos.service.name", "", Sasl),
    unused("sasl.kerberos.ticket.renew.jitter", "0.05", Sasl),
    unused("sasl.kerberos.ticket.renew.window.factor", "0.8", Sasl),
    unused("sasl.login.callback.handler.class", "", Java),
    unused("sasl.login.class", "", Java),
    unused("sasl.login.connect.timeout.ms", "", Sasl),
    unused("sasl.login.read.timeout.ms", "", Sasl),
    unused("sasl.login.refresh.buffer.seconds", "300", Sasl),
    unused("sasl.login.refresh.min.period.seconds", "60", Sasl),
    unused("sasl.login.refresh.window.factor", "0.8", Sasl),
    unused("sasl.login.refresh.window.jitter", "0.05", Sasl),
    unused("sasl.login.retry.backoff.max.ms", "10000", Sasl),
    unused("sasl.login.retry.backoff.ms", "100", Sasl),
    used("sasl.mechanism", "GSSAPI"),
    unused("sasl.oauthbearer.assertion.algorithm", "RS256", Sasl),
    unused("sasl.oauthbearer.assertion.claim.aud", "", Sasl),
    unused("sasl.oauthbearer.assertion.claim.exp.seconds", "300", Sasl),
    unused("sasl.oauthbearer.assertion.claim.iss", "", Sasl),
    unused("sasl.oauthbearer.assertion.claim.jti.include", "false", Sasl),
    unused("sasl.oauthbearer.assertion.claim.nbf.seconds", "60", Sasl),
    unused("sasl.oauthbearer.assertion.claim.sub", "", Sasl),
    unused("sasl.oauthbearer.assertion.file", "", Sasl),
    unused("sasl.oauthbearer.assertion.private.key.file", "", Sasl),
    unused("sasl.oauthbearer.assertion.private.key.passphrase", "", Sasl),
    unused("sasl.oauthbearer.assertion.template.file", "", Sasl),
    unused("sasl.oauthbearer.client.credentials.client.id", "", Sasl),
    unused("sasl.oauthbearer.client.credentials.client.secret", "", Sasl),
    unused("sasl.oauthbearer.clock.skew.seconds", "30", Sasl),
    unused("sasl.oauthbearer.expected.audience", "", Sasl),
    unused("sasl.oauthbearer.expected.issuer", "", Sasl),
    unused("sasl.oauthbearer.header.urlencode", "false", Sasl),
    unused("sasl.oauthbearer.jwks.endpoint.refresh.ms", "3600000", Sasl),
    unused("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", "10000", Sasl),
    unused("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", "100", Sasl),
    unused("sasl.oauthbearer.jwks.endpoint.url", "", Sasl),
    unused(
        "sasl.oauthbearer.jwt.retriever.class",
        "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever",
        Java,
    ),
    unused(
        "sasl.oauthbearer.jwt.validator.class",
        "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator",
        Java,
    ),
    unused("sasl.oauthbearer.scope", "", Sasl),
    unused("sasl.oauthbearer.scope.claim.name", "scope", Sasl),
    unused("sasl.oauthbearer.sub.claim.name", "sub", Sasl),
    unused("sasl.oauthbearer.token.endpoint.url", "", Sasl),
    used("security.protocol", "PLAINTEXT"),
    unused("security.providers", "", Java),
    used("send.buffer.bytes", "131072"),
    unused("socket.connection.setup.timeout.max.ms", "30000", Connection),
    used("socket.connection.setup.timeout.ms", "10000"),
    unused("ssl.cipher.suites", "", Tls),
    unused("ssl.enabled.protocols", "TLSv1.2,TLSv1.3", Tls),
    used("ssl.endpoint.identification.algorithm", "https"),
    unused("ssl.engine.factory.class", "", Java),
    used("ssl.key.password", ""),
    unused("ssl.keymanager.algorithm", "SunX509", Tls),
    used("ssl.keystore.certificate.chain", ""),
    used("ssl.keystore.key", ""),
    used("ssl.keystore.location", ""),
    used("ssl.keystore.password", ""),
    used("ssl.keystore.type", "JKS"),
    unused("ssl.protocol", "TLSv1.3", Tls),
    unused("ssl.provider", "", Java),
    unused("ssl.secure.random.implementation", "", Tls),
    unused("ssl.trustmanager.algorithm", "PKIX", Tls),
    used("ssl.truststore.certificates", ""),
    used("ssl.truststore.location", ""),
    used("ssl.truststore.password", ""),
    used("ssl.truststore.type", "JKS"),
];

/// Properties of consumers only.
const CONSUMER: &[KnownProperty] = &[
    unused("allow.auto.create.topics", "true", Topics),
    unused("auto.commit.interval.ms", "5000", Offsets),
    unused("auto.offset.reset", "latest", Offsets),
    unused("check.crcs", "true", Checksums),
    used("client.rack", ""),
    unused("default.api.timeout.ms", "60000", Connection),
    unused("enable.auto.commit", "true", Offsets),
    unused("exclude.internal.topics", "true", Topics),
    used("fetch.max.bytes", "52428800"),
    used("fetch.max.wait.ms", "500"),
    used("fetch.min.bytes", "1"),
    used("group.id", ""),
    unused("group.instance.id", "", Assigned),
    unused("group.protocol", "classic", Assigned),
    unused("group.remote.assignor", "", Assigned),
    unused("heartbeat.interval.ms", "3000", Assigned),
    unused("internal.leave.group.on.close", "true", Assigned),
    unused("internal.throw.on.fetch.stable.offset.unsupported", "false", Assigned),
    used("isolation.level", "read_uncommitted"),
    unused("key.deserializer", "", Bytes),
    used("max.partition.fetch.bytes", "1048576"),
    unused("max.poll.interval.ms", "300000", Assigned),
    unused("max.poll.records", "500", Batches),
    unused("partition.assignment.strategy", "org.apache.kafka.clients.consumer.RangeAssignor", Assigned),
    unused("session.timeout.ms", "45000", Assigned),
    unused("share.acknowledgement.mode", "implicit", Assigned),
    unused("share.acquire.mode", "BATCH_OPTIMIZED", Assigned),
    unused("value.deserializer", "", Bytes),
];

/// Properties of producers only.
const PRODUCER: &[KnownProperty] = &[
    unused("acks", "all", Delivery),
    unused("batch.size", "16384", Batches),
    unused("buffer.memory", "33554432", Batches),
    unused("compression.gzip.level", "-1", Batches),
    unused("compression.lz4.level", "9", Batches),
    unused("compression.type", "none", Batches),
    unused("compression.zstd.level", "3", Batches),
    unused("delivery.timeout.ms", "120000", Delivery),
    unused("enable.idempotence", "true", Delivery),
    unused("key.serializer", "", Bytes),
    unused("linger.ms", "5", Batches),
    unused("max.block.ms", "60000", Delivery),
    unused("max.in.flight.requests.per.connection", "5", Delivery),
    used("max.request.size", "1048576"),
    unused("metadata.max.idle.ms", "300000", Connection),
    unused("partitioner.adaptive.partitioning.enable", "true", Partitions),
    unused("partitioner.availability.timeout.ms", "0", Partitions),
    unused("partitioner.class", "", Java),
    unused("partitioner.ignore.keys", "false", Partitions),
    unused("retries", "2147483647", Delivery),
    unused("transaction.timeout.ms", "60000", Delivery),
    unused("transaction.two.phase.commit.enable", "false", Delivery),
    unused("transactional.id", "", Delivery),
    unused("value.serializer", "", Bytes),
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
