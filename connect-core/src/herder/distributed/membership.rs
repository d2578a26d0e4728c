//! The group as this worker sees it: generation, assignment, and how much of that is carried out. The core changes it.

use std::collections::BTreeSet;

use tokio::time::Instant;

use crate::group::{Assignment, ConnectProtocol, ConnectorsAndTasks, LeaderState};
use crate::ids::TaskId;

/// Attempts of a worker that cannot catch up with the config topic before it gives up its work.
pub(super) const CATCH_UP_TRIES: u32 = 5;

/// The group's word, and the part of it that is carried out.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) member_id: String,
    pub(super) generation: i32,
    pub(super) protocol: ConnectProtocol,
    /// The newest assignment, complete; `None` before the first and after a loss.
    pub(super) assignment: Option<Assignment>,
    /// Connectors and tasks that run here.
    pub(super) running: ConnectorsAndTasks,
    /// Tasks that run here by assignment, but were stopped to be started with other configurations.
    pub(super) restart: BTreeSet<TaskId>,
    /// True when the newest assignment is carried out and no rebalance is due.
    pub(super) resolved: bool,
    /// When to join again by the leader's delay.
    pub(super) scheduled: Option<Instant>,
    /// Work of every member, as the leader knows it.
    pub(super) leader_state: Option<LeaderState>,
    /// Attempts left to catch up with the config topic.
    pub(super) tries_left: u32,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            member_id: String::new(),
            generation: -1,
            protocol: ConnectProtocol::Eager,
            assignment: None,
            running: ConnectorsAndTasks::default(),
            restart: BTreeSet::new(),
            resolved: false,
            scheduled: None,
            leader_state: None,
            tries_left: CATCH_UP_TRIES,
        }
    }
}
