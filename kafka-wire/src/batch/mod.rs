//! Record batches as bytes: viewed, cut, passed on, merged and, when nothing else helps, encoded again.
//!
//! The copy path moves whole RecordBatch v2 blocks from a Fetch answer into a Produce request:
//! [`split()`] cuts the fetched bytes into [`Batch`]es without copying, [`OutgoingBatch::pass`] puts a header of its own
//! in front of the same payload. What cannot pass is rebuilt: [`merge()`] joins small uncompressed batches,
//! [`reencode()`] closes the holes of compacted ones, crops, and lifts old message formats.
//!
//! Guarantees: no input, however hostile, makes this module panic or allocate more than its stated limits; a batch
//! made here has offset deltas `0..count`, which brokers do not check for uncompressed data and whose violation makes
//! consumers skip records silently.

mod crc;
mod error;
mod header;
mod legacy;
mod outgoing;
mod split;

pub use error::BatchError;
pub use header::{Attributes, Batch, Codec, HEADER_SIZE};
pub use legacy::LegacySet;
pub use outgoing::OutgoingBatch;
pub use split::{Entry, Split, split};
