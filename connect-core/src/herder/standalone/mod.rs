//! The herder of a worker that is alone: configurations and statuses in memory, offsets in a file, everything local. REST asks it
//! through [`Herder`](super::api::Herder).
//!
//! Guarantees: changes come one after the other; one that was begun is finished although nobody waits for it any more.

pub mod files;
mod requests;
mod start_waiter;
mod work;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::SystemTime;

use tokio::sync::Mutex;

use self::start_waiter::StartWaiter;
use super::api::{Herder, HerderResult};
use super::reader::Reader;
use super::statuses::StatusWriter;
use crate::answers::HerderError;
use crate::answers::{ConnectorInfo, Created, Stage};
use crate::ids::TargetState;
use crate::storage::{ConfigState, ConfigStore, MemoryLog, Properties, StatusStore, StorageError};
use crate::worker::{StopReport, Worker};

/// The herder. Clones are handles to the same one.
#[derive(Clone)]
pub struct StandaloneHerder(Arc<Shared>);

struct Shared {
    worker: Worker,
    reader: Reader,
    configs: Mutex<ConfigStore>,
    statuses: StatusStore,
    starts: Arc<StartWaiter>,
    ready: AtomicBool,
    stage: StdMutex<Option<Stage>>,
}

impl std::fmt::Debug for StandaloneHerder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StandaloneHerder({:?})", self.0.worker)
    }
}

impl StandaloneHerder {
    /// A herder without connectors. `cluster_id` is shown by `GET /`. The current runtime does its work.
    ///
    /// # Errors
    /// None that is known: its stores are in memory.
    pub async fn new(worker: Worker, cluster_id: String) -> Result<Self, StorageError> {
        let configs = ConfigStore::open(Box::new(MemoryLog::default())).await?;
        let statuses = StatusStore::open(Box::new(MemoryLog::default())).await?;
        let writer = StatusWriter::new(statuses.clone(), worker.id());
        Ok(Self(Arc::new(Shared {
            reader: Reader {
                cluster_id,
                worker: worker.clone(),
                configs: configs.snapshots(),
                statuses: statuses.clone(),
            },
            configs: Mutex::new(configs),
            starts: Arc::new(StartWaiter::new(writer)),
            statuses,
            worker,
            ready: AtomicBool::new(false),
            stage: StdMutex::new(None),
        })))
    }

    /// Creates a connector of the command line, as a request would, and returns when it has started or failed to.
    ///
    /// # Errors
    /// As [`Herder::put_connector_config`].
    pub async fn create(
        &self,
        name: &str,
        config: Properties,
        target: Option<TargetState>,
    ) -> HerderResult<Created<ConnectorInfo>> {
        self.put_connector_config(name, config, target, false).await
    }

    /// All connectors of the command line have been created.
    pub fn set_ready(&self) {
        self.0.ready.store(true, Ordering::Release);
    }

    /// Runs connectors and tasks.
    pub fn worker(&self) -> &Worker {
        &self.0.worker
    }

    /// Stops all connectors and tasks in bounded time.
    pub async fn stop(&self) -> StopReport {
        self.0.clone().stop_all().await
    }

    /// Does something to the end, whether or not anybody waits for it.
    async fn finish<T, F>(&self, what: String, work: impl FnOnce(Arc<Shared>) -> F) -> HerderResult<T>
    where
        T: Send + 'static,
        F: Future<Output = HerderResult<T>> + Send + 'static,
    {
        let (shared, work) = (self.0.clone(), work(self.0.clone()));
        let whole = async move {
            let stage = Stage { description: what, started: SystemTime::now(), completed: None };
            shared.set_stage(stage.clone());
            let outcome = work.await;
            shared.set_stage(Stage { completed: Some(SystemTime::now()), ..stage });
            outcome
        };
        tokio::spawn(whole).await.unwrap_or_else(|reason| Err(HerderError::other(reason)))
    }
}

impl Shared {
    fn state(&self) -> Arc<ConfigState> {
        self.reader.state()
    }

    fn set_stage(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = Some(stage);
    }
}

/// An error of a store as an answer.
fn stored(error: StorageError) -> HerderError {
    HerderError::other(error)
}
