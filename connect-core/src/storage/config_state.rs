//! The sum of the config topic's records. Task configurations are held back until a commit record says that the
//! set is complete, so that a writer that died half-way leaves the previous set, not a mixture.

use std::collections::{BTreeMap, BTreeSet};

use tracing::warn;

use crate::ids::TargetState;

use super::config_records::{self, ConfigRecord, Properties, RestartRequest, SessionKey};
use super::log::LogRecord;

/// Configurations of all connectors as of some record of the config topic.
#[derive(Debug, Clone)]
pub struct ConfigState {
    /// Offset of the last record read plus one, -1 when there was none.
    pub offset: i64,
    connectors: BTreeMap<String, Properties>,
    targets: BTreeMap<String, TargetState>,
    tasks: BTreeMap<String, BTreeMap<usize, Properties>>,
    uncommitted: BTreeMap<String, BTreeMap<usize, Properties>>,
    inconsistent: BTreeSet<String>,
    /// The configuration that a connector had when its tasks were last committed.
    applied: BTreeMap<String, Properties>,
    session_key: Option<SessionKey>,
    fenced_tasks: BTreeMap<String, usize>,
    pending_fencing: BTreeSet<String>,
}

/// Change by a record of the config topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigUpdate {
    /// A connector was added or has a new configuration.
    Connector(String),
    /// A connector was deleted.
    Removed(String),
    /// A set of task configurations was committed.
    Tasks(String),
    /// State that the operator wants of a connector.
    Target(String),
    /// Requests are signed with another key.
    SessionKey,
    /// Somebody asked for a restart.
    Restart(RestartRequest),
    /// The level of a logger, for every worker.
    Logger(String, String),
}

impl Default for ConfigState {
    fn default() -> Self {
        Self {
            offset: -1,
            connectors: BTreeMap::new(),
            targets: BTreeMap::new(),
            tasks: BTreeMap::new(),
            uncommitted: BTreeMap::new(),
            inconsistent: BTreeSet::new(),
            applied: BTreeMap::new(),
            session_key: None,
            fenced_tasks: BTreeMap::new(),
            pending_fencing: BTreeSet::new(),
        }
    }
}

impl ConfigState {
    /// Names of all connectors, sorted.
    pub fn connectors(&self) -> impl Iterator<Item = &str> {
        self.connectors.keys().map(String::as_str)
    }

    /// The configuration of a connector, `None` if there is no such connector.
    pub fn connector(&self, name: &str) -> Option<&Properties> {
        self.connectors.get(name)
    }

    /// State that the operator wants of a connector.
    pub fn target(&self, name: &str) -> TargetState {
        self.targets.get(name).copied().unwrap_or(TargetState::Started)
    }

    /// Configurations of a connector's tasks, 0 first; none while the set is inconsistent or was never committed.
    pub fn tasks(&self, name: &str) -> Vec<&Properties> {
        if self.inconsistent.contains(name) {
            return Vec::new();
        }
        self.tasks.get(name).map(|tasks| tasks.values().collect()).unwrap_or_default()
    }

    /// True when exactly these are a connector's committed task configurations.
    pub fn tasks_are(&self, name: &str, configs: &[Properties]) -> bool {
        let committed = self.tasks.contains_key(name) && !self.inconsistent.contains(name);
        committed && self.tasks(name).into_iter().eq(configs)
    }

    /// Configuration of one task; `None` when there is no such task now.
    pub fn task(&self, name: &str, number: usize) -> Option<&Properties> {
        if self.inconsistent.contains(name) {
            return None;
        }
        self.tasks.get(name)?.get(&number)
    }

    /// Number of tasks that the newest commit named, also of an incomplete set; `None` before the first commit.
    pub fn task_count(&self, name: &str) -> Option<usize> {
        self.tasks.get(name).map(BTreeMap::len)
    }

    /// The configuration that the connector had when its tasks were last committed.
    pub fn applied(&self, name: &str) -> Option<&Properties> {
        self.applied.get(name)
    }

    /// The key with which internal requests are signed.
    pub fn session_key(&self) -> Option<&SessionKey> {
        self.session_key.as_ref()
    }

    /// Number of tasks in the newest record of a fencing round.
    pub fn fenced_tasks(&self, name: &str) -> Option<usize> {
        self.fenced_tasks.get(name).copied()
    }

    /// True when tasks were committed after the newest fencing round.
    pub fn is_pending_fencing(&self, name: &str) -> bool {
        self.pending_fencing.contains(name)
    }

    /// Takes one more record into account; what cannot be read is skipped with a warning.
    pub(super) fn apply(&mut self, record: &LogRecord) -> Option<ConfigUpdate> {
        self.offset = record.offset + 1;
        let Some(key) = record.key.as_deref() else {
            warn!(offset = record.offset, "skipped a record of the config topic that has no key");
            return None;
        };
        match config_records::parse(key, record.value.as_deref()) {
            Ok(parsed) => self.apply_parsed(parsed),
            Err(reason) => {
                warn!(
                    offset = record.offset,
                    key = %String::from_utf8_lossy(key),
                    "skipped a record of the config topic: {reason}"
                );
                None
            }
        }
    }

