//! News that a worker tells of its connectors and tasks. Herders turn them into statuses.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use connect_api::ConnectError;

use crate::ids::{InstanceId, TaskId};

/// Hears what becomes of connectors and tasks. Called from any thread; must not block. An instance that the worker has
/// given up on is no longer heard.
pub trait StatusListener: Send + Sync {
    /// It has started: RUNNING.
    fn on_startup(&self, id: &InstanceId);

    /// It runs as it should (`None`), or a part of it does not and the text says which and why.
    fn on_running(&self, id: &InstanceId, trouble: Option<&str>);

    /// It has been paused: PAUSED.
    fn on_pause(&self, id: &InstanceId);

    /// It goes on after a pause: RUNNING.
    fn on_resume(&self, id: &InstanceId);

    /// A connector has been stopped but keeps its place: STOPPED.
    fn on_stop(&self, id: &InstanceId);

    /// It has failed and does not run again by itself: FAILED with [`ConnectError::trace`].
    fn on_failure(&self, id: &InstanceId, error: &ConnectError);

    /// It was shut down: UNASSIGNED. Not called after a failure.
    fn on_shutdown(&self, id: &InstanceId);

    /// It has been deleted. Never called by the worker: for herders, which share one listener with it.
    fn on_deletion(&self, _id: &InstanceId) {}

    /// It is about to be restarted. Never called by the worker, as above.
    fn on_restart(&self, _id: &InstanceId) {}

    /// A task uses this topic (`topic.tracking.enable`). Called once for each topic while a task runs, and again after topics
    /// have been forgotten.
    fn on_topic(&self, _id: &TaskId, _topic: &str) {}

    /// Number of times that topics have been forgotten that were told to [`StatusListener::on_topic`].
    fn topics_forgotten(&self) -> u64 {
        0
    }
}

/// One instance's status: silent once it has been given up on.
#[derive(Clone)]
pub(crate) struct StatusReporter {
    pub(crate) id: InstanceId,
    listener: Arc<dyn StatusListener>,
    current: Arc<AtomicBool>,
    failed: Arc<AtomicBool>,
}

impl StatusReporter {
    pub(crate) fn new(id: InstanceId, listener: Arc<dyn StatusListener>) -> Self {
        Self { id, listener, current: Arc::new(AtomicBool::new(true)), failed: Arc::default() }
    }

    /// True until the instance is given up on.
    pub(crate) fn current(&self) -> Arc<AtomicBool> {
        self.current.clone()
    }

    /// The last thing that is heard of this instance, because it did not stop in time.
    pub(crate) fn give_up(&self) {
        self.shut_down();
        self.current.store(false, Ordering::Release);
    }

    pub(crate) fn started(&self) {
        self.well(|listener, id| listener.on_startup(id));
    }

    pub(crate) fn running(&self, trouble: Option<&str>) {
        self.well(|listener, id| listener.on_running(id, trouble));
    }

    pub(crate) fn paused(&self) {
        self.well(|listener, id| listener.on_pause(id));
    }

    pub(crate) fn resumed(&self) {
        self.well(|listener, id| listener.on_resume(id));
    }

    pub(crate) fn stopped(&self) {
        self.well(|listener, id| listener.on_stop(id));
    }

    pub(crate) fn failed(&self, error: &ConnectError) {
        self.failed.store(true, Ordering::Release);
        self.say(|listener, id| listener.on_failure(id, error));
    }

    pub(crate) fn shut_down(&self) {
        if !self.failed.load(Ordering::Acquire) {
            self.say(|listener, id| listener.on_shutdown(id));
        }
    }

    fn topic(&self, topic: &str) {
        if let InstanceId::Task(id) = &self.id {
            self.say(|listener, _| listener.on_topic(id, topic));
        }
    }

    /// Tells a state with which no failure stands any more.
    fn well(&self, what: impl FnOnce(&dyn StatusListener, &InstanceId)) {
        self.failed.store(false, Ordering::Release);
        self.say(what);
    }

    fn say(&self, what: impl FnOnce(&dyn StatusListener, &InstanceId)) {
        if self.current.load(Ordering::Acquire) {
            what(&*self.listener, &self.id);
        }
    }
}

/// The topics that a task has told of.
#[derive(Debug, Default)]
pub(crate) struct TopicsInUse {
    told: HashSet<String>,
    forgotten: u64,
}

impl TopicsInUse {
    /// Tells of a topic unless that was done; cheap enough for every record.
    pub(crate) fn note(&mut self, status: &StatusReporter, topic: &str) {
        let forgotten = status.listener.topics_forgotten();
        if forgotten != self.forgotten {
            self.forgotten = forgotten;
            self.told.clear();
        }
        if !self.told.contains(topic) {
            status.topic(topic);
            self.told.insert(topic.to_owned());
        }
    }
}

impl std::fmt::Debug for StatusReporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StatusReporter({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[derive(Default)]
    struct Counts {
        told: AtomicU64,
        forgotten: AtomicU64,
    }

    impl StatusListener for Counts {
        fn on_startup(&self, _: &InstanceId) {}
        fn on_running(&self, _: &InstanceId, _: Option<&str>) {}
        fn on_pause(&self, _: &InstanceId) {}
        fn on_resume(&self, _: &InstanceId) {}
        fn on_stop(&self, _: &InstanceId) {}
        fn on_failure(&self, _: &InstanceId, _: &ConnectError) {}
        fn on_shutdown(&self, _: &InstanceId) {}
        fn on_topic(&self, _: &TaskId, _: &str) {
            self.told.fetch_add(1, Ordering::AcqRel);
        }
        fn topics_forgotten(&self) -> u64 {
            self.forgotten.load(Ordering::Acquire)
        }
    }

    #[test]
    fn a_topic_is_told_of_once_and_again_after_topics_were_forgotten() {
        let counts = Arc::new(Counts::default());
        let id = InstanceId::Task(TaskId { connector: "c".to_owned(), task: 0 });
        let status = StatusReporter::new(id, counts.clone());
        let mut topics = TopicsInUse::default();
        for topic in ["a", "b", "a"] {
            topics.note(&status, topic);
        }
        assert_eq!(counts.told.load(Ordering::Acquire), 2);
        counts.forgotten.store(1, Ordering::Release);
        topics.note(&status, "a");
        topics.note(&status, "a");
        assert_eq!(counts.told.load(Ordering::Acquire), 3);
    }
}
