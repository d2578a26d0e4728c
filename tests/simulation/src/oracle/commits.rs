//! The positions that the replicator commits, as its offset topic shows them.

use std::collections::BTreeMap;

use kafka_sim::Cluster;
use serde_json::Value;

use super::Partition;
use crate::records::{Content, decode};

/// Where positions are committed.
pub const OFFSETS_TOPIC: &str = "connect-offsets";

/// What was committed so far.
#[derive(Debug, Default)]
pub(super) struct Commits {
    /// Next offset to look at, by partition of the topic.
    positions: BTreeMap<i32, i64>,
    last: BTreeMap<Partition, i64>,
    count: usize,
}

impl Commits {
    /// New commits: partition of the origin, and the last offset that counts as copied.
    pub(super) fn look(&mut self, destination: &Cluster) -> Vec<(Partition, i64)> {
        let mut found = Vec::new();
        let mut number = 0;
        while let Some((_, _, end)) = destination.offsets(OFFSETS_TOPIC, number) {
            let position = self.positions.entry(number).or_default();
            if end > *position {
                for (batch, records) in decode(&destination.stored(OFFSETS_TOPIC, number), *position) {
                    found.extend(records.iter().filter_map(|(_, content)| parse(content)));
                    *position = batch.next_offset();
                }
            }
            number += 1;
        }
        self.count += found.len();
        self.last.extend(found.iter().cloned());
        found
    }

    /// What is committed for a partition.
    pub(super) fn last(&self, partition: &Partition) -> Option<i64> {
        self.last.get(partition).copied()
    }

    /// Commits so far.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

fn parse(content: &Content) -> Option<(Partition, i64)> {
    let key: Value = serde_json::from_slice(content.key.as_deref()?).ok()?;
    let value: Value = serde_json::from_slice(content.value.as_deref()?).ok()?;
    let partition = &key[1];
    let topic = partition["topic"].as_str()?.to_owned();
    let number = i32::try_from(partition["partition"].as_i64()?).ok()?;
    Some(((topic, number), value["offset"].as_i64()?))
}
