//! The Connect worker around the connector: its storage topics and the properties that it starts from.

use std::collections::BTreeMap;

use connect_core::api::ConfigMap;
use connect_core::config::{StorageTopic, StorageTopics};

use super::assigned::Assigned;
use super::clients::plain;
use super::notice::{Notice, NoticeLevel};
use super::settings::OffsetSettings;
use super::table::default_of;
use super::values::Values;
use super::{classes, listeners};
use crate::topics::rename::check_name;

/// Connect's name of the byte converter.
const BYTES: &str = "org.apache.kafka.connect.converters.ByteArrayConverter";

/// Reads the settings of the worker's three topics.
pub(super) fn storage(values: &mut Values) -> StorageTopics {
    let replication_factor = values.number("replication.factor");
    let mut topic = |name: &str, partitioned: bool| StorageTopic {
        name: storage_name(values, &format!("{name}.storage.topic")),
        partitions: if partitioned { values.number(&format!("{name}.storage.partitions")) } else { 1 },
        replication_factor: values
            .number_or(&format!("{name}.storage.replication.factor"), replication_factor),
        configs: BTreeMap::new(),
    };
    StorageTopics {
        offsets: topic("offset", true),
        configs: topic("config", false),
        statuses: topic("status", true),
    }
}

/// The properties that the worker starts from: the destination is its cluster, the rest was said of it here.
pub(super) fn worker_properties(
    values: &mut Values,
    cluster_id: &str,
    storage: &StorageTopics,
    destination: &BTreeMap<String, Assigned>,
    offsets: &OffsetSettings,
    notices: &mut Vec<Notice>,
) -> ConfigMap {
    const HANDOVER: &str = "graceful.handover.enabled";
    let mut all = plain(destination);
    all.insert(HANDOVER.to_owned(), default_of(HANDOVER).to_owned());
    all.extend(values.handed());
    all.insert("group.id".to_owned(), cluster_id.to_owned());
    all.extend(storage_properties(storage));
    for converter in ["key.converter", "value.converter"] {
        all.insert(converter.to_owned(), BYTES.to_owned());
    }
    all.extend(rest_properties(values, notices));
    for (key, time) in [
        ("task.shutdown.graceful.timeout.ms", values.millis("task.shutdown.graceful.timeout.ms")),
        ("offset.flush.interval.ms", offsets.flush_interval),
    ] {
        all.insert(key.to_owned(), time.as_millis().to_string());
    }
    all
}

fn storage_properties(storage: &StorageTopics) -> ConfigMap {
    let mut all = ConfigMap::new();
    for (what, topic) in
        [("offset", &storage.offsets), ("config", &storage.configs), ("status", &storage.statuses)]
    {
        all.insert(format!("{what}.storage.topic"), topic.name.clone());
        all.insert(format!("{what}.storage.replication.factor"), topic.replication_factor.to_string());
        if what != "config" {
            all.insert(format!("{what}.storage.partitions"), topic.partitions.to_string());
        }
    }
    all
}

fn rest_properties(values: &mut Values, notices: &mut Vec<Notice>) -> ConfigMap {
    let mut all = ConfigMap::new();
    let mut set = |key: &str, value: String| all.insert(key.to_owned(), value);
    set("listeners", listeners::read(values));
    let host = values.text("rest.advertised.host.name");
    if !host.is_empty() {
        set("rest.advertised.host.name", host);
    }
    if values.set("rest.advertised.port").is_some() {
        let port = values.number::<u16>("rest.advertised.port");
        set("rest.advertised.port", port.to_string());
    }
    let extensions = values.list("rest.extension.classes");
    for text in extensions.iter().filter_map(|class| classes::extension(class)) {
        let source = Some(values.source("rest.extension.classes"));
        notices.push(Notice { level: NoticeLevel::Warning, source, text });
    }
    set("rest.extension.classes", extensions.join(","));
    all
}

fn storage_name(values: &mut Values, key: &str) -> String {
    let name = values.text(key);
    if let Err(reason) = check_name(&name) {
        values.problem(key, format!("is not a topic name: {reason}"));
    }
    name
}
