//! Errors of record batches, one type for the whole `batch` module.

use super::codec_id::Codec;

/// Reason why bytes could not be read as record batches, or records not be written as one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The length field of an entry is smaller than any entry of its format.
    #[error(
        "entry at byte {position} says it is {length} bytes long, the minimum is {minimum}: corrupt log data"
    )]
    Length {
        /// Start of the entry in the record set, bytes.
        position: usize,
        /// The length field as found.
        length: i32,
        /// The smallest length its format allows.
        minimum: i32,
    },
    /// The entry is of a message format that does not exist.
    #[error("entry at byte {position} has message format (magic) {magic}; 0, 1 and 2 exist")]
    Magic {
        /// Start of the entry in the record set, bytes.
        position: usize,
        /// The magic byte as found.
        magic: i8,
    },
    /// The bytes handed over are not exactly one batch.
    #[error("{actual} bytes are not exactly one batch of {expected} bytes")]
    NotOneBatch {
        /// Bytes handed over.
        actual: usize,
        /// Bytes the batch has by its header.
        expected: usize,
    },
    /// A record inside a batch cannot be read.
    #[error("record {index} of the batch at offset {base_offset} is malformed: {why}")]
    Record {
        /// Base offset of the batch (0 in batches to be produced).
        base_offset: i64,
        /// Index of the record in the batch, from 0.
        index: i32,
        /// Reason: the part that did not fit.
        why: &'static str,
    },
    /// Encoded record headers cannot be read.
    #[error("record headers are malformed: {why}")]
    Headers {
        /// Reason: the part that did not fit.
        why: &'static str,
    },
    /// The header of a batch contradicts its content.
    #[error("batch at offset {base_offset} is inconsistent: {why}")]
    Inconsistent {
        /// Base offset of the batch (0 in batches to be produced).
        base_offset: i64,
        /// Reason: the two that contradict each other.
        why: &'static str,
    },
    /// The payload cannot be decompressed or compressed.
    #[error("{codec} payload: {why}")]
    Compression {
        /// The codec that was used.
        codec: Codec,
        /// The codec's complaint.
        why: String,
    },
    /// The payload grows beyond the limit when decompressed.
    #[error("{codec} payload grows beyond the limit of {limit} bytes when decompressed")]
    TooMuchData {
        /// The codec that was used.
        codec: Codec,
        /// The limit, bytes.
        limit: usize,
    },
    /// A batch without records cannot be produced.
    #[error("a batch needs at least one record")]
    Empty,
    /// More bytes or records than a batch can count (2^31 - 1).
    #[error("more bytes or records than one batch can hold (2^31 - 1)")]
    Overflow,
    /// Batches that cannot be merged.
    #[error("batches cannot be merged: {why}")]
    NotMergeable {
        /// The property that prevents it.
        why: &'static str,
    },
    /// The merged batch would exceed the limit it was given.
    #[error("merged batch exceeds the limit of {limit} bytes")]
    MergedTooLarge {
        /// The limit, bytes.
        limit: usize,
    },
    /// One record alone exceeds the limit of a batch.
    #[error("the record at offset {offset} alone makes a batch of {size} bytes, the limit is {limit}")]
    RecordTooLarge {
        /// Offset of the record in the log that it was read from.
        offset: i64,
        /// Bytes of a batch that holds only this record.
        size: usize,
        /// The limit, bytes.
        limit: usize,
    },
}
