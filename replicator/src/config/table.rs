//! The table of settings: the only place in which a setting of the replicator is declared. A flat list. Order: within a
//! heading of the help, and within a group of REST and documents, settings stand as they do here.
//!
//! To add one, add a row and read it with [`super::values::Values`] where it is needed. A key that is only accepted has
//! [`NotYet`]; taking that off is what makes it work.

use connect_core::api::Importance::{High, Medium};

use super::choices::{BatchMode, OffsetStart, Profile, TimestampType};
use super::known::Effect::{Ignored, NotYet, Refused};
use super::known::Kind::{self, Boolean, Converter, Int, List, Long, Text};
use super::known::Owner::{AnyConnector, Connector, Framework, Handed, Nobody, Process, Worker};
use super::known::{FileParameter, Flag, KnownSetting};

/// The entry for `name`: an exact one before one for its beginning.
pub(super) fn find(name: &str) -> Option<&'static KnownSetting> {
    let begins =
        |known: &&KnownSetting| known.name.strip_suffix('*').is_some_and(|start| name.starts_with(start));
    SETTINGS.iter().find(|known| known.name == name).or_else(|| SETTINGS.iter().find(begins))
}

/// The default of a setting of the table.
pub(super) fn default_of(name: &str) -> &'static str {
    find(name).map_or("", |known| known.default)
}

/// Names that a user may have meant.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().filter(|known| !known.is_beginning()).map(|known| known.name)
}

// Headings of the help.
const CLUSTERS: &str = "Clusters";
const TOPICS: &str = "Topics";
const RUNNING: &str = "Running";

// Groups of REST and documents.
pub(super) const SOURCE_TOPICS: &str = "Source Topics";
pub(super) const DESTINATION_TOPICS: &str = "Destination Topics";
pub(super) const OFFSETS: &str = "Offset Management";
const COPYING: &str = "Copying";
const CONVERSION: &str = "Source Data Conversion";
const PROVENANCE: &str = "Provenance";
const TRANSLATION: &str = "Offset Translation";
const SCHEMAS: &str = "Schema Translation";
const CONNECT: &str = "Settings of Every Source Connector";
const FRAMEWORK: &str = "Connect's Own";
const REST: &str = "Worker: REST";
const STORAGE: &str = "Worker: Storage Topics";
const GROUP: &str = "Worker: Group and Life";
const LEFTOVERS: &str = "Leftovers";

/// The converter that every key, value and header has.
const BYTES: &str = "io.confluent.connect.replicator.util.ByteArrayConverter";

const INT: i64 = i32::MAX as i64;
const SHORT: i64 = i16::MAX as i64;
const PORT: i64 = u16::MAX as i64;
const YEAR: i64 = 365 * 24 * 3_600_000;

/// A number that the worker judges.
const NUMBER: Kind = Long(i64::MIN, i64::MAX);

const LICENCE: &str = "no licence is needed";
const ZOOKEEPER: &str = "ZooKeeper is not used";
const MONITORING: &str = "Control Center is not fed; the worker's REST server has the figures";
const PLUGINS: &str = "everything is built in";
const OVERRIDES: &str = "the connector's clients take what the consumer and producer files say";
const ONE_PARTITION: &str = "the configuration topic always has one partition";

const fn connector(name: &'static str, kind: Kind, default: &'static str) -> KnownSetting {
    KnownSetting::new(Connector, name, kind, default)
}

const fn any_connector(name: &'static str, kind: Kind, default: &'static str) -> KnownSetting {
    KnownSetting::new(AnyConnector, name, kind, default)
}

const fn worker(name: &'static str, kind: Kind, default: &'static str) -> KnownSetting {
    KnownSetting::new(Worker, name, kind, default)
}

const fn handed(name: &'static str, kind: Kind, default: &'static str) -> KnownSetting {
    KnownSetting::new(Handed, name, kind, default)
}

const fn framework(name: &'static str, default: &'static str, text: &'static str) -> KnownSetting {
    KnownSetting::new(Framework, name, Text, default).text(FRAMEWORK, text)
}

