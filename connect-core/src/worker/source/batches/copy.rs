//! Record batches that pass through unread: the producer that writes them whole, and the ledger of what it stored.

use std::collections::HashMap;
use std::sync::Arc;

use connect_api::{
    BatchEvent, BatchPayload, BatchTask, ConnectError, Destination, RawBatch, RefusedBatch, SourceOffset,
    SourcePartition, StoredBatch,
};
use kafka_wire::cluster::Cluster;
use kafka_wire::produce::{Acknowledgement, ProduceEvent, ProduceSettings, Producer, SendGate};
use serde_json::Value;

use super::ledger::{Ledger, Records};

/// Positions by source partition.
pub(super) type Positions = Vec<(usize, Arc<SourcePartition>, i64)>;

/// The copy of one task.
pub(super) struct BatchCopy {
    producer: Producer,
    /// Producer's number of a destination partition → the source partition that feeds it.
    sources: HashMap<usize, usize>,
    /// Source partition → producer's number, with the destination it stands for.
    targets: HashMap<usize, (Arc<Destination>, usize)>,
    ledger: Ledger,
    pub(super) acknowledged_records: u64,
}

impl BatchCopy {
    pub(super) fn new(destination: Cluster, settings: ProduceSettings, gate: Option<SendGate>) -> Self {
        Self {
            producer: Producer::new(destination, settings).with_gate(gate),
            sources: HashMap::new(),
            targets: HashMap::new(),
            ledger: Ledger::default(),
            acknowledged_records: 0,
        }
    }

    /// Waits for news of what was sent. Cancel-safe.
    pub(super) async fn next(&mut self) -> Vec<ProduceEvent> {
        self.producer.next().await
    }

    pub(super) fn deliver(
        &mut self,
        batches: Vec<RawBatch>,
        task: &mut dyn BatchTask,
    ) -> Result<(), ConnectError> {
        for batch in batches {
            let RawBatch { partition, source, first_offset, last_offset, payload } = batch;
            let records = payload.as_ref().map(Records::of);
            let moved = self.ledger.push(partition, &source, first_offset, last_offset, records);
            if let Some(last_offset) = moved {
                task.told(partition, BatchEvent::Moved { last_offset });
            }
            if let Some(BatchPayload { destination, batch, .. }) = payload {
                let target = self.target(partition, destination)?;
                self.producer.enqueue(target, last_offset, batch);
            }
        }
        Ok(())
    }

    /// The producer's number for a source partition's destination.
    fn target(&mut self, partition: usize, destination: Arc<Destination>) -> Result<usize, ConnectError> {
        if let Some((known, target)) = self.targets.get(&partition)
            && (Arc::ptr_eq(known, &destination) || *known == destination)
        {
            return Ok(*target);
        }
        let target = self.producer.open(&destination.topic, destination.partition);
        if let Some(other) = self.sources.insert(target, partition).filter(|other| *other != partition) {
            return Err(ConnectError::new(format!(
                "two source partitions ({other} and {partition}) feed {}-{}: their order would be lost",
                destination.topic, destination.partition
            )));
        }
        self.targets.insert(partition, (destination, target));
        Ok(target)
    }

    /// Destination topics in which these events tell of stored batches.
    pub(super) fn topics_of<'a>(&'a self, events: &'a [ProduceEvent]) -> impl Iterator<Item = &'a str> {
        events.iter().filter_map(|event| {
            let ProduceEvent::Acknowledged(ack) = event else { return None };
            let (destination, _) = self.targets.get(self.sources.get(&ack.partition)?)?;
            Some(&*destination.topic)
        })
    }

    /// Tells the task, in its own numbers, what the producer tells in its: the one place where these meet.
    pub(super) fn produced(&mut self, events: Vec<ProduceEvent>, task: &mut dyn BatchTask) {
        for event in events {
            match event {
                ProduceEvent::Acknowledged(ack) => self.acknowledged(&ack, task),
                ProduceEvent::Waiting { partition, reason } => {
                    self.tell(partition, BatchEvent::Waiting { reason }, task);
                }
                ProduceEvent::Resumed { partition } => self.tell(partition, BatchEvent::Resumed, task),
                ProduceEvent::Rewind { partition, tag, .. } => {
                    if let Some(source) = self.sources.get(&partition)
                        && let Some(offset) = self.ledger.rewind(*source, tag)
                    {
                        task.told(*source, BatchEvent::Rewind { offset });
                    }
                }
                ProduceEvent::Stopped { partition, tag, reason, .. } => {
                    let Some(source) = self.sources.get(&partition) else { continue };
                    let first_offset = self.ledger.rewind(*source, tag);
                    let refused = RefusedBatch { first_offset, last_offset: tag, reason };
                    task.told(*source, BatchEvent::Refused(refused));
                }
            }
        }
    }

    fn tell(&self, partition: usize, event: BatchEvent, task: &mut dyn BatchTask) {
        if let Some(source) = self.sources.get(&partition) {
            task.told(*source, event);
        }
    }

    fn acknowledged(&mut self, ack: &Acknowledgement, task: &mut dyn BatchTask) {
        let Some(source) = self.sources.get(&ack.partition) else { return };
        let Records { first, dense } = self.ledger.records(*source, ack.tag).unwrap_or_default();
        let moved = self.ledger.acknowledge(*source, ack.tag);
        let records = u64::try_from(ack.records).unwrap_or_default();
        self.acknowledged_records += records;
        let stored = StoredBatch {
            first_record: first,
            last_offset: ack.tag,
            destination_offset: (ack.base_offset >= 0).then_some(ack.base_offset),
            dense,
            records,
            bytes: ack.bytes as u64,
            duplicate: ack.duplicate,
            merged: ack.merged,
            max_timestamp: ack.max_timestamp,
        };
        task.told(*source, BatchEvent::Stored(stored));
        if let Some(last_offset) = moved {
            task.told(*source, BatchEvent::Moved { last_offset });
        }
    }

    /// Batches that are not acknowledged.
    pub(super) fn outstanding(&self) -> usize {
        self.ledger.outstanding()
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.ledger.is_dirty()
    }

    pub(super) fn uncommitted(&self) -> Positions {
        self.ledger.uncommitted()
    }

    pub(super) fn committed(&mut self, positions: &Positions) {
        self.ledger.committed(positions);
    }
}

/// The offset value of a topic partition, as Confluent Replicator stores it: the last offset copied.
pub(super) fn offset_value(last: i64) -> SourceOffset {
    SourceOffset::from_iter([("offset".to_owned(), Value::from(last))])
}
