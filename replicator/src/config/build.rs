//! From collected assignments to the typed configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use connect_core::api::ConfigMap;
use connect_core::config::{StorageTopic, StorageTopics};
use kafka_wire::settings::{
    ConsumerSettings, HIDDEN, KnownProperty, ProducerSettings, SettingError, consumer_properties, is_secret,
    producer_properties,
};

use super::collect::{Assigned, Collected, collect};
use super::settings::{
    ConfigEntry, Notice, NoticeLevel, OffsetSettings, OffsetStart, ReplicatorConfig, Source, TimestampType,
    TopicSettings,
};
use super::sources::{ConfigError, ConfigFile, Problem, Sources};
use super::values::Values;
use super::{classes, listeners, sizes};
use crate::topics::filter::{INTERNAL_TOPICS, JavaRegex};
use crate::topics::rename::{RenameFormat, check_name};

/// Reads every file named in `sources` and builds the configuration.
///
/// # Errors
/// Every problem found, not only the first.
pub fn load(sources: &Sources) -> Result<ReplicatorConfig, ConfigError> {
    build(Local::read(sources), None)
}

/// Builds the configuration of connector `name` from the one that Connect holds of it. Of what `local` says, if this worker
/// has files for this connector, only that counts which a connector's configuration cannot have: the worker's settings,
/// what is `[hidden]` in it, and the way to a cluster that it does not name. Cluster id and group are the connector's name unless something sets them.
///
/// # Errors
/// Every problem found, not only the first.
pub fn posted(
    local: Option<&Local>,
    name: &str,
    config: &ConfigMap,
) -> Result<ReplicatorConfig, ConfigError> {
    let mut all = local.cloned().unwrap_or_default();
    // What the files say was told when they were read.
    all.collected.notices.clear();
    all.collected.keep_behind(config);
    all.collected.connector(config);
    let built = build(all, Some(name))?;
    Ok(ReplicatorConfig { local: local.cloned().unwrap_or_default(), ..built })
}

/// The configuration with the worker's cluster as destination if it names none itself. What names one in part takes nothing from
/// the worker.
pub(crate) fn with_destination_of(worker: &ConfigMap, mut config: ConfigMap) -> ConfigMap {
    const WAY: [&str; 4] = ["bootstrap.servers", "security.", "ssl.", "sasl."];
    if !config.keys().any(|key| key.starts_with("dest.kafka.")) {
        let known = producer_properties().filter(|known| WAY.iter().any(|way| known.name.starts_with(way)));
        for known in known {
            if let Some(value) = worker.get(known.name) {
                config.insert(format!("dest.kafka.{}", known.name), value.clone());
            }
        }
    }
    config
}

/// What command line and files of a process say, as they were read.
#[derive(Clone, Default)]
pub struct Local {
    collected: Collected,
    consumer: Option<PathBuf>,
    producer: Option<PathBuf>,
    default_cluster_id: Option<String>,
}

impl Local {
    fn read(sources: &Sources) -> Self {
        let path = |file: &Option<ConfigFile>| file.as_ref().map(|file| file.path.clone());
        Self {
            collected: collect(sources),
            consumer: path(&sources.consumer),
            producer: path(&sources.producer),
            default_cluster_id: sources.default_cluster_id.clone(),
        }
    }
}

impl std::fmt::Debug for Local {
    /// It holds secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Local")
    }
}

