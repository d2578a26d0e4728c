//! Changes of the config topic, and what this worker does about them.

use std::collections::{BTreeMap, BTreeSet};

use tracing::{info, warn};

use super::core::Core;
use crate::ids::TargetState;
use crate::ids::TaskId;
use crate::storage::{ConfigUpdate, RestartRequest};

/// Changes that were read but not yet acted upon.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Connectors or tasks were added or removed: the work has to be divided anew.
    pub(super) rebalance: bool,
    connectors: BTreeSet<String>,
    targets: BTreeSet<String>,
    tasks: BTreeSet<String>,
    restarts: BTreeMap<String, RestartRequest>,
}

impl Core {
    /// Reads what others wrote; a failure is tried again with the next news.
    pub(super) async fn refresh(&mut self) {
        match self.configs.refresh().await {
            Err(reason) if self.unread.is_due() => {
                warn!("cannot read the config topic (config.storage.topic), trying again: {reason}");
            }
            Err(_) => {}
            Ok(()) if self.unread.is_over() => info!("the config topic can be read again"),
            Ok(()) => {}
        }
    }

    /// Acts upon what was read, in the order of Connect: membership, connectors, target states, tasks, restarts.
    /// While a rebalance is under way it only takes notes.
    pub(super) async fn settle(&mut self) {
        self.note_updates();
        if !self.group.resolved {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        if self.configs.state().offset != self.state.offset {
            self.state = self.configs.snapshots().borrow().clone();
        }
        if pending.rebalance {
            self.rejoin("connectors or tasks have changed");
        }
        for name in &pending.connectors {
            self.connector_changed(name).await;
        }
        for name in &pending.targets {
            self.target_changed(name);
        }
        self.tasks_changed(&pending.tasks).await;
        for request in pending.restarts.into_values() {
            self.carry_out_restart(&request).await;
        }
    }

    pub(super) fn note_updates(&mut self) {
        for update in self.configs.take_updates() {
            match update {
                ConfigUpdate::Connector(name) => {
                    self.pending.rebalance |= self.state.connector(&name).is_none();
                    self.pending.connectors.insert(name);
                }
                ConfigUpdate::Removed(_) => self.pending.rebalance = true,
                ConfigUpdate::Tasks(name) => {
                    self.pending.rebalance = true;
                    self.pending.tasks.insert(name);
                }
                ConfigUpdate::Target(name) => {
                    self.pending.targets.insert(name);
                }
                ConfigUpdate::SessionKey => {}
                ConfigUpdate::Restart(request) => self.pending.note_restart(request),
                ConfigUpdate::Logger(namespace, level) => {
                    crate::loggers::set_level(&namespace, &level);
                }
            }
        }
    }

    async fn connector_changed(&mut self, name: &str) {
        if !self.group.running.connectors.iter().any(|running| running == name) {
            return;
        }
        if self.state.connector(name).is_some() {
            info!(connector = %name, "its configuration has changed: restarting it");
            self.worker.stop_connector(name).await;
            self.start_connector(name).await;
        }
    }

    fn target_changed(&mut self, name: &str) {
        if self.state.connector(name).is_none() {
            return;
        }
        let target = self.state.target(name);
        self.worker.set_target_state(name, target);
        let here = self.group.running.connectors.iter().any(|running| running == name);
        if here && target == TargetState::Started {
            // It may have had reasons for another division while it did not run.
            self.reconfigure_soon(name);
        }
    }

    /// Stops tasks whose configurations have changed; the rebalance that follows starts them where they belong.
    async fn tasks_changed(&mut self, connectors: &BTreeSet<String>) {
        let changed = |id: &&TaskId| connectors.contains(&id.connector) && self.has_changed(id);
        let changed: Vec<TaskId> = self.group.running.tasks.iter().filter(changed).cloned().collect();
        if changed.is_empty() {
            return;
        }
        info!("stopping {} tasks whose configurations have changed", changed.len());
        self.worker.stop_tasks(&changed).await;
        self.group.restart.extend(changed);
    }

    /// True when a running task was started with other configurations than are stored now. Tasks that deliver exactly once are
    /// always started together.
    fn has_changed(&self, id: &TaskId) -> bool {
        if self.delivers_exactly_once(&id.connector) {
            return true;
        }
        let stored = (self.state.connector(&id.connector), self.state.task(&id.connector, id.task));
        match self.started.get(id) {
            Some((connector, task)) => stored != (Some(connector), Some(task)),
            None => true,
        }
    }
}

impl Pending {
    /// Of several requests for a connector the one with the larger effect counts.
    fn note_restart(&mut self, request: RestartRequest) {
        let effect = |r: &RestartRequest| (!r.only_failed, r.include_tasks);
        match self.restarts.get(&request.connector) {
            Some(known) if effect(known) >= effect(&request) => {}
            _ => {
                self.restarts.insert(request.connector.clone(), request);
            }
        }
    }
}
