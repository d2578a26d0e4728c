//! Showing and changing the offsets of a connector: what `/connectors/{c}/offsets` asks for.

use connect_api::{
    ConfigMap, ConnectError, ConnectorOffset, ConnectorPlugin, ConnectorType, SourceOffset, SourcePartition,
};
use kafka_wire::ErrorCode;

use super::groups::{alter_group, refused};
use super::sink_offsets::{parse_sink_offsets, sink_offset};
use super::stores::{OffsetStores, Offsets};
use crate::storage::OffsetStore;
use crate::worker::clients::{Clients, RecordProducer};
use crate::worker::handle::Worker;
use crate::worker::source::{Transaction, initialise};
use crate::worker::stop::StopSwitch;

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
    /// An error of class [`crate::answers::BAD_REQUEST_CLASS`] when the client sent something wrong; any other is the worker's or the
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
        Ok(if complete {
            format!("The offsets for this connector have been {done} successfully")
        } else {
            format!(
                "The Connect framework-managed offsets for this connector have been {done} successfully. However, if \
             this connector manages offsets externally, they will need to be manually {done} in the system that \
             the connector uses."
            )
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
        let written = if self.settings().exactly_once {
            self.write_exactly_once(name, config, &stores, writes).await
        } else {
            stores.write(writes).await.map_err(ConnectError::new)
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
}
