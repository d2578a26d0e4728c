//! Taking part in rebalances and carrying out what they decide.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use kafka_wire::group::{Election, GroupError, Joined, Participant, ParticipantError};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{error, info, warn};

use super::core::Core;
use super::membership::{CATCH_UP_TRIES, Group};
use crate::api::{ConfigMap, ConnectError};
use crate::group::{
    Assignment, Assignor, ConfigSnapshot, ConnectProtocol, ConnectorsAndTasks, LeaderState, Metadata, Round,
};
use crate::herder::reading::plain;
use crate::ids::{InstanceId, TaskId};
use crate::storage::{ConfigState, ConfigStore, State, StatusId, StatusStore};
use crate::worker::{StatusListener, StopReport};

/// Pause after a refusal that somebody may yet cure, for example a missing right.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);

/// Both halves of a rebalance: the word of this worker when it joins, and its way of leading.
struct Member<'a> {
    url: &'a str,
    setting: ConnectProtocol,
    offset: i64,
    held: Option<Assignment>,
    configs: &'a mut ConfigStore,
    assignor: &'a mut Assignor,
    now_ms: i64,
    sync_timeout: Duration,
    /// Place of work that was stopped in good order, if it is to be handed over at once.
    statuses: Option<StatusStore>,
    leader_state: Option<LeaderState>,
}

impl Participant for Member<'_> {
    fn metadata(&mut self) -> Result<Vec<(String, Bytes)>, ParticipantError> {
        let metadata =
            Metadata { url: self.url.to_owned(), config_offset: self.offset, allocation: self.held.clone() };
        Ok(metadata.offer(self.setting)?)
    }

    async fn assign(&mut self, election: Election) -> Result<Vec<(String, Bytes)>, ParticipantError> {
        let Election { generation, last_completed_generation, protocol, leader, members } = election;
        let protocol = ConnectProtocol::from_wire_name(&protocol)?;
        let round = Round::read(protocol, &leader, generation, last_completed_generation, members)?;
        if self.configs.state().offset < round.config_offset() {
            // A failure leaves everybody without work until the next round, as Connect has it.
            let _ = timeout(self.sync_timeout, self.configs.refresh()).await;
        }
        if let Some(statuses) = &self.statuses {
            self.assignor.give_up(stopped(statuses));
        }
        let assignment = self.assignor.assign(&round, &snapshot(self.configs.state()), self.now_ms);
        info!("leading generation {generation} with {} members", round.members.len());
        self.leader_state = assignment.leader_state.clone();
        Ok(assignment.encode()?)
    }
}

/// Connectors and tasks whose last worker said that it has stopped them.
fn stopped(statuses: &StatusStore) -> ConnectorsAndTasks {
    let mut work = ConnectorsAndTasks::default();
    for id in statuses.ids() {
        if statuses.get(&id).is_some_and(|status| status.state == State::Unassigned) {
            match id {
                StatusId::Connector(name) => work.connectors.push(name),
                StatusId::Task(connector, task) => work.tasks.push(TaskId { connector, task }),
            }
        }
    }
    work
}

fn snapshot(state: &ConfigState) -> ConfigSnapshot {
    let connectors = state.connectors().map(|name| (name.to_owned(), state.tasks(name).len()));
    ConfigSnapshot { offset: state.offset, connectors: connectors.collect() }
}

impl Core {
    /// Joins and carries out the assignment.
    pub(super) async fn join(&mut self, reason: &str) {
        info!("joining group '{}': {reason}", self.shared.settings.group_id);
        self.group.resolved = false;
        self.refresh().await;
        // Configurations that were read but not acted upon are announced as acted upon: they are settled with the assignment.
        self.state = self.configs.snapshots().borrow().clone();
        if self.group.protocol == ConnectProtocol::Eager {
            self.give_up_running().await;
        }
        let keep_until = self.grace.until();
        let settings = &self.shared.settings;
        let mut participant = Member {
            url: &settings.url,
            setting: settings.protocol,
            offset: self.state.offset,
            // With the eager protocol it has just been stopped, and starts again if the round leaves it here.
            held: self.group.assignment.clone(),
            configs: &mut self.configs,
            assignor: &mut self.assignor,
            now_ms: self.birth.elapsed().as_millis() as i64 + 1,
            sync_timeout: settings.sync_timeout,
            statuses: settings.graceful_handover.then(|| self.shared.statuses.clone()),
            leader_state: None,
        };
        let joined = tokio::select! {
            joined = self.member.join(&mut participant) => Some(joined),
            () = sleep_until(keep_until.unwrap_or_else(Instant::now)), if keep_until.is_some() => None,
        };
        self.group.leader_state = participant.leader_state.take();
        self.grace.set(None);
        let Some(joined) = joined else {
            warn!("the coordinator was out of reach for so long that others may have the work: giving it up");
            self.give_up_everything().await;
            return self.rejoin("the coordinator was out of reach");
        };
        match joined {
            Ok(joined) => self.on_joined(joined).await,
            Err(GroupError::Lost { reason, .. }) => {
                warn!("membership of group '{}' is lost: {reason}", self.shared.settings.group_id);
                self.give_up_everything().await;
                self.rejoin("the membership was lost");
            }
            Err(other) => {
                error!("{other}");
                sleep(REFUSED_PAUSE).await;
                self.rejoin("the last attempt was refused");
            }
        }
    }

