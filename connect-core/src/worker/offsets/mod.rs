//! Offsets of connectors as operators see and change them (KIP-875), and the stores behind them. Texts are Connect's.

mod alter;
mod groups;
mod of_connectors;
mod sink_offsets;
mod stores;

pub use self::stores::{OffsetBacking, TaskOffsets};
pub(crate) use self::stores::{OffsetStores, Offsets};
