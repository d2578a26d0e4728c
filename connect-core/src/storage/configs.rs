//! Configurations of connectors and their tasks (`config.storage.topic`).
//!
//! Guarantees: a write that returned has been stored and read back, so that [`ConfigStore::state`] includes it.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::StorageError;
use super::config_records::{self, Properties, RestartRequest, SessionKey};
use super::config_state::{ConfigState, ConfigUpdate};
use super::log::{KeyedRecord, LogTail, RecordLog};
use crate::ids::TargetState;

/// Time for a write and the reading that follows it.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// Pause before looking again whether a transaction's end has been written.
const MARKER_PAUSE: Duration = Duration::from_millis(5);

/// The config store of a worker.
pub struct ConfigStore {
    log: Box<dyn RecordLog>,
    state: ConfigState,
    published: watch::Sender<Arc<ConfigState>>,
    updates: Vec<ConfigUpdate>,
    privileged: Option<Box<dyn PrivilegedWriter>>,
    privileged_only: bool,
}

/// Writes what only the leader may write, so that a leader that was replaced cannot (exactly-once support).
pub trait PrivilegedWriter: Send {
    /// Stores records, all or none, and gives the offset of the last. They may take a moment to be readable.
    /// [`StorageError::Fenced`] when another leader has taken over.
    fn write<'a>(&'a mut self, records: Vec<KeyedRecord>) -> BoxFuture<'a, Result<i64, StorageError>>;
}

impl ConfigStore {
    /// Opens the store and reads it to its end. Errors are the log's.
    pub async fn open(log: Box<dyn RecordLog>) -> Result<Self, StorageError> {
        let mut store = Self {
            log,
            state: ConfigState::default(),
            published: watch::Sender::default(),
            updates: Vec::new(),
            privileged: None,
            privileged_only: false,
        };
        store.refresh().await?;
        // What was written before counts as state, not as news.
        store.updates.clear();
        Ok(store)
    }

    /// From now on leader's records need a privileged writer: without one they are refused, not written as all others are.
    pub fn require_privileged_writer(&mut self) {
        self.privileged_only = true;
    }

    /// From now on leader's records go through this writer; `None`: as all others, or not at all
    /// ([`Self::require_privileged_writer`]).
    pub fn set_privileged_writer(&mut self, writer: Option<Box<dyn PrivilegedWriter>>) {
        self.privileged = writer;
    }

    /// True when leader's records go through a writer of their own.
    pub fn has_privileged_writer(&self) -> bool {
        self.privileged.is_some()
    }

    /// Changes since the last call, in order.
    pub fn take_updates(&mut self) -> Vec<ConfigUpdate> {
        std::mem::take(&mut self.updates)
    }

    /// A watcher of what others write.
    pub fn tail(&self) -> Box<dyn LogTail> {
        self.log.tail()
    }

    /// Configurations as of the last write or [`ConfigStore::refresh`].
    pub fn state(&self) -> &ConfigState {
        &self.state
    }

    /// Reads what others wrote since.
    pub async fn refresh(&mut self) -> Result<(), StorageError> {
        let state = &mut self.state;
        let before = state.offset;
        let updates = &mut self.updates;
        let outcome = self.log.read_to_end(&mut |record| updates.extend(state.apply(&record))).await;
        if state.offset != before {
            self.published.send_replace(Arc::new(state.clone()));
        }
        outcome
    }

    /// The configurations for readers that must never wait, even while a write is waiting for the cluster.
    pub fn snapshots(&self) -> watch::Receiver<Arc<ConfigState>> {
        self.published.subscribe()
    }

    /// Stores a connector's configuration, before it the state it begins in if that is given. Leaders only. Every write fails
    /// after 30 s; it may then still get stored.
    pub async fn put_connector(
        &mut self,
        name: &str,
        config: &Properties,
        target: Option<TargetState>,
    ) -> Result<(), StorageError> {
        let target = target.map(|state| config_records::target(name, state));
        let records = target.into_iter().chain([config_records::connector(name, config)]).collect();
        self.write_privileged(format!("configuration of connector '{name}'"), records).await
    }

