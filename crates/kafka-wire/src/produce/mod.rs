//! Writes whole record batches to a cluster, idempotently, each partition in order.
//!
//! A [`Producer`] holds any number of partitions. Each is pinned to a *lane*, a connection to the partition's
//! leader; at most [`WINDOW`] batches of a partition and [`WINDOW`] requests of a lane are under way. A
//! request carries at most one batch of a partition, because a broker refuses more, and one of every
//! partition that has one: there is no linger, acknowledgements clock the link.
//!
//! Guarantees: batches of a partition are stored in the order they were enqueued, through retries and leader
//! moves; an acknowledgement is told only when all before it are; what is not acknowledged is never forgotten
//! but told as [`ProduceEvent::Rewind`] or [`ProduceEvent::Stopped`]; a stopped partition does not hold up
//! another.
//!
//! Not guaranteed, because brokers do not: a batch that is sent again after a lost answer is recognised only
//! while the broker remembers the producer. It forgets when its last record *there* is
//! `producer.id.expiration.ms` (a day) old by the record's own timestamp: at a restart, and at a check every
//! ten minutes. So while old data is copied, a restart of a broker can store the batches under way (at most
//! [`WINDOW`] of a partition) twice; they stay in order and none is lost. For the same reason only one batch
//! is under way until the broker has taken one.

mod answers;
mod fault;
mod lane;
mod leaderless;
mod leaders;
mod partition;
mod producer;
mod request;
mod sending;

use std::time::Duration;

pub use fault::{Advice, Refusal};
pub use producer::Producer;

pub use crate::frame::SendGate;

/// Batches of one partition, and requests of one lane, that may be under way: brokers remember the last five
/// of a producer and partition to recognise what is sent again.
pub const WINDOW: usize = 5;

/// Settings of a producer.
#[derive(Debug, Clone)]
pub struct ProduceSettings {
    /// Connections for each broker.
    pub lanes_per_broker: usize,
    /// Bytes of one request; a single batch may be larger.
    pub max_request_bytes: usize,
    /// Time for which a broker may wait for its replicas.
    pub timeout: Duration,
    /// Merging of small batches; `None` keeps every batch as it is.
    pub merge: Option<MergeSettings>,
    /// The caller's words for reasons and the log.
    pub advice: Advice,
}

/// When and how far uncompressed CreateTime batches that wait behind each other are made one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MergeSettings {
    /// Only when the first batch in the queue is smaller than this.
    pub below_bytes: usize,
    /// Never beyond this.
    pub max_bytes: usize,
}

/// News of batches.
#[derive(Debug, Clone)]
pub enum ProduceEvent {
    /// A batch is stored. Told in order for each partition.
    Acknowledged(Acknowledgement),
    /// The partition cannot be written now; `reason` says why. What is not acknowledged is tried again by
    /// itself.
    Waiting {
        /// The partition, as [`Producer::open`] numbered it.
        partition: usize,
        /// Why.
        reason: Refusal,
    },
    /// The wait is over.
    Resumed {
        /// The partition.
        partition: usize,
    },
    /// Batches from the one with `tag` on were dropped unsent or unstored and must be enqueued again.
    Rewind {
        /// The partition.
        partition: usize,
        /// Tag of the first.
        tag: i64,
        /// Why.
        reason: Refusal,
    },
    /// The broker refuses a batch for good. Everything from it on was dropped; nothing more is taken.
    Stopped {
        /// The partition.
        partition: usize,
        /// Tag of the refused batch.
        tag: i64,
        /// The broker's answer.
        reason: Refusal,
    },
}

/// A stored batch.
#[derive(Debug, Clone, Copy)]
pub struct Acknowledgement {
    /// The partition.
    pub partition: usize,
    /// The caller's tag.
    pub tag: i64,
    /// Offset of its first record as stored; -1 where the broker only knows that it has it.
    pub base_offset: i64,
    /// Records.
    pub records: i32,
    /// Bytes, header included, as enqueued.
    pub bytes: usize,
    /// Largest timestamp, ms.
    pub max_timestamp: i64,
    /// It had been stored before: an earlier answer was lost.
    pub duplicate: bool,
    /// It went as part of a larger batch.
    pub merged: bool,
}
