//! Offsets of connectors as operators see and change them (KIP-875), and the stores behind them. Texts are Connect's.

mod stores;

use std::collections::BTreeMap;

use connect_api::{
    ConfigMap, ConnectError, ConnectorOffset, ConnectorPlugin, ConnectorType, SourceOffset, SourcePartition,
};
use kafka_wire::admin::{GroupOffset, TopicPartition};
use kafka_wire::cluster::Cluster;
use kafka_wire::log::TopicLog;
use kafka_wire::{ErrorCode, WireError};
use serde_json::{Map, Value};

pub use self::stores::TaskOffsets;
pub(crate) use self::stores::{OffsetStores, Offsets};
use super::clients::{Clients, RecordProducer};
use super::settings::{parsed, text};
use super::source::{Transaction, initialise};
use super::{StopSwitch, Worker};
use crate::answers::BAD_REQUEST_CLASS;
use crate::storage::{InternalTopic, OffsetStore, Purpose, ensure_topic};

const TOPIC: &str = "kafka_topic";
const PARTITION: &str = "kafka_partition";
const OFFSET: &str = "kafka_offset";

/// Where a worker keeps source offsets.
#[derive(Debug, Clone)]
pub struct OffsetBacking {
    /// The store.
    pub store: OffsetStore,
    /// The topic it stands on; `None`: a file or memory.
    pub topic: Option<String>,
}

impl Worker {
    /// The offsets of a connector, as `GET /connectors/{c}/offsets` shows them.
    ///
    /// # Errors
    /// An unknown class, or a cluster that does not answer.
    pub async fn connector_offsets(
        &self,
        name: &str,
        config: &ConfigMap,
    ) -> Result<Vec<ConnectorOffset>, ConnectError> {
        let config = self.variables().resolve(config)?;
        let plugin = self.plugin(&config)?;
        match plugin.kind() {
            ConnectorType::Source => {
                let all = self.offset_stores(name, &config).await?.all().await.map_err(ConnectError::new)?;
                let offset = |(partition, offset): (SourcePartition, SourceOffset)| ConnectorOffset {
                    partition: partition.0,
                    offset: Some(offset),
                };
                Ok(all.into_iter().map(offset).collect())
            }
            ConnectorType::Sink => {
                let (cluster, group) = self.group_admin(name, &config)?;
                let all = cluster.all_group_offsets(&group).await.map_err(|error| {
                    ConnectError::new(format!(
                        "Failed to retrieve consumer group offsets for sink connector {name}"
                    ))
                    .caused_by(ConnectError::new(error))
                })?;
                Ok(all.into_iter().map(|(key, offset)| sink_offset(key, offset)).collect())
            }
        }
    }

    /// Changes offsets of a connector, all of whose tasks are stopped; `None` resets all. The answer is the message for
    /// the client.
    ///
    /// # Errors
    /// An error of class [`BAD_REQUEST_CLASS`] when the client sent something wrong; any other is the worker's or the
    /// connector's.
    pub async fn alter_connector_offsets(
        &self,
        name: &str,
        config: &ConfigMap,
        offsets: Option<Vec<ConnectorOffset>>,
    ) -> Result<String, ConnectError> {
        let config = self.variables().resolve(config)?;
        let plugin = self.plugin(&config)?.clone();
        let reset = offsets.is_none();
        let complete = match plugin.kind() {
            ConnectorType::Source => self.alter_source(name, &*plugin, &config, offsets).await?,
            ConnectorType::Sink => self.alter_sink(name, &*plugin, &config, offsets).await?,
        };
        let done = if reset { "reset" } else { "altered" };
        Ok(match complete {
            true => format!("The offsets for this connector have been {done} successfully"),
            false => format!(
                "The Connect framework-managed offsets for this connector have been {done} successfully. However, if \
                 this connector manages offsets externally, they will need to be manually {done} in the system that \
                 the connector uses."
            ),
        })
    }

    async fn alter_source(
        &self,
        name: &str,
        plugin: &dyn ConnectorPlugin,
        config: &ConfigMap,
        offsets: Option<Vec<ConnectorOffset>>,
    ) -> Result<bool, ConnectError> {
        let stores = self.offset_stores(name, config).await?;
        let offsets = match offsets {
            Some(offsets) => offsets,
            None => {
                let all = stores.all().await.map_err(ConnectError::new)?;
                all.into_iter()
                    .map(|(partition, _)| ConnectorOffset { partition: partition.0, offset: None })
                    .collect()
            }
        };
        let complete = plugin.alter_offsets(config, &offsets).await?;
        let writes: Offsets = offsets.into_iter().map(|o| (SourcePartition(o.partition), o.offset)).collect();
        OffsetStore::check(name, &writes).map_err(ConnectError::new)?;
        if writes.is_empty() {
            return Ok(complete);
        }
        let written = match self.settings().exactly_once {
            true => self.write_exactly_once(name, config, &stores, writes).await,
            false => stores.write(writes).await.map_err(ConnectError::new),
        };
        written.map_err(|cause| {
            ConnectError::new(format!("Failed to modify offsets for source connector {name}"))
                .caused_by(cause)
        })?;
        Ok(complete)
    }

