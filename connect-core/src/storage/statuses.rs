//! Statuses of connectors and tasks (`status.storage.topic`).
//!
//! Guarantees: [`StatusStore::put`] takes effect here at once and never blocks, whatever the cluster does, so that
//! REST answers the truth while the cluster is away; the topic follows in the background, the newest status of each
//! connector and task, as long as it takes. Any thread may call it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tracing::{error, warn};

use super::StorageError;
use super::log::{KeyedRecord, LogRecord, RecordLog};
use super::status_records::{State, Status, StatusId};

/// Pause after a write that failed for good, for example for a missing right that somebody may yet grant.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(10);

/// The status store of a worker. Clones are handles to the same store.
#[derive(Clone)]
pub struct StatusStore {
    shared: Arc<Shared>,
    _writer: Arc<Writer>,
}

#[derive(Default)]
struct Shared {
    table: Mutex<Table>,
    changed: Notify,
    written: Notify,
}

#[derive(Default)]
struct Table {
    statuses: BTreeMap<StatusId, Status>,
    /// What the topic does not have yet: the value, or a tombstone.
    pending: BTreeMap<StatusId, Option<Bytes>>,
    /// True while a batch taken from `pending` is on its way.
    writing: bool,
}

impl StatusStore {
    /// Opens the store, reads it to its end, and starts writing on the current runtime. Errors are the log's.
    pub async fn open(log: Box<dyn RecordLog>) -> Result<Self, StorageError> {
        Self::open_pausing(log, PAUSE_AFTER_ERROR).await
    }

    async fn open_pausing(mut log: Box<dyn RecordLog>, pause: Duration) -> Result<Self, StorageError> {
        let mut table = Table::default();
        log.read_to_end(&mut |record| table.apply(&record)).await?;
        let shared = Arc::new(Shared { table: Mutex::new(table), ..Shared::default() });
        let writer = tokio::spawn(write_behind(shared.clone(), log, pause));
        Ok(Self { shared, _writer: Arc::new(Writer(writer.abort_handle())) })
    }

    /// The newest status, `None` if nobody ever said anything.
    pub fn get(&self, id: &StatusId) -> Option<Status> {
        self.shared.lock().statuses.get(id).cloned()
    }

    /// Every connector and task about which there is a status.
    pub fn ids(&self) -> Vec<StatusId> {
        self.shared.lock().statuses.keys().cloned().collect()
    }

    /// The statuses of a connector's tasks, by number.
    pub fn tasks(&self, connector: &str) -> Vec<(usize, Status)> {
        let table = self.shared.lock();
        let of_connector = |(id, status): (&StatusId, &Status)| match id {
            StatusId::Task(name, number) if name == connector => Some((*number, status.clone())),
            _ => None,
        };
        table.statuses.iter().filter_map(of_connector).collect()
    }

    /// The newest generation that any status mentions, -1 if there is none.
    pub fn newest_generation(&self) -> i32 {
        self.shared.lock().statuses.values().map(|s| s.generation).max().unwrap_or(-1)
    }

    /// Records a status, whatever was said before.
    pub fn put(&self, id: StatusId, status: Status) {
        self.shared.lock().put(id, status);
        self.shared.changed.notify_one();
    }

    /// Records a status unless it is out of date: another worker of a newer generation has spoken since, or (for
    /// UNASSIGNED) another worker of at least this generation runs it.
    pub fn put_safe(&self, id: StatusId, status: Status) {
        let mut table = self.shared.lock();
        if table.statuses.get(&id).is_none_or(|known| may_follow(known, &status)) {
            table.put(id, status);
            drop(table);
            self.shared.changed.notify_one();
        }
    }

    /// Forgets a connector or task that is no longer configured.
    pub fn delete(&self, id: &StatusId) {
        let mut table = self.shared.lock();
        if table.statuses.remove(id).is_some() {
            table.pending.insert(id.clone(), None);
            drop(table);
            self.shared.changed.notify_one();
        }
    }

    /// Waits until the topic has everything, at most `limit`. False when the limit came first.
    pub async fn flush(&self, limit: Duration) -> bool {
        let all_written = async {
            loop {
                let written = self.shared.written.notified();
                {
                    let table = self.shared.lock();
                    if table.pending.is_empty() && !table.writing {
                        return;
                    }
                }
                written.await;
            }
        };
        timeout(limit, all_written).await.is_ok()
    }
}

impl std::fmt::Debug for StatusStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StatusStore")
    }
}

fn may_follow(known: &Status, new: &Status) -> bool {
    if known.worker_id == new.worker_id {
        return true;
    }
    let taken_over = new.state == State::Unassigned && known.state == State::Running;
    known.generation < new.generation || (known.generation == new.generation && !taken_over)
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn put(&mut self, id: StatusId, status: Status) {
        self.pending.insert(id.clone(), Some(Bytes::from(status.value())));
        self.statuses.insert(id, status);
    }

    fn apply(&mut self, record: &LogRecord) {
        let Some(id) = record.key.as_deref().and_then(StatusId::from_key) else { return };
        match record.value.as_deref().map(Status::from_value) {
            None => {
                self.statuses.remove(&id);
            }
            Some(Ok(status)) => {
                self.statuses.insert(id, status);
            }
            Some(Err(reason)) => {
                warn!(offset = record.offset, %id, "skipped a record of the status topic: {reason}");
            }
        }
    }

    /// Puts back what could not be written, except where something newer has come.
    fn put_back(&mut self, batch: BTreeMap<StatusId, Option<Bytes>>) {
        for (id, value) in batch {
            self.pending.entry(id).or_insert(value);
        }
    }
}