    async fn on_joined(&mut self, joined: Joined) {
        let read = ConnectProtocol::from_wire_name(&joined.protocol).map_err(|e| e.to_string()).and_then(
            |protocol| Ok((protocol, Assignment::decode(joined.assignment).map_err(|e| e.to_string())?)),
        );
        let (protocol, assignment) = match read {
            Ok(read) => read,
            Err(reason) => {
                error!("the leader's assignment cannot be read: {reason}");
                sleep(REFUSED_PAUSE).await;
                return self.rejoin("the assignment could not be read");
            }
        };
        self.group.protocol = protocol;
        self.group.member_id = joined.member_id;
        self.group.generation = joined.generation;
        self.shared.writer.set_generation(joined.generation);
        let revoked = assignment.revoked.clone();
        if !revoked.is_empty() {
            info!("giving up {} connectors and {} tasks", revoked.connectors.len(), revoked.tasks.len());
            self.stop_work(&revoked).await;
            self.group.running.remove(&revoked);
        }
        let held = std::mem::take(&mut self.group.assignment).map(|a| a.assigned).unwrap_or_default();
        let incremental = protocol != ConnectProtocol::Eager;
        let assignment = if incremental { assignment.with_held(&held) } else { assignment };
        let delay = Duration::from_millis(assignment.delay_ms.max(0) as u64);
        self.group.scheduled = (!delay.is_zero()).then(|| Instant::now() + delay);
        info!(
            "generation {}: {} connectors and {} tasks are this worker's, the leader is {}{}",
            joined.generation,
            assignment.assigned.connectors.len(),
            assignment.assigned.tasks.len(),
            assignment.leader_url,
            if delay.is_zero() {
                String::new()
            } else {
                format!(", work of workers that left waits {delay:?}")
            }
        );
        self.group.assignment = Some(assignment);
        if self.is_leader() {
            self.forget_deleted_statuses();
        }
        self.carry_out(!revoked.is_empty()).await;
    }

    /// Starts what is to be started, once the config topic has been read exactly as far as the leader had.
    async fn carry_out(&mut self, revoked: bool) {
        let Some(assignment) = self.group.assignment.clone() else { return };
        let behind = self.state.offset < assignment.config_offset;
        if assignment.failed() || behind {
            if !self.catch_up(assignment.config_offset).await {
                return self.fall_behind().await;
            }
            self.state = self.configs.snapshots().borrow().clone();
        }
        self.group.tries_left = CATCH_UP_TRIES;
        if assignment.failed() || self.state.offset != assignment.config_offset {
            return self.rejoin("the config topic has moved on since the assignment was made");
        }
        self.start_work(&assignment.assigned).await;
        self.group.resolved = true;
        self.note_updates();
        if self.configs.state().offset == self.state.offset {
            // All that was added or removed is part of this assignment.
            self.pending.rebalance = false;
        }
        if revoked {
            self.rejoin("work was given up that others can take now");
        }
    }

    async fn catch_up(&mut self, offset: i64) -> bool {
        let read = timeout(self.shared.settings.sync_timeout, self.configs.refresh()).await;
        matches!(read, Ok(Ok(()))) && self.configs.state().offset >= offset
    }

    /// The config topic cannot be read: this worker leaves the group for a while.
    async fn fall_behind(&mut self) {
        let settings = &self.shared.settings;
        let eager = self.group.protocol == ConnectProtocol::Eager;
        warn!(
            "cannot read the config topic (config.storage.topic) to its end within worker.sync.timeout.ms; leaving the \
             group for a while"
        );
        self.group.tries_left = self.group.tries_left.saturating_sub(1);
        let tries = self.group.tries_left;
        let pause =
            if eager { settings.unsync_backoff } else { settings.rebalance_max_delay / 10 / tries.max(1) };
        if tries == 0 {
            self.group.tries_left = CATCH_UP_TRIES;
            self.give_up_everything().await;
        }
        self.member.leave("cannot read the config topic").await;
        sleep(pause).await;
        self.rejoin("the pause after not reading the config topic is over");
    }

