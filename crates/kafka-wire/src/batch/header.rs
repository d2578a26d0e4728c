//! The 61-byte header of a RecordBatch v2, read where it lies.
//!
//! A [`Batch`] is exactly one whole batch inside a fetched frame: no byte is copied or decoded before it is
//! asked for. Layout: Kafka's `DefaultRecordBatch`.

use bytes::Bytes;

use super::codec_id::Codec;
use super::{BatchError, crc};

/// Bytes before the records of a v2 batch.
pub const HEADER_SIZE: usize = 61;
/// Bytes of offset and length that precede what the length field counts, in every message format.
pub(super) const LOG_OVERHEAD: usize = 12;

pub(super) const BASE_OFFSET: usize = 0;
pub(super) const LENGTH: usize = 8;
pub(super) const LEADER_EPOCH: usize = 12;
pub(super) const MAGIC: usize = 16;
pub(super) const CRC: usize = 17;
pub(super) const ATTRIBUTES: usize = 21;
pub(super) const LAST_OFFSET_DELTA: usize = 23;
pub(super) const BASE_TIMESTAMP: usize = 27;
pub(super) const MAX_TIMESTAMP: usize = 35;
pub(super) const PRODUCER_ID: usize = 43;
pub(super) const PRODUCER_EPOCH: usize = 51;
pub(super) const BASE_SEQUENCE: usize = 53;
pub(super) const COUNT: usize = 57;

/// `N` bytes at `at`; the callers' types guarantee that they exist.
pub(super) fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

/// The attributes field of a v2 batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub i16);

impl Attributes {
    pub(super) const LOG_APPEND_TIME: i16 = 1 << 3;
    pub(super) const TRANSACTIONAL: i16 = 1 << 4;
    pub(super) const CONTROL: i16 = 1 << 5;
    pub(super) const DELETE_HORIZON: i16 = 1 << 6;

    /// Bits 0 to 2: how the records are compressed.
    pub fn codec(self) -> Codec {
        Codec::from_id((self.0 & 7) as u8)
    }

    /// Bit 3: every record's timestamp is the batch's max timestamp (broker's clock), not base + delta.
    pub fn log_append_time(self) -> bool {
        self.0 & Self::LOG_APPEND_TIME != 0
    }

    /// Bit 4: written inside a transaction.
    pub fn transactional(self) -> bool {
        self.0 & Self::TRANSACTIONAL != 0
    }

    /// Bit 5: a commit or abort marker, never data.
    pub fn control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }

    /// Bit 6: the base timestamp is the time after which the cleaner may drop tombstones (KIP-534).
    pub fn delete_horizon(self) -> bool {
        self.0 & Self::DELETE_HORIZON != 0
    }
}

/// Exactly one whole RecordBatch v2, as a broker stored it. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// At least [`HEADER_SIZE`] bytes, exactly as many as the length field says, magic 2.
    bytes: Bytes,
}

impl Batch {
    /// Smallest value of the length field.
    pub(super) const MIN_LENGTH: i32 = (HEADER_SIZE - LOG_OVERHEAD) as i32;

    /// Views `bytes` as one batch.
    ///
    /// # Errors
    /// When they are not exactly one v2 batch by length field and magic. The content is not looked at.
    pub fn new(bytes: Bytes) -> Result<Batch, BatchError> {
        if bytes.len() < HEADER_SIZE {
            return Err(BatchError::NotOneBatch { actual: bytes.len(), expected: HEADER_SIZE });
        }
        let magic = bytes[MAGIC] as i8;
        if magic != 2 {
            return Err(BatchError::Magic { position: 0, magic });
        }
        let length = i32::from_be_bytes(field(&bytes, LENGTH));
        if length < Self::MIN_LENGTH {
            return Err(BatchError::Length { position: 0, length, minimum: Self::MIN_LENGTH });
        }
        let expected = length as usize + LOG_OVERHEAD;
        if bytes.len() != expected {
            return Err(BatchError::NotOneBatch { actual: bytes.len(), expected });
        }
        Ok(Batch { bytes })
    }

