//! Exit codes of a replicator that cannot start, for the verbs that start one.

use connect_core::connect::StartError as WorkerError;
use replicator::StartError;

use crate::process::exit::code;

/// Tells what is missing around the replicator from what is wrong in its configuration.
pub(crate) fn exit_code(error: &StartError) -> u8 {
    match error {
        StartError::Worker(WorkerError::Rest(_)) => code::UNAVAILABLE,
        StartError::Worker(WorkerError::Cluster(e)) if e.is_retriable() => code::UNAVAILABLE,
        _ => code::CONFIG,
    }
}
