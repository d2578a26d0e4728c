//! Copying: a task reads whole batches of its partitions from the origin and hands each to the worker, which writes
//! it to the destination. Here is decided what becomes of every batch ([`classify`]) and of a position in an origin's log
//! that has changed ([`origin_log`]); [`task::CopyTask`] is what the worker runs.

mod aborted;
pub(crate) mod assignment;
mod classify;
pub(crate) mod cures;
mod opening;
mod origin_log;
mod partition;
mod running;
mod settings;
pub(crate) mod task;

pub(crate) use partition::source_partition;