/// `connector`: the name under which Connect holds its configuration; `None` for the executable's own files alone.
fn build(local: Local, connector: Option<&str>) -> Result<ReplicatorConfig, ConfigError> {
    let (consumer, producer) = (local.consumer.as_ref(), local.producer.as_ref());
    let Collected { origin: from, destination: to, common, mut notices, problems } = local.collected.clone();
    let mut values = Values::new(common, problems);
    let values = &mut values;

    let cluster_id = cluster_id(values, local.default_cluster_id.as_deref().or(connector));
    let posted = connector.is_some();
    let origin = origin(values, consumer, posted, &from, &cluster_id);
    let destination = destination(values, producer, posted, &to);
    let tasks_max = values.listed_number("tasks.max", 1..=10_000);
    let topics = topics(values, &mut notices);
    let offsets = OffsetSettings {
        start: values.choice(
            "offset.start",
            &[("connect", OffsetStart::Connect), ("consumer", OffsetStart::Consumer)],
        ),
        commit_to_origin: values.boolean("offset.topic.commit"),
        flush_interval: values.millis("offset.flush.interval.ms", 1),
    };
    let storage = storage(values);
    let mut worker_properties = worker_properties(values, &cluster_id, &storage, &to, &mut notices);
    let flush_interval = offsets.flush_interval.as_millis().to_string();
    worker_properties.insert("offset.flush.interval.ms".to_owned(), flush_interval);
    let copy = sizes::copy(values, origin.as_ref(), destination.as_ref(), &mut notices);
    let (Some(origin), Some(destination), true) = (origin, destination, values.problems.is_empty()) else {
        return Err(ConfigError::sorted(std::mem::take(&mut values.problems)));
    };
    let mut entries = std::mem::take(&mut values.entries);
    entries.extend(client_entries(&from, &origin_properties(&cluster_id)));
    entries.extend(client_entries(&to, &destination_properties()));
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(ReplicatorConfig {
        cluster_id,
        tasks_max,
        origin,
        destination,
        topics,
        offsets,
        storage,
        worker_properties,
        copy,
        entries,
        notices,
        local,
    })
}

fn cluster_id(values: &mut Values, default: Option<&str>) -> String {
    let id = values.text_or("cluster.id", default.unwrap_or_default());
    if id.is_empty() {
        let text = "no cluster id: give --cluster.id NAME; replicators with the same name share the work";
        values.problems.push(Problem::Missing(text.to_owned()));
    }
    id
}

fn origin(
    values: &mut Values,
    file: Option<&PathBuf>,
    posted: bool,
    from: &BTreeMap<String, Assigned>,
    cluster_id: &str,
) -> Option<ConsumerSettings> {
    if file.is_none() && !from.contains_key("bootstrap.servers") {
        values.problems.push(match posted {
            true => missing("src.kafka.bootstrap.servers", "no origin: it names the brokers to read from"),
            false => Problem::Missing(
                "no origin: give --consumer.config FILE, a consumer's properties with bootstrap.servers"
                    .to_owned(),
            ),
        });
        return None;
    }
    let mut plain = plain(from);
    plain.entry("group.id".to_owned()).or_insert_with(|| cluster_id.to_owned());
    let read = ConsumerSettings::from_properties(&plain);
    client_result(values, read, from, file, "src.kafka.")
}

fn destination(
    values: &mut Values,
    file: Option<&PathBuf>,
    posted: bool,
    to: &BTreeMap<String, Assigned>,
) -> Option<ProducerSettings> {
    if file.is_none() && !to.contains_key("bootstrap.servers") {
        values.problems.push(match posted {
            true => {
                missing("dest.kafka.bootstrap.servers", "no destination: it names the brokers to write to")
            }
            false => Problem::Missing(
                "no destination: give --producer.config FILE, a producer's properties with bootstrap.servers"
                    .to_owned(),
            ),
        });
        return None;
    }
    let read = ProducerSettings::from_properties(&plain(to));
    client_result(values, read, to, file, "dest.kafka.")
}

/// A key that must be set, and is not.
fn missing(key: &str, reason: &str) -> Problem {
    Problem::Value {
        source: Source::Default,
        key: key.to_owned(),
        value: String::new(),
        reason: reason.to_owned(),
    }
}

fn plain(map: &BTreeMap<String, Assigned>) -> BTreeMap<String, String> {
    map.iter().map(|(key, assigned)| (key.clone(), assigned.value.clone())).collect()
}

