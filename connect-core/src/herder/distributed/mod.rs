//! The herder of distributed mode: workers with one `group.id` share connectors and tasks.
//!
//! One task on the control runtime, the *core*, owns everything that changes: membership, the config store, what runs here.
//! Requests are sent to it as jobs and carried out one after the other, never while a rebalance is being settled; reading
//! requests are answered from snapshots without it. Nothing that a connector or task does can block it.

mod auto_restart;
mod core;
mod exactly_once;
mod grace;
mod keys;
mod leader;
mod membership;
mod metrics;
mod news;
mod predecessor;
mod rebalance;
mod reconfigure;
mod requests;
mod restart;
mod settings;
mod updates;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use futures::future::BoxFuture;
use kafka_wire::group::Session;
use tokio::sync::{mpsc, oneshot};

pub use self::core::{DistributedHerder, Foundation};
pub use auto_restart::AutoRestart;
pub use reconfigure::{InternalClient, InternalRequest};
pub use settings::{DistributedSettings, ExactlyOnceSource, group_settings};

use self::core::Core;
use super::reader::Reader;
use super::statuses::StatusWriter;
use crate::answers::HerderError;
use crate::answers::Stage;
use crate::storage::StatusStore;
use crate::worker::Worker;

/// Something for the core to do.
type Job = Box<dyn for<'a> FnOnce(&'a mut Core) -> BoxFuture<'a, ()> + Send>;

/// Shared by the handle and the core.
struct Shared {
    settings: DistributedSettings,
    jobs: mpsc::UnboundedSender<Job>,
    reader: Reader,
    worker: Worker,
    statuses: StatusStore,
    writer: Arc<StatusWriter>,
    client: Arc<dyn InternalClient>,
    ready: AtomicBool,
    stage: Mutex<Option<Stage>>,
    figures: Mutex<metrics::Figures>,
    session: Session,
}

impl Shared {
    /// Has the core do something and waits for what comes of it.
    async fn ask<T: Send + 'static>(
        &self,
        what: impl Into<String>,
        job: impl for<'a> FnOnce(&'a mut Core) -> BoxFuture<'a, Result<T, HerderError>> + Send + 'static,
    ) -> Result<T, HerderError> {
        let (answer, answered) = oneshot::channel();
        let what = what.into();
        let whole: Job = Box::new(move |core| {
            Box::pin(async move {
                let stage = core.shared.begin_stage(&what);
                let outcome = job(core).await;
                core.shared.end_stage(stage);
                // A client that is gone has no use for it.
                let _ = answer.send(outcome);
            })
        });
        let stopping = || HerderError::other("The worker is shutting down");
        self.jobs.send(whole).map_err(|_| stopping())?;
        answered.await.map_err(|_| stopping())?
    }

    /// Has the core do something.
    fn tell(&self, job: impl for<'a> FnOnce(&'a mut Core) -> BoxFuture<'a, ()> + Send + 'static) {
        // A core that is gone has nothing left to do.
        let _ = self.jobs.send(Box::new(job));
    }

    fn begin_stage(&self, description: &str) -> Stage {
        let stage =
            Stage { description: description.to_owned(), started: SystemTime::now(), completed: None };
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = Some(stage.clone());
        stage
    }

    fn end_stage(&self, stage: Stage) {
        let completed = Some(SystemTime::now());
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = Some(Stage { completed, ..stage });
    }

    fn stage(&self) -> Option<Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
