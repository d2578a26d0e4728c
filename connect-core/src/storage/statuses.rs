//! Statuses of connectors and tasks (`status.storage.topic`).
//!
//! Guarantees: [`StatusStore::put`] takes effect here at once and never blocks, whatever the cluster does, so that
//! REST answers the truth while the cluster is away; the topic follows in the background, the newest status of each
//! connector and task, as long as it takes. Any thread may call it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use kafka_wire::Reminder;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use super::StorageError;
use super::log::{KeyedRecord, LogRecord, RecordLog};
use super::status_records::{State, Status, StatusId, TopicStatus};

/// Pause after a write that failed for good, for example for a missing right that somebody may yet grant.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(10);

/// Pause after which a worker whose session is over looks whether it has another.
const GATE_PAUSE: Duration = Duration::from_millis(100);

/// True while this worker may write: its session in the group is not over.
pub type WriteGate = Arc<dyn Fn() -> bool + Send + Sync>;

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
    gate: OnceLock<WriteGate>,
    /// That of the table, to be read without its lock.
    forgotten: Arc<AtomicU64>,
}

#[derive(Default)]
struct Table {
    statuses: BTreeMap<StatusId, Status>,
    /// Number of times that one of `topics` was forgotten, by whomever.
    forgotten: Arc<AtomicU64>,
    /// By connector, then by topic.
    topics: BTreeMap<String, BTreeMap<String, TopicStatus>>,
    /// Records that the topic does not have yet, by key: the value, or a tombstone.
    pending: BTreeMap<String, Option<Bytes>>,
    /// Keys of what was taken from `pending` and is on its way.
    in_flight: BTreeSet<String>,
}

impl StatusStore {
    /// Opens the store, reads it to its end, and starts following it and writing to it on the current runtime. Errors are
    /// the log's.
    pub async fn open(log: Box<dyn RecordLog>) -> Result<Self, StorageError> {
        Self::open_pausing(log, PAUSE_AFTER_ERROR).await
    }

    async fn open_pausing(mut log: Box<dyn RecordLog>, pause: Duration) -> Result<Self, StorageError> {
        let mut table = Table::default();
        log.read_to_end(&mut |record| table.apply(&record)).await?;
        let forgotten = table.forgotten.clone();
        let shared = Arc::new(Shared { table: Mutex::new(table), forgotten, ..Shared::default() });
        let writer = tokio::spawn(keep_up(shared.clone(), log, pause));
        Ok(Self { shared, _writer: Arc::new(Writer(writer.abort_handle())) })
    }

