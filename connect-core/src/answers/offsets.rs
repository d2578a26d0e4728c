//! Offsets of connectors, as `/connectors/{c}/offsets` shows and takes them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One offset; no offset: to be reset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OffsetEntry {
    /// Source partition, or `kafka_topic` and `kafka_partition`; null for what a connector without partitions stores.
    #[serde(default)]
    pub partition: Option<Map<String, Value>>,
    /// Source offset, or `kafka_offset`.
    #[serde(default)]
    pub offset: Option<Map<String, Value>>,
}

/// Offsets of a connector: `/connectors/{c}/offsets`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ConnectorOffsets {
    /// One for each partition.
    pub offsets: Vec<OffsetEntry>,
}
