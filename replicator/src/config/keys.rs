//! Every key of the replication file that is known, with its default and what becomes of it. A flat list.

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It is a setting of the connector.
    Connector,
    /// It is a setting of the worker.
    Worker,
    /// A setting of the worker, which checks it itself.
    Handed,
    /// A converter class: only the byte converter is allowed.
    Converter,
    /// Known, wanted, and not built yet: the user is warned unless the value asks for what happens anyway.
    NotYet,
    /// A setting of Connect itself that stands in the configurations of connectors and tasks, not in files.
    Framework,
    /// Accepted and of no consequence; the text says why.
    Ignored(&'static str),
}

/// A key, or with a trailing `.` or `*` every key that starts so.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    /// The default; for keys without effect, the value that needs no notice.
    pub(super) default: &'static str,
    pub(super) effect: Effect,
}

const fn key(name: &'static str, default: &'static str, effect: Effect) -> Key {
    Key { name, default, effect }
}

/// The entry for `name`: an exact one before one for its beginning.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    let begins = |key: &&Key| key.name.strip_suffix('*').is_some_and(|beginning| name.starts_with(beginning));
    KEYS.iter().find(|key| key.name == name).or_else(|| KEYS.iter().find(begins))
}

/// The default of a key of this list.
pub(super) fn default_of(name: &str) -> &'static str {
    find(name).map_or("", |key| key.default)
}

/// All keys that are settings of the connector.
#[cfg(test)]
pub(super) fn of_connector() -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter(|key| key.effect == Effect::Connector).map(|key| key.name)
}

/// Names that a user may have meant.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.name).filter(|name| !name.ends_with('*'))
}

const LICENCE: &str = "no licence is needed";
const ZOOKEEPER: &str = "ZooKeeper is not used";
const MONITORING: &str = "Control Center is not fed; the worker's REST server has the figures";
const PLUGINS: &str = "everything is built in";
const OVERRIDES: &str = "the connector's clients take what the consumer and producer files say";

/// Where settings of Connect's own belong.
pub(super) const POSTED: &str = "it belongs into the configuration of a connector that is posted to a worker";

use Effect::{Connector, Converter, Framework, Handed, Ignored, NotYet, Worker};

