//! Settings of the test connectors that more than one file reads.

/// Setting: number of tasks.
pub(super) const NUM_TASKS: &str = "num.tasks";
/// Setting: file that holds the number of tasks.
pub(super) const TASKS_FILE: &str = "tasks.file";