/// Gives an error of the client settings the place of its key, or at least the file that lacks it. A file that could not
/// be read at all has already been reported.
fn client_result<T>(
    values: &mut Values,
    read: Result<T, SettingError>,
    map: &BTreeMap<String, Assigned>,
    file: Option<&PathBuf>,
    prefix: &str,
) -> Option<T> {
    let SettingError { key, value, reason } = match read {
        Ok(settings) => return Some(settings),
        Err(error) => error,
    };
    let problem = match (map.get(&key), file) {
        (Some(assigned), _) => {
            Problem::Value { source: assigned.source.clone(), key: assigned.written.clone(), value, reason }
        }
        (None, Some(path)) => Problem::Missing(format!("{}: {key}: {reason}", path.display())),
        (None, None) => missing(&format!("{prefix}{key}"), &reason),
    };
    let unread = values
        .problems
        .iter()
        .any(|known| matches!(known, Problem::File { file: unread, .. } if Some(&unread.path) == file));
    if !unread {
        values.problems.push(problem);
    }
    None
}

fn topics(values: &mut Values, notices: &mut Vec<Notice>) -> TopicSettings {
    let whitelist = topic_names(values, "topic.whitelist");
    let blacklist = topic_names(values, "topic.blacklist");
    let expression = values.text("topic.regex");
    let regex = match expression.as_str() {
        "" => None,
        expression => match JavaRegex::new(expression) {
            Ok(regex) => Some(regex),
            Err(error) => {
                values.problem("topic.regex", format!("is not a Java regular expression: {error}"));
                None
            }
        },
    };
    if whitelist.is_empty() && expression.is_empty() {
        let text = "no topic is copied: neither topic.whitelist (--whitelist) nor topic.regex (--topic.regex) is set".to_owned();
        notices.push(Notice { level: NoticeLevel::Warning, source: None, text });
    }
    for name in whitelist.iter().filter(|name| INTERNAL_TOPICS.contains(&name.as_str())) {
        let text =
            format!("{name} is never copied, although topic.whitelist names it: it belongs to its cluster");
        let source = Some(values.source("topic.whitelist"));
        notices.push(Notice { level: NoticeLevel::Warning, source, text });
    }
    let rename_format = values.text("topic.rename.format");
    if let Err(error) = RenameFormat::parse(&rename_format) {
        values.problem("topic.rename.format", error.to_string());
    }
    let types = [("CreateTime", TimestampType::CreateTime), ("LogAppendTime", TimestampType::LogAppendTime)];
    TopicSettings {
        whitelist,
        regex,
        blacklist,
        rename_format,
        auto_create: values.boolean("topic.auto.create"),
        preserve_partitions: values.boolean("topic.preserve.partitions"),
        create_backoff: values.millis("topic.create.backoff.ms", 0),
        config_sync: values.boolean("topic.config.sync"),
        config_sync_interval: values.millis("topic.config.sync.interval.ms", 1),
        poll_interval: values.millis("topic.poll.interval.ms", 1),
        timestamp_type: values.choice("topic.timestamp.type", &types),
        replication_factor: values.listed_number("dest.topic.replication.factor", 0..=i16::MAX),
    }
}

