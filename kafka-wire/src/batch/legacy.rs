//! Messages of the formats before v2 (magic 0 and 1), which old segments of brokers before 4.0 may still hold.
//!
//! One [`LegacySet`] is one stored message: plain, or a wrapper whose value is a compressed set of messages.

use bytes::Bytes;

use super::Codec;
use super::header::{BASE_OFFSET, LOG_OVERHEAD, MAGIC, field};

const CRC: usize = 12;
const ATTRIBUTES: usize = 17;
const TIMESTAMP: usize = 18;

/// One whole message of format 0 or 1, or a compressed wrapper. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacySet {
    /// Exactly as many bytes as the length field says, at least the minimum of its magic (0 or 1).
    bytes: Bytes,
}

impl LegacySet {
    /// Smallest value of the length field: CRC, magic, attributes, timestamp (magic 1), two lengths.
    pub(super) const fn min_length(magic: i8) -> i32 {
        if magic == 0 { 14 } else { 22 }
    }

    /// For [`super::split()`], which has checked length and magic.
    pub(super) fn from_checked(bytes: Bytes) -> LegacySet {
        debug_assert!(bytes.len() >= LOG_OVERHEAD + Self::min_length(bytes[MAGIC] as i8) as usize);
        LegacySet { bytes }
    }

    /// Message format, 0 or 1.
    pub fn magic(&self) -> i8 {
        self.bytes[MAGIC] as i8
    }

    /// Stored CRC32 of everything from the magic on.
    pub fn crc(&self) -> u32 {
        u32::from_be_bytes(field(&self.bytes, CRC))
    }

    /// Recomputes the CRC and compares it with the stored one.
    pub fn crc_is_valid(&self) -> bool {
        let mut crc = flate2::Crc::new();
        crc.update(&self.bytes[MAGIC..]);
        crc.sum() == self.crc()
    }

    /// How the wrapped messages are compressed; `None`: this is a plain message.
    pub fn codec(&self) -> Codec {
        Codec::from_id(self.bytes[ATTRIBUTES] & 7)
    }

    /// True when the timestamp is the broker's (magic 1, bit 3) and counts for all wrapped messages.
    pub fn log_append_time(&self) -> bool {
        self.magic() == 1 && self.bytes[ATTRIBUTES] & 8 != 0
    }

    /// Timestamp of the message (wrapper: the largest inside), ms since 1970; -1 for magic 0.
    pub fn timestamp(&self) -> i64 {
        if self.magic() == 0 { -1 } else { i64::from_be_bytes(field(&self.bytes, TIMESTAMP)) }
    }

    /// Offset of the message; of a wrapper: the offset of its last message.
    pub fn last_offset(&self) -> i64 {
        i64::from_be_bytes(field(&self.bytes, BASE_OFFSET))
    }

    /// Where to read on after this entry.
    pub fn next_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }

    /// Bytes of the entry on the wire.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}
