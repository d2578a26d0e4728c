//! Copying: a task reads whole batches of its partitions from the origin and hands each to the worker, which writes
//! it to the destination. Here is decided what becomes of every batch; see [`task::CopyTask`].

mod aborted;
pub(crate) mod assignment;
mod classify;
pub(crate) mod cures;
mod partition;
pub(crate) mod task;

pub(crate) use partition::source_partition;
