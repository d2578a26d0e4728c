//! How a running task tells the world how it is doing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::storage::{State, Status, StatusId, StatusStore};

/// Who writes a status.
#[derive(Debug, Clone)]
pub struct StatusAuthor {
    /// `host:port` of this worker's REST address.
    pub worker_id: String,
    /// Generation of the assignment of work.
    pub generation: i32,
    /// Version of the connector, if it has one.
    pub version: Option<String>,
}

impl StatusAuthor {
    /// A status in this author's name.
    pub fn status(&self, state: State, trace: Option<String>) -> Status {
        Status {
            state,
            trace,
            worker_id: self.worker_id.clone(),
            generation: self.generation,
            version: self.version.clone(),
        }
    }
}

/// A task's own voice. Calls never block and take effect at once; saying the same again costs nothing. A task that
/// the worker has given up on is no longer heard.
#[derive(Clone, Debug)]
pub struct TaskStatusHandle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: StatusStore,
    id: StatusId,
    author: StatusAuthor,
    current: Arc<AtomicBool>,
    last: Mutex<Option<(State, Option<String>)>>,
}

impl TaskStatusHandle {
    /// `current` turns false when the task is given up on.
    pub fn new(store: StatusStore, id: StatusId, author: StatusAuthor, current: Arc<AtomicBool>) -> Self {
        Self { inner: Arc::new(Inner { store, id, author, current, last: Mutex::new(None) }) }
    }

    /// Everything is well.
    pub fn running(&self) {
        self.say(State::Running, None);
    }

    /// It runs, but a part of it does not: `text` lists what and why.
    pub fn degraded(&self, text: impl Into<String>) {
        self.say(State::Running, Some(text.into()));
    }

    /// Nothing of it runs any more: `text` says why.
    pub fn failed(&self, text: impl Into<String>) {
        self.say(State::Failed, Some(text.into()));
    }

    /// It was stopped; a failure said before stays.
    pub(crate) fn unassigned(&self) {
        let failed = matches!(*self.last(), Some((State::Failed, _)));
        if !failed {
            self.say(State::Unassigned, None);
        }
    }

    fn say(&self, state: State, trace: Option<String>) {
        let Inner { store, id, author, current, .. } = &*self.inner;
        let mut last = self.last();
        let new = Some((state, trace));
        if *last == new || !current.load(Ordering::Acquire) {
            return;
        }
        last.clone_from(&new);
        let status = author.status(state, new.and_then(|(_, trace)| trace));
        match state {
            State::Running => store.put(id.clone(), status),
            _ => store.put_safe(id.clone(), status),
        }
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<(State, Option<String>)>> {
        self.inner.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::storage::MemoryLog;

    #[tokio::test]
    async fn a_task_is_heard_until_it_is_given_up_on() {
        let store = StatusStore::open(Box::new(MemoryLog::default())).await.unwrap();
        let id = StatusId::Task("c".to_owned(), 0);
        let author = StatusAuthor { worker_id: "w:1".to_owned(), generation: 2, version: None };
        let current = Arc::new(AtomicBool::new(true));
        let handle = TaskStatusHandle::new(store.clone(), id.clone(), author, current.clone());
        let seen = || store.get(&id).map(|s| (s.state, s.trace));
        handle.running();
        assert_eq!(seen(), Some((State::Running, None)));
        handle.degraded("t-1 stopped");
        assert_eq!(seen(), Some((State::Running, Some("t-1 stopped".to_owned()))));
        handle.failed("all stopped");
        handle.unassigned();
        assert_eq!(seen(), Some((State::Failed, Some("all stopped".to_owned()))));
        current.store(false, Ordering::Release);
        handle.running();
        assert_eq!(seen().unwrap().0, State::Failed);
    }
}
