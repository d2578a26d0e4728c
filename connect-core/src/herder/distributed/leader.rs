//! Duties of the leader alone: writing connectors, tasks and restarts to the config topic, and keeping the session key.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::{info, warn};

use super::core::Core;
use super::keys;
use super::restart::RestartPlan;
use crate::answers::HerderError;
use crate::answers::{ConnectorInfo, Created, InternalRequestSignature};
use crate::group::ConnectProtocol;
use crate::ids::TargetState;
use crate::ids::TaskId;
use crate::storage::{Properties, RestartRequest, State, StorageError};

impl Core {
    /// The leader's regular duties: the right to write in transactions, and a session key that is not too old.
    pub(super) async fn lead(&mut self) {
        if !self.group.resolved || !self.is_leader() {
            return self.configs.set_privileged_writer(None);
        }
        if let Err(reason) = self.claim_config_topic().await {
            if self.undone.is_due() {
                warn!("cannot take over the config topic (config.storage.topic), trying again: {reason}");
            }
            return;
        }
        if !self.needs_key() {
            return;
        }
        let settings = &self.shared.settings;
        let key = keys::generate(&settings.key_algorithm, settings.key_size, now_ms());
        match self.configs.put_session_key(&key).await {
            Ok(()) => {
                self.undone.is_over();
                info!("requests between workers are signed with a new key");
            }
            Err(reason) if self.undone.is_due() => {
                warn!(
                    "cannot store a new session key in the config topic (config.storage.topic), trying again: {reason}"
                );
            }
            Err(_) => {}
        }
    }

    fn needs_key(&self) -> bool {
        if self.group.protocol != ConnectProtocol::Sessioned {
            return false;
        }
        let settings = &self.shared.settings;
        let Some(key) = self.configs.state().session_key() else { return true };
        let wanted = keys::generate(&settings.key_algorithm, settings.key_size, 0);
        let ttl = settings.key_ttl.as_millis() as i64;
        let expired = ttl > 0 && now_ms() >= key.created.saturating_add(ttl);
        expired || key.algorithm != wanted.algorithm || key.key.len() != wanted.key.len()
    }

    /// Refuses what only the leader may do.
    pub(super) fn must_lead(&self, what: &str) -> Result<(), HerderError> {
        if self.is_leader() {
            return Ok(());
        }
        Err(HerderError::NotLeader {
            message: format!("Only the leader can {what}."),
            leader_url: self.leader_url(),
        })
    }

    /// Refuses, in the words of `otherwise`, what needs a connector of this name.
    pub(super) fn must_know(
        &self,
        name: &str,
        otherwise: impl FnOnce(&str) -> HerderError,
    ) -> Result<(), HerderError> {
        match self.configs.state().connector(name) {
            Some(_) => Ok(()),
            None => Err(otherwise(name)),
        }
    }

    /// Stores a configuration that has been validated.
    pub(super) async fn put_connector(
        &mut self,
        name: &str,
        config: Properties,
        target: Option<TargetState>,
        allow_replace: bool,
    ) -> Result<Created<ConnectorInfo>, HerderError> {
        self.must_lead("set connector configs")?;
        let created = self.configs.state().connector(name).is_none();
        if !created && !allow_replace {
            return Err(HerderError::AlreadyExists(format!("Connector {name} already exists")));
        }
        info!(connector = %name, "{} its configuration", if created { "storing" } else { "replacing" });
        self.configs.put_connector(name, &config, target).await.map_err(stored)?;
        let info = crate::herder::reading::connector_info(self.configs.state(), self.worker.plugins(), name)?;
        // The answer has the order of the request; what is read back has not.
        Ok(Created { created, result: ConnectorInfo { config, ..info } })
    }

    pub(super) async fn delete_connector(&mut self, name: &str) -> Result<(), HerderError> {
        self.must_lead("delete connector configs")?;
        self.must_know(name, HerderError::unknown_connector)?;
        info!(connector = %name, "deleting");
        self.configs.remove_connector(name).await.map_err(stored)
    }

    /// An empty set of tasks, then the target state, in this order: whoever reads STOPPED finds no tasks.
    pub(super) async fn stop_connector(&mut self, name: &str) -> Result<(), HerderError> {
        self.must_lead("transition connectors to the STOPPED state")?;
        self.must_know(name, HerderError::no_such_connector)?;
        self.configs.put_tasks(name, &[]).await.map_err(stored)?;
        self.configs.put_target(name, TargetState::Stopped).await.map_err(stored)
    }

