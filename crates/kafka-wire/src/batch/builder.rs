//! Writes records into a new batch.
//!
//! The builder numbers the records itself and checks what it wrote before it lets go of it: offset deltas
//! `0..count`, nothing left over.

use super::header::HEADER_SIZE;
use super::outgoing::NewHeader;
use super::record_headers::push_bytes;
use super::{Attributes, BatchError, Codec, Headers, OutgoingBatch, codec, records, varint};

/// Collects records (CreateTime) for one [`OutgoingBatch`].
#[derive(Debug)]
pub struct BatchBuilder {
    codec: Codec,
    level: Option<i32>,
    data: Vec<u8>,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
}

impl BatchBuilder {
    /// An empty batch to be compressed with `codec` at its default level.
    pub fn new(codec: Codec) -> BatchBuilder {
        BatchBuilder { codec, level: None, data: Vec::new(), count: 0, base_timestamp: -1, max_timestamp: -1 }
    }

    /// Sets the compression level on the codec's own scale (gzip 0 to 9, zstd -7 to 22; the others have
    /// none).
    pub fn with_level(mut self, level: i32) -> BatchBuilder {
        self.level = Some(level);
        self
    }

    /// Number of records so far.
    pub fn count(&self) -> i32 {
        self.count
    }

    /// True while there is no record.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the batch before compression, header included.
    pub fn uncompressed_size(&self) -> usize {
        HEADER_SIZE + self.data.len()
    }

    /// Appends a record; `timestamp` in ms since 1970, -1 for none.
    ///
    /// # Errors
    /// [`BatchError::Overflow`] when the batch would exceed 2^31 - 1 bytes or records; the record is not in
    /// it then.
    pub fn push(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &Headers,
    ) -> Result<(), BatchError> {
        if self.count == 0 {
            self.base_timestamp = timestamp;
            self.max_timestamp = timestamp;
        }
        let timestamp_delta = timestamp.wrapping_sub(self.base_timestamp);
        let offset_delta = i64::from(self.count);
        let length = 1
            + varint::len(timestamp_delta)
            + varint::len(offset_delta)
            + field_len(key)
            + field_len(value)
            + headers.raw().len();
        if self.uncompressed_size() + varint::MAX_LEN + length > i32::MAX as usize || self.count == i32::MAX {
            return Err(BatchError::Overflow);
        }
        self.data.reserve(varint::MAX_LEN + length);
        varint::push(&mut self.data, length as i64);
        self.data.push(0);
        varint::push(&mut self.data, timestamp_delta);
        varint::push(&mut self.data, offset_delta);
        push_bytes(&mut self.data, key);
        push_bytes(&mut self.data, value);
        self.data.extend_from_slice(headers.raw());
        self.max_timestamp = self.max_timestamp.max(timestamp);
        self.count += 1;
        Ok(())
    }

    /// Checks, compresses and closes the batch.
    ///
    /// # Errors
    /// [`BatchError::Empty`] without a record; compression errors; and, should this builder ever miscount,
    /// the violated rule instead of a batch that a broker would store.
    pub fn finish(self) -> Result<OutgoingBatch, BatchError> {
        records::check_dense(&self.data, self.count)?;
        let header = NewHeader {
            attributes: Attributes(i16::from(self.codec.id())),
            count: self.count,
            base_timestamp: self.base_timestamp,
            max_timestamp: self.max_timestamp,
        };
        OutgoingBatch::new(header, codec::compress(self.codec, self.level, self.data)?)
    }
}

/// Bytes of a nullable field with its length.
fn field_len(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |bytes| varint::len(bytes.len() as i64) + bytes.len())
}
