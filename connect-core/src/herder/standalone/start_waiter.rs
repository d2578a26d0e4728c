//! Hears what becomes of connectors and tasks: writes their statuses, and tells who waits for a connector's start.

use std::collections::BTreeMap;

use tokio::sync::watch;

use crate::api::ConnectError;
use crate::herder::statuses::StatusWriter;
use crate::ids::{InstanceId, TaskId};
use crate::worker::StatusListener;

/// Number of times that a connector has come to rest in some state, and the error of the last time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Arrival {
    pub(super) count: u64,
    pub(super) error: Option<String>,
}

/// The listener.
#[derive(Debug)]
pub(super) struct StartWaiter {
    pub(super) writer: StatusWriter,
    arrivals: watch::Sender<BTreeMap<String, Arrival>>,
}

impl StartWaiter {
    pub(super) fn new(writer: StatusWriter) -> Self {
        Self { writer, arrivals: watch::Sender::default() }
    }

    /// Arrivals of a connector so far.
    pub(super) fn count(&self, connector: &str) -> u64 {
        self.arrivals.borrow().get(connector).map_or(0, |arrival| arrival.count)
    }

    /// Waits until a connector has arrived more often than `before`; its error if it failed.
    pub(super) async fn arrived(&self, connector: &str, before: u64) -> Option<String> {
        let mut arrivals = self.arrivals.subscribe();
        let later = |all: &BTreeMap<String, Arrival>| all.get(connector).is_some_and(|a| a.count > before);
        // The sender lives as long as this.
        let all = arrivals.wait_for(later).await.ok()?;
        all.get(connector)?.error.clone()
    }

    fn arrive(&self, id: &InstanceId, error: Option<&ConnectError>) {
        let InstanceId::Connector(name) = id else { return };
        self.arrivals.send_modify(|all| {
            let arrival = all.entry(name.clone()).or_default();
            arrival.count += 1;
            arrival.error = error.map(ToString::to_string);
        });
    }
}

impl StatusListener for StartWaiter {
    fn on_startup(&self, id: &InstanceId) {
        self.writer.on_startup(id);
        self.arrive(id, None);
    }

    fn on_running(&self, id: &InstanceId, trouble: Option<&str>) {
        self.writer.on_running(id, trouble);
    }

    fn on_pause(&self, id: &InstanceId) {
        self.writer.on_pause(id);
        self.arrive(id, None);
    }

    fn on_resume(&self, id: &InstanceId) {
        self.writer.on_resume(id);
        self.arrive(id, None);
    }

    fn on_stop(&self, id: &InstanceId) {
        self.writer.on_stop(id);
        self.arrive(id, None);
    }

    fn on_failure(&self, id: &InstanceId, error: &ConnectError) {
        self.writer.on_failure(id, error);
        self.arrive(id, Some(error));
    }

    fn on_shutdown(&self, id: &InstanceId) {
        self.writer.on_shutdown(id);
    }

    fn on_deletion(&self, id: &InstanceId) {
        self.writer.on_deletion(id);
    }

    fn on_restart(&self, id: &InstanceId) {
        self.writer.on_restart(id);
    }

    fn topics_forgotten(&self) -> u64 {
        self.writer.topics_forgotten()
    }

    fn on_topic(&self, id: &TaskId, topic: &str) {
        self.writer.on_topic(id, topic);
    }
}
