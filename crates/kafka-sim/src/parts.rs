//! Parts of a cluster: brokers, topics and their partitions. `state` holds them.

use std::collections::BTreeMap;

use tokio::sync::watch;
use uuid::Uuid;

use crate::api::sessions::Sessions;
use crate::log::Log;

/// A broker.
pub(crate) struct Broker {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) rack: Option<String>,
    pub(crate) up: bool,
    pub(crate) sessions: Sessions,
    /// Counts its ends; connections hear of them.
    pub(crate) ends: watch::Sender<u64>,
}

/// A topic.
pub(crate) struct Topic {
    pub(crate) id: Uuid,
    pub(crate) partitions: Vec<Partition>,
    /// Settings of its own.
    pub(crate) config: BTreeMap<String, String>,
}

/// A partition: replicas share one log here, as if all were always in sync.
pub(crate) struct Partition {
    pub(crate) replicas: Vec<i32>,
    /// -1: none, because no replica is up.
    pub(crate) leader: i32,
    pub(crate) leader_epoch: i32,
    pub(crate) log: Log,
}

impl Broker {
    /// Becomes ready when the broker is killed; `None` while it is down.
    pub(crate) fn killed(&self) -> Option<watch::Receiver<u64>> {
        self.up.then(|| self.ends.subscribe())
    }

    /// Ends it with all its connections and sessions.
    pub(crate) fn end(&mut self) {
        self.up = false;
        self.sessions = Sessions::default();
        self.ends.send_modify(|ends| *ends += 1);
    }
}
