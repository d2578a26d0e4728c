//! Restarts of a connector with its tasks (KIP-745): what a request means, and carrying it out on this worker.

use std::collections::BTreeSet;

use tracing::info;

use super::core::Core;
use crate::ids::{InstanceId, TaskId};
use crate::storage::{ConfigState, RestartRequest, State, StatusId, StatusStore};
use crate::worker::StatusListener;

/// Parts of a connector that a request restarts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RestartPlan {
    pub(super) connector: bool,
    pub(super) tasks: BTreeSet<usize>,
}

impl RestartPlan {
    /// `None` for a connector about which there is no status.
    pub(super) fn of(
        request: &RestartRequest,
        statuses: &StatusStore,
        configs: &ConfigState,
    ) -> Option<Self> {
        let chosen = |state: State| !request.only_failed || state == State::Failed;
        let connector = statuses.get(&StatusId::Connector(request.connector.clone()))?;
        let tasks = statuses.tasks(&request.connector).into_iter();
        let known = configs.tasks(&request.connector).len();
        let tasks = tasks.filter(|(number, status)| *number < known && chosen(status.state));
        Some(Self {
            connector: chosen(connector.state),
            tasks: if request.include_tasks {
                tasks.map(|(number, _)| number).collect()
            } else {
                BTreeSet::new()
            },
        })
    }
}

impl Core {
    /// Restarts what of the request's plan runs here.
    pub(super) async fn carry_out_restart(&mut self, request: &RestartRequest) {
        let Some(plan) = RestartPlan::of(request, &self.shared.statuses, &self.state) else { return };
        let name = &request.connector;
        let connector = plan.connector && self.group.running.connectors.contains(name);
        let mine = |id: &&TaskId| id.connector == *name && plan.tasks.contains(&id.task);
        let tasks: Vec<TaskId> = self.group.running.tasks.iter().filter(mine).cloned().collect();
        if !connector && tasks.is_empty() {
            return;
        }
        info!(connector = %name, "restarting {} and {} of its tasks", if connector { "it" } else { "not it" }, tasks.len());
        if connector {
            self.worker.stop_connector(name).await;
            self.shared.writer.on_restart(&InstanceId::Connector(name.clone()));
        }
        self.worker.stop_tasks(&tasks).await;
        for id in &tasks {
            self.shared.writer.on_restart(&InstanceId::Task(id.clone()));
        }
        if connector {
            self.start_connector(name).await;
        }
        for id in tasks {
            self.start_task(&id).await;
        }
    }
}
