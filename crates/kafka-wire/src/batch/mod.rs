//! Record batches as bytes: viewed, cut, passed on, merged and, when nothing else helps, encoded again.
//!
//! The copy path moves whole RecordBatch v2 blocks from a Fetch answer into a Produce request: [`split()`]
//! cuts the fetched bytes into [`Batch`]es without copying, [`OutgoingBatch::pass`] puts a header of its own
//! in front of the same payload. What cannot pass is rebuilt: [`merge()`] joins small uncompressed batches,
//! [`reencode()`] closes the holes of compacted ones, crops, and lifts old message formats.
//!
//! Guarantees: no input, however hostile, makes this module panic or allocate more than its stated limits; a
//! batch made here has offset deltas `0..count`, which brokers do not check for uncompressed data and whose
//! violation makes consumers skip records silently.

mod builder;
mod codec;
mod codec_id;
mod control;
mod crc;
mod error;
mod header;
mod legacy;
mod lz4_legacy;
mod merge;
mod outgoing;
mod record_headers;
mod records;
mod reencode;
mod snappy;
mod split;
mod varint;

#[cfg(test)]
mod java_vectors_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;

pub use builder::BatchBuilder;
pub use codec::DEFAULT_DECOMPRESSED_LIMIT;
pub use codec_id::Codec;
pub use control::{ControlType, control_type};
pub use error::BatchError;
pub use header::{Attributes, Batch, HEADER_SIZE};
pub use legacy::{LegacyRecords, LegacySet};
pub use merge::{MergePlan, merge, merged_size_upper_bound};
pub use outgoing::OutgoingBatch;
pub use record_headers::{HeaderIter, Headers};
pub use records::{Record, Records};
pub use reencode::{Reencoded, Source, SourceRun, TimestampPolicy, reencode, reencode_split};
pub use split::{Entry, Split, split};
