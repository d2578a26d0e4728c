//! One connection to one broker, with at most [`WINDOW`] produce requests under way.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use backon::ExponentialBackoff;
use tokio::time::Instant;

use super::WINDOW;
use crate::cluster::Cluster;
use crate::frame::Connection;

/// Which lane: broker id, and its number among the lanes to that broker.
pub(super) type LaneId = (i32, usize);

#[derive(Default)]
pub(super) struct Lane {
    pub(super) connection: Option<Arc<Connection>>,
    pub(super) connecting: bool,
    pub(super) under_way: usize,
    /// Partitions with something to send, in turn.
    pub(super) ready: VecDeque<usize>,
    /// After a failure, or throttled by the broker: not before this time.
    pub(super) not_before: Option<Instant>,
    backoff: Option<ExponentialBackoff>,
}

impl Lane {
    /// True when a request may be sent, or a connection opened to send it.
    pub(super) fn has_room(&self, now: Instant) -> bool {
        !self.connecting
            && !self.ready.is_empty()
            && self.under_way < WINDOW
            && self.not_before.is_none_or(|at| at <= now)
    }

    /// The connection is no good: the next one comes after a pause that grows.
    pub(super) fn broken(&mut self, cluster: &Cluster) {
        self.connection = None;
        let backoff = self.backoff.get_or_insert_with(|| cluster.reconnect_backoff());
        self.not_before = Some(Instant::now() + backoff.next().unwrap_or(Duration::from_secs(1)));
    }

    pub(super) fn healthy(&mut self, throttle_ms: i32) {
        self.backoff = None;
        let throttled = u64::try_from(throttle_ms).ok().filter(|ms| *ms > 0);
        self.not_before = throttled.map(|ms| Instant::now() + Duration::from_millis(ms));
    }
}