const KEYS: &[Key] = &[
    // The connector.
    key("cluster.id", "", Connector),
    key("tasks.max", "1", Connector),
    key("topic.whitelist", "", Connector),
    key("topic.regex", "", Connector),
    key("topic.blacklist", "", Connector),
    key("topic.rename.format", "${topic}", Connector),
    key("topic.auto.create", "true", Connector),
    key("topic.preserve.partitions", "true", Connector),
    key("topic.create.backoff.ms", "120000", Connector),
    key("topic.config.sync", "true", Connector),
    key("topic.config.sync.interval.ms", "120000", Connector),
    key("topic.poll.interval.ms", "120000", Connector),
    key("topic.timestamp.type", "CreateTime", Connector),
    key("dest.topic.replication.factor", "0", Connector),
    key("offset.start", "connect", Connector),
    key("offset.topic.commit", "true", Connector),
    key("replicator.profile", "default", Connector),
    key("replicator.lanes.per.broker", "2", Connector),
    key("replicator.inflight.bytes", "50331648", Connector),
    key("replicator.fetch.max.bytes", "4194304", Connector),
    key("replicator.fetch.partition.max.bytes", "1048576", Connector),
    key("replicator.lane.buffer.bytes", "16777216", Connector),
    key("replicator.batches", "merge", Connector),
    key("replicator.merge.max.bytes", "131072", Connector),
    key("replicator.merge.below.bytes", "65536", Connector),
    key("src.key.converter", "", Converter),
    key("src.value.converter", "", Converter),
    key("src.header.converter", "", Converter),
    key("key.converter", "", Converter),
    key("value.converter", "", Converter),
    key("header.converter", "", Converter),
    key("provenance.header.enable", "false", NotYet),
    key("provenance.header.filter.overrides", "", NotYet),
    key("offset.timestamps.commit", "false", NotYet),
    key("offset.topic.commit.batch.period.ms", "-1", NotYet),
    key("offset.translator.tasks.max", "0", NotYet),
    key("offset.translator.tasks.separate", "false", NotYet),
    key("offset.translator.batch.period.ms", "", NotYet),
    key("offset.translator.batch.size", "", NotYet),
    key("fetch.offset.expiry.ms", "", NotYet),
    key("fetch.offset.retry.backoff.ms", "", NotYet),
    key("consumer.poll.timeout.interval.ms", "5000", NotYet),
    key("schema.registry.topic", "", NotYet),
    key("schema.registry.url", "", NotYet),
    key("schema.subject.translator.class", "", NotYet),
    key("schema.*", "", NotYet),
    key("timestamps.*", "", NotYet),
    key("src.kafka.timestamps.*", "", NotYet),
    key("exactly.once.support", "requested", NotYet),
    key("exactly.once.source.support", "disabled", Handed),
    key("transaction.boundary", "poll", NotYet),
    key("transaction.boundary.interval.ms", "", NotYet),
    key("errors.tolerance", "none", NotYet),
    key("errors.*", "", NotYet),
    key("transforms", "", NotYet),
    key("transforms.*", "", NotYet),
    key("predicates", "", NotYet),
    key("predicates.*", "", NotYet),
    key("topic.creation.*", "", NotYet),
    key("config.providers", "", Handed),
    key("config.providers.*", "", Handed),
    // Connect's own, as every connector or task has them.
    key("name", "", Framework),
    key("connector.class", "", Framework),
    key("connector.plugin.version", "", Framework),
    key("tasks.max.enforce", "true", Framework),
    key("task.class", "", Framework),
    key("task.id", "", Framework),
    key("partition.assignment", "", Framework),
    key("offsets.storage.topic", "", Framework),
    // The worker.
    key("listeners", "http://:8083", Worker),
    key("rest.host.name", "", Worker),
    key("rest.port", "8083", Worker),
    key("rest.advertised.host.name", "", Worker),
    key("rest.advertised.port", "", Worker),
    key("rest.advertised.listener", "http", Handed),
    key("rest.extension.classes", "", Worker),
    key("offset.storage.topic", "connect-offsets", Worker),
    key("offset.storage.partitions", "25", Worker),
    key("offset.storage.replication.factor", "3", Worker),
    key("config.storage.topic", "connect-configs", Worker),
    key("config.storage.replication.factor", "3", Worker),
    key("config.storage.partitions", "1", Ignored("the configuration topic always has one partition")),
    key("status.storage.topic", "connect-status", Worker),
    key("status.storage.partitions", "5", Worker),
    key("status.storage.replication.factor", "3", Worker),
    key("replication.factor", "3", Worker),
    key("offset.flush.interval.ms", "5000", Worker),
    key("task.shutdown.graceful.timeout.ms", "5000", Worker),
    key("admin.listeners", "", Handed),
    key("listeners.https.*", "", Handed),
    key("access.control.allow.origin", "", Handed),
    key("access.control.allow.methods", "", Handed),
    key("response.http.headers.config", "", Handed),
    key("connect.protocol", "sessioned", Handed),
    key("offset.flush.timeout.ms", "5000", Handed),
    key("rebalance.timeout.ms", "60000", Handed),
    key("graceful.handover.enabled", "true", Handed),
    key("scheduled.rebalance.max.delay.ms", "300000", Handed),
    key("worker.sync.timeout.ms", "3000", Handed),
    key("worker.unsync.backoff.ms", "300000", Handed),
    key("inter.worker.*", "", Handed),
    key("plugin.path", "", Ignored(PLUGINS)),
    key("plugin.discovery", "hybrid_warn", Ignored(PLUGINS)),
    key("config.action.reload", "restart", Ignored(PLUGINS)),
    key("internal.key.converter*", "", Ignored(PLUGINS)),
    key("internal.value.converter*", "", Ignored(PLUGINS)),
    key("src.key.converter.*", "", Ignored(PLUGINS)),
    key("src.value.converter.*", "", Ignored(PLUGINS)),
    key("src.header.converter.*", "", Ignored(PLUGINS)),
    key("key.converter.*", "", Ignored(PLUGINS)),
    key("value.converter.*", "", Ignored(PLUGINS)),
    key("header.converter.*", "", Ignored(PLUGINS)),
    key("topic.tracking.*", "", Handed),
    key("connector.client.config.override.policy", "All", Handed),
    key("session.timeout.ms", "10000", Handed),
    key("heartbeat.interval.ms", "3000", Handed),
    key("auto.restart.*", "", Handed),
    key("java.security.auth.login.config", "", Handed),
    key("admin.*", "", Ignored(OVERRIDES)),
    key("consumer.override.*", "", Ignored(OVERRIDES)),
    // Leftovers of licensing, ZooKeeper and Control Center.
    key("confluent.license", "", Ignored(LICENCE)),
    key("confluent.license.*", "", Ignored(LICENCE)),
    key("confluent.topic", "", Ignored(LICENCE)),
    key("confluent.topic.*", "", Ignored(LICENCE)),
    key("zookeeper.connect", "", Ignored(ZOOKEEPER)),
    key("zookeeper.*", "", Ignored(ZOOKEEPER)),
    key("src.zookeeper.*", "", Ignored(ZOOKEEPER)),
    key("dest.zookeeper.*", "", Ignored(ZOOKEEPER)),
    key("confluent.monitoring.*", "", Ignored(MONITORING)),
    key("confluent.metrics.*", "", Ignored(MONITORING)),
    key("confluent.controlcenter.*", "", Ignored(MONITORING)),
    key("producer.confluent.monitoring.*", "", Ignored(MONITORING)),
    key("consumer.confluent.monitoring.*", "", Ignored(MONITORING)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_name_beats_a_beginning() {
        assert_eq!(find("schema.registry.url").map(|key| key.name), Some("schema.registry.url"));
        assert_eq!(find("schema.registry.max.schemas.per.subject").map(|key| key.name), Some("schema.*"));
        assert_eq!(find("topic.whitelists").map(|key| key.name), None);
    }

    #[test]
    fn no_name_twice() {
        let mut all: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), KEYS.len());
    }
}