    /// With the transactional id of task 0, so that a task left behind is fenced out.
    async fn write_exactly_once(
        &self,
        name: &str,
        config: &ConfigMap,
        stores: &OffsetStores,
        writes: Offsets,
    ) -> Result<(), ConnectError> {
        let Some(topic) = self.offset_topic(config) else {
            return stores.write(writes).await.map_err(ConnectError::new);
        };
        let clients = Clients { worker: self.settings(), connector: config };
        let id = crate::ids::TaskId { connector: name.to_owned(), task: 0 };
        let (producer, _deliveries) =
            RecordProducer::new(&clients.producer(&id, Some(&self.transactional_id(&id)))?)?;
        let (_switch, stop) = StopSwitch::new();
        initialise(&producer, &stop).await?;
        let written = Transaction::write_once(&producer, stores, &topic, writes).await;
        producer.close();
        written
    }

    async fn alter_sink(
        &self,
        name: &str,
        plugin: &dyn ConnectorPlugin,
        config: &ConfigMap,
        offsets: Option<Vec<ConnectorOffset>>,
    ) -> Result<bool, ConnectError> {
        let (cluster, group) = self.group_admin(name, config)?;
        match offsets {
            Some(offsets) => {
                let parsed = parse_sink_offsets(&offsets)?;
                let complete = plugin.alter_offsets(config, &offsets).await?;
                if parsed.values().flatten().any(|offset| *offset < 0) {
                    let text = format!("Failed to modify offsets for sink connector {name}");
                    return Err(
                        ConnectError::new(text).caused_by(ConnectError::new("Invalid negative offset"))
                    );
                }
                alter_group(&cluster, &group, parsed)
                    .await
                    .map_err(|error| refused(name, "alter", &error))?;
                Ok(complete)
            }
            None => {
                let all = cluster.all_group_offsets(&group).await.map_err(|error| {
                    ConnectError::new(format!(
                        "Failed to list offsets prior to resetting offsets for sink connector {name}"
                    ))
                    .caused_by(ConnectError::new(error))
                })?;
                let resets: Vec<_> = all
                    .into_iter()
                    .map(|(key, offset)| ConnectorOffset { offset: None, ..sink_offset(key, offset) })
                    .collect();
                let complete = plugin.alter_offsets(config, &resets).await?;
                match cluster.delete_group(&group).await {
                    Err(error) if error.code() != Some(ErrorCode::GroupIdNotFound) => {
                        Err(refused(name, "reset", &error))
                    }
                    _ => Ok(complete),
                }
            }
        }
    }

    /// An admin client in the connector's name, and its consumer group.
    fn group_admin(&self, name: &str, config: &ConfigMap) -> Result<(Cluster, String), ConnectError> {
        let clients = Clients { worker: self.settings(), connector: config };
        let properties = clients.admin(&format!("connector-worker-adminclient-{name}"))?;
        Ok((self.cluster("connector's", &properties)?, clients.group(name)?))
    }

    /// The topic that a connector's offsets are written to first.
    pub(crate) fn offset_topic(&self, config: &ConfigMap) -> Option<String> {
        text(config, "offsets.storage.topic").map(str::to_owned).or_else(|| self.backing().topic.clone())
    }

    /// The stores of a source connector. One with a topic of its own has it created, if it is missing, and read.
    pub(crate) async fn offset_stores(
        &self,
        name: &str,
        config: &ConfigMap,
    ) -> Result<OffsetStores, ConnectError> {
        let backing = self.backing();
        let own =
            text(config, "offsets.storage.topic").filter(|topic| Some(*topic) != backing.topic.as_deref());
        let Some(topic) = own else { return Ok(OffsetStores::new(name, backing.store.clone(), None)) };
        let worker = &self.settings().properties;
        let clients = Clients { worker: self.settings(), connector: config };
        let cluster =
            self.cluster("connector's", &clients.admin(&format!("connector-adminclient-{name}"))?)?;
        let topic = InternalTopic {
            name: topic.to_owned(),
            purpose: Purpose::Offsets,
            partitions: parsed(worker, "offset.storage.partitions", 25)?,
            replication_factor: parsed(worker, "offset.storage.replication.factor", 3)?,
            configs: BTreeMap::new(),
        };
        ensure_topic(&cluster, &topic).await.map_err(ConnectError::new)?;
        let log = TopicLog::open(cluster, &topic.name).await.map_err(ConnectError::new)?;
        let store = OffsetStore::open(Box::new(log)).await.map_err(ConnectError::new)?;
        Ok(OffsetStores::new(name, store, Some(backing.store.clone())))
    }
}

async fn alter_group(
    cluster: &Cluster,
    group: &str,
    offsets: BTreeMap<TopicPartition, Option<i64>>,
) -> Result<(), WireError> {
    let (mut commits, mut resets) = (BTreeMap::new(), Vec::new());
    for (partition, offset) in offsets {
        match offset {
            Some(offset) => drop(commits.insert(partition, GroupOffset { offset, leader_epoch: -1 })),
            None => resets.push(partition),
        }
    }
    if !commits.is_empty() {
        cluster.commit_group_offsets(group, &commits).await?;
    }
    if !resets.is_empty() {
        cluster.delete_group_offsets(group, &resets).await?;
    }
    Ok(())
}

