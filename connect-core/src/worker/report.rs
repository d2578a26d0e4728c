//! Accounts of how tasks stopped.

use crate::ids::TaskId;

/// Account of one task after it was asked to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskReport {
    /// Records that were read before the stop and acknowledged and committed after it.
    pub drained_records: u64,
}

/// Account of tasks that were stopped together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StopReport {
    /// Records that were under way at the stop and were acknowledged and committed before the end.
    pub drained_records: u64,
    /// Tasks that did not stop in time.
    pub abandoned: Vec<TaskId>,
}
