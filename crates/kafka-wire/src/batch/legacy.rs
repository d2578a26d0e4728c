//! Messages of the formats before v2 (magic 0 and 1), which old segments of brokers before 4.0 may still
//! hold.
//!
//! One [`LegacySet`] is one stored message: plain, or a wrapper whose value is a compressed set of messages.

use std::ops::Range;

use bytes::Bytes;

use super::codec::{DEFAULT_DECOMPRESSED_LIMIT, decompress};
use super::header::{BASE_OFFSET, LENGTH, LOG_OVERHEAD, MAGIC, field};
use super::{BatchError, Codec, Headers, Record, lz4_legacy};

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

    /// Codec of the wrapped messages; `None`: this is a plain message.
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

    /// Offset to read on from after this entry.
    pub fn next_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }

    /// Bytes of the entry on the wire.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The message, or the messages inside the wrapper, with absolute offsets; timestamps as a consumer sees
    /// them, -1 in magic 0. Decompressed to at most [`DEFAULT_DECOMPRESSED_LIMIT`] bytes.
    ///
    /// # Errors
    /// When the wrapper cannot be decompressed or is empty. Malformed messages show while iterating.
    pub fn records(&self) -> Result<LegacyRecords, BatchError> {
        let stamped = self.log_append_time().then(|| self.timestamp());
        self.records_stamped(DEFAULT_DECOMPRESSED_LIMIT, stamped)
    }

    /// The messages, all with the timestamp `stamped` if there is one.
    pub(super) fn records_stamped(
        &self,
        limit: usize,
        stamped: Option<i64>,
    ) -> Result<LegacyRecords, BatchError> {
        let mut records = LegacyRecords {
            data: self.bytes.clone(),
            position: 0,
            index: 0,
            shift: 0,
            stamped,
            wrapped: false,
        };
        let codec = self.codec();
        if codec == Codec::None {
            return Ok(records);
        }
        let message = Message::read(&self.bytes, 0).map_err(|why| self.malformed(why))?;
        let value = message.value.ok_or(self.malformed("compressed, but its value is null"))?;
        let mut value = self.bytes.slice(value);
        if codec == Codec::Lz4 && self.magic() == 0 {
            value = lz4_legacy::repair(&value);
        }
        records.data = decompress(codec, &value, limit)?;
        records.wrapped = true;
        if self.magic() == 1 {
            let last = last_offset(&records.data).ok_or(self.malformed("a wrapper without messages"))?;
            records.shift = self.last_offset().wrapping_sub(last);
        }
        Ok(records)
    }

    fn malformed(&self, why: &'static str) -> BatchError {
        BatchError::Record { base_offset: self.last_offset(), index: 0, why }
    }
}

/// Iterator over the messages of one [`LegacySet`]. After an error it yields nothing more.
#[derive(Clone, Debug)]
pub struct LegacyRecords {
    data: Bytes,
    position: usize,
    index: i32,
    /// Term that makes the offsets absolute: magic 1 wrappers hold relative ones, the last of which is the
    /// wrapper's own.
    shift: i64,
    stamped: Option<i64>,
    wrapped: bool,
}

impl LegacyRecords {
    fn read(&mut self) -> Result<Record, &'static str> {
        let message = Message::read(&self.data, self.position)?;
        if self.wrapped && message.codec != Codec::None {
            return Err("a compressed message inside a compressed message");
        }
        self.position = message.end;
        self.index += 1;
        Ok(Record {
            offset: message.offset.wrapping_add(self.shift),
            timestamp: self.stamped.unwrap_or(message.timestamp),
            key: message.key.map(|range| self.data.slice(range)),
            value: message.value.map(|range| self.data.slice(range)),
            headers: Headers::empty(),
        })
    }
}

impl Iterator for LegacyRecords {
    type Item = Result<Record, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.position >= self.data.len() {
            return None;
        }
        Some(self.read().map_err(|why| {
            self.position = self.data.len();
            BatchError::Record { base_offset: self.shift, index: self.index, why }
        }))
    }
}

/// The fields of one message; ranges count from the start of the data.
struct Message {
    offset: i64,
    timestamp: i64,
    codec: Codec,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    end: usize,
}

impl Message {
    /// Reads the message that starts at `at`, which must be there as a whole.
    fn read(data: &[u8], at: usize) -> Result<Message, &'static str> {
        let (offset, end) = frame(data, at).ok_or("its length does not fit")?;
        let magic = data[at + MAGIC] as i8;
        if !(0..=1).contains(&magic) || end - at < LOG_OVERHEAD + LegacySet::min_length(magic) as usize {
            return Err("its length does not fit its message format");
        }
        let timestamp = if magic == 0 { -1 } else { i64::from_be_bytes(field(data, at + TIMESTAMP)) };
        let fields = at + if magic == 0 { TIMESTAMP } else { TIMESTAMP + 8 };
        let (key, after) = nullable(&data[..end], fields).ok_or("its key does not fit")?;
        let (value, after) = nullable(&data[..end], after).ok_or("its value does not fit")?;
        if after != end {
            return Err("bytes follow its value");
        }
        Ok(Message { offset, timestamp, codec: Codec::from_id(data[at + ATTRIBUTES] & 7), key, value, end })
    }
}

/// Offset and end of the message at `at`, when it is there as a whole and long enough for any format.
fn frame(data: &[u8], at: usize) -> Option<(i64, usize)> {
    let rest = data.get(at..)?;
    if rest.len() < LOG_OVERHEAD {
        return None;
    }
    let length = i32::from_be_bytes(field(rest, LENGTH));
    let size = usize::try_from(length).ok()?.checked_add(LOG_OVERHEAD)?;
    (length >= LegacySet::min_length(0) && size <= rest.len())
        .then(|| (i64::from_be_bytes(field(rest, BASE_OFFSET)), at + size))
}

/// Offset field of the last message; `None` when there is none or the set is torn.
fn last_offset(data: &[u8]) -> Option<i64> {
    let mut last = None;
    let mut at = 0;
    while at < data.len() {
        let (offset, end) = frame(data, at)?;
        last = Some(offset);
        at = end;
    }
    last
}

/// Range of the bytes whose 32-bit length stands at `at` (negative: null), and where reading goes on.
fn nullable(data: &[u8], at: usize) -> Option<(Option<Range<usize>>, usize)> {
    let (length, _) = data.get(at..)?.split_first_chunk()?;
    let start = at + 4;
    let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
        return Some((None, start));
    };
    let end = start.checked_add(length)?;
    (end <= data.len()).then_some((Some(start..end), end))
}

#[cfg(test)]
#[path = "legacy_tests.rs"]
mod tests;