    /// For callers that have checked length field and magic already.
    pub(super) fn from_checked(bytes: Bytes) -> Batch {
        debug_assert!(Batch::new(bytes.clone()).is_ok());
        Batch { bytes }
    }

    /// Offset of the first record the batch was written with (that record may be compacted away).
    pub fn base_offset(&self) -> i64 {
        i64::from_be_bytes(field(&self.bytes, BASE_OFFSET))
    }

    /// Epoch of the leader that appended the batch.
    pub fn partition_leader_epoch(&self) -> i32 {
        i32::from_be_bytes(field(&self.bytes, LEADER_EPOCH))
    }

    /// Message format, always 2.
    pub fn magic(&self) -> i8 {
        self.bytes[MAGIC] as i8
    }

    /// Stored CRC32C of everything from the attributes on.
    pub fn crc(&self) -> u32 {
        u32::from_be_bytes(field(&self.bytes, CRC))
    }

    /// Codec, timestamp type and kind of the batch.
    pub fn attributes(&self) -> Attributes {
        Attributes(i16::from_be_bytes(field(&self.bytes, ATTRIBUTES)))
    }

    /// `last offset - base offset` as written.
    pub fn last_offset_delta(&self) -> i32 {
        i32::from_be_bytes(field(&self.bytes, LAST_OFFSET_DELTA))
    }

    /// Time that the records' timestamp deltas are relative to, ms since 1970.
    pub fn base_timestamp(&self) -> i64 {
        i64::from_be_bytes(field(&self.bytes, BASE_TIMESTAMP))
    }

    /// Largest timestamp in the batch (append time with [`Attributes::log_append_time`]), ms since 1970.
    pub fn max_timestamp(&self) -> i64 {
        i64::from_be_bytes(field(&self.bytes, MAX_TIMESTAMP))
    }

    /// Producer id, -1 when the producer was not idempotent.
    pub fn producer_id(&self) -> i64 {
        i64::from_be_bytes(field(&self.bytes, PRODUCER_ID))
    }

    /// Epoch of the producer id.
    pub fn producer_epoch(&self) -> i16 {
        i16::from_be_bytes(field(&self.bytes, PRODUCER_EPOCH))
    }

    /// Sequence number of the first record.
    pub fn base_sequence(&self) -> i32 {
        i32::from_be_bytes(field(&self.bytes, BASE_SEQUENCE))
    }

    /// Number of records in the batch; 0 when compaction removed them all.
    pub fn count(&self) -> i32 {
        i32::from_be_bytes(field(&self.bytes, COUNT))
    }

    /// Last offset the batch covers, never below [`Batch::base_offset`] whatever the header says.
    pub fn last_offset(&self) -> i64 {
        self.base_offset().saturating_add(i64::from(self.last_offset_delta().max(0)))
    }

    /// Offset to read on from after this batch. Reading on from anything else (a counted record) hangs on
    /// compacted topics.
    pub fn next_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }

    /// Bytes of the whole batch on the wire.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The records as stored (compressed as a whole when the codec says so); shares the frame's memory.
    pub fn payload(&self) -> Bytes {
        self.bytes.slice(HEADER_SIZE..)
    }

    /// The whole batch as stored.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Recomputes the CRC over header and records and compares it with the stored one.
    pub fn crc_is_valid(&self) -> bool {
        crc::crc32c(&self.bytes[ATTRIBUTES..]) == self.crc()
    }

    /// True when the header promises records at every offset of the batch: what a broker asks of a produced
    /// batch. False for empty and for compacted batches.
    pub fn is_dense(&self) -> bool {
        is_dense(self.count(), self.last_offset_delta())
    }

    /// The header bytes the CRC covers.
    pub(super) fn crc_covered_header(&self) -> &[u8] {
        &self.bytes[ATTRIBUTES..HEADER_SIZE]
    }
}

/// `count > 0 && last_offset_delta + 1 == count`.
pub(super) fn is_dense(count: i32, last_offset_delta: i32) -> bool {
    count > 0 && last_offset_delta == count - 1
}
