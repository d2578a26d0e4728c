//! Words for client properties that change nothing here, in terms of this product's own settings.

use kafka_wire::settings::Unused;

/// The reason that a user reads after "has no effect:".
pub(super) fn reason(unused: Unused) -> &'static str {
    match unused {
        Unused::Bytes => "keys, values and headers are copied as bytes",
        Unused::Batches => "batches pass through as the origin's producers made them, compression included",
        Unused::Java => "Java classes cannot be loaded",
        Unused::Sasl => "of SASL only PLAIN and SCRAM are supported",
        Unused::Tls => "TLS 1.2 and 1.3 with their safe cipher suites are always offered",
        Unused::Metrics => "metrics are served by the worker's REST server",
        Unused::Delivery => {
            "records are always written with an idempotent producer, acks=all, and retried until they are written"
        }
        Unused::Partitions => "records keep their partition",
        Unused::Checksums => "checksums are always verified",
        Unused::Offsets => {
            "where to start and when to commit follow offset.start and offset.flush.interval.ms"
        }
        Unused::Topics => {
            "topics follow topic.whitelist, topic.regex and topic.blacklist; the origin is never written"
        }
        Unused::Assigned => "partitions are assigned by the worker, not by a consumer group",
        Unused::Connection => "all addresses are tried, and tried again, until one answers",
    }
}
