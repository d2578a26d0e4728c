//! Rebuilds what cannot pass as it is: batches with holes, cropped ones, append times, old formats, too large
//! ones.
//!
//! Records keep their order, keys, values, header bytes and absolute timestamps; only their offset deltas
//! become dense. The codec stays the source's. What was covered at the source is told exactly, so that
//! positions and offset translation stay right across the holes.

use super::codec::DEFAULT_DECOMPRESSED_LIMIT;
use super::{Batch, BatchBuilder, BatchError, Codec, LegacySet, OutgoingBatch, Record};

/// Source of records.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A v2 batch.
    Batch(&'a Batch),
    /// Messages of format 0 or 1.
    Legacy(&'a LegacySet),
}

impl<'a> From<&'a Batch> for Source<'a> {
    fn from(batch: &'a Batch) -> Self {
        Source::Batch(batch)
    }
}

impl<'a> From<&'a LegacySet> for Source<'a> {
    fn from(set: &'a LegacySet) -> Self {
        Source::Legacy(set)
    }
}

impl Source<'_> {
    fn codec(self) -> Codec {
        match self {
            Source::Batch(batch) => batch.attributes().codec(),
            Source::Legacy(set) => set.codec(),
        }
    }

    fn last_offset(self) -> i64 {
        match self {
            Source::Batch(batch) => batch.last_offset(),
            Source::Legacy(set) => set.last_offset(),
        }
    }

    fn records(self, policy: TimestampPolicy) -> Result<AnyRecords, BatchError> {
        let append_time =
            |stamped: bool, at: i64| (stamped && policy == TimestampPolicy::AsRead).then_some(at);
        match self {
            Source::Batch(batch) if batch.attributes().control() => {
                let why = "a control batch holds no data to produce";
                Err(BatchError::Inconsistent { base_offset: batch.base_offset(), why })
            }
            Source::Batch(batch) => {
                let stamped = append_time(batch.attributes().log_append_time(), batch.max_timestamp());
                Ok(Box::new(batch.records_stamped(DEFAULT_DECOMPRESSED_LIMIT, stamped)?))
            }
            Source::Legacy(set) => {
                let stamped = append_time(set.log_append_time(), set.timestamp());
                Ok(Box::new(set.records_stamped(DEFAULT_DECOMPRESSED_LIMIT, stamped)?))
            }
        }
    }
}

type AnyRecords = Box<dyn Iterator<Item = Result<Record, BatchError>>>;

/// Which timestamps the rebuilt records carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampPolicy {
    /// Times that consumers of the source see: the append time where the source stamps with LogAppendTime.
    #[default]
    AsRead,
    /// The producers' own times, even where the source overrides them: for targets that stamp anew.
    Producer,
}

/// A run of records without a gap between their offsets at the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRun {
    /// Offset of the first record at the source.
    pub offset: i64,
    /// Number of records.
    pub count: i32,
}

/// A rebuilt batch and where its records came from.
#[derive(Clone, Debug)]
pub struct Reencoded {
    /// The batch to produce.
    pub batch: OutgoingBatch,
    /// Last offset of the source that is done once this batch is acknowledged, holes behind its last record
    /// included.
    pub last_source_offset: i64,
    /// The source's offsets of the records, in their order in the batch; counts sum up to the batch's.
    pub runs: Vec<SourceRun>,
}

/// Rebuilds `source` from `from_offset` on as one batch; `None` when no record is left (then go on after
/// [`Batch::last_offset`]).
///
/// # Errors
/// When the source cannot be decoded, is a control batch, or has a codec that Kafka does not have.
pub fn reencode<'a>(
    source: impl Into<Source<'a>>,
    from_offset: i64,
    policy: TimestampPolicy,
) -> Result<Option<Reencoded>, BatchError> {
    let source = source.into();
    let mut piece = Piece::new(source.codec());
    for record in source.records(policy)? {
        let record = record?;
        if record.offset >= from_offset {
            piece.push(&record)?;
        }
    }
    if piece.builder.is_empty() {
        return Ok(None);
    }
    piece.finish(source.last_offset()).map(Some)
}

/// Like [`reencode`], in as many batches as it takes to keep each within `max_bytes` on the wire, in order.
/// Empty when no record is left.
///
/// # Errors
/// As [`reencode`]; [`BatchError::RecordTooLarge`] when a single record does not fit `max_bytes`.
pub fn reencode_split<'a>(
    source: impl Into<Source<'a>>,
    from_offset: i64,
    policy: TimestampPolicy,
    max_bytes: usize,
) -> Result<Vec<Reencoded>, BatchError> {
    let source = source.into();
    let kept = |record: &Result<Record, _>| !matches!(record, Ok(record) if record.offset < from_offset);
    let records: Vec<Record> = source.records(policy)?.filter(kept).collect::<Result<_, _>>()?;
    let mut out = Vec::new();
    encode_within(&records, source.codec(), max_bytes, &mut out)?;
    if let Some(last) = out.last_mut() {
        last.last_source_offset = source.last_offset();
    }
    Ok(out)
}

/// Encodes `records` as one batch, or, while that is too large, as the parts its size suggests.
fn encode_within(
    records: &[Record],
    codec: Codec,
    limit: usize,
    out: &mut Vec<Reencoded>,
) -> Result<(), BatchError> {
    let Some(last) = records.last() else { return Ok(()) };
    let mut piece = Piece::new(codec);
    for record in records {
        piece.push(record)?;
    }
    let piece = piece.finish(last.offset)?;
    let size = piece.batch.size();
    if size <= limit {
        out.push(piece);
        return Ok(());
    }
    if records.len() == 1 {
        return Err(BatchError::RecordTooLarge { offset: last.offset, size, limit });
    }
    let parts = size.div_ceil(limit.max(1)).clamp(2, records.len());
    for part in records.chunks(records.len().div_ceil(parts)) {
        encode_within(part, codec, limit, out)?;
    }
    Ok(())
}

/// A batch in the making with the source's offsets of its records.
struct Piece {
    builder: BatchBuilder,
    runs: Vec<SourceRun>,
}

impl Piece {
    fn new(codec: Codec) -> Piece {
        Piece { builder: BatchBuilder::new(codec), runs: Vec::new() }
    }

    fn push(&mut self, record: &Record) -> Result<(), BatchError> {
        self.builder.push(
            record.timestamp,
            record.key.as_deref(),
            record.value.as_deref(),
            &record.headers,
        )?;
        match self.runs.last_mut() {
            Some(run) if run.offset.wrapping_add(i64::from(run.count)) == record.offset => run.count += 1,
            _ => self.runs.push(SourceRun { offset: record.offset, count: 1 }),
        }
        Ok(())
    }

    fn finish(self, last_source_offset: i64) -> Result<Reencoded, BatchError> {
        Ok(Reencoded { batch: self.builder.finish()?, last_source_offset, runs: self.runs })
    }
}

#[cfg(test)]
#[path = "reencode_tests.rs"]
mod tests;
