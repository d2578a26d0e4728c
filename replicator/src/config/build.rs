//! From collected assignments to the typed configuration.

use connect_core::api::ConfigMap;

use super::clients::{client_entries, destination, destination_properties, origin, origin_properties};
use super::collect::Collected;
use super::local::Local;
use super::settings::{OffsetSettings, ReplicatorConfig};
use super::sizes;
use super::sources::{ConfigError, Problem, Sources};
use super::topics::topics;
use super::values::Values;
use super::worker::{storage, worker_properties};

/// Reads every file named in `sources` and builds the configuration.
///
/// # Errors
/// Every problem found, not only the first.
pub fn load(sources: &Sources) -> Result<ReplicatorConfig, ConfigError> {
    build(Local::read(sources), None)
}

/// Builds the configuration of connector `name` from the one that Connect holds of it. Of what `local` says, if this
/// worker has files for this connector, only that counts which a connector's configuration cannot have: the worker's
/// settings, what is `[hidden]` in it, and the way to a cluster that it does not name. Cluster id and group are the
/// connector's name unless something sets them.
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
    let tasks_max = values.number("tasks.max");
    let topics = topics(values, &mut notices);
    let offsets = offsets(values);
    let storage = storage(values);
    let worker_properties = worker_properties(values, &cluster_id, &storage, &to, &offsets, &mut notices);
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

fn offsets(values: &mut Values) -> OffsetSettings {
    OffsetSettings {
        start: values.choice("offset.start"),
        commit_to_origin: values.boolean("offset.topic.commit"),
        flush_interval: values.millis("offset.flush.interval.ms"),
    }
}
