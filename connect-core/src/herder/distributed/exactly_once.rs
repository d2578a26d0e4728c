//! Exactly-once source support (KIP-618): the leader's transactional writes, rounds of fencing, and what a task makes sure of
//! before it runs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};
use tracing::info;

use super::Shared;
use super::core::Core;
use super::leader::stored;
use super::reconfigure::path_segment;
use crate::answers::HerderError;
use crate::api::{ConfigMap, ConnectError, ConnectorType};
use crate::herder::reading::plain;
use crate::ids::TaskId;
use crate::storage::{StorageError, TransactionalWriter};
use crate::worker::ExactlyOnce;

/// Time that a task that starts waits for a leader that fences.
const LEADERLESS: Duration = Duration::from_secs(60);
const LEADERLESS_PAUSE: Duration = Duration::from_millis(500);

/// Duties of a round of fencing.
enum Round {
    /// The newest tasks were fenced for already.
    Done,
    /// Fence so many producers, if any, then take note of so many tasks.
    Fence { old: Option<usize>, new: usize, config: ConfigMap },
}

/// Fences out earlier generations of a connector's tasks. On the leader.
pub(super) async fn fence(shared: &Shared, name: &str) -> Result<(), HerderError> {
    let connector = name.to_owned();
    let round = shared
        .ask(format!("performing zombie fencing for connector {name}"), move |core| {
            Box::pin(async move { core.plan_fencing(&connector).await })
        })
        .await?;
    let Round::Fence { old, new, config } = round else { return Ok(()) };
    if let Some(old) = old {
        info!(connector = %name, "fencing the producers of {old} earlier tasks");
        let fenced = shared.worker.fence_zombies(name, old, &config).await;
        fenced.map_err(|e| HerderError::other(format!("Failed to perform zombie fencing: {e}")))?;
    }
    let connector = name.to_owned();
    shared
        .ask(format!("writing the task count of connector {name}"), move |core| {
            Box::pin(async move { core.note_fencing(&connector, new).await })
        })
        .await
}

/// Checks of a task before it begins, in the worker's hands.
struct Guard {
    shared: Arc<Shared>,
}

impl Guard {
    /// A round of fencing by the leader, whoever that is. An error says whether it may pass.
    async fn ask_for_fencing(&self, name: &str) -> Result<(), (bool, String)> {
        let herder = |error: HerderError| {
            use HerderError::{Conflict, NotLeader, Stale};
            let passes = matches!(error, Conflict { .. } | NotLeader { .. } | Stale(_));
            (passes, error.to_string())
        };
        let connector = name.to_owned();
        let request = self.shared.ask("looking for the leader", move |core| {
            Box::pin(async move { core.fencing_request(&connector) })
        });
        let Some(request) = request.await.map_err(herder)? else {
            return fence(&self.shared, name).await.map_err(herder);
        };
        self.shared.client.send(request).await.map_err(|(status, message)| {
            // 0: it did not answer. 400 and 403: it has another key, or leads no more.
            let passes = matches!(status, 0 | 400 | 403 | 409 | 503);
            (passes, format!("the leader refused a round of zombie fencing ({status}): {message}"))
        })
    }
}

#[async_trait]
impl ExactlyOnce for Guard {
    /// While a leader is being replaced nobody fences: that passes.
    async fn fence(&self, id: &TaskId) -> Result<(), ConnectError> {
        let begun = Instant::now();
        loop {
            match self.ask_for_fencing(&id.connector).await {
                Err((true, _)) if begun.elapsed() < LEADERLESS => sleep(LEADERLESS_PAUSE).await,
                outcome => return outcome.map_err(|(_, reason)| ConnectError::new(reason)),
            }
        }
    }

    async fn verify(&self, id: &TaskId) -> Result<(), ConnectError> {
        let id = id.clone();
        self.shared
            .ask(format!("checking task {id}"), move |core| {
                Box::pin(async move { core.check_current(&id).await })
            })
            .await
            .map_err(|e| ConnectError::new(e.to_string()))
    }
}

impl Core {
    /// True for source connectors of a worker with exactly-once support.
    pub(super) fn delivers_exactly_once(&self, connector: &str) -> bool {
        use super::ExactlyOnceSource::Enabled;
        self.shared.settings.exactly_once == Enabled && self.kind(connector) == Some(ConnectorType::Source)
    }