    fn apply_parsed(&mut self, record: ConfigRecord) -> Option<ConfigUpdate> {
        match record {
            ConfigRecord::Connector(name, Some(config)) => {
                self.connectors.insert(name.clone(), config);
                return Some(ConfigUpdate::Connector(name));
            }
            ConfigRecord::Connector(name, None) => {
                self.forget(&name);
                return Some(ConfigUpdate::Removed(name));
            }
            ConfigRecord::Task(name, number, config) => {
                self.uncommitted.entry(name).or_default().insert(number, config);
            }
            ConfigRecord::Commit(name, count) => {
                return self.commit(name.clone(), count).then_some(ConfigUpdate::Tasks(name));
            }
            ConfigRecord::Target(name, Some(state)) => {
                self.targets.insert(name.clone(), state);
                return Some(ConfigUpdate::Target(name));
            }
            ConfigRecord::Target(name, None) => {
                self.targets.remove(&name);
            }
            ConfigRecord::SessionKey(key) => {
                self.session_key = Some(key);
                return Some(ConfigUpdate::SessionKey);
            }
            ConfigRecord::Restart(request) => return Some(ConfigUpdate::Restart(request)),
            ConfigRecord::Fencing(name, tasks) => {
                self.pending_fencing.remove(&name);
                self.fenced_tasks.insert(name, tasks);
            }
            ConfigRecord::Logger(namespace, level) => return Some(ConfigUpdate::Logger(namespace, level)),
            ConfigRecord::Nothing => {}
        }
        None
    }

    /// False when the commit is without effect.
    fn commit(&mut self, name: String, count: usize) -> bool {
        let Some(config) = self.connectors.get(&name) else {
            // Left over by compaction from a connector that was deleted since.
            self.uncommitted.remove(&name);
            return false;
        };
        self.applied.insert(name.clone(), config.clone());
        self.pending_fencing.insert(name.clone());
        let mut tasks = self.uncommitted.remove(&name).unwrap_or_default();
        tasks.retain(|number, _| *number < count);
        // Compaction may have taken tasks of this set that a later, unfinished writer rewrote.
        if tasks.len() == count {
            self.inconsistent.remove(&name);
        } else {
            warn!(connector = %name, "the config topic holds {} of {count} task configurations", tasks.len());
            self.inconsistent.insert(name.clone());
        }
        self.tasks.insert(name, tasks);
        true
    }

    fn forget(&mut self, name: &str) {
        self.connectors.remove(name);
        self.tasks.remove(name);
        self.uncommitted.remove(name);
        self.inconsistent.remove(name);
        self.applied.remove(name);
        self.targets.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::KeyedRecord;

    fn config(value: &str) -> Properties {
        [("k".to_owned(), Some(value.to_owned()))].into()
    }

    fn state(records: Vec<KeyedRecord>) -> ConfigState {
        let mut state = ConfigState::default();
        for (offset, KeyedRecord { key, value }) in records.into_iter().enumerate() {
            let offset = offset as i64;
            state.apply(&LogRecord { partition: 0, offset, timestamp: 0, key: Some(key), value });
        }
        state
    }

    fn tombstone(key: &'static str) -> KeyedRecord {
        KeyedRecord { key: key.into(), value: None }
    }

    use config_records::{commit, connector, target, task};

    #[test]
    fn nothing_is_minus_one() {
        assert_eq!(state(vec![]).offset, -1);
        assert_eq!(state(vec![connector("c", &config("a"))]).offset, 1);
    }

    #[test]
    fn tasks_count_once_committed() {
        let mut records =
            vec![connector("c", &config("a")), task("c", 0, &config("0")), task("c", 1, &config("1"))];
        assert!(state(records.clone()).tasks("c").is_empty());
        records.push(commit("c", 2));
        assert_eq!(state(records.clone()).tasks("c"), [&config("0"), &config("1")]);
        records.push(task("c", 0, &config("new")));
        assert_eq!(state(records.clone()).tasks("c"), [&config("0"), &config("1")]);
        records.push(commit("c", 1));
        assert_eq!(state(records).tasks("c"), [&config("new")]);
    }

    #[test]
    fn an_incomplete_set_counts_as_none_until_rewritten() {
        let mut records = vec![connector("c", &config("a")), task("c", 1, &config("1")), commit("c", 2)];
        assert!(state(records.clone()).tasks("c").is_empty());
        records.extend([task("c", 0, &config("0")), task("c", 1, &config("1")), commit("c", 2)]);
        assert_eq!(state(records).tasks("c").len(), 2);
    }

    #[test]
    fn a_commit_of_an_unknown_connector_is_ignored() {
        let records = vec![task("c", 0, &config("0")), commit("c", 1), connector("c", &config("a"))];
        assert!(state(records).tasks("c").is_empty());
    }

    #[test]
    fn tasks_committed_after_a_fencing_round_need_another() {
        let mut records = vec![connector("c", &config("a")), task("c", 0, &config("0")), commit("c", 1)];
        let committed = state(records.clone());
        assert!(committed.is_pending_fencing("c") && committed.fenced_tasks("c").is_none());
        assert_eq!(committed.applied("c"), Some(&config("a")));
        records.push(config_records::fencing("c", 1));
        let fenced = state(records.clone());
        assert!(!fenced.is_pending_fencing("c") && fenced.fenced_tasks("c") == Some(1));
        records.extend([task("c", 0, &config("1")), commit("c", 1)]);
        assert!(state(records).is_pending_fencing("c"));
    }

    #[test]
    fn deletion_takes_the_tasks_along() {
        let mut records = vec![
            connector("c", &config("a")),
            task("c", 0, &config("0")),
            commit("c", 1),
            target("c", TargetState::Paused),
        ];
        assert_eq!(state(records.clone()).target("c"), TargetState::Paused);
        records.extend([tombstone("connector-c"), tombstone("target-state-c"), connector("c", &config("b"))]);
        let state = state(records);
        assert!(state.tasks("c").is_empty());
        assert_eq!(state.target("c"), TargetState::Started);
        assert_eq!(state.connector("c"), Some(&config("b")));
    }
}
