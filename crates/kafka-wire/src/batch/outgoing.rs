//! Batches ready to be produced: a header of our own in front of a payload that is not touched.
//!
//! The holder of an [`OutgoingBatch`] can ask for its 61 header bytes with any producer id, epoch and
//! sequence, any number of times (retries, new epochs); the payload goes to the socket as it is. All three
//! producer fields are always written: brokers accept half-set ones and store them.

use bytes::{BufMut, Bytes, BytesMut};

use super::header::{
    ATTRIBUTES, BASE_OFFSET, BASE_SEQUENCE, BASE_TIMESTAMP, COUNT, CRC, HEADER_SIZE, LAST_OFFSET_DELTA,
    LEADER_EPOCH, LENGTH, LOG_OVERHEAD, MAGIC, MAX_TIMESTAMP, PRODUCER_EPOCH, PRODUCER_ID, field, is_dense,
};
use super::{Attributes, Batch, BatchError, Codec, crc};
use crate::failpoint::planted;

/// A batch for a Produce request. Cloning shares the payload.
#[derive(Clone, Debug)]
pub struct OutgoingBatch {
    /// Base offset 0, leader epoch -1, producer fields -1; the CRC field is written by
    /// [`OutgoingBatch::header_for`].
    header: [u8; HEADER_SIZE],
    /// CRC over some header (`header_crc`) followed by the payload.
    crc: u32,
    /// CRC of the header bytes that went into `crc`; 0 when `crc` is that of the payload alone.
    header_crc: u32,
    payload: Bytes,
}

/// Content of the header of a new batch.
pub(super) struct NewHeader {
    pub(super) attributes: Attributes,
    pub(super) count: i32,
    pub(super) base_timestamp: i64,
    pub(super) max_timestamp: i64,
}

impl OutgoingBatch {
    /// Passes a fetched batch on: same payload bytes, same checksum over them.
    ///
    /// Cleared are the transactional bit, the delete-horizon bit (the next cleaner would drop tombstones at
    /// once) and, when `clear_log_append_time`, the timestamp type: right only when the topic written to
    /// stamps with LogAppendTime itself, else the records would fall back to the original producers' times
    /// ([`super::reencode()`] keeps the append time instead).
    ///
    /// The caller has checked [`Batch::is_dense`], [`Batch::crc_is_valid`] and that it is no control batch.
    pub fn pass(batch: &Batch, clear_log_append_time: bool) -> OutgoingBatch {
        let dense = batch.is_dense() || planted("merge-across-hole");
        debug_assert!(dense && !batch.attributes().control(), "only dense data batches pass");
        let mut cleared = Attributes::TRANSACTIONAL | Attributes::DELETE_HORIZON;
        if clear_log_append_time {
            cleared |= Attributes::LOG_APPEND_TIME;
        }
        let attributes = Attributes(batch.attributes().0 & !cleared);
        let mut header: [u8; HEADER_SIZE] = field(batch.bytes(), 0);
        header[ATTRIBUTES..LAST_OFFSET_DELTA].copy_from_slice(&attributes.0.to_be_bytes());
        if planted("merge-across-hole") {
            header[LAST_OFFSET_DELTA..BASE_TIMESTAMP].copy_from_slice(&(batch.count() - 1).to_be_bytes());
        }
        clear_log_fields(&mut header);
        OutgoingBatch {
            header,
            crc: batch.crc(),
            header_crc: crc::crc32c(batch.crc_covered_header()),
            payload: batch.payload(),
        }
    }