fn topic_names(values: &mut Values, key: &str) -> Vec<String> {
    let mut names = values.list(key);
    if let Some((name, reason)) = names.iter().find_map(|name| Some((name, check_name(name).err()?))) {
        let text = format!("{name:?} is not a topic name ({reason}); patterns go into topic.regex");
        values.problem(key, text);
    }
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn storage(values: &mut Values) -> StorageTopics {
    let replication_factor = values.listed_number("replication.factor", -1..=i16::MAX);
    let mut topic = |name: &str, partitions: Option<i32>| StorageTopic {
        name: storage_name(values, &format!("{name}.storage.topic")),
        partitions: partitions.map_or(1, |default| {
            values.number(&format!("{name}.storage.partitions"), default, -1..=i32::MAX)
        }),
        replication_factor: values.number(
            &format!("{name}.storage.replication.factor"),
            replication_factor,
            -1..=i16::MAX,
        ),
        configs: BTreeMap::new(),
    };
    StorageTopics {
        offsets: topic("offset", Some(25)),
        configs: topic("config", None),
        statuses: topic("status", Some(5)),
    }
}

/// What the worker starts from: the destination is its cluster, the rest is what was said of it here.
fn worker_properties(
    values: &mut Values,
    cluster_id: &str,
    storage: &StorageTopics,
    destination: &BTreeMap<String, Assigned>,
    notices: &mut Vec<Notice>,
) -> ConfigMap {
    const BYTES: &str = "org.apache.kafka.connect.converters.ByteArrayConverter";
    let mut all = plain(destination);
    all.insert("graceful.handover.enabled".to_owned(), "true".to_owned());
    all.extend(values.handed());
    let mut set = |key: &str, value: String| all.insert(key.to_owned(), value);
    set("group.id", cluster_id.to_owned());
    for (what, topic) in
        [("offset", &storage.offsets), ("config", &storage.configs), ("status", &storage.statuses)]
    {
        set(&format!("{what}.storage.topic"), topic.name.clone());
        set(&format!("{what}.storage.replication.factor"), topic.replication_factor.to_string());
        if what != "config" {
            set(&format!("{what}.storage.partitions"), topic.partitions.to_string());
        }
    }
    for converter in ["key.converter", "value.converter"] {
        set(converter, BYTES.to_owned());
    }
    set("listeners", listeners::read(values));
    let host = values.text("rest.advertised.host.name");
    if !host.is_empty() {
        set("rest.advertised.host.name", host);
    }
    if values.set("rest.advertised.port").is_some() {
        let port = values.number("rest.advertised.port", 8083, 1..=u16::MAX);
        set("rest.advertised.port", port.to_string());
    }
    let extensions = values.list("rest.extension.classes");
    for text in extensions.iter().filter_map(|class| classes::extension(class)) {
        let source = Some(values.source("rest.extension.classes"));
        notices.push(Notice { level: NoticeLevel::Warning, source, text });
    }
    set("rest.extension.classes", extensions.join(","));
    let shutdown_timeout = values.millis("task.shutdown.graceful.timeout.ms", 0);
    set("task.shutdown.graceful.timeout.ms", shutdown_timeout.as_millis().to_string());
    all
}

fn storage_name(values: &mut Values, key: &str) -> String {
    let name = values.text(key);
    if let Err(reason) = check_name(&name) {
        values.problem(key, format!("is not a topic name: {reason}"));
    }
    name
}

/// Name as a connector property, plain name, default.
type ClientKey = (String, &'static str, String);

fn origin_properties(cluster_id: &str) -> Vec<ClientKey> {
    let key = |property: &'static KnownProperty| {
        let kafka = producer_properties().any(|shared| shared.name == property.name);
        let prefix = if kafka { "src.kafka" } else { "src.consumer" };
        let default = if property.name == "group.id" { cluster_id } else { property.default };
        (format!("{prefix}.{}", property.name), property.name, default.to_owned())
    };
    consumer_properties().filter(|property| property.unused_because.is_none()).map(key).collect()
}

fn destination_properties() -> Vec<ClientKey> {
    let key = |property: &'static KnownProperty| {
        let kafka = consumer_properties().any(|shared| shared.name == property.name);
        let prefix = if kafka { "dest.kafka" } else { "producer.override" };
        (format!("{prefix}.{}", property.name), property.name, property.default.to_owned())
    };
    producer_properties().filter(|property| property.unused_because.is_none()).map(key).collect()
}

/// Effective client settings. Without TLS or SASL the defaults of their settings are left out; so are those of socket
/// buffers, which the system chooses, and of the fetch sizes that `replicator.*` decides.
fn client_entries(map: &BTreeMap<String, Assigned>, known: &[ClientKey]) -> Vec<ConfigEntry> {
    let silent = |plain: &str| {
        ["ssl.", "sasl."].iter().any(|prefix| plain.starts_with(prefix))
            || plain.ends_with(".buffer.bytes")
            || plain == "fetch.max.bytes"
            || plain == "max.partition.fetch.bytes"
    };
    known
        .iter()
        .filter_map(|(key, plain, default)| {
            let secret = is_secret(plain);
            let (value, source) = match map.get(*plain) {
                Some(assigned) => (assigned.value.clone(), assigned.source.clone()),
                None if default.is_empty() || silent(plain) => return None,
                None => (default.clone(), Source::Default),
            };
            let value = if secret { HIDDEN.to_owned() } else { value };
            Some(ConfigEntry { key: key.clone(), value, source, secret })
        })
        .collect()
}
