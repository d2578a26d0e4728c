//! Source tasks. [`life`] is the loop that both kinds share; [`records`] and [`batches`] are the two ways to Kafka, behind
//! the seam [`delivery`]; [`commits`] are the commits of offsets.

mod batches;
mod commits;
mod delivery;
mod life;
mod records;

pub(crate) use self::batches::{BatchDelivery, BatchParts};
pub(crate) use self::life::{SourceRun, run_source};
pub(crate) use self::records::RecordDelivery;
pub(crate) use self::records::sender::RecordParts;
pub(crate) use self::records::transaction::{Boundary, Transaction, initialise};