    /// Task configurations from a connector instance, wherever it runs.
    pub(super) async fn write_tasks(
        &mut self,
        name: &str,
        configs: &[Properties],
    ) -> Result<(), HerderError> {
        self.must_lead("write task configurations")?;
        self.must_know(name, HerderError::unknown_connector)?;
        if self.configs.state().target(name) == TargetState::Stopped {
            return Err(HerderError::BadRequest(format!(
                "Cannot write task configurations of connector {name} while it is STOPPED"
            )));
        }
        self.configs.put_tasks(name, configs).await.map_err(stored)
    }

    /// Checks a signature if the group signs.
    pub(super) fn check_signature(
        &self,
        signature: Option<&InternalRequestSignature>,
    ) -> Result<(), HerderError> {
        if self.group.protocol != ConnectProtocol::Sessioned {
            return Ok(());
        }
        let accepted = &self.shared.settings.verification_algorithms;
        keys::check(signature, self.configs.state().session_key(), accepted)
    }

    /// Asks every worker to carry out a restart; what is chosen.
    pub(super) async fn restart_connector_and_tasks(
        &mut self,
        request: &RestartRequest,
    ) -> Result<RestartPlan, HerderError> {
        self.must_lead("process restart requests")?;
        self.must_know(&request.connector, HerderError::nothing_to_restart)?;
        let unknown =
            || HerderError::NotFound(format!("Status for connector {} not found", request.connector));
        let plan =
            RestartPlan::of(request, &self.shared.statuses, self.configs.state()).ok_or_else(unknown)?;
        // Also when nothing is chosen: another worker may know of a failure that has not been heard of here.
        self.configs.put_restart(request).await.map_err(stored)?;
        Ok(plan)
    }

    /// Restarts a connector instance that runs here.
    pub(super) async fn restart_connector(&mut self, name: &str) -> Result<(), HerderError> {
        self.must_know(name, HerderError::nothing_to_restart)?;
        if !self.group.running.connectors.iter().any(|running| running == name) {
            let owner = self.group.leader_state.as_ref().and_then(|state| state.connector_owner(name));
            return Err(
                self.not_assigned("Cannot restart connector since it is not assigned to this member", owner)
            );
        }
        self.worker.stop_connector(name).await;
        self.start_connector(name).await;
        Ok(())
    }

    /// Restarts a task that runs here.
    pub(super) async fn restart_task(&mut self, id: &TaskId) -> Result<(), HerderError> {
        self.must_know(&id.connector, HerderError::nothing_to_restart)?;
        if self.configs.state().task(&id.connector, id.task).is_none() {
            return Err(HerderError::NotFound(format!("Unknown task: {id}")));
        }
        if !self.group.running.tasks.contains(id) {
            let owner = self.group.leader_state.as_ref().and_then(|state| state.task_owner(id));
            return Err(
                self.not_assigned("Cannot restart task since it is not assigned to this member", owner)
            );
        }
        self.worker.stop_tasks(std::slice::from_ref(id)).await;
        self.start_task(id).await;
        Ok(())
    }

    /// The leader knows the owner; others know only the leader.
    fn not_assigned(&self, message: &str, owner: Option<&str>) -> HerderError {
        let message = message.to_owned();
        if self.is_leader() {
            HerderError::NotAssigned { message, owner_url: owner.map(str::to_owned) }
        } else {
            HerderError::NotLeader { message, leader_url: self.leader_url() }
        }
    }

    /// A connector whose offsets may be changed: stopped, without tasks.
    pub(super) fn must_be_stopped(&self, name: &str, what: &str) -> Result<(), HerderError> {
        self.must_lead(what)?;
        self.must_know(name, HerderError::unknown_connector)?;
        let state = self.configs.state();
        if state.target(name) == TargetState::Stopped && state.task_count(name).unwrap_or(0) == 0 {
            return Ok(());
        }
        Err(HerderError::BadRequest(
            "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the \
             specified connector by issuing a 'PUT' request to the '/connectors/"
                .to_owned()
                + name
                + "/stop' endpoint",
        ))
    }
}

/// A failed write as an answer.
pub(super) fn stored(error: StorageError) -> HerderError {
    match error {
        StorageError::Fenced { .. } => HerderError::conflict(error),
        other => HerderError::other(other),
    }
}

/// The state that a restart shows for what it chose.
pub(super) const RESTARTING: State = State::Restarting;

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_millis() as i64
}