const fn leftover(name: &'static str, reason: &'static str, text: &'static str) -> KnownSetting {
    KnownSetting::new(Nobody, name, Text, "").effect(Ignored(reason)).text(LEFTOVERS, text)
}

const fn file(
    name: &'static str,
    env: &'static str,
    well_known: &'static str,
    text: &'static str,
) -> FileParameter {
    FileParameter { flag: Flag { name, env, value_name: "FILE", heading: CLUSTERS }, well_known, text }
}

/// The parameters that name a file. The first two are required.
pub const FILES: &[FileParameter] = &[
    file(
        "consumer.config",
        "CONSUMER_CONFIG",
        "/etc/replicator/consumer.properties",
        "Properties of the consumer that reads the origin cluster (required)",
    ),
    file(
        "producer.config",
        "PRODUCER_CONFIG",
        "/etc/replicator/producer.properties",
        "Properties of the producer that writes the destination cluster (required)",
    ),
    file(
        "replication.config",
        "REPLICATION_CONFIG",
        "/etc/replicator/replication.properties",
        "All other settings; parameters given here win over this file",
    ),
    file(
        "consumer.monitoring.config",
        "CONSUMER_MONITORING_CONFIG",
        "/etc/replicator/consumer-monitoring.properties",
        "Accepted, without effect",
    ),
    file(
        "producer.monitoring.config",
        "PRODUCER_MONITORING_CONFIG",
        "/etc/replicator/producer-monitoring.properties",
        "Accepted, without effect",
    ),
];

