//! Joins small uncompressed batches into one, record bodies untouched.
//!
//! Brokers pay per batch, so merging is worth more than it costs (a copy and a checksum). Only three varints
//! in front of each record change: length, timestamp delta, offset delta. The caller has checked the CRC of
//! what it merges: the merged batch carries a new one.

use bytes::Bytes;

use super::header::HEADER_SIZE;
use super::outgoing::NewHeader;
use super::records::{self, RecordHead};
use super::{BatchError, Codec, OutgoingBatch, varint};

/// Length, attributes, two deltas, null key, null value, no headers: a byte each.
const SMALLEST_RECORD: usize = 7;

/// Decides, batch after batch, how many can become one; costs a few nanoseconds a batch.
#[derive(Clone, Debug)]
pub struct MergePlan {
    limit: usize,
    batches: usize,
    attributes: i16,
    base_timestamp: i64,
    count: i32,
    payload: usize,
    /// Most bytes by which the timestamp deltas of all records can grow.
    timestamp_growth: usize,
}

impl MergePlan {
    /// Nothing yet, towards a batch of at most `limit` bytes on the wire.
    pub fn new(limit: usize) -> MergePlan {
        MergePlan {
            limit,
            batches: 0,
            attributes: 0,
            base_timestamp: 0,
            count: 0,
            payload: 0,
            timestamp_growth: 0,
        }
    }

    /// Adds the next batch in order if it can be merged with those before and the result surely fits the
    /// limit. When false the plan is as before: merge what it has, then start anew.
    pub fn add(&mut self, batch: &OutgoingBatch) -> bool {
        let next = match self.with(batch) {
            Ok(next) if next.size_upper_bound() <= self.limit => next,
            _ => return false,
        };
        *self = next;
        true
    }

    /// Number of batches accepted.
    pub fn batches(&self) -> usize {
        self.batches
    }

    /// Most bytes the merged batch can have on the wire, header included.
    pub fn size_upper_bound(&self) -> usize {
        let count = self.count as usize;
        let offset_growth = count * (varint::len(i64::from(self.count)) - 1);
        let growth = self.timestamp_growth + offset_growth;
        // A record that grows by at most 14 bytes needs at most one byte more for its length.
        let length_growth = if growth > 0 { count } else { 0 };
        HEADER_SIZE + self.payload + growth + length_growth
    }

    fn with(&self, batch: &OutgoingBatch) -> Result<MergePlan, BatchError> {
        let no = |why| Err(BatchError::NotMergeable { why });
        if batch.codec() != Codec::None {
            return no("compressed");
        }
        if batch.log_append_time() {
            return no("timestamps are LogAppendTime");
        }
        if !batch.is_dense() {
            return no("the header says that offsets are missing");
        }
        let mut next = self.clone();
        if batch.count() as usize > batch.payload().len() / SMALLEST_RECORD {
            return no("the header counts more records than the payload can hold");
        }
        if self.batches == 0 {
            next.attributes = batch.attributes().0;
            next.base_timestamp = batch.base_timestamp();
        } else if self.attributes != batch.attributes().0 {
            return no("attributes differ");
        }
        next.batches += 1;
        next.count = self.count.checked_add(batch.count()).ok_or(BatchError::Overflow)?;
        next.payload += batch.payload().len();
        let shift = batch.base_timestamp().wrapping_sub(next.base_timestamp);
        if shift != 0 {
            // len(a + b) <= max(len(a), len(b)) + 1, so adding `shift` grows a delta by at most its own
            // length.
            next.timestamp_growth += batch.count() as usize * varint::len(shift);
        }
        Ok(next)
    }

    /// The plan for all of `batches`, whatever their size.
    fn of(batches: &[OutgoingBatch], limit: usize) -> Result<MergePlan, BatchError> {
        batches.iter().try_fold(MergePlan::new(limit), |plan, batch| plan.with(batch))
    }
}

/// Most bytes the merge of `batches` can have on the wire, header included.
///
/// # Errors
/// As [`merge()`], except for the size.
pub fn merged_size_upper_bound(batches: &[OutgoingBatch]) -> Result<usize, BatchError> {
    Ok(MergePlan::of(batches, usize::MAX)?.size_upper_bound())
}

/// One batch with the records of all, in order, at offset deltas `0..count`.
///
/// # Errors
/// [`BatchError::NotMergeable`] unless all are uncompressed, CreateTime, dense and of equal attributes;
/// [`BatchError::Record`] when a record's offset delta is not its index (a batch the broker should never have
/// taken); [`BatchError::MergedTooLarge`] when the result has more than `limit_bytes` on the wire.
pub fn merge(batches: &[OutgoingBatch], limit_bytes: usize) -> Result<OutgoingBatch, BatchError> {
    let plan = MergePlan::of(batches, limit_bytes)?;
    if plan.batches == 0 {
        return Err(BatchError::Empty);
    }
    let mut out = Vec::with_capacity(plan.size_upper_bound().min(limit_bytes));
    let mut first = 0i32;
    for batch in batches {
        let shift = batch.base_timestamp().wrapping_sub(plan.base_timestamp);
        if first == 0 {
            records::check_dense(batch.payload(), batch.count())?;
            out.extend_from_slice(batch.payload());
        } else {
            append(&mut out, batch, shift, first)?;
        }
        if out.len() + HEADER_SIZE > limit_bytes {
            return Err(BatchError::MergedTooLarge { limit: limit_bytes });
        }
        first += batch.count();
    }
    debug_assert_eq!(records::check_dense(&out, plan.count), Ok(()));
    debug_assert!(out.len() + HEADER_SIZE <= plan.size_upper_bound());
    let header = NewHeader {
        attributes: batches[0].attributes(),
        count: first,
        base_timestamp: plan.base_timestamp,
        max_timestamp: batches.iter().map(OutgoingBatch::max_timestamp).fold(i64::MIN, i64::max),
    };
    OutgoingBatch::new(header, Bytes::from(out))
}

/// Appends the records of `batch`, timestamps moved by `shift`, offset deltas from `first` on.
fn append(out: &mut Vec<u8>, batch: &OutgoingBatch, shift: i64, first: i32) -> Result<(), BatchError> {
    let data: &[u8] = batch.payload();
    let mut at = 0;
    for index in 0..batch.count() {
        let failed = |why| BatchError::Record { base_offset: 0, index, why };
        let head = RecordHead::read(data, at).ok_or(failed("its length does not fit the payload"))?;
        if head.offset_delta != index {
            return Err(failed("its offset delta is not its index"));
        }
        let body = &data[head.body..head.end];
        let timestamp_delta = head.timestamp_delta.wrapping_add(shift);
        let offset_delta = i64::from(first + index);
        let length = 1 + varint::len(timestamp_delta) + varint::len(offset_delta) + body.len();
        let mut prefix = [0; 3 * varint::MAX_LEN + 1];
        let mut end = varint::write(&mut prefix, 0, length as i64);
        prefix[end] = head.attributes;
        end = varint::write(&mut prefix, end + 1, timestamp_delta);
        end = varint::write(&mut prefix, end, offset_delta);
        out.extend_from_slice(&prefix[..end]);
        out.extend_from_slice(body);
        at = head.end;
    }
    if at == data.len() {
        return Ok(());
    }
    Err(BatchError::Inconsistent { base_offset: 0, why: "bytes follow the last record" })
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
