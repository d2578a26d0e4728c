//! The end of the demo: both sides compared, record by record, in the clusters' own logs.

use std::collections::BTreeMap;

use kafka_sim::Cluster;
use kafka_wire::batch::Batch;

use super::clusters::Clusters;
use super::records::TOPICS;
use crate::progress::grouped;

/// A record as it is compared: with everything but its offset.
type Content = (i64, Option<bytes::Bytes>, Option<bytes::Bytes>, bytes::Bytes);

/// A line for each topic. `written`: records that the producer knows to be stored.
pub(super) fn compare(clusters: &Clusters, written: BTreeMap<&'static str, u64>) -> String {
    let mut lines = vec!["Both sides compared, as far as they are kept:".to_owned()];
    for topic in TOPICS {
        let replica = format!("{}.replica", topic.name);
        let mut count = Count::default();
        for partition in 0..topic.partitions as i32 {
            let origin = contents(&clusters.origin, topic.name, partition);
            count.add(origin, contents(&clusters.destination, &replica, partition));
        }
        let written = written.get(topic.name).copied().unwrap_or(0);
        lines.push(format!(
            "  {:<14} {:>10} written by the demo, {:>10} kept at the origin, {:>6} of them missing, {:>6} copied beyond them",
            topic.name,
            grouped(written),
            grouped(count.kept),
            grouped(count.missing),
            grouped(count.beyond)
        ));
    }
    lines.join("\n")
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    kept: u64,
    missing: u64,
    beyond: u64,
}

impl Count {
    /// Each record of the origin should be at the destination, once. The oldest may have been removed there already.
    fn add(&mut self, origin: Vec<Content>, destination: Vec<Content>) {
        let mut there: BTreeMap<Content, u64> = BTreeMap::new();
        let oldest = destination.first().map(|record| record.0);
        for record in destination {
            *there.entry(record).or_default() += 1;
        }
        let removed = |record: &Content| oldest.is_some_and(|oldest| record.0 < oldest);
        for record in origin.into_iter().filter(|record| !removed(record)) {
            self.kept += 1;
            match there.get_mut(&record) {
                Some(0) | None => self.missing += 1,
                Some(times) => *times -= 1,
            }
        }
        // What is left was copied twice, or is no longer at the origin.
        self.beyond += there.into_values().sum::<u64>();
    }
}

fn contents(cluster: &Cluster, topic: &str, partition: i32) -> Vec<Content> {
    let start = cluster.offsets(topic, partition).map_or(0, |(start, _, _)| start);
    let batches = cluster.stored(topic, partition).into_iter().filter_map(|bytes| Batch::new(bytes).ok());
    let records =
        batches.flat_map(|batch| batch.records().into_iter().flatten().flatten().collect::<Vec<_>>());
    let content = |r: kafka_wire::batch::Record| (r.timestamp, r.key, r.value, r.headers.raw().clone());
    records.filter(|record| record.offset >= start).map(content).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(timestamp: i64) -> Content {
        (timestamp, None, None, bytes::Bytes::new())
    }

    #[test]
    fn missing_records_and_those_beyond_are_counted() {
        let mut count = Count::default();
        count.add(vec![record(1), record(2), record(3)], vec![record(1), record(1), record(3)]);
        assert_eq!(count, Count { kept: 3, missing: 1, beyond: 1 });
    }

    #[test]
    fn what_retention_took_at_the_destination_is_not_missing() {
        let mut count = Count::default();
        count.add(vec![record(1), record(2)], vec![record(2)]);
        assert_eq!(count, Count { kept: 1, missing: 0, beyond: 0 });
    }
}
