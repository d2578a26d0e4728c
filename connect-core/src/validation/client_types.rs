//! Types of the client settings that are no texts: Connect reads overrides of them before it asks the policy.

use connect_api::{ConfigKey, Importance, Type};

const INTS: &[&str] = &[
    "auto.commit.interval.ms",
    "batch.size",
    "default.api.timeout.ms",
    "delivery.timeout.ms",
    "fetch.max.bytes",
    "fetch.max.wait.ms",
    "fetch.min.bytes",
    "heartbeat.interval.ms",
    "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "max.poll.records",
    "max.request.size",
    "metrics.num.samples",
    "receive.buffer.bytes",
    "request.timeout.ms",
    "retries",
    "send.buffer.bytes",
    "session.timeout.ms",
    "transaction.timeout.ms",
];

const LONGS: &[&str] = &[
    "buffer.memory",
    "connections.max.idle.ms",
    "linger.ms",
    "max.block.ms",
    "metadata.max.age.ms",
    "metadata.max.idle.ms",
    "metrics.sample.window.ms",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "socket.connection.setup.timeout.max.ms",
    "socket.connection.setup.timeout.ms",
];

const BOOLEANS: &[&str] = &[
    "allow.auto.create.topics",
    "check.crcs",
    "enable.auto.commit",
    "enable.idempotence",
    "exclude.internal.topics",
    "partitioner.ignore.keys",
];

/// Refuses a value that a client setting of this name cannot have by its type, in the words of `ConfigDef.parseType`.
pub(super) fn check(name: &str, value: &str) -> Result<(), String> {
    let kind = [(INTS, Type::Int), (LONGS, Type::Long), (BOOLEANS, Type::Boolean)]
        .into_iter()
        .find_map(|(names, kind)| names.contains(&name).then_some(kind));
    let Some(kind) = kind else { return Ok(()) };
    ConfigKey::new(name, kind, Importance::Low, "").parse(value).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers() {
        let not_int =
            "Invalid value x for configuration max.request.size: Not a number of type INT".to_owned();
        assert_eq!(check("max.request.size", "x"), Err(not_int));
        assert_eq!(check("linger.ms", " 5000000000 "), Ok(()));
        assert!(check("enable.idempotence", "yes").is_err());
        assert_eq!(check("acks", "x"), Ok(()));
    }
}