/// Every setting of the replicator but the properties of Kafka's clients.
pub const SETTINGS: &[KnownSetting] = &[
    // ---- The connector: topics.
    connector("topic.whitelist", List, "")
        .text(SOURCE_TOPICS, "Topics to copy, by name, separated by commas. Each must exist at the origin when the connector starts.")
        .importance(High)
        .flag(TOPICS, "whitelist", "WHITELIST", "TOPICS"),
    connector("topic.regex", Text, "")
        .text(SOURCE_TOPICS, "Topics to copy: a Java regular expression that is compared with whole names.")
        .importance(High)
        .flag(TOPICS, "topic.regex", "TOPIC_REGEX", "REGEX"),
    connector("topic.blacklist", List, "")
        .text(
            SOURCE_TOPICS,
            "Topics that are never copied, by name, separated by commas; beats topic.whitelist and topic.regex.",
        )
        .importance(High)
        .flag(TOPICS, "blacklist", "BLACKLIST", "TOPICS"),
    connector("topic.rename.format", Text, "${topic}")
        .text(
            DESTINATION_TOPICS,
            "Name of a topic at the destination; ${topic} stands for its name at the origin.",
        )
        .importance(High)
        .flag(TOPICS, "topic.rename.format", "TOPIC_RENAME_FORMAT", "FORMAT"),
    connector("topic.auto.create", Boolean, "true")
        .text(
            DESTINATION_TOPICS,
            "Create topics that are missing at the destination, with the origin's partition count and settings.",
        )
        .flag(TOPICS, "topic.auto.create", "TOPIC_AUTO_CREATE", "BOOL"),
    connector("topic.preserve.partitions", Boolean, "true")
        .text(DESTINATION_TOPICS, "Add partitions at the destination when the origin has more.")
        .flag(TOPICS, "topic.preserve.partitions", "TOPIC_PRESERVE_PARTITIONS", "BOOL"),
    connector("topic.create.backoff.ms", Long(0, YEAR), "120000")
        .text(
            DESTINATION_TOPICS,
            "Pause after a topic could not be created or expanded, in milliseconds.",
        )
        .flag(TOPICS, "topic.create.backoff.ms", "TOPIC_CREATE_BACKOFF_MS", "MS"),
    connector("topic.config.sync", Boolean, "true")
        .text(DESTINATION_TOPICS, "Keep the settings of destination topics in step with the origin's.")
        .flag(TOPICS, "topic.config.sync", "TOPIC_CONFIG_SYNC", "BOOL"),
    connector("topic.config.sync.interval.ms", Long(1, YEAR), "120000")
        .text(DESTINATION_TOPICS, "How often settings are compared, in milliseconds.")
        .flag(TOPICS, "topic.config.sync.interval.ms", "TOPIC_CONFIG_SYNC_INTERVAL_MS", "MS"),
    connector("topic.poll.interval.ms", Long(1, YEAR), "120000")
        .text(
            SOURCE_TOPICS,
            "How often the origin is asked for new topics and partitions, in milliseconds.",
        )
        .flag(TOPICS, "topic.poll.interval.ms", "TOPIC_POLL_INTERVAL_MS", "MS"),
    connector("topic.timestamp.type", Kind::choice::<TimestampType>(), "CreateTime")
        .text(
            DESTINATION_TOPICS,
            "message.timestamp.type of topics that are created at the destination.",
        )
        .flag(TOPICS, "topic.timestamp.type", "TOPIC_TIMESTAMP_TYPE", "TYPE"),
    connector("dest.topic.replication.factor", Int(0, SHORT), "0")
        .text(
            DESTINATION_TOPICS,
            "Replication factor of topics that are created at the destination; 0: the origin topic's.",
        )
        .importance(Medium),
    // ---- The connector: offsets.
    connector("offset.start", Kind::choice::<OffsetStart>(), "connect").text(
        OFFSETS,
        "Where to look first for the position to start from: Connect's offsets, or the consumer group at the origin.",
    ),
    connector("offset.topic.commit", Boolean, "true")
        .text(OFFSETS, "Commit progress for the consumer group at the origin as well."),
    KnownSetting::new(Process, "cluster.id", Text, "")
        .text(
            OFFSETS,
            "Name of this group of replicators: those with the same name share the work. Stands in for \
             src.consumer.group.id when that is not set. In a posted connector the default is the connector's name.",
        )
        .flag(CLUSTERS, "cluster.id", "CLUSTER_ID", "NAME"),
    // ---- The connector: memory and connections.
    connector("replicator.profile", Kind::choice::<Profile>(), "default")
        .text(COPYING, "Which defaults the sizes of buffers have."),
    connector("replicator.batches", Kind::choice::<BatchMode>(), "merge").text(
        COPYING,
        "merge: small uncompressed batches that wait anyway are sent as one. preserve: each stays what it is.",
    ),
    connector("replicator.lanes.per.broker", Int(1, 64), "2").text(COPYING, "Connections for data to each broker."),
    connector("replicator.inflight.bytes", Long(262_144, i64::MAX), "50331648")
        .small_memory("4194304")
        .text(COPYING, "Memory for data under way, over all tasks, in bytes."),
    connector("replicator.fetch.max.bytes", Int(1, INT), "4194304").small_memory("524288").text(
        COPYING,
        "Most bytes of one fetch response, at most replicator.inflight.bytes. The consumer's fetch.max.bytes stands \
         in for it.",
    ),
    connector("replicator.fetch.partition.max.bytes", Int(1, INT), "1048576").text(
        COPYING,
        "Most bytes of one partition in one fetch response. The consumer's max.partition.fetch.bytes stands in for it.",
    ),
    connector("replicator.lane.buffer.bytes", Long(1, i64::MAX), "16777216")
        .small_memory("1048576")
        .text(COPYING, "A connection asks for more while it holds fewer bytes than this."),
    connector("replicator.merge.max.bytes", Int(1, INT), "131072")
        .text(COPYING, "Most bytes of a merged batch, at most the producer's max.request.size."),
    connector("replicator.merge.below.bytes", Int(0, INT), "65536")
        .text(COPYING, "Only batches below this many bytes start a merge."),
    // ---- The connector: data.
    connector("src.key.converter", Converter, BYTES)
        .text(CONVERSION, "Keys are copied byte for byte.")
        .effect(Refused),
    connector("src.value.converter", Converter, BYTES)
        .text(CONVERSION, "Values are copied byte for byte.")
        .effect(Refused),
    connector("src.header.converter", Converter, BYTES)
        .text(CONVERSION, "Headers are copied byte for byte.")
        .effect(Refused),
    // ---- The connector: not built yet.
    connector("provenance.header.enable", Boolean, "false")
        .text(
            PROVENANCE,
            "Mark each copied record with the cluster and topic that it comes from, and do not copy what would \
             return to where it was.",
        )
        .effect(NotYet),
    connector("provenance.header.filter.overrides", Text, "")
        .text(
            PROVENANCE,
            "Records to copy although they return: cluster,topic,from-to for each rule, separated by semicolons; \
             cluster and topic are regular expressions, the times are milliseconds, and - is any time.",
        )
        .effect(NotYet),
    connector("offset.timestamps.commit", Boolean, "false")
        .text(
            OFFSETS,
            "Write the progress of the replicator's own group into __consumer_timestamps at the origin, from where a \
             replicator in the opposite direction resumes after a switch. Confluent's default is true.",
        )
        .effect(NotYet),
    connector("offset.topic.commit.batch.period.ms", Text, "-1")
        .text(
            OFFSETS,
            "How often progress is committed at the origin, in milliseconds; -1: whenever Connect stores offsets. \
             Confluent's default is 60000.",
        )
        .effect(NotYet),
    connector("offset.translator.tasks.max", Text, "0")
        .text(
            TRANSLATION,
            "Most tasks that translate offsets of consumer groups; 0: none, -1: all. Confluent's default is -1.",
        )
        .effect(NotYet),
    connector("offset.translator.tasks.separate", Boolean, "false")
        .text(TRANSLATION, "Translate offsets in tasks that do nothing else.")
        .effect(NotYet),
    connector("offset.translator.batch.period.ms", Text, "")
        .text(
            TRANSLATION,
            "Time between two batches of translated offsets, in milliseconds. Confluent's default is 60000.",
        )
        .effect(NotYet),
    connector("offset.translator.batch.size", Text, "")
        .text(TRANSLATION, "Most offsets in one batch. Confluent's default is 2147483647.")
        .effect(NotYet),
    connector("fetch.offset.expiry.ms", Text, "")
        .text(
            TRANSLATION,
            "Time after which an offset that cannot be translated is given up, in milliseconds. Confluent's default \
             is 600000.",
        )
        .effect(NotYet),
    connector("fetch.offset.retry.backoff.ms", Text, "")
        .text(
            TRANSLATION,
            "Pause before an offset is looked up again, in milliseconds. Confluent's default is 100.",
        )
        .effect(NotYet),
    connector("consumer.poll.timeout.interval.ms", Text, "5000")
        .text(SOURCE_TOPICS, "Longest time for one poll of the origin, in milliseconds.")
        .effect(NotYet),
    connector("schema.registry.topic", Text, "")
        .text(SCHEMAS, "Topic of the schemas at the origin, usually _schemas.")
        .effect(NotYet),
    connector("schema.registry.url", Text, "")
        .text(SCHEMAS, "Address of the schema registry at the destination.")
        .effect(NotYet),
    connector("schema.subject.translator.class", Text, "")
        .text(SCHEMAS, "Java class that renames the subjects of schemas.")
        .effect(NotYet),
    connector("schema.*", Text, "")
        .text(
            SCHEMAS,
            "Other settings of schema translation, such as schema.registry.max.schemas.per.subject and \
             schema.registry.client.*.",
        )
        .effect(NotYet),
    connector("timestamps.*", Text, "")
        .text(TRANSLATION, "Settings of the topic __consumer_timestamps and of its producer.")
        .effect(NotYet),
    connector("src.kafka.timestamps.*", Text, "")
        .text(TRANSLATION, "The same, as Confluent's replicator has them.")
        .effect(NotYet),
    // ---- What every source connector has.
    any_connector("tasks.max", Int(1, 10_000), "1")
        .text(CONNECT, "Most tasks, over all workers with the same cluster id together.")
        .flag(RUNNING, "cluster.threads", "CLUSTER_THREADS", "COUNT"),
    any_connector("key.converter", Converter, BYTES)
        .text(CONNECT, "Keys are copied byte for byte.")
        .effect(Refused),
    any_connector("value.converter", Converter, BYTES)
        .text(CONNECT, "Values are copied byte for byte.")
        .effect(Refused),
    any_connector("header.converter", Converter, BYTES)
        .text(CONNECT, "Headers are copied byte for byte.")
        .effect(Refused),
    any_connector("exactly.once.support", Text, "requested")
        .text(CONNECT, "Whether the connector must not start without exactly-once: requested or required.")
        .effect(NotYet),
    any_connector("transaction.boundary", Text, "poll")
        .text(CONNECT, "Where a transaction ends with exactly-once: poll, interval or connector.")
        .effect(NotYet),
    any_connector("transaction.boundary.interval.ms", Text, "")
        .text(CONNECT, "Length of a transaction with the boundary interval, in milliseconds.")
        .effect(NotYet),
    any_connector("errors.tolerance", Text, "none")
        .text(CONNECT, "Whether a record that cannot be converted is left out (all) or stops its task (none).")
        .effect(NotYet),
    any_connector("errors.*", Text, "")
        .text(CONNECT, "Retries and log of records that cannot be converted.")
        .effect(NotYet),
    any_connector("transforms", Text, "")
        .text(CONNECT, "Names of transformations that every record goes through.")
        .effect(NotYet),
    any_connector("transforms.*", Text, "").text(CONNECT, "Settings of the transformations.").effect(NotYet),
    any_connector("predicates", Text, "")
        .text(CONNECT, "Names of conditions for transformations.")
        .effect(NotYet),
    any_connector("predicates.*", Text, "").text(CONNECT, "Settings of the conditions.").effect(NotYet),
    any_connector("topic.creation.*", Text, "")
        .text(CONNECT, "Rules of Connect for topics that it creates; the replicator creates its own.")
        .effect(NotYet),
    any_connector("config.action.reload", Text, "restart")
        .text(CONNECT, "What happens when a looked-up value changes.")
        .effect(Ignored(PLUGINS)),
    // ---- Connect's own.
    framework("name", "", "Name of the connector."),
    framework("connector.class", "", "Class of the connector."),
    framework("connector.plugin.version", "", "Version of that class."),
    framework("tasks.max.enforce", "true", "Whether more tasks than tasks.max are refused."),
    framework("task.class", "", "Class of a task."),
    framework("task.id", "", "Name of a task."),
    framework("partition.assignment", "", "Partitions of a task."),
    framework("offsets.storage.topic", "", "Topic for the offsets of one connector."),
    // ---- The worker: REST.
    worker("listeners", List, "http://:8083")
        .text(REST, "Addresses of the REST server, http or https. An empty host is every interface."),
    worker("rest.host.name", Text, "").text(REST, "Host of the REST server when listeners is not set."),
    worker("rest.port", Int(0, PORT), "8083").text(REST, "Port of the REST server when listeners is not set."),
    worker("rest.advertised.host.name", Text, "")
        .text(REST, "Host under which other workers reach this one; default: that of the first listener."),
    worker("rest.advertised.port", Int(1, PORT), "")
        .text(REST, "Port under which other workers reach this one; default: that of the first listener."),
    handed("rest.advertised.listener", Text, "http")
        .text(REST, "Protocol by which other workers reach this one."),
    worker("rest.extension.classes", List, "").text(
        REST,
        "Java classes of REST extensions. The replicator's monitoring extension is built in; others are not run.",
    ),
    handed("admin.listeners", List, "")
        .text(REST, "Addresses for /admin; default: those of listeners, and nothing at all if set to nothing."),
    handed("listeners.https.*", Text, "").text(REST, "Certificates of https listeners: ssl.* properties."),
    handed("access.control.allow.origin", Text, "")
        .text(REST, "Origins from which browsers may use the REST server."),
    handed("access.control.allow.methods", Text, "")
        .text(REST, "Methods that they may use; default: GET, POST and HEAD."),
    handed("response.http.headers.config", Text, "").text(REST, "Rules for headers of REST answers."),
    // ---- The worker: its topics.
    worker("offset.storage.topic", Text, "connect-offsets").text(STORAGE, "Topic of the stored offsets."),
    worker("offset.storage.partitions", Int(-1, INT), "25")
        .text(STORAGE, "Partitions of that topic when it is created; -1: the brokers' default."),
    worker("offset.storage.replication.factor", Int(-1, SHORT), "")
        .text(STORAGE, "Replication factor of that topic; default: replication.factor."),
    worker("config.storage.topic", Text, "connect-configs").text(STORAGE, "Topic of the configurations."),
    worker("config.storage.replication.factor", Int(-1, SHORT), "")
        .text(STORAGE, "Replication factor of that topic; default: replication.factor."),
    worker("config.storage.partitions", Text, "1")
        .text(STORAGE, "Partitions of that topic.")
        .effect(Ignored(ONE_PARTITION)),
    worker("status.storage.topic", Text, "connect-status")
        .text(STORAGE, "Topic of the states of connectors and tasks."),
    worker("status.storage.partitions", Int(-1, INT), "5")
        .text(STORAGE, "Partitions of that topic when it is created; -1: the brokers' default."),
    worker("status.storage.replication.factor", Int(-1, SHORT), "")
        .text(STORAGE, "Replication factor of that topic; default: replication.factor."),
    worker("replication.factor", Int(-1, SHORT), "3").text(
        STORAGE,
        "Replication factor of the three topics in which the worker keeps its state; -1: the brokers' default. \
         A single broker needs 1.",
    ),
    handed("topic.tracking.*", Text, "")
        .text(STORAGE, "Whether the topics that a connector uses are remembered, and can be forgotten by REST."),
    // ---- The worker: its group and life.
    worker("offset.flush.interval.ms", Long(1, YEAR), "5000")
        .text(GROUP, "How often progress is stored, in milliseconds. Connect's default is 60000."),
    handed("offset.flush.timeout.ms", NUMBER, "5000")
        .text(GROUP, "Longest time for storing progress, in milliseconds."),
    worker("task.shutdown.graceful.timeout.ms", Long(0, YEAR), "5000")
        .text(GROUP, "Longest time for tasks to end when the worker stops, in milliseconds."),
    handed("connect.protocol", Text, "sessioned")
        .text(GROUP, "How work is shared out in the group: eager, compatible or sessioned."),
    handed("rebalance.timeout.ms", NUMBER, "60000")
        .text(GROUP, "Longest time for workers to join a rebalance, in milliseconds."),
    handed("graceful.handover.enabled", Boolean, "true").text(
        GROUP,
        "Whether others get the work of a worker at once that was stopped in good order. Connect's default is false.",
    ),
    handed("scheduled.rebalance.max.delay.ms", Int(0, INT), "300000")
        .text(GROUP, "Time for which the tasks of a lost worker wait for its return, in milliseconds."),
    handed("session.timeout.ms", NUMBER, "10000")
        .text(GROUP, "Silence after which a worker counts as lost, in milliseconds."),
    handed("heartbeat.interval.ms", NUMBER, "3000")
        .text(GROUP, "Time between two heartbeats of a worker, in milliseconds."),
    handed("worker.sync.timeout.ms", NUMBER, "3000")
        .text(GROUP, "Longest time to catch up with the configurations, in milliseconds."),
    handed("worker.unsync.backoff.ms", NUMBER, "300000")
        .text(GROUP, "Time that a worker stays out of the group if it cannot catch up, in milliseconds."),
    handed("inter.worker.*", Text, "").text(GROUP, "Keys and signatures of requests between workers."),
    handed("auto.restart.*", Text, "").text(GROUP, "Whether and how failed tasks are started again."),
    handed("connector.client.config.override.policy", Text, "All")
        .text(GROUP, "Which client properties connectors may set: All, None or Principal."),
    handed("exactly.once.source.support", Text, "disabled")
        .text(GROUP, "Exactly-once for source connectors in general: disabled, preparing or enabled."),
    handed("java.security.auth.login.config", Text, "")
        .text(GROUP, "A login file, as Java's system property of this name gives one."),
    handed("config.providers", List, "")
        .text(GROUP, "Names of providers for ${provider:path:key} in configurations."),
    handed("config.providers.*", Text, "").text(GROUP, "Classes and settings of the providers."),
    // ---- Leftovers of Java, licensing, ZooKeeper and Control Center.
    connector("confluent.license", Text, "")
        .text(LEFTOVERS, "Licence key of Confluent's replicator.")
        .effect(Ignored(LICENCE))
        .flag(RUNNING, "confluent.license", "CONFLUENT_LICENSE", "KEY"),
    leftover("plugin.path", PLUGINS, "Folders of Java plugins."),
    KnownSetting { default: "hybrid_warn", ..leftover("plugin.discovery", PLUGINS, "How Java plugins are found.") },
    leftover("internal.key.converter*", PLUGINS, "Converter of the worker's own keys."),
    leftover("internal.value.converter*", PLUGINS, "Converter of the worker's own values."),
    leftover("src.key.converter.*", PLUGINS, "Settings of the converter."),
    leftover("src.value.converter.*", PLUGINS, "Settings of the converter."),
    leftover("src.header.converter.*", PLUGINS, "Settings of the converter."),
    leftover("key.converter.*", PLUGINS, "Settings of the converter."),
    leftover("value.converter.*", PLUGINS, "Settings of the converter."),
    leftover("header.converter.*", PLUGINS, "Settings of the converter."),
    leftover("admin.*", OVERRIDES, "Properties of admin clients."),
    leftover("consumer.override.*", OVERRIDES, "Properties of a connector's consumers."),
    leftover("confluent.license.*", LICENCE, "Settings of licensing."),
    leftover("confluent.topic", LICENCE, "Topic of the licence."),
    leftover("confluent.topic.*", LICENCE, "Settings of that topic and its clients."),
    leftover("zookeeper.connect", ZOOKEEPER, "Address of ZooKeeper."),
    leftover("zookeeper.*", ZOOKEEPER, "Settings of ZooKeeper's client."),
    leftover("src.zookeeper.*", ZOOKEEPER, "ZooKeeper of the origin."),
    leftover("dest.zookeeper.*", ZOOKEEPER, "ZooKeeper of the destination."),
    leftover("confluent.monitoring.*", MONITORING, "Settings of Control Center's monitoring."),
    leftover("confluent.metrics.*", MONITORING, "Settings of Confluent's metrics reporter."),
    leftover("confluent.controlcenter.*", MONITORING, "Settings of Control Center."),
    leftover("producer.confluent.monitoring.*", MONITORING, "Settings of a monitoring interceptor."),
    leftover("consumer.confluent.monitoring.*", MONITORING, "Settings of a monitoring interceptor."),
];

