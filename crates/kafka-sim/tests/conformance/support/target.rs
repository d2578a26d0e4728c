//! What a case is run against: a real broker or kafka-sim, always one broker with id 1.

/// Whose answers are expected where the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    V3_9,
    V4_3,
}

impl Release {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Release::V3_9 => "3.9",
            Release::V4_3 => "4.3",
        }
    }
}

/// Server properties of every target, beside the defaults of its release: background work runs often, so that a case
/// need not wait for it.
pub(crate) const PROPERTIES: &[(&str, &str)] = &[
    ("auto.create.topics.enable", "false"),
    ("group.initial.rebalance.delay.ms", "0"),
    ("group.min.session.timeout.ms", "500"),
    ("log.cleaner.backoff.ms", "200"),
    ("log.initial.task.delay.ms", "100"),
    ("log.retention.check.interval.ms", "500"),
    ("offsets.topic.num.partitions", "5"),
    ("transaction.abort.timed.out.transaction.cleanup.interval.ms", "500"),
    ("transaction.state.log.num.partitions", "5"),
];

/// A topic that every target has: two records of its first leader epoch, then two of a later one.
pub(crate) const ELECTED: &str = "elected";

pub(crate) trait Target: Sync {
    fn release(&self) -> Release;

    /// `host:port` of its broker.
    fn address(&self) -> String;

    /// Lets the log cleaner pass over a topic; a real broker's does so by itself.
    fn clean(&self, topic: &str);

    /// Slows down what a client with this id produces to this many bytes in a second.
    fn throttle(&self, client_id: &str, bytes: u32);

    /// Lets retention be applied; a real broker does so by itself.
    fn retain(&self);
}
