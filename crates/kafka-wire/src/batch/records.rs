//! The records of a v2 batch, one by one, for the few paths that must look inside.
//!
//! The iterator yields exactly the number of records the header promises or an error: neither a short payload
//! nor bytes left over go unnoticed. Keys, values and headers share the (decompressed) payload's memory.

use bytes::Bytes;

use super::codec::{DEFAULT_DECOMPRESSED_LIMIT, decompress};
use super::record_headers::{self, read_bytes};
use super::{Batch, BatchError, Headers, varint};

/// One record with its offset and timestamp resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Absolute offset in the partition.
    pub offset: i64,
    /// Time that a consumer sees, ms since 1970: the batch's max timestamp under LogAppendTime; -1 when there
    /// is none.
    pub timestamp: i64,
    /// Key; `None` is null, which differs from empty.
    pub key: Option<Bytes>,
    /// Value; `None` is null (a tombstone in compacted topics), which differs from empty.
    pub value: Option<Bytes>,
    /// Headers in their order.
    pub headers: Headers,
}

impl Batch {
    /// The records, decompressed to at most [`DEFAULT_DECOMPRESSED_LIMIT`] bytes.
    ///
    /// # Errors
    /// When the payload cannot be decompressed. Malformed records show while iterating.
    pub fn records(&self) -> Result<Records, BatchError> {
        self.records_within(DEFAULT_DECOMPRESSED_LIMIT)
    }

    /// Like [`Batch::records`] with a limit of the caller's, in bytes.
    ///
    /// # Errors
    /// As [`Batch::records`].
    pub fn records_within(&self, limit: usize) -> Result<Records, BatchError> {
        let stamped = self.attributes().log_append_time().then(|| self.max_timestamp());
        self.records_stamped(limit, stamped)
    }

    /// The records, all with the timestamp `stamped` if there is one.
    pub(super) fn records_stamped(&self, limit: usize, stamped: Option<i64>) -> Result<Records, BatchError> {
        Ok(Records {
            data: decompress(self.attributes().codec(), &self.payload(), limit)?,
            position: 0,
            index: 0,
            count: self.count(),
            base_offset: self.base_offset(),
            base_timestamp: self.base_timestamp(),
            stamped,
        })
    }
}

/// Iterator over the records of one batch. After an error it yields nothing more.
#[derive(Clone, Debug)]
pub struct Records {
    data: Bytes,
    position: usize,
    index: i32,
    count: i32,
    base_offset: i64,
    base_timestamp: i64,
    stamped: Option<i64>,
}

impl Records {
    fn read(&mut self) -> Result<Record, &'static str> {
        let head =
            RecordHead::read(&self.data, self.position).ok_or("its length does not fit the payload")?;
        let body = &self.data[..head.end];
        let (key, at) = read_bytes(body, head.body).ok_or("its key does not fit")?;
        let (value, at) = read_bytes(body, at).ok_or("its value does not fit")?;
        record_headers::check(&body[at..]).map_err(|_| "its headers do not fit")?;
        let slice = |(start, end)| self.data.slice(start..end);
        let record = Record {
            offset: self.base_offset.wrapping_add(i64::from(head.offset_delta)),
            timestamp: self.stamped.unwrap_or(self.base_timestamp.wrapping_add(head.timestamp_delta)),
            key: key.map(slice),
            value: value.map(slice),
            headers: Headers::from_checked(self.data.slice(at..head.end)),
        };
        self.position = head.end;
        self.index += 1;
        Ok(record)
    }

    /// The error at the current record; ends the iteration.
    fn fail(&mut self, why: &'static str) -> BatchError {
        let error = BatchError::Record { base_offset: self.base_offset, index: self.index, why };
        self.end();
        error
    }

    fn end(&mut self) {
        self.count = 0;
        self.position = self.data.len();
    }
}

impl Iterator for Records {
    type Item = Result<Record, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.index < self.count {
            return Some(self.read().map_err(|why| self.fail(why)));
        }
        if self.position < self.data.len() {
            self.end();
            let why = "bytes follow the last record";
            return Some(Err(BatchError::Inconsistent { base_offset: self.base_offset, why }));
        }
        None
    }
}

/// The fields in front of a record's key, and where the record ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordHead {
    pub(super) attributes: u8,
    pub(super) timestamp_delta: i64,
    pub(super) offset_delta: i32,
    /// Position of the key's length.
    pub(super) body: usize,
    /// First byte after the record, within the data and not before `body`.
    pub(super) end: usize,
}

impl RecordHead {
    /// Reads the record that starts at `at`.
    #[inline]
    pub(super) fn read(data: &[u8], at: usize) -> Option<RecordHead> {
        let (length, start) = varint::read_i32(data, at)?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        let attributes = *data.get(start)?;
        let (timestamp_delta, after) = varint::read(data, start + 1)?;
        let (offset_delta, body) = varint::read_i32(data, after)?;
        (body <= end && end <= data.len()).then_some(RecordHead {
            attributes,
            timestamp_delta,
            offset_delta,
            body,
            end,
        })
    }
}

/// Walks over uncompressed records: they must number `count`, have the offset deltas `0..count` and fill
/// `data`. No broker checks this for uncompressed batches, and consumers skip records of the next batch where
/// it is violated.
pub(super) fn check_dense(data: &[u8], count: i32) -> Result<(), BatchError> {
    let mut at = 0;
    for index in 0..count {
        let failed = |why| BatchError::Record { base_offset: 0, index, why };
        let head = RecordHead::read(data, at).ok_or(failed("its length does not fit the payload"))?;
        if head.offset_delta != index {
            return Err(failed("its offset delta is not its index"));
        }
        at = head.end;
    }
    if at == data.len() {
        return Ok(());
    }
    Err(BatchError::Inconsistent { base_offset: 0, why: "bytes follow the last record" })
}