    /// Kind of a connector; `None` when this worker does not know its class.
    fn kind(&self, connector: &str) -> Option<ConnectorType> {
        let class = self.state.connector(connector)?.get("connector.class")?.clone()?;
        Some(self.worker.plugins().connector(&class).ok()?.kind())
    }

    /// The hooks for a task that delivers exactly once.
    pub(super) fn exactly_once_hooks(&self, id: &TaskId) -> Option<Arc<dyn ExactlyOnce>> {
        let guard = Guard { shared: self.shared.clone() };
        self.delivers_exactly_once(&id.connector).then(|| Arc::new(guard) as Arc<dyn ExactlyOnce>)
    }

    /// The right to write to the config topic, taken from earlier leaders.
    pub(super) async fn claim_config_topic(&mut self) -> Result<(), StorageError> {
        if !self.shared.settings.exactly_once.has_transactional_leader()
            || self.configs.has_privileged_writer()
        {
            return Ok(());
        }
        let settings = &self.shared.settings;
        let id = format!("connect-cluster-{}", settings.group_id);
        let config = self
            .worker
            .transactional_client(&id)
            .map_err(|e| StorageError::Transaction { what: "anything".to_owned(), reason: e.to_string() })?;
        let writer = TransactionalWriter::open(config, &settings.config_topic).await?;
        self.configs.set_privileged_writer(Some(Box::new(writer)));
        // What an earlier leader wrote before it was fenced counts.
        self.configs.refresh().await
    }

    async fn plan_fencing(&mut self, name: &str) -> Result<Round, HerderError> {
        self.must_lead("fence zombies")?;
        self.configs.refresh().await.map_err(stored)?;
        self.must_know(name, HerderError::unknown_connector)?;
        let state = self.configs.state();
        // Whether this worker delivers exactly once itself does not matter: others may already, while a group is upgraded.
        if self.kind(name) == Some(ConnectorType::Sink) {
            return Err(HerderError::BadRequest(format!("Connector {name} is not a source connector")));
        }
        if !state.is_pending_fencing(name) {
            return Ok(Round::Done);
        }
        let (old, new) = (state.fenced_tasks(name), state.task_count(name).unwrap_or(0));
        // One task follows one task: the new producer itself fences the old one.
        let old = old.filter(|old| !(*old == 1 && new == 1));
        let config = state.connector(name).map(plain).unwrap_or_default();
        Ok(Round::Fence { old, new, config })
    }

    async fn note_fencing(&mut self, name: &str, tasks: usize) -> Result<(), HerderError> {
        self.must_lead("fence zombies")?;
        if self.configs.state().task_count(name) != Some(tasks) {
            return Err(HerderError::conflict(
                "Another set of task configurations was stored while this one was being fenced for",
            ));
        }
        self.configs.put_fencing(name, tasks).await.map_err(stored)
    }

    /// The request for a follower to send; `None` on the leader.
    fn fencing_request(&mut self, name: &str) -> Result<Option<super::InternalRequest>, HerderError> {
        if self.is_leader() {
            return Ok(None);
        }
        let Some(leader) = self.leader_url() else { return Err(HerderError::conflict("no leader is known")) };
        let path = format!("connectors/{}/fence", path_segment(name));
        Ok(Some(self.internal_request("PUT", &leader, &path, Vec::new())))
    }

    /// Rebalances that leave the task where it is do not matter.
    async fn check_current(&mut self, id: &TaskId) -> Result<(), HerderError> {
        self.configs.refresh().await.map_err(stored)?;
        let state = self.configs.state();
        let started_with = self.started.get(id).map(|(_, task)| task);
        let same = self.group.running.tasks.contains(id)
            && state.task(&id.connector, id.task) == started_with
            && !state.is_pending_fencing(&id.connector);
        if same {
            Ok(())
        } else {
            Err(HerderError::conflict(format!(
                "Task {id} is out of date: it was reassigned or its connector has other tasks since it was started"
            )))
        }
    }

    /// Checks an internal request's signature, then fences.
    pub(super) fn accept_fencing(
        &self,
        signature: Option<&crate::answers::InternalRequestSignature>,
    ) -> Result<(), HerderError> {
        self.check_signature(signature)?;
        self.must_lead("fence zombies")
    }
}
