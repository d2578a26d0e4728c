//! Batches written as a broker writes them: with offsets and timestamps as they are kept, holes and all.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_wire::batch::{Batch, BatchError, Codec, HEADER_SIZE, Headers};

/// Positions of header fields, bytes.
const LEADER_EPOCH: usize = 12;
const CRC: usize = 17;
const ATTRIBUTES: usize = 21;
const BASE_TIMESTAMP: usize = 27;
const MAX_TIMESTAMP: usize = 35;
const PRODUCER_EPOCH: usize = 51;
const BASE_SEQUENCE: usize = 53;
const COUNT: usize = 57;

/// Bit of the attributes that says that timestamps are those of the append.
pub(crate) const LOG_APPEND_TIME: i16 = 1 << 3;
/// Bit of the attributes that says that the batch belongs to a transaction.
pub(crate) const TRANSACTIONAL: i16 = 1 << 4;
/// Bit of the attributes that marks control batches.
pub(crate) const CONTROL: i16 = 1 << 5;
/// Bit of the attributes that says that the base timestamp is when tombstones may go.
pub(crate) const DELETE_HORIZON: i16 = 1 << 6;

/// A batch whose header is being changed.
pub(crate) struct Header {
    bytes: BytesMut,
    covered: bool,
}

impl Header {
    pub(crate) fn of(batch: &Bytes) -> Self {
        Self { bytes: BytesMut::from(&batch[..]), covered: false }
    }

    pub(crate) fn base_offset(&mut self, value: i64) {
        self.bytes[..8].copy_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn leader_epoch(&mut self, value: i32) {
        self.put(LEADER_EPOCH, &value.to_be_bytes());
    }

    pub(crate) fn attributes(&mut self, value: i16) {
        self.put_covered(ATTRIBUTES, &value.to_be_bytes());
    }

    pub(crate) fn max_timestamp(&mut self, value: i64) {
        self.put_covered(MAX_TIMESTAMP, &value.to_be_bytes());
    }

    /// The batch, its CRC made anew if a field that it covers was changed.
    pub(crate) fn finish(mut self) -> Bytes {
        if self.covered {
            let crc = crc32c::crc32c(&self.bytes[ATTRIBUTES..]);
            self.put(CRC, &crc.to_be_bytes());
        }
        self.bytes.freeze()
    }

    fn put(&mut self, at: usize, value: &[u8]) {
        self.bytes[at..at + value.len()].copy_from_slice(value);
    }

    fn put_covered(&mut self, at: usize, value: &[u8]) {
        if self.bytes[at..at + value.len()] != *value {
            self.put(at, value);
            self.covered = true;
        }
    }
}

/// One record to write.
pub(crate) struct Item {
    pub(crate) offset_delta: i32,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    pub(crate) headers: Headers,
}

/// Content of a batch's header.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) base_offset: i64,
    pub(crate) leader_epoch: i32,
    /// With the codec's bits.
    pub(crate) attributes: i16,
    pub(crate) last_offset_delta: i32,
    pub(crate) base_timestamp: i64,
    pub(crate) max_timestamp: i64,
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) base_sequence: i32,
}

impl Shape {
    /// The header of a stored batch.
    pub(crate) fn of(batch: &Batch) -> Self {
        Self {
            base_offset: batch.base_offset(),
            leader_epoch: batch.partition_leader_epoch(),
            attributes: batch.attributes().0,
            last_offset_delta: batch.last_offset_delta(),
            base_timestamp: batch.base_timestamp(),
            max_timestamp: batch.max_timestamp(),
            producer_id: batch.producer_id(),
            producer_epoch: batch.producer_epoch(),
            base_sequence: batch.base_sequence(),
        }
    }
}

/// A batch of these records.
///
/// # Errors
/// For a codec that does not exist.
pub(crate) fn encode(shape: Shape, items: &[Item]) -> Result<Bytes, BatchError> {
    let mut records = Vec::new();
    for item in items {
        push_record(&mut records, shape.base_timestamp, item);
    }
    let codec = Codec::from_id((shape.attributes & 7) as u8);
    // An emptied batch has no payload, whatever its codec.
    let payload = if items.is_empty() { Bytes::new() } else { codec.compress(records)? };
    let mut out = BytesMut::with_capacity(HEADER_SIZE + payload.len());
    out.put_i64(shape.base_offset);
    out.put_i32((HEADER_SIZE - 12 + payload.len()) as i32);
    out.put_i32(shape.leader_epoch);
    out.put_i8(2);
    out.put_u32(0);
    out.put_i16(shape.attributes);
    out.put_i32(shape.last_offset_delta);
    out.put_i64(shape.base_timestamp);
    out.put_i64(shape.max_timestamp);
    out.put_i64(shape.producer_id);
    debug_assert_eq!(out.len(), PRODUCER_EPOCH);
    out.put_i16(shape.producer_epoch);
    debug_assert_eq!(out.len(), BASE_SEQUENCE);
    out.put_i32(shape.base_sequence);
    debug_assert_eq!(out.len(), COUNT);
    out.put_i32(items.len() as i32);
    out.put_slice(&payload);
    let crc = crc32c::crc32c(&out[ATTRIBUTES..]);
    out[CRC..CRC + 4].copy_from_slice(&crc.to_be_bytes());
    debug_assert_eq!(out[BASE_TIMESTAMP..MAX_TIMESTAMP], shape.base_timestamp.to_be_bytes());
    Ok(out.freeze())
}

/// A control batch with a transaction's end.
pub(crate) fn marker(shape: Shape, commit: bool, coordinator_epoch: i32) -> Bytes {
    let key = Bytes::copy_from_slice(&[0, 0, 0, u8::from(commit)]);
    let mut value = BytesMut::with_capacity(6);
    value.put_i16(0);
    value.put_i32(coordinator_epoch);
    let item = Item {
        offset_delta: 0,
        timestamp: shape.base_timestamp,
        key: Some(key),
        value: Some(value.freeze()),
        headers: Headers::empty(),
    };
    let shape = Shape { attributes: TRANSACTIONAL | CONTROL, ..shape };
    encode(shape, &[item]).expect("uncompressed batches can always be written")
}

fn push_record(out: &mut Vec<u8>, base_timestamp: i64, item: &Item) {
    let mut body = vec![0];
    push_varint(&mut body, item.timestamp.wrapping_sub(base_timestamp));
    push_varint(&mut body, i64::from(item.offset_delta));
    for field in [&item.key, &item.value] {
        match field {
            Some(bytes) => {
                push_varint(&mut body, bytes.len() as i64);
                body.extend_from_slice(bytes);
            }
            None => push_varint(&mut body, -1),
        }
    }
    body.extend_from_slice(item.headers.raw());
    push_varint(out, body.len() as i64);
    out.extend_from_slice(&body);
}

fn push_varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}
