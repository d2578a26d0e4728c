//! The herder's work on connectors and tasks. Everything here is called with the configurations locked, so that changes come
//! one after the other.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::MutexGuard;
use tokio::time::sleep;
use tracing::{debug, info, warn};

use super::Shared;
use super::stored;
use crate::answers::HerderError;
use crate::api::ConfigMap;
use crate::herder::api::HerderResult;
use crate::herder::reading;
use crate::ids::TargetState;
use crate::ids::{InstanceId, TaskId};
use crate::storage::{ConfigStore, Properties, StatusId};
use crate::worker::{StatusListener, StopReport};

/// First and longest pause before a connector that could not divide its work is asked again.
const RETRY_MIN: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(60);

type Configs<'a> = MutexGuard<'a, ConfigStore>;

impl Shared {
    /// Starts a connector instance and waits until it has arrived at its target state or failed.
    pub(super) async fn start_connector(self: &Arc<Self>, name: &str) -> HerderResult<()> {
        let state = self.state();
        let config = state.connector(name).ok_or_else(|| HerderError::unknown_connector(name))?;
        let (config, target) = (reading::plain(config), state.target(name));
        let version = self.worker.plugin(&config).ok().map(|plugin| plugin.version());
        self.starts.writer.set_version(name, version);
        info!(connector = %name, "starting");
        let before = self.starts.count(name);
        let again = {
            let shared = Arc::downgrade(self);
            move |name: &str| {
                if let Some(shared) = shared.upgrade() {
                    shared.divide_soon(name);
                }
            }
        };
        let listener = self.starts.clone();
        let started = self.worker.start_connector(name, config, target, listener, Arc::new(again)).await;
        if let Err(error) = started {
            return Err(HerderError::Other { class: error.class().to_owned(), message: error.to_string() });
        }
        match self.starts.arrived(name, before).await {
            None => Ok(()),
            Some(reason) => {
                debug!(connector = %name, "did not start: {reason}");
                let message = format!("Failed to transition connector {name} to state {}", target.name());
                Err(HerderError::other(message))
            }
        }
    }

    /// Stops the connector instance, if there is one.
    pub(super) async fn stop_connector(&self, name: &str) {
        if self.worker.connectors().iter().any(|known| known == name) {
            self.worker.stop_connector(name).await;
        }
    }

    /// Has a connector divide its work, beside whatever else goes on; what fails is tried again, ever more slowly.
    pub(super) fn divide_soon(self: &Arc<Self>, name: &str) {
        let (shared, name) = (self.clone(), name.to_owned());
        tokio::spawn(async move {
            let mut pause = RETRY_MIN;
            loop {
                let mut configs = shared.configs.lock().await;
                let Err(reason) = shared.divide(&mut configs, &name).await else { return };
                drop(configs);
                warn!(connector = %name, "cannot divide its work, trying again in {pause:?}: {reason}");
                sleep(pause).await;
                pause = (pause * 2).min(RETRY_MAX);
            }
        });
    }

    /// Has a connector divide its work, and puts the division into force unless it is.
    pub(super) async fn divide(self: &Arc<Self>, configs: &mut Configs<'_>, name: &str) -> HerderResult<()> {
        let state = configs.state();
        let Some(config) = state.connector(name).map(reading::plain) else { return Ok(()) };
        if state.target(name) != TargetState::Started || !self.worker.is_running(name) {
            debug!(connector = %name, "does not run: its work is not divided");
            return Ok(());
        }
        let tasks = self.worker.connector_task_configs(name, &config).await.map_err(HerderError::other)?;
        let optional = |task: ConfigMap| task.into_iter().map(|(key, value)| (key, Some(value))).collect();
        let tasks: Vec<Properties> = tasks.into_iter().map(optional).collect();
        let applied = state.applied(name) == state.connector(name);
        if applied && state.tasks_are(name, &tasks) {
            debug!(connector = %name, "its division of work is the one that is in force");
            return Ok(());
        }
        self.remove_tasks(name).await;
        configs.put_tasks(name, &tasks).await.map_err(stored)?;
        self.start_tasks(name).await;
        Ok(())
    }

    /// Starts all tasks of a connector.
    pub(super) async fn start_tasks(&self, name: &str) {
        for task in 0..self.state().tasks(name).len() {
            self.start_task(&TaskId { connector: name.to_owned(), task }).await;
        }
    }

    /// Starts a task; what becomes of it is told by its status.
    pub(super) async fn start_task(&self, id: &TaskId) {
        let state = self.state();
        let stored = (state.connector(&id.connector), state.task(&id.connector, id.task));
        let (Some(connector), Some(task)) = stored else { return };
        let (connector, task) = (reading::plain(connector), reading::plain(task));
        let target = state.target(&id.connector);
        let start = self.worker.start_task(id.clone(), connector, task, target, 0, self.starts.clone(), None);
        // The listener hears of failures too.
        let _ = start.await;
    }

    /// Stops the tasks of a connector that run, in bounded time.
    pub(super) async fn stop_tasks(&self, name: &str) {
        let ids: Vec<TaskId> = self.worker.tasks().into_iter().filter(|id| id.connector == name).collect();
        if !ids.is_empty() {
            self.worker.stop_tasks(&ids).await;
        }
    }

    /// Stops the tasks of a connector and forgets their statuses.
    pub(super) async fn remove_tasks(&self, name: &str) {
        self.stop_tasks(name).await;
        for (task, _) in self.statuses.tasks(name) {
            self.statuses.delete(&StatusId::Task(name.to_owned(), task));
        }
    }

    /// Takes a connector away with everything that was said of it.
    pub(super) async fn remove(&self, configs: &mut Configs<'_>, name: &str) -> HerderResult<()> {
        self.remove_tasks(name).await;
        self.stop_connector(name).await;
        configs.remove_connector(name).await.map_err(stored)?;
        self.starts.on_deletion(&InstanceId::Connector(name.to_owned()));
        self.statuses.reset_topics(name);
        Ok(())
    }

    /// Stops everything in bounded time: first tasks, then connectors.
    pub(super) async fn stop_all(self: Arc<Self>) -> StopReport {
        // A request that hangs does not hold up the stop.
        let report = self.worker.stop_tasks(&self.worker.tasks()).await;
        let names = self.worker.connectors();
        join_all(names.iter().map(|name| self.worker.stop_connector(name))).await;
        report
    }
}