    /// A batch around a payload of our own making, whose records have offset deltas `0..count`.
    pub(super) fn new(new: NewHeader, payload: Bytes) -> Result<OutgoingBatch, BatchError> {
        if new.count <= 0 {
            return Err(BatchError::Empty);
        }
        let length =
            i32::try_from(payload.len() + HEADER_SIZE - LOG_OVERHEAD).map_err(|_| BatchError::Overflow)?;
        let mut header = [0; HEADER_SIZE];
        header[LENGTH..LEADER_EPOCH].copy_from_slice(&length.to_be_bytes());
        header[MAGIC] = 2;
        header[ATTRIBUTES..LAST_OFFSET_DELTA].copy_from_slice(&new.attributes.0.to_be_bytes());
        header[LAST_OFFSET_DELTA..BASE_TIMESTAMP].copy_from_slice(&(new.count - 1).to_be_bytes());
        header[BASE_TIMESTAMP..MAX_TIMESTAMP].copy_from_slice(&new.base_timestamp.to_be_bytes());
        header[MAX_TIMESTAMP..PRODUCER_ID].copy_from_slice(&new.max_timestamp.to_be_bytes());
        header[COUNT..].copy_from_slice(&new.count.to_be_bytes());
        clear_log_fields(&mut header);
        Ok(OutgoingBatch { header, crc: crc::crc32c(&payload), header_crc: 0, payload })
    }

    /// The header to send in front of [`OutgoingBatch::payload`]; -1, -1, -1 for a producer without an id.
    /// Costs a few hundred nanoseconds whatever the payload's size.
    pub fn header_for(&self, producer_id: i64, producer_epoch: i16, base_sequence: i32) -> [u8; HEADER_SIZE] {
        let mut header = self.header;
        header[PRODUCER_ID..PRODUCER_EPOCH].copy_from_slice(&producer_id.to_be_bytes());
        header[PRODUCER_EPOCH..BASE_SEQUENCE].copy_from_slice(&producer_epoch.to_be_bytes());
        header[BASE_SEQUENCE..COUNT].copy_from_slice(&base_sequence.to_be_bytes());
        let difference = self.header_crc ^ crc::crc32c(&header[ATTRIBUTES..]);
        let crc = self.crc ^ crc::shift(difference, self.payload.len() as u32);
        header[CRC..ATTRIBUTES].copy_from_slice(&crc.to_be_bytes());
        header
    }

    /// Header without producer id, and payload, in one buffer: for tests and for whoever cannot write
    /// vectored.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(self.size());
        out.put_slice(&self.header_for(-1, -1, -1));
        out.put_slice(&self.payload);
        out.freeze()
    }

    /// The same batch with a payload of its own: it no longer holds the frame that it came in.
    pub fn detached(&self) -> OutgoingBatch {
        OutgoingBatch { payload: Bytes::copy_from_slice(&self.payload), ..self.clone() }
    }

    /// Number of records, at least 1: what the producer's sequence grows by.
    pub fn count(&self) -> i32 {
        i32::from_be_bytes(field(&self.header, COUNT))
    }

    /// Bytes on the wire, header included.
    pub fn size(&self) -> usize {
        HEADER_SIZE + self.payload.len()
    }

    /// Bytes that follow the header on the wire.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// Attributes as they will be sent.
    pub fn attributes(&self) -> Attributes {
        Attributes(i16::from_be_bytes(field(&self.header, ATTRIBUTES)))
    }

    /// Codec of the records.
    pub fn codec(&self) -> Codec {
        self.attributes().codec()
    }

    /// True when the batch still says LogAppendTime: brokers refuse or misread that, see
    /// [`OutgoingBatch::pass`].
    pub fn log_append_time(&self) -> bool {
        self.attributes().log_append_time()
    }

    /// Time that the records' timestamp deltas are relative to, ms since 1970.
    pub fn base_timestamp(&self) -> i64 {
        i64::from_be_bytes(field(&self.header, BASE_TIMESTAMP))
    }

    /// Largest timestamp of the records, ms since 1970.
    pub fn max_timestamp(&self) -> i64 {
        i64::from_be_bytes(field(&self.header, MAX_TIMESTAMP))
    }

    /// True when the header promises a record for each offset delta from 0 to count - 1.
    pub fn is_dense(&self) -> bool {
        is_dense(self.count(), i32::from_be_bytes(field(&self.header, LAST_OFFSET_DELTA)))
    }
}

/// Base offset 0 as brokers demand, and no leader epoch, producer id, producer epoch or sequence.
fn clear_log_fields(header: &mut [u8; HEADER_SIZE]) {
    header[BASE_OFFSET..LENGTH].fill(0);
    header[LEADER_EPOCH..MAGIC].fill(0xff);
    header[PRODUCER_ID..COUNT].fill(0xff);
}
