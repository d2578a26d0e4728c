//! Requests that change something. The core carries them out; reading is done from snapshots (`herder/reader.rs`).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use tokio::sync::watch;

use super::core::DistributedHerder;
use super::leader::RESTARTING;
use super::{InternalRequest, exactly_once, reconfigure};
use crate::answers::HerderError;
use crate::answers::{
    ConnectorInfo, ConnectorOffsets, ConnectorStateInfo, Created, InternalRequestSignature, Stage,
};
use crate::api::ConfigMap;
use crate::herder::api::{Herder, HerderReader, HerderResult};
use crate::herder::changes;
use crate::herder::reading;
use crate::ids::TargetState;
use crate::ids::TaskId;
use crate::storage::RestartRequest;
use crate::storage::{ConfigState, Properties};

impl DistributedHerder {
    async fn put_target(&self, connector: &str, target: TargetState) -> HerderResult<()> {
        let name = connector.to_owned();
        self.shared
            .ask(format!("setting the target state of connector {connector}"), move |core| {
                Box::pin(async move {
                    core.must_know(&name, HerderError::no_such_connector)?;
                    core.configs.put_target(&name, target).await.map_err(super::leader::stored)
                })
            })
            .await
    }

    /// Has the leader, at this URL, do what [`Herder::put_connector_config`] does, replacing what is there.
    pub async fn send_connector_config(
        &self,
        leader: &str,
        connector: &str,
        config: &Properties,
    ) -> HerderResult<()> {
        let path = format!("connectors/{}/config", reconfigure::path_segment(connector));
        let request = InternalRequest {
            method: "PUT",
            url: format!("{}/{path}", leader.trim_end_matches('/')),
            body: serde_json::to_vec(config).expect("maps of strings are always JSON").into(),
            signature: None,
        };
        self.shared.client.send(request).await.map_err(|(status, message)| {
            let text = format!("the leader at {leader} answered {status}: {message}");
            match status {
                0 => HerderError::other(format!("the leader at {leader}: {message}")),
                400 => HerderError::BadRequest(text),
                401 | 403 => HerderError::Forbidden(text),
                409 => HerderError::conflict(text),
                _ => HerderError::other(text),
            }
        })
    }

    /// The config topic as it is known, now and after every change of it.
    pub fn config_states(&self) -> watch::Receiver<Arc<ConfigState>> {
        self.shared.reader.configs.clone()
    }

    /// Checks that a connector's offsets may be changed and fences out its tasks; its configuration.
    async fn prepare_offsets(&self, connector: &str, what: &'static str) -> HerderResult<ConfigMap> {
        let name = connector.to_owned();
        let (config, exactly_once) = self
            .shared
            .ask(format!("modifying offsets for connector {connector}"), move |core| {
                Box::pin(async move {
                    core.must_lead(what)?;
                    core.configs.refresh().await.map_err(super::leader::stored)?;
                    core.must_be_stopped(&name, what)?;
                    let config = core.configs.state().connector(&name).map(reading::plain);
                    Ok((config.unwrap_or_default(), core.delivers_exactly_once(&name)))
                })
            })
            .await?;
        if exactly_once {
            exactly_once::fence(&self.shared, connector).await?;
        }
        Ok(config)
    }
}

#[async_trait]
impl Herder for DistributedHerder {
    fn reader(&self) -> &dyn HerderReader {
        &self.shared.reader
    }

    fn is_ready(&self) -> bool {
        self.shared.ready.load(Ordering::Acquire)
    }

    fn stage(&self) -> Option<Stage> {
        self.shared.stage()
    }

    async fn health_check(&self) -> HerderResult<()> {
        self.shared.ask("checking its health", |_| Box::pin(async { Ok(()) })).await
    }

    async fn put_connector_config(
        &self,
        connector: &str,
        config: Properties,
        target: Option<TargetState>,
        allow_replace: bool,
    ) -> HerderResult<Created<ConnectorInfo>> {
        let validated = self.shared.reader.validate(config.clone()).await?;
        changes::refuse_errors(&validated)?;
        let name = connector.to_owned();
        self.shared
            .ask(format!("writing a config for connector {connector} to the config topic"), move |core| {
                Box::pin(async move { core.put_connector(&name, config, target, allow_replace).await })
            })
            .await
    }

    async fn patch_connector_config(
        &self,
        connector: &str,
        patch: Properties,
    ) -> HerderResult<Created<ConnectorInfo>> {
        let config = changes::patched(&self.shared.reader.connector_config(connector).await?, patch);
        self.put_connector_config(connector, config, None, true).await
    }