#[cfg(test)]
mod tests {
    use super::super::known::Effect;
    use super::*;

    #[test]
    fn an_exact_name_beats_a_beginning() {
        assert_eq!(find("schema.registry.url").map(|key| key.name), Some("schema.registry.url"));
        assert_eq!(find("schema.registry.max.schemas.per.subject").map(|key| key.name), Some("schema.*"));
        assert_eq!(find("topic.whitelists").map(|key| key.name), None);
    }

    #[test]
    fn no_name_twice() {
        let mut all: Vec<_> = SETTINGS.iter().map(|key| key.name).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), SETTINGS.len());
    }

    /// The help says so, and containers rely on it.
    #[test]
    fn environment_names_follow_from_flags() {
        let settings = SETTINGS.iter().filter_map(|known| known.flag);
        for flag in FILES.iter().map(|file| file.flag).chain(settings) {
            assert_eq!(flag.env, flag.name.to_uppercase().replace('.', "_"));
        }
    }

    #[test]
    fn every_row_is_described() {
        for known in SETTINGS {
            assert!(known.text.ends_with('.') && !known.group.is_empty(), "{}", known.name);
        }
    }

    /// Keys that are built later reach the tasks by what the table says of them, and by nothing else.
    #[test]
    fn the_connectors_share() {
        for name in [
            "provenance.header.enable",
            "offset.translator.tasks.max",
            "exactly.once.support",
            "tasks.max",
            "topic.regex",
        ] {
            assert!(find(name).is_some_and(KnownSetting::reaches_connector), "{name}");
        }
        for name in ["cluster.id", "listeners", "offset.storage.topic", "offset.flush.interval.ms"] {
            assert!(!find(name).is_some_and(KnownSetting::reaches_connector), "{name}");
        }
        let lost = SETTINGS.iter().find(|known| known.effect == Effect::NotYet && !known.reaches_connector());
        assert!(lost.is_none(), "{lost:?}");
    }
}
