//! Requests that change something. Reading is done from snapshots (`herder/reader.rs`).

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use tracing::info;

use super::{StandaloneHerder, stored};
use crate::answers::HerderError;
use crate::answers::{
    ConnectorInfo, ConnectorOffsets, ConnectorStateInfo, Created, InternalRequestSignature, Stage,
};
use crate::api::ConfigMap;
use crate::herder::api::{Herder, HerderReader, HerderResult};
use crate::herder::{changes, reading};
use crate::ids::TargetState;
use crate::ids::{InstanceId, TaskId};
use crate::loggers;
use crate::storage::RestartRequest;
use crate::storage::{Properties, State};
use crate::worker::StatusListener;

impl StandaloneHerder {
    async fn put_target(&self, connector: &str, target: TargetState) -> HerderResult<()> {
        let name = connector.to_owned();
        self.finish(format!("setting the target state of connector {connector}"), move |shared| async move {
            let mut configs = shared.configs.lock().await;
            if configs.state().connector(&name).is_none() {
                return Err(HerderError::NotFound(format!("Unknown connector {name}")));
            }
            let before = configs.state().target(&name);
            configs.put_target(&name, target).await.map_err(stored)?;
            shared.worker.set_target_state(&name, target);
            if target == TargetState::Started && before != TargetState::Started {
                // Work that was given up while it was stopped has to be divided again, once it runs.
                let (shared, name) = (shared.clone(), name.clone());
                let arrivals = shared.starts.count(&name);
                tokio::spawn(async move {
                    if shared.starts.arrived(&name, arrivals).await.is_none() {
                        shared.divide_soon(&name);
                    }
                });
            }
            Ok(())
        })
        .await
    }

    /// Changes (`Some`) or resets offsets of a connector that is stopped.
    async fn change_offsets(
        &self,
        connector: &str,
        offsets: Option<ConnectorOffsets>,
    ) -> HerderResult<String> {
        let name = connector.to_owned();
        self.finish(format!("modifying offsets for connector {connector}"), move |shared| async move {
            let configs = shared.configs.lock().await;
            let state = configs.state();
            let config = state.connector(&name).ok_or_else(|| HerderError::unknown_connector(&name))?;
            if state.target(&name) != TargetState::Stopped || !state.tasks(&name).is_empty() {
                return Err(HerderError::BadRequest(format!(
                    "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for \
                     the specified connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint"
                )));
            }
            reading::alter_offsets(&shared.worker, &name, &reading::plain(config), offsets).await
        })
        .await
    }
}

#[async_trait]
impl Herder for StandaloneHerder {
    fn reader(&self) -> &dyn HerderReader {
        &self.0.reader
    }

    fn is_ready(&self) -> bool {
        self.0.ready.load(Ordering::Acquire)
    }

