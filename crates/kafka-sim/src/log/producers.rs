//! Memory of a log about those who write to it: epochs, sequences of the last batches, open transactions. The
//! rules are those of Kafka's `ProducerStateManager` and `ProducerAppendInfo`.

use std::collections::{BTreeMap, VecDeque};

use kafka_protocol::ResponseError;
use kafka_wire::batch::Batch;

use super::validate::Refusal;

/// Batches of a producer that are remembered, to know their repetition.
const REMEMBERED: usize = 5;

/// A batch of a producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    first_sequence: i32,
    pub(crate) last_sequence: i32,
    pub(crate) base_offset: i64,
    pub(crate) last_offset: i64,
    pub(crate) timestamp: i64,
}

/// A producer as one log knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) epoch: i16,
    pub(crate) batches: VecDeque<Written>,
    pub(crate) last_timestamp: i64,
    /// Of its last transaction that ended here.
    pub(crate) coordinator_epoch: Option<i32>,
    /// First offset of its open transaction.
    pub(crate) transaction_start: Option<i64>,
}

/// All producers of a log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Producers {
    known: BTreeMap<i64, Producer>,
}

/// Place of a batch in its producer's sequence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// To be appended.
    New,
    /// Was appended before.
    Duplicate(Written),
}

impl Producers {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &Producer)> {
        self.known.iter().map(|(id, producer)| (*id, producer))
    }

    pub(crate) fn get(&self, id: i64) -> Option<&Producer> {
        self.known.get(&id)
    }

    /// The start of the oldest open transaction.
    pub(crate) fn first_open(&self) -> Option<i64> {
        self.known.values().filter_map(|p| p.transaction_start).min()
    }

    /// Forgets who has not written since `before_ms` by the clock of its records and has no transaction open.
    pub(crate) fn expire(&mut self, before_ms: i64) {
        self.known.retain(|_, p| p.last_timestamp >= before_ms || p.transaction_start.is_some());
    }

    /// Judges a batch before it is appended. `zero_first`: a producer that is not known must begin with
    /// sequence 0.
    pub(crate) fn check(&self, batch: &Batch, zero_first: bool) -> Result<Verdict, Refusal> {
        let (id, epoch, first) = (batch.producer_id(), batch.producer_epoch(), batch.base_sequence());
        if id < 0 {
            return Ok(Verdict::New);
        }
        let last = last_sequence(batch);
        let known = self.known.get(&id);
        let same_epoch = known.filter(|p| p.epoch == epoch);
        let repeated = |w: &&Written| w.first_sequence == first && w.last_sequence == last;
        if let Some(written) = same_epoch.and_then(|p| p.batches.iter().find(repeated)) {
            return Ok(Verdict::Duplicate(written.clone()));
        }
        if let Some(newer) = known.filter(|p| epoch < p.epoch) {
            let said = format!(
                "Epoch of producer {id} is {epoch}, which is smaller than the last seen epoch {}",
                newer.epoch
            );
            return Err(Refusal::new(ResponseError::InvalidProducerEpoch, said));
        }
        let expected = match known {
            Some(p) if p.epoch == epoch => match p.batches.back() {
                Some(written) => Some(next_sequence(written.last_sequence)),
                // Known by a marker only.
                None if epoch < 0 => None,
                None => Some(0),
            },
            Some(p) if p.epoch >= 0 => Some(0),
            _ => zero_first.then_some(0),
        };
        if let Some(expected) = expected.filter(|expected| *expected != first) {
            let said =
                format!("Out of order sequence number for producer {id}: {first}, expected {expected}");
            return Err(Refusal::new(ResponseError::OutOfOrderSequenceNumber, said));
        }
        let open = known.is_some_and(|p| p.transaction_start.is_some());
        if open && !batch.attributes().transactional() {
            let said = format!("Expected transactional write from producer {id}");
            return Err(Refusal::new(ResponseError::InvalidTxnState, said));
        }
        Ok(Verdict::New)
    }

    /// Remembers a batch that was stored.
    pub(crate) fn stored(&mut self, batch: &Batch) {
        if batch.producer_id() < 0 {
            return;
        }
        let producer = self.known.entry(batch.producer_id()).or_default();
        if producer.epoch != batch.producer_epoch() {
            producer.epoch = batch.producer_epoch();
            producer.batches.clear();
        }
        producer.batches.push_back(Written {
            first_sequence: batch.base_sequence(),
            last_sequence: last_sequence(batch),
            base_offset: batch.base_offset(),
            last_offset: batch.last_offset(),
            timestamp: batch.max_timestamp(),
        });
        if producer.batches.len() > REMEMBERED {
            producer.batches.pop_front();
        }
        producer.last_timestamp = batch.max_timestamp();
        if batch.attributes().transactional() {
            producer.transaction_start.get_or_insert(batch.base_offset());
        }
    }

    /// Remembers a transaction's end; gives back where it began in this log.
    pub(crate) fn ended(&mut self, batch: &Batch, coordinator_epoch: i32) -> Option<i64> {
        let producer = self.known.entry(batch.producer_id()).or_default();
        if producer.epoch != batch.producer_epoch() {
            producer.epoch = batch.producer_epoch();
            producer.batches.clear();
        }
        producer.coordinator_epoch = Some(coordinator_epoch);
        producer.last_timestamp = batch.max_timestamp();
        producer.transaction_start.take()
    }
}

/// Sequences wrap from 2^31 - 1 to 0.
fn last_sequence(batch: &Batch) -> i32 {
    let last = i64::from(batch.base_sequence()) + i64::from(batch.last_offset_delta());
    match i32::try_from(last) {
        Ok(last) => last,
        Err(_) => (last - i64::from(i32::MAX) - 1) as i32,
    }
}

fn next_sequence(last: i32) -> i32 {
    last.checked_add(1).unwrap_or(0)
}