    /// Deletes a connector. Leaders only.
    pub async fn remove_connector(&mut self, name: &str) -> Result<(), StorageError> {
        let records = config_records::deletion(name).into();
        self.write_privileged(format!("deletion of connector '{name}'"), records).await
    }

    /// Stores the configurations of all tasks of a connector, replacing the set there was: first each task's, then,
    /// when these are stored, the commit that makes them count. Leaders only.
    pub async fn put_tasks(&mut self, name: &str, configs: &[Properties]) -> Result<(), StorageError> {
        let what = format!("task configurations of connector '{name}'");
        let connector = self.state.connector(name);
        // A task's map is made from the connector's: where keys collide, they keep its order.
        let place =
            |key: &String| connector.and_then(|config| config.get_index_of(key)).unwrap_or(usize::MAX);
        let tasks = configs.iter().enumerate().map(|(number, config)| {
            let mut config = config.clone();
            config.sort_by_cached_key(|key, _| place(key));
            config_records::task(name, number, &config)
        });
        let tasks: Vec<_> = tasks.collect();
        if !tasks.is_empty() {
            self.write_privileged(what.clone(), tasks).await?;
        }
        self.write_privileged(what, vec![config_records::commit(name, configs.len())]).await
    }

    /// Stores what the operator wants of a connector. Any worker may.
    pub async fn put_target(&mut self, name: &str, state: TargetState) -> Result<(), StorageError> {
        self.write(format!("target state of connector '{name}'"), vec![config_records::target(name, state)])
            .await
    }

    /// Stores the key with which internal requests are signed. Leaders only.
    pub async fn put_session_key(&mut self, key: &SessionKey) -> Result<(), StorageError> {
        self.write_privileged("session key".to_owned(), vec![config_records::session_key(key)]).await
    }

    /// Asks every worker to restart what it runs of a connector. Leaders only.
    pub async fn put_restart(&mut self, request: &RestartRequest) -> Result<(), StorageError> {
        let what = format!("restart request for connector '{}'", request.connector);
        self.write_privileged(what, vec![config_records::restart(request)]).await
    }

    /// Notes that the producers of so many tasks were fenced. Leaders only.
    pub async fn put_fencing(&mut self, name: &str, tasks: usize) -> Result<(), StorageError> {
        let what = format!("task count of connector '{name}'");
        self.write_privileged(what, vec![config_records::fencing(name, tasks)]).await
    }

    /// Sets the level of a logger on every worker. Any worker may.
    pub async fn put_logger(&mut self, namespace: &str, level: &str) -> Result<(), StorageError> {
        self.write(format!("level of logger '{namespace}'"), vec![config_records::logger(namespace, level)])
            .await
    }

    async fn write_privileged(
        &mut self,
        what: String,
        records: Vec<KeyedRecord>,
    ) -> Result<(), StorageError> {
        if self.privileged.is_none() && self.privileged_only {
            let reason = "this leader has not taken over the config topic yet; its log says why".to_owned();
            return Err(StorageError::Transaction { what, reason });
        }
        if self.privileged.is_none() {
            return self.write(what, records).await;
        }
        let outcome = timeout(WRITE_LIMIT, async {
            match &mut self.privileged {
                Some(writer) => {
                    let last = writer.write(records).await?;
                    self.refresh_past(last).await
                }
                None => {
                    self.log.append(records).await?;
                    self.refresh().await
                }
            }
        })
        .await;
        let outcome = outcome.unwrap_or_else(|_| Err(late(what)));
        if outcome.is_err() {
            // Its state is unknown; the next leader's act begins with a new one.
            self.privileged = None;
        }
        outcome
    }

    /// Reads until the record at this offset has been read. That a transaction is committed is known before its marker is in
    /// the topic, and the topic ends before the transaction for as long.
    async fn refresh_past(&mut self, offset: i64) -> Result<(), StorageError> {
        loop {
            self.refresh().await?;
            if self.state.offset > offset {
                return Ok(());
            }
            sleep(MARKER_PAUSE).await;
        }
    }