    fn stage(&self) -> Option<Stage> {
        self.0.stage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn health_check(&self) -> HerderResult<()> {
        if !self.is_ready() {
            return Err(HerderError::ServiceUnavailable("the connectors are being created".to_owned()));
        }
        drop(self.0.configs.lock().await);
        Ok(())
    }

    async fn put_connector_config(
        &self,
        connector: &str,
        config: Properties,
        target: Option<TargetState>,
        allow_replace: bool,
    ) -> HerderResult<Created<ConnectorInfo>> {
        let name = connector.to_owned();
        self.finish(format!("writing a config for connector {connector}"), move |shared| async move {
            changes::refuse_errors(&reading::validate(&shared.worker, &config).await?)?;
            let mut configs = shared.configs.lock().await;
            let exists = configs.state().connector(&name).is_some();
            if exists && !allow_replace {
                return Err(HerderError::AlreadyExists(format!("Connector {name} already exists")));
            }
            if exists {
                shared.stop_connector(&name).await;
            }
            configs.put_connector(&name, &config, target.filter(|_| !exists)).await.map_err(stored)?;
            shared.start_connector(&name).await?;
            shared.divide(&mut configs, &name).await?;
            let info = reading::connector_info(configs.state(), shared.worker.plugins(), &name)?;
            Ok(Created { created: !exists, result: ConnectorInfo { config, ..info } })
        })
        .await
    }

    async fn patch_connector_config(
        &self,
        connector: &str,
        patch: Properties,
    ) -> HerderResult<Created<ConnectorInfo>> {
        let config = changes::patched(&self.0.reader.connector_config(connector).await?, patch);
        self.put_connector_config(connector, config, None, true).await
    }

    async fn delete_connector(&self, connector: &str) -> HerderResult<()> {
        let name = connector.to_owned();
        self.finish(format!("removing the config for connector {connector}"), move |shared| async move {
            let mut configs = shared.configs.lock().await;
            if configs.state().connector(&name).is_none() {
                return Err(HerderError::unknown_connector(&name));
            }
            shared.remove(&mut configs, &name).await
        })
        .await
    }

    async fn request_task_reconfiguration(&self, connector: &str) {
        self.0.divide_soon(connector);
    }

    async fn put_task_configs(
        &self,
        _: &str,
        _: Vec<ConfigMap>,
        _: Option<InternalRequestSignature>,
    ) -> HerderResult<()> {
        let message =
            "Kafka Connect in standalone mode does not support externally setting task configurations.";
        Err(HerderError::other(message))
    }

    async fn fence_zombies(&self, _: &str, _: Option<InternalRequestSignature>) -> HerderResult<()> {
        let message = "Kafka Connect in standalone mode does not support exactly-once source connectors.";
        Err(HerderError::other(message))
    }

    async fn restart_connector(&self, connector: &str) -> HerderResult<()> {
        let name = connector.to_owned();
        self.finish(format!("restarting connector {connector}"), move |shared| async move {
            let configs = shared.configs.lock().await;
            if configs.state().connector(&name).is_none() {
                // Java's worker answers 500 here too.
                return Err(HerderError::other(format!("Connector {name} not found")));
            }
            shared.stop_connector(&name).await;
            shared.start_connector(&name).await
        })
        .await
    }

    async fn restart_task(&self, connector: &str, task: usize) -> HerderResult<()> {
        let id = TaskId { connector: connector.to_owned(), task };
        self.finish(format!("restarting task {id}"), move |shared| async move {
            let configs = shared.configs.lock().await;
            if configs.state().connector(&id.connector).is_none() {
                return Err(HerderError::nothing_to_restart(&id.connector));
            }
            if configs.state().task(&id.connector, id.task).is_none() {
                return Err(HerderError::NotFound(format!("Task {id} not found")));
            }
            if shared.worker.tasks().contains(&id) {
                shared.worker.stop_tasks(std::slice::from_ref(&id)).await;
            }
            shared.start_task(&id).await;
            Ok(())
        })
        .await
    }

    async fn restart_connector_and_tasks(&self, request: RestartRequest) -> HerderResult<ConnectorStateInfo> {
        let what = format!("restarting connector {} and its tasks", request.connector);
        self.finish(what, move |shared| async move {
            let configs = shared.configs.lock().await;
            let name = &request.connector;
            if configs.state().connector(name).is_none() {
                return Err(HerderError::nothing_to_restart(name));
            }
            let plugins = shared.worker.plugins();
            let mut states = reading::connector_state(configs.state(), plugins, &shared.statuses, name)?;
            let chosen = |state: State| !request.only_failed || state == State::Failed;
            let connector = chosen(states.connector.state);
            if connector {
                states.connector.state = State::Restarting;
            }
            let mut tasks = Vec::new();
            for task in states.tasks.iter_mut().filter(|task| request.include_tasks && chosen(task.state.state)) {
                task.state.state = State::Restarting;
                tasks.push(TaskId { connector: name.clone(), task: task.id });
            }
            info!(connector = %name, "restarting {} and {} of its tasks", if connector { "it" } else { "not it" }, tasks.len());
            let running = shared.worker.tasks();
            let stopping: Vec<TaskId> = tasks.iter().filter(|id| running.contains(id)).cloned().collect();
            shared.worker.stop_tasks(&stopping).await;
            if connector {
                shared.stop_connector(name).await;
                shared.starts.on_restart(&InstanceId::Connector(name.clone()));
            }
            tasks.iter().for_each(|id| shared.starts.on_restart(&InstanceId::Task(id.clone())));
            if connector {
                shared.start_connector(name).await?;
            }
            for id in &tasks {
                shared.start_task(id).await;
            }
            Ok(states)
        })
        .await
    }

    async fn pause_connector(&self, connector: &str) -> HerderResult<()> {
        self.put_target(connector, TargetState::Paused).await
    }

    async fn resume_connector(&self, connector: &str) -> HerderResult<()> {
        self.put_target(connector, TargetState::Started).await
    }

    async fn stop_connector(&self, connector: &str) -> HerderResult<()> {
        let name = connector.to_owned();
        self.finish(format!("stopping connector {connector}"), move |shared| async move {
            let mut configs = shared.configs.lock().await;
            if configs.state().connector(&name).is_none() {
                // Java's worker answers 500 here too.
                return Err(HerderError::other(format!("No connector `{name}` configured")));
            }
            shared.remove_tasks(&name).await;
            configs.put_tasks(&name, &[]).await.map_err(stored)?;
            configs.put_target(&name, TargetState::Stopped).await.map_err(stored)?;
            shared.worker.set_target_state(&name, TargetState::Stopped);
            Ok(())
        })
        .await
    }

    async fn alter_connector_offsets(
        &self,
        connector: &str,
        offsets: ConnectorOffsets,
    ) -> HerderResult<String> {
        self.change_offsets(connector, Some(offsets)).await
    }

    async fn reset_connector_offsets(&self, connector: &str) -> HerderResult<String> {
        self.change_offsets(connector, None).await
    }

    async fn set_cluster_logger_level(&self, namespace: &str, level: &str) -> HerderResult<()> {
        // The only worker of its cluster.
        loggers::set_level(namespace, level);
        Ok(())
    }
}