fn refused(connector: &str, verb: &str, error: &WireError) -> ConnectError {
    let still_there = matches!(
        error.code(),
        Some(ErrorCode::UnknownMemberId | ErrorCode::GroupSubscribedToTopic | ErrorCode::NonEmptyGroup)
    );
    let text = match still_there {
        true => format!(
            "Failed to {verb} consumer group offsets for connector {connector} either because its tasks haven't stopped \
             completely yet or the connector was resumed before the request to {verb} its offsets could be \
             successfully completed. If the connector is in a stopped state, this operation can be safely retried. If \
             it doesn't eventually succeed, the Connect cluster may need to be restarted to get rid of the zombie sink \
             tasks."
        ),
        false => {
            let sink = if verb == "reset" { "sink " } else { "" };
            format!("Failed to {verb} consumer group offsets for {sink}connector {connector}")
        }
    };
    ConnectError::new(text).caused_by(ConnectError::new(error))
}

fn sink_offset((topic, partition): TopicPartition, offset: GroupOffset) -> ConnectorOffset {
    ConnectorOffset {
        partition: Map::from_iter([
            (PARTITION.to_owned(), partition.into()),
            (TOPIC.to_owned(), topic.into()),
        ]),
        offset: Some(Map::from_iter([(OFFSET.to_owned(), offset.offset.into())])),
    }
}

fn parse_sink_offsets(
    offsets: &[ConnectorOffset],
) -> Result<BTreeMap<TopicPartition, Option<i64>>, ConnectError> {
    let mut found = BTreeMap::new();
    for ConnectorOffset { partition, offset } in offsets {
        let (Some(topic), Some(number)) = (partition.get(TOPIC), partition.get(PARTITION)) else {
            return Err(bad(format!(
                "The partition for a sink connector offset must contain the keys '{TOPIC}' and '{PARTITION}'"
            )));
        };
        if topic.is_null() {
            return Err(bad("Kafka topic names must be valid strings and may not be null"));
        }
        if number.is_null() {
            return Err(bad("Kafka partitions must be valid numbers and may not be null"));
        }
        let number: i32 = plain(number).parse().map_err(|_| {
            bad(format!(
                "Failed to parse the following Kafka partition value in the provided offsets: '{}'. Partition values \
                 for sink connectors need to be integers.",
                plain(number)
            ))
        })?;
        let offset = offset.as_ref().map(parse_sink_offset).transpose()?;
        found.insert((plain(topic), number), offset);
    }
    Ok(found)
}

fn parse_sink_offset(offset: &Map<String, Value>) -> Result<i64, ConnectError> {
    let Some(value) = offset.get(OFFSET) else {
        return Err(bad(format!(
            "The offset for a sink connector should either be null or contain the key '{OFFSET}'"
        )));
    };
    plain(value).parse().map_err(|_| {
        bad(format!(
            "Failed to parse the following Kafka offset value in the provided offsets: '{}'. Offset values for sink \
             connectors need to be integers.",
            plain(value)
        ))
    })
}

/// A JSON value as Java's `String.valueOf` writes it, as far as scalars go.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn bad(message: impl std::fmt::Display) -> ConnectError {
    ConnectError::of(BAD_REQUEST_CLASS, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn offset(partition: Value, offset: Value) -> ConnectorOffset {
        ConnectorOffset {
            partition: partition.as_object().unwrap().clone(),
            offset: offset.as_object().cloned(),
        }
    }

    #[test]
    fn sink_offsets_are_read_as_connect_reads_them() {
        let parsed = parse_sink_offsets(&[
            offset(json!({TOPIC: "t", PARTITION: "1"}), json!({OFFSET: "20"})),
            offset(json!({TOPIC: 7, PARTITION: 2}), json!(null)),
        ])
        .unwrap();
        assert_eq!(parsed, BTreeMap::from([(("t".to_owned(), 1), Some(20)), (("7".to_owned(), 2), None)]));
        for (partition, value, text) in [
            (json!({TOPIC: "t"}), json!(null), "must contain the keys"),
            (json!({TOPIC: null, PARTITION: 1}), json!(null), "Kafka topic names must be valid"),
            (json!({TOPIC: "t", PARTITION: null}), json!(null), "Kafka partitions must be valid"),
            (
                json!({TOPIC: "t", PARTITION: "x"}),
                json!(null),
                "partition value in the provided offsets: 'x'",
            ),
            (json!({TOPIC: "t", PARTITION: 1}), json!({}), "contain the key 'kafka_offset'"),
            (
                json!({TOPIC: "t", PARTITION: 1}),
                json!({OFFSET: 1.5}),
                "offset value in the provided offsets: '1.5'",
            ),
        ] {
            let error = parse_sink_offsets(&[offset(partition, value)]).unwrap_err();
            assert_eq!(error.class(), BAD_REQUEST_CLASS);
            assert!(error.message().contains(text), "{error}");
        }
    }
}