    async fn write(&mut self, what: String, records: Vec<KeyedRecord>) -> Result<(), StorageError> {
        let written = timeout(WRITE_LIMIT, async {
            self.log.append(records).await?;
            self.refresh().await
        });
        written.await.map_err(|_| late(what))?
    }
}

fn late(what: String) -> StorageError {
    StorageError::Timeout { what, seconds: WRITE_LIMIT.as_secs(), setting: "config.storage.topic" }
}

impl std::fmt::Debug for ConfigStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfigStore").field("state", &self.state).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::storage::MemoryLog;

    /// As a broker does it: what was committed can be read only a while later.
    struct Late(MemoryLog);

    impl PrivilegedWriter for Late {
        fn write<'a>(&'a mut self, records: Vec<KeyedRecord>) -> BoxFuture<'a, Result<i64, StorageError>> {
            let (log, last) = (self.0.clone(), self.0.records().len() + records.len() - 1);
            tokio::spawn(async move {
                sleep(Duration::from_millis(200)).await;
                log.push(records);
            });
            Box::pin(async move { Ok(last as i64) })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_transaction_is_read_back_although_its_end_comes_late() {
        let log = MemoryLog::default();
        let mut store = ConfigStore::open(Box::new(log.clone())).await.unwrap();
        store.set_privileged_writer(Some(Box::new(Late(log))));
        let config: Properties = [("tasks.max".to_owned(), Some("2".to_owned()))].into();
        store.put_connector("c", &config, Some(TargetState::Paused)).await.unwrap();
        assert_eq!(store.state().connector("c"), Some(&config));
        store.put_tasks("c", std::slice::from_ref(&config)).await.unwrap();
        assert_eq!(store.state().tasks("c").len(), 1);
    }

    /// A leader that was replaced.
    struct Replaced;

    impl PrivilegedWriter for Replaced {
        fn write<'a>(&'a mut self, _: Vec<KeyedRecord>) -> BoxFuture<'a, Result<i64, StorageError>> {
            Box::pin(async { Err(StorageError::Fenced { what: "records".to_owned() }) })
        }
    }

    #[tokio::test]
    async fn a_leader_that_was_replaced_does_not_write_as_others_do() {
        let log = MemoryLog::default();
        let mut store = ConfigStore::open(Box::new(log.clone())).await.unwrap();
        store.require_privileged_writer();
        let config: Properties = [("tasks.max".to_owned(), Some("2".to_owned()))].into();
        store.set_privileged_writer(Some(Box::new(Replaced)));
        let refused = store.put_connector("c", &config, None).await;
        assert!(matches!(refused, Err(StorageError::Fenced { .. })), "{refused:?}");
        let again = store.put_connector("c", &config, None).await;
        assert!(matches!(again, Err(StorageError::Transaction { .. })), "{again:?}");
        store.put_target("c", TargetState::Paused).await.unwrap();
        let keys: Vec<_> = log.records().into_iter().filter_map(|r| r.key).collect();
        assert_eq!(keys, ["target-state-c"]);
    }

    #[tokio::test]
    async fn writes_are_read_back_and_survive() {
        let log = MemoryLog::default();
        let mut store = ConfigStore::open(Box::new(log.clone())).await.unwrap();
        let config: Properties = [("tasks.max".to_owned(), Some("2".to_owned()))].into();
        store.put_connector("c", &config, None).await.unwrap();
        store.put_tasks("c", &[config.clone(), config.clone()]).await.unwrap();
        store.put_target("c", TargetState::Stopped).await.unwrap();
        assert_eq!(store.state().tasks("c").len(), 2);
        let keys: Vec<_> = log.records().into_iter().filter_map(|r| r.key).collect();
        assert_eq!(keys, ["connector-c", "task-c-0", "task-c-1", "commit-c", "target-state-c"]);
        let reopened = ConfigStore::open(Box::new(log)).await.unwrap();
        assert_eq!(reopened.state().connector("c"), Some(&config));
        assert_eq!(reopened.state().target("c"), TargetState::Stopped);
        assert_eq!(reopened.state().offset, 5);
    }
}