    async fn delete_connector(&self, connector: &str) -> HerderResult<()> {
        let name = connector.to_owned();
        self.shared
            .ask(
                format!("removing the config for connector {connector} from the config topic"),
                move |core| Box::pin(async move { core.delete_connector(&name).await }),
            )
            .await
    }

    async fn request_task_reconfiguration(&self, connector: &str) {
        reconfigure::request(&self.shared, connector);
    }

    async fn put_task_configs(
        &self,
        connector: &str,
        configs: Vec<ConfigMap>,
        signature: Option<InternalRequestSignature>,
    ) -> HerderResult<()> {
        let name = connector.to_owned();
        let stored = |config: ConfigMap| config.into_iter().map(|(k, v)| (k, Some(v))).collect();
        let configs: Vec<Properties> = configs.into_iter().map(stored).collect();
        self.shared
            .ask(format!("writing task configs for connector {connector} to the config topic"), move |core| {
                Box::pin(async move {
                    core.check_signature(signature.as_ref())?;
                    core.write_tasks(&name, &configs).await
                })
            })
            .await
    }

    async fn fence_zombies(
        &self,
        connector: &str,
        signature: Option<InternalRequestSignature>,
    ) -> HerderResult<()> {
        self.shared
            .ask(format!("accepting a request for zombie fencing of connector {connector}"), move |core| {
                Box::pin(async move { core.accept_fencing(signature.as_ref()) })
            })
            .await?;
        exactly_once::fence(&self.shared, connector).await
    }

    async fn restart_connector(&self, connector: &str) -> HerderResult<()> {
        let name = connector.to_owned();
        self.shared
            .ask(format!("restarting connector {connector}"), move |core| {
                Box::pin(async move { core.restart_connector(&name).await })
            })
            .await
    }

    async fn restart_task(&self, connector: &str, task: usize) -> HerderResult<()> {
        let id = TaskId { connector: connector.to_owned(), task };
        self.shared
            .ask(format!("restarting task {id}"), move |core| {
                Box::pin(async move { core.restart_task(&id).await })
            })
            .await
    }

    async fn restart_connector_and_tasks(&self, request: RestartRequest) -> HerderResult<ConnectorStateInfo> {
        let name = request.connector.clone();
        // What it was before: a task that is to be restarted is shown with its trace.
        let before = self.shared.reader.connector_status(&name).await;
        let plan = self
            .shared
            .ask(format!("restarting connector {name} and its tasks"), move |core| {
                Box::pin(async move { core.restart_connector_and_tasks(&request).await })
            })
            .await?;
        let mut shown = before?;
        if plan.connector {
            shown.connector.state = RESTARTING;
        }
        shown.connector.version = None;
        for task in &mut shown.tasks {
            if plan.tasks.contains(&task.id) {
                task.state.state = RESTARTING;
            }
            // A Java worker before 4.1 that forwards this request cannot read an answer with versions.
            task.state.version = None;
        }
        Ok(shown)
    }

    async fn pause_connector(&self, connector: &str) -> HerderResult<()> {
        self.put_target(connector, TargetState::Paused).await
    }

    async fn resume_connector(&self, connector: &str) -> HerderResult<()> {
        self.put_target(connector, TargetState::Started).await
    }

    async fn stop_connector(&self, connector: &str) -> HerderResult<()> {
        let name = connector.to_owned();
        self.shared
            .ask(format!("stopping connector {connector}"), move |core| {
                Box::pin(async move { core.stop_connector(&name).await })
            })
            .await
    }

    async fn alter_connector_offsets(
        &self,
        connector: &str,
        offsets: ConnectorOffsets,
    ) -> HerderResult<String> {
        let config = self.prepare_offsets(connector, "alter connector offsets").await?;
        reading::alter_offsets(&self.shared.worker, connector, &config, Some(offsets)).await
    }

    async fn reset_connector_offsets(&self, connector: &str) -> HerderResult<String> {
        let config = self.prepare_offsets(connector, "reset connector offsets").await?;
        reading::alter_offsets(&self.shared.worker, connector, &config, None).await
    }

    async fn set_cluster_logger_level(&self, namespace: &str, level: &str) -> HerderResult<()> {
        let (namespace, level) = (namespace.to_owned(), level.to_owned());
        self.shared
            .ask("setting the level of a logger on all workers", move |core| {
                Box::pin(async move {
                    core.configs.put_logger(&namespace, &level).await.map_err(super::leader::stored)
                })
            })
            .await
    }
}