/// Writes what is pending, for ever.
async fn write_behind(shared: Arc<Shared>, mut log: Box<dyn RecordLog>, pause: Duration) {
    loop {
        let batch = {
            let mut table = shared.lock();
            table.writing = !table.pending.is_empty();
            std::mem::take(&mut table.pending)
        };
        if batch.is_empty() {
            shared.written.notify_waiters();
            shared.changed.notified().await;
            continue;
        }
        let record = |(id, value): (&StatusId, &Option<Bytes>)| KeyedRecord {
            key: Bytes::from(id.key()),
            value: value.clone(),
        };
        let records = batch.iter().map(record).collect();
        let outcome = log.append(records).await;
        {
            let mut table = shared.lock();
            table.writing = false;
            if outcome.is_err() {
                table.put_back(batch);
            }
        }
        if let Err(reason) = outcome {
            error!("cannot write statuses (status.storage.topic), trying again: {reason}");
            sleep(pause).await;
        }
    }
}

/// The background writer; ends with the last handle.
struct Writer(AbortHandle);

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::storage::MemoryLog;
    use futures::future::BoxFuture;

    const PAUSE: Duration = Duration::from_millis(200);
    const LIMIT: Duration = Duration::from_secs(5);

    fn status(state: State, worker: &str, generation: i32) -> Status {
        Status { state, trace: None, worker_id: worker.to_owned(), generation, version: None }
    }

    fn task() -> StatusId {
        StatusId::Task("c".to_owned(), 0)
    }

    async fn open(log: &MemoryLog) -> StatusStore {
        StatusStore::open(Box::new(log.clone())).await.unwrap()
    }

    #[tokio::test]
    async fn a_status_is_seen_at_once_and_written_soon() {
        let log = MemoryLog::default();
        let store = open(&log).await;
        store.put(task(), status(State::Running, "a:1", 4));
        assert_eq!(store.get(&task()).unwrap().state, State::Running);
        assert!(log.records().is_empty());
        assert!(store.flush(LIMIT).await);
        assert_eq!(log.records().len(), 1);
        let reopened = open(&log).await;
        assert_eq!(reopened.tasks("c"), [(0, status(State::Running, "a:1", 4))]);
        assert_eq!(reopened.newest_generation(), 4);
        reopened.delete(&task());
        assert!(reopened.flush(LIMIT).await);
        assert_eq!(log.records()[1].value, None);
        assert!(open(&log).await.ids().is_empty());
    }

    #[tokio::test]
    async fn only_the_newest_of_a_burst_is_written() {
        let log = MemoryLog::default();
        let store = open(&log).await;
        for generation in 0..100 {
            store.put(task(), status(State::Running, "a:1", generation));
        }
        assert!(store.flush(LIMIT).await);
        assert_eq!(log.records().len(), 1);
    }

    #[tokio::test]
    async fn a_late_word_does_not_undo_a_newer_one() {
        let store = open(&MemoryLog::default()).await;
        let state = |store: &StatusStore| store.get(&task()).unwrap();
        store.put(task(), status(State::Running, "b:1", 5));
        store.put_safe(task(), status(State::Failed, "a:1", 4));
        store.put_safe(task(), status(State::Unassigned, "a:1", 5));
        assert_eq!(state(&store), status(State::Running, "b:1", 5));
        store.put_safe(task(), status(State::Failed, "b:1", 3));
        assert_eq!(state(&store).state, State::Failed, "the same worker may always correct itself");
        store.put_safe(task(), status(State::Unassigned, "a:1", 6));
        assert_eq!(state(&store).worker_id, "a:1");
    }

    /// Refuses its first append, as a cluster that takes a right away.
    struct Refusing(MemoryLog, bool);

    impl RecordLog for Refusing {
        fn read_to_end<'a>(
            &'a mut self,
            sink: &'a mut (dyn FnMut(LogRecord) + Send),
        ) -> BoxFuture<'a, Result<(), StorageError>> {
            self.0.read_to_end(sink)
        }

        fn append<'a>(&'a mut self, records: Vec<KeyedRecord>) -> BoxFuture<'a, Result<(), StorageError>> {
            if std::mem::replace(&mut self.1, false) {
                return Box::pin(async { Err(StorageError::Closed) });
            }
            self.0.append(records)
        }
    }

    #[tokio::test]
    async fn a_failed_write_is_made_again_with_the_newest_status() {
        let log = MemoryLog::default();
        let store = StatusStore::open_pausing(Box::new(Refusing(log.clone(), true)), PAUSE).await.unwrap();
        store.put(task(), status(State::Running, "a:1", 1));
        tokio::task::yield_now().await;
        store.put(task(), status(State::Failed, "a:1", 1));
        assert!(!store.flush(PAUSE / 10).await, "nothing can be written yet");
        assert!(store.flush(LIMIT).await);
        let written = log.records();
        assert_eq!(written.len(), 1);
        let value = Status::from_value(written[0].value.as_ref().unwrap()).unwrap();
        assert_eq!(value.state, State::Failed);
    }
}