    /// From now on nothing is written while `gate` says no; what was said meanwhile is written afterwards, unless another worker
    /// has spoken since. To be called at most once.
    pub fn set_gate(&self, gate: WriteGate) {
        // A second gate is a mistake that changes nothing.
        let _ = self.shared.gate.set(gate);
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
        let first = StatusId::Task(connector.to_owned(), 0);
        let of_connector = |(id, status): (&StatusId, &Status)| match id {
            StatusId::Task(name, number) if name == connector => Some((*number, status.clone())),
            _ => None,
        };
        table.statuses.range(first..).map_while(of_connector).collect()
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
            table.pending.insert(id.key(), None);
            drop(table);
            self.shared.changed.notify_one();
        }
    }

    /// Topics that a connector has used, sorted.
    pub fn topics(&self, connector: &str) -> Vec<String> {
        let table = self.shared.lock();
        table.topics.get(connector).map(|topics| topics.keys().cloned().collect()).unwrap_or_default()
    }

    /// Notes that a connector uses a topic; costs nothing when that is known.
    pub fn put_topic(&self, status: TopicStatus) {
        let mut table = self.shared.lock();
        let known = table.topics.entry(status.connector.clone()).or_default();
        if known.contains_key(&status.topic) {
            return;
        }
        known.insert(status.topic.clone(), status.clone());
        let key = TopicStatus::key(&status.topic, &status.connector);
        table.pending.insert(key, Some(Bytes::from(status.value())));
        drop(table);
        self.shared.changed.notify_one();
    }

    /// Number of times that topics in use have been forgotten: those who have noted one must note it again.
    pub fn topics_forgotten(&self) -> u64 {
        self.shared.forgotten.load(Ordering::Acquire)
    }

    /// Forgets which topics a connector has used.
    pub fn reset_topics(&self, connector: &str) {
        let mut table = self.shared.lock();
        table.forgotten.fetch_add(1, Ordering::AcqRel);
        for topic in table.topics.remove(connector).unwrap_or_default().into_keys() {
            table.pending.insert(TopicStatus::key(&topic, connector), None);
        }
        drop(table);
        self.shared.changed.notify_one();
    }

    /// Waits until the topic has everything, at most `limit`. False when the limit came first.
    pub async fn flush(&self, limit: Duration) -> bool {
        let all_written = async {
            loop {
                let written = self.shared.written.notified();
                {
                    let table = self.shared.lock();
                    if table.pending.is_empty() && table.in_flight.is_empty() {
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

    fn may_write(&self) -> bool {
        self.gate.get().is_none_or(|gate| gate())
    }
}

impl Table {
    fn put(&mut self, id: StatusId, status: Status) {
        self.pending.insert(id.key(), Some(Bytes::from(status.value())));
        self.statuses.insert(id, status);
    }

    fn apply(&mut self, record: &LogRecord) {
        let Some(key) = record.key.as_deref().and_then(|key| std::str::from_utf8(key).ok()) else { return };
        if let Some(id) = StatusId::from_key(key) {
            self.apply_status(key, id, record);
        } else if let Some((topic, connector)) = TopicStatus::from_key(key) {
            self.apply_topic(topic, connector, record);
        }
    }

    fn apply_status(&mut self, key: &str, id: StatusId, record: &LogRecord) {
        let status = match record.value.as_deref().map(Status::from_value).transpose() {
            Ok(status) => status,
            Err(reason) => {
                return warn!(offset = record.offset, %id, "skipped a record of the status topic: {reason}");
            }
        };
        if self.pending.contains_key(key) || self.in_flight.contains(key) {
            // What was said here is newer, unless a later owner has spoken.
            let overtaken = match (&status, self.statuses.get(&id)) {
                (Some(theirs), Some(ours)) => {
                    theirs.worker_id != ours.worker_id && theirs.generation > ours.generation
                }
                _ => false,
            };
            if !overtaken {
                return;
            }
            self.pending.remove(key);
        }
        match status {
            Some(status) => self.statuses.insert(id, status),
            None => self.statuses.remove(&id),
        };
    }

    fn apply_topic(&mut self, topic: String, connector: String, record: &LogRecord) {
        match record.value.as_deref().map(TopicStatus::from_value) {
            Some(Ok(status)) => {
                self.topics.entry(connector).or_default().insert(topic, status);
            }
            Some(Err(reason)) => {
                warn!(offset = record.offset, "skipped a record of the status topic: {reason}");
            }
            None => {
                let known = self.topics.get_mut(&connector).and_then(|topics| topics.remove(&topic));
                if known.is_some() {
                    self.forgotten.fetch_add(1, Ordering::AcqRel);
                }
            }
        }
    }

    /// Records to be written now, by key.
    fn take(&mut self) -> BTreeMap<String, Option<Bytes>> {
        let batch = std::mem::take(&mut self.pending);
        self.in_flight = batch.keys().cloned().collect();
        batch
    }

    /// Puts back what could not be written, except where something newer has come.
    fn put_back(&mut self, batch: BTreeMap<String, Option<Bytes>>) {
        for (key, value) in batch {
            self.pending.entry(key).or_insert(value);
        }
    }
}

/// Follows the log and writes what is pending, for ever.
async fn keep_up(shared: Arc<Shared>, mut log: Box<dyn RecordLog>, pause: Duration) {
    let mut tail = log.tail();
    let mut unread = Reminder::default();
    loop {
        if !shared.may_write() {
            sleep(GATE_PAUSE).await;
            if shared.may_write() {
                // Others may have spoken while this worker could not.
                read(&shared, &mut *log, &mut unread).await;
            }
            continue;
        }
        let batch = shared.lock().take();
        if batch.is_empty() {
            shared.written.notify_waiters();
            tokio::select! {
                () = shared.changed.notified() => {}
                () = tail.changed() => read(&shared, &mut *log, &mut unread).await,
            }
            continue;
        }
        let record = |(key, value): (&String, &Option<Bytes>)| KeyedRecord {
            key: Bytes::from(key.clone()),
            value: value.clone(),
        };
        let records = batch.iter().map(record).collect();
        let outcome = log.append(records).await;
        {
            let mut table = shared.lock();
            table.in_flight.clear();
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

/// Statuses of others are not known here while this fails.
async fn read(shared: &Shared, log: &mut dyn RecordLog, unread: &mut Reminder) {
    match log.read_to_end(&mut |record| shared.lock().apply(&record)).await {
        Err(reason) if unread.is_due() => {
            warn!("cannot read statuses (status.storage.topic), trying again: {reason}");
        }
        Err(_) => {}
        Ok(()) if unread.is_over() => info!("statuses can be read again"),
        Ok(()) => {}
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
    use crate::storage::{LogTail, MemoryLog};
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

        fn tail(&self) -> Box<dyn LogTail> {
            self.0.tail()
        }
    }

    #[tokio::test]
    async fn what_other_workers_say_is_followed() {
        let log = MemoryLog::default();
        let (here, there) = (open(&log).await, open(&log).await);
        there.put(task(), status(State::Running, "b:1", 1));
        there.put_topic(TopicStatus {
            topic: "t".to_owned(),
            connector: "c".to_owned(),
            task: 0,
            discover_timestamp: 1,
        });
        let limit = tokio::time::Instant::now() + LIMIT;
        while here.get(&task()).is_none() || here.topics("c").is_empty() {
            assert!(tokio::time::Instant::now() < limit, "not heard in 5 s");
            sleep(Duration::from_millis(1)).await;
        }
        here.reset_topics("c");
        assert!(here.flush(LIMIT).await && here.topics("c").is_empty());
        assert!(open(&log).await.topics("c").is_empty());
    }

    #[tokio::test]
    async fn nothing_is_written_while_the_session_is_over_and_nothing_stale_after() {
        let log = MemoryLog::default();
        let (here, there) = (open(&log).await, open(&log).await);
        let open_gate = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let gate = open_gate.clone();
        here.set_gate(Arc::new(move || gate.load(std::sync::atomic::Ordering::Acquire)));
        let other = StatusId::Task("c".to_owned(), 1);
        here.put(task(), status(State::Failed, "a:1", 1));
        here.put(other.clone(), status(State::Failed, "a:1", 1));
        there.put(task(), status(State::Running, "b:1", 2));
        assert!(there.flush(LIMIT).await);
        assert!(!here.flush(GATE_PAUSE).await && log.records().len() == 1);
        open_gate.store(true, std::sync::atomic::Ordering::Release);
        assert!(here.flush(LIMIT).await);
        assert_eq!(here.get(&task()).unwrap().worker_id, "b:1");
        assert_eq!(open(&log).await.get(&other).unwrap().state, State::Failed);
        assert_eq!(open(&log).await.get(&task()).unwrap().state, State::Running);
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
