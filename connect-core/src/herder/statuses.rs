//! Turns what a worker tells about its connectors and tasks into statuses; shared by both kinds of herders.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::{error, info};

use crate::api::ConnectError;
use crate::ids::{InstanceId, TaskId};
use crate::storage::{State, Status, StatusId, StatusStore, TopicStatus};
use crate::worker::StatusListener;

/// Writes statuses in the name of one worker.
#[derive(Debug)]
pub struct StatusWriter {
    store: StatusStore,
    worker_id: String,
    generation: AtomicI32,
    versions: Mutex<BTreeMap<String, String>>,
}

impl StatusWriter {
    /// `worker_id`: `host:port` of this worker's REST address.
    pub fn new(store: StatusStore, worker_id: &str) -> Self {
        let (generation, versions) = (AtomicI32::new(0), Mutex::default());
        Self { store, worker_id: worker_id.to_owned(), generation, versions }
    }

    /// The generation of the group whose assignment this worker carries out.
    pub fn set_generation(&self, generation: i32) {
        self.generation.store(generation, Ordering::Release);
    }

    /// The version of a connector's plugin, for its statuses and its tasks'.
    pub fn set_version(&self, connector: &str, version: Option<&str>) {
        let mut versions = self.versions();
        match version {
            Some(version) => versions.insert(connector.to_owned(), version.to_owned()),
            None => versions.remove(connector),
        };
    }

    fn versions(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self, id: &InstanceId, state: State, trace: Option<String>) -> (StatusId, Status) {
        let id = status_id(id);
        let version = self.versions().get(id.connector()).cloned();
        let generation = self.generation.load(Ordering::Acquire);
        (id, Status { state, trace, worker_id: self.worker_id.clone(), generation, version })
    }

    fn put(&self, id: &InstanceId, state: State, trace: Option<String>) {
        let (id, status) = self.status(id, state, trace);
        self.store.put(id, status);
    }

    fn put_safe(&self, id: &InstanceId, state: State, trace: Option<String>) {
        let (id, status) = self.status(id, state, trace);
        self.store.put_safe(id, status);
    }
}

/// The key of an instance's status.
pub fn status_id(id: &InstanceId) -> StatusId {
    match id {
        InstanceId::Connector(name) => StatusId::Connector(name.clone()),
        InstanceId::Task(TaskId { connector, task }) => StatusId::Task(connector.clone(), *task),
    }
}

impl StatusListener for StatusWriter {
    fn on_startup(&self, id: &InstanceId) {
        self.put(id, State::Running, None);
    }

    fn on_running(&self, id: &InstanceId, trouble: Option<&str>) {
        self.put(id, State::Running, trouble.map(str::to_owned));
    }

    fn on_pause(&self, id: &InstanceId) {
        self.put(id, State::Paused, None);
    }

    fn on_resume(&self, id: &InstanceId) {
        self.put(id, State::Running, None);
    }

    fn on_stop(&self, id: &InstanceId) {
        self.put(id, State::Stopped, None);
    }

    fn on_failure(&self, id: &InstanceId, reason: &ConnectError) {
        error!(%id, "failed, and will not run again by itself: {reason}");
        self.put_safe(id, State::Failed, Some(reason.trace()));
    }

    fn on_shutdown(&self, id: &InstanceId) {
        self.put_safe(id, State::Unassigned, None);
    }

    fn on_deletion(&self, id: &InstanceId) {
        info!(%id, "deleted");
        self.store.delete(&status_id(id));
    }

    fn on_restart(&self, id: &InstanceId) {
        self.put(id, State::Restarting, None);
    }

    fn topics_forgotten(&self) -> u64 {
        self.store.topics_forgotten()
    }

    fn on_topic(&self, id: &TaskId, topic: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
        self.store.put_topic(TopicStatus {
            topic: topic.to_owned(),
            connector: id.connector.clone(),
            task: id.task,
            discover_timestamp: now,
        });
    }
}