    async fn start_work(&mut self, assigned: &ConnectorsAndTasks) {
        // What an eager round has given to others while an incremental one had left it running.
        let surplus = self.group.running.minus(assigned);
        if !surplus.is_empty() {
            self.stop_work(&surplus).await;
        }
        let mut new = assigned.minus(&self.group.running);
        let again = std::mem::take(&mut self.group.restart);
        for id in again {
            if assigned.tasks.contains(&id) && !new.tasks.contains(&id) {
                new.tasks.push(id);
            }
        }
        self.group.running = assigned.clone();
        for name in &new.connectors {
            self.start_connector(name).await;
        }
        for id in &new.tasks {
            self.start_task(id).await;
        }
    }

    /// Starts a connector instance; what becomes of it is told by its status.
    pub(super) async fn start_connector(&mut self, name: &str) {
        let Some(config) = self.state.connector(name) else {
            return warn!(connector = %name, "assigned, but not configured");
        };
        let config = plain(config);
        self.tell_version(name, &config);
        info!(connector = %name, "starting");
        let (target, listener) = (self.state.target(name), self.shared.writer.clone());
        let again = {
            let shared = self.shared.clone();
            move |name: &str| {
                let name = name.to_owned();
                shared.tell(move |core| Box::pin(async move { core.reconfigure_soon(&name) }));
            }
        };
        // The listener hears of failures too.
        let _ = self.worker.start_connector(name, config, target, listener, Arc::new(again)).await;
    }

    /// The version that the statuses of a connector and its tasks show.
    fn tell_version(&self, name: &str, config: &ConfigMap) {
        let version = self.worker.plugin(config).ok().map(|plugin| plugin.version());
        self.shared.writer.set_version(name, version);
    }

    /// Starts a task; what becomes of it is told by its status.
    pub(super) async fn start_task(&mut self, id: &TaskId) {
        let stored = (self.state.connector(&id.connector), self.state.task(&id.connector, id.task));
        let (Some(connector), Some(task)) = stored else {
            let reason = ConnectError::new(format!("Task {id} has no configuration in the config topic"));
            return self.shared.writer.on_failure(&InstanceId::Task(id.clone()), &reason);
        };
        self.started.insert(id.clone(), (connector.clone(), task.clone()));
        info!(task = %id, "starting");
        let (connector, task) = (plain(connector), plain(task));
        self.tell_version(&id.connector, &connector);
        let (target, generation) = (self.state.target(&id.connector), self.group.generation);
        let listener = self.shared.writer.clone();
        let exactly_once = self.exactly_once_hooks(id);
        let start =
            self.worker.start_task(id.clone(), connector, task, target, generation, listener, exactly_once);
        // The listener hears of failures too.
        let _ = start.await;
    }

    /// Stops connectors and tasks in bounded time.
    pub(super) async fn stop_work(&mut self, work: &ConnectorsAndTasks) -> StopReport {
        let connectors = work.connectors.iter().map(|name| self.worker.stop_connector(name));
        // Those that were stopped to be started with other configurations need no second word.
        let tasks = work.tasks.iter().filter(|id| !self.group.restart.remove(*id)).cloned();
        let tasks: Vec<TaskId> = tasks.collect();
        let (report, _) = tokio::join!(self.worker.stop_tasks(&tasks), join_all(connectors));
        for id in &work.tasks {
            self.started.remove(id);
        }
        self.reconfigurations.forget(&work.connectors);
        report
    }

    async fn give_up_running(&mut self) {
        let running = std::mem::take(&mut self.group.running);
        self.stop_work(&running).await;
        self.group.restart.clear();
    }

    /// After a loss: whatever ran here may be another's now.
    pub(super) async fn give_up_everything(&mut self) {
        self.grace.set(None);
        self.give_up_running().await;
        self.group =
            Group { protocol: self.group.protocol, tries_left: self.group.tries_left, ..Group::default() };
    }

    /// Statuses of connectors and tasks that are no longer configured.
    fn forget_deleted_statuses(&self) {
        for id in self.shared.statuses.ids() {
            let exists = match &id {
                StatusId::Connector(name) => self.state.connector(name).is_some(),
                StatusId::Task(name, number) => self.state.task(name, *number).is_some(),
            };
            if !exists {
                self.shared.statuses.delete(&id);
            }
        }
    }
}
