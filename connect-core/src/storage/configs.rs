//! Configurations of connectors and their tasks (`config.storage.topic`).
//!
//! Guarantees: a write that returned has been stored and read back, so that [`ConfigStore::state`] includes it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::StorageError;
use super::config_records::{self, Properties};
use super::config_state::{ConfigState, TargetState};
use super::log::{KeyedRecord, RecordLog};

/// Time for a write and the reading that follows it.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// The config store of a worker.
pub struct ConfigStore {
    log: Box<dyn RecordLog>,
    state: ConfigState,
    published: watch::Sender<Arc<ConfigState>>,
}

impl ConfigStore {
    /// Opens the store and reads it to its end. Errors are the log's.
    pub async fn open(log: Box<dyn RecordLog>) -> Result<Self, StorageError> {
        let mut store = Self { log, state: ConfigState::default(), published: watch::Sender::default() };
        store.refresh().await?;
        Ok(store)
    }

    /// Configurations as of the last write or [`ConfigStore::refresh`].
    pub fn state(&self) -> &ConfigState {
        &self.state
    }

    /// Reads what others wrote since.
    pub async fn refresh(&mut self) -> Result<(), StorageError> {
        let state = &mut self.state;
        let before = state.offset;
        let outcome = self.log.read_to_end(&mut |record| state.apply(&record)).await;
        if state.offset != before {
            self.published.send_replace(Arc::new(state.clone()));
        }
        outcome
    }

    /// The configurations for readers that must never wait, even while a write is waiting for the cluster.
    pub fn snapshots(&self) -> watch::Receiver<Arc<ConfigState>> {
        self.published.subscribe()
    }

    /// Stores a connector's configuration. Fails after 30 s; it may then still get stored.
    pub async fn put_connector(&mut self, name: &str, config: &Properties) -> Result<(), StorageError> {
        self.write(
            format!("configuration of connector '{name}'"),
            vec![config_records::connector(name, config)],
        )
        .await
    }

    /// Stores the configurations of all tasks of a connector, replacing the set there was: first each task's, then,
    /// when these are stored, the commit that makes them count. Fails after 30 s.
    pub async fn put_tasks(&mut self, name: &str, configs: &[Properties]) -> Result<(), StorageError> {
        let what = format!("task configurations of connector '{name}'");
        let tasks = configs.iter().enumerate().map(|(n, config)| config_records::task(name, n, config));
        let tasks: Vec<_> = tasks.collect();
        if !tasks.is_empty() {
            self.write(what.clone(), tasks).await?;
        }
        self.write(what, vec![config_records::commit(name, configs.len())]).await
    }

    /// Stores what the operator wants of a connector. Fails after 30 s.
    pub async fn put_target(&mut self, name: &str, state: TargetState) -> Result<(), StorageError> {
        self.write(format!("target state of connector '{name}'"), vec![config_records::target(name, state)])
            .await
    }

    async fn write(&mut self, what: String, records: Vec<KeyedRecord>) -> Result<(), StorageError> {
        let written = timeout(WRITE_LIMIT, async {
            self.log.append(records).await?;
            self.refresh().await
        });
        let late = |_| StorageError::Timeout {
            what,
            seconds: WRITE_LIMIT.as_secs(),
            setting: "config.storage.topic",
        };
        written.await.map_err(late)?
    }
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

    #[tokio::test]
    async fn writes_are_read_back_and_survive() {
        let log = MemoryLog::default();
        let mut store = ConfigStore::open(Box::new(log.clone())).await.unwrap();
        let config: Properties = [("tasks.max".to_owned(), Some("2".to_owned()))].into();
        store.put_connector("c", &config).await.unwrap();
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
