//! Decides once what happens to each batch that the origin sends: it passes, is encoded again, or is dropped with a
//! reason. The checks that make passing safe are here: the origin's CRC, density, control and aborted data.

use kafka_wire::batch::{
    Batch, BatchError, Entry, LegacySet, OutgoingBatch, Reencoded, TimestampPolicy, reencode,
};
use kafka_wire::failpoint::planted;

use super::aborted::AbortedFilter;
use crate::context::DestinationTopic;
use crate::monitoring::{Mode, ReencodeReason};

/// Verdict on a stretch of the origin.
#[derive(Debug)]
pub(super) struct Verdict {
    /// First origin offset covered.
    pub(super) first_offset: i64,
    /// Last origin offset covered.
    pub(super) last_offset: i64,
    /// `None`: nothing is to be sent (control batch, aborted data, emptied by compaction).
    pub(super) outgoing: Option<Outgoing>,
}

/// A batch to send.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// The batch.
    pub(super) batch: OutgoingBatch,
    /// Its way.
    pub(super) mode: Mode,
    /// Origin offset of its first record.
    pub(super) first_record: i64,
    /// True when its records have successive offsets at the origin.
    pub(super) dense: bool,
}

impl Outgoing {
    fn encoded_again(again: Reencoded, reason: ReencodeReason) -> Self {
        Self {
            first_record: again.runs.first().map_or(again.last_source_offset, |run| run.offset),
            dense: again.runs.len() == 1,
            batch: again.batch,
            mode: Mode::Reencode(reason),
        }
    }
}

/// A batch that must not be copied.
#[derive(Debug, thiserror::Error)]
pub(super) enum Bad {
    /// The bytes differ from what was written.
    #[error("the batch at offset {0} fails its CRC check at the origin")]
    Crc(i64),
    /// It cannot be decoded, where it must be.
    #[error("the batch at offset {0} cannot be decoded: {1}")]
    Undecodable(i64, BatchError),
}

/// Stamps of records in the destination topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamping {
    /// Keeps the producers' times.
    CreateTime,
    /// Stamps anew.
    LogAppendTime,
}

impl Stamping {
    /// That of a destination topic.
    pub(super) fn of(topic: &DestinationTopic) -> Self {
        if topic.log_append_time { Self::LogAppendTime } else { Self::CreateTime }
    }
}

/// Judges one entry that is read from `position` on.
pub(super) fn classify(
    entry: &Entry,
    position: i64,
    aborted: Option<&mut AbortedFilter>,
    stamping: Stamping,
) -> Result<Verdict, Bad> {
    match entry {
        Entry::Batch(batch) => classify_batch(batch, position, aborted, stamping),
        Entry::Legacy(set) => classify_legacy(set, position),
    }
}

fn classify_batch(
    batch: &Batch,
    position: i64,
    aborted: Option<&mut AbortedFilter>,
    stamping: Stamping,
) -> Result<Verdict, Bad> {
    if !batch.crc_is_valid() {
        return Err(Bad::Crc(batch.base_offset()));
    }
    let verdict = |outgoing| Verdict { first_offset: position, last_offset: batch.last_offset(), outgoing };
    let is_aborted = aborted.is_some_and(|filter| filter.drops(batch));
    if batch.attributes().control() || is_aborted || batch.count() == 0 {
        return Ok(verdict(None));
    }
    let append_time = batch.attributes().log_append_time();
    let starts_inside = batch.base_offset() < position;
    if starts_inside && planted("skip-partial-batch") {
        return Ok(verdict(None));
    }
    let reason = if starts_inside {
        ReencodeReason::StartsInside
    } else if !batch.is_dense() && !planted("merge-across-hole") {
        ReencodeReason::Compacted
    } else if append_time && stamping == Stamping::CreateTime {
        ReencodeReason::LogAppendTime
    } else {
        return Ok(verdict(Some(Outgoing {
            batch: OutgoingBatch::pass(batch, append_time),
            mode: Mode::Passthrough,
            first_record: batch.base_offset(),
            dense: true,
        })));
    };
    let policy = match stamping {
        Stamping::CreateTime => TimestampPolicy::AsRead,
        Stamping::LogAppendTime => TimestampPolicy::Producer,
    };
    let again = reencode(batch, position, policy).map_err(|e| Bad::Undecodable(batch.base_offset(), e))?;
    Ok(verdict(again.map(|again| Outgoing::encoded_again(again, reason))))
}

fn classify_legacy(set: &LegacySet, position: i64) -> Result<Verdict, Bad> {
    if !set.crc_is_valid() {
        return Err(Bad::Crc(set.last_offset()));
    }
    let again = reencode(set, position, TimestampPolicy::AsRead)
        .map_err(|e| Bad::Undecodable(set.last_offset(), e))?;
    Ok(Verdict {
        first_offset: position,
        last_offset: set.last_offset(),
        outgoing: again.map(|again| Outgoing::encoded_again(again, ReencodeReason::MessageFormat)),
    })
}
