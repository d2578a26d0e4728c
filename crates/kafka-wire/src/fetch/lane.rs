//! One connection with one fetch session to one broker.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use backon::ExponentialBackoff;
use kafka_protocol::messages::{FetchRequest, FetchResponse};
use kafka_protocol::protocol::StrBytes;
use tokio::time::Instant;

use super::FetchSettings;
use super::budget::{MemoryBudget, Reservation};
use super::session::{Ask, Session};
use crate::cluster::Cluster;
use crate::error::WireError;
use crate::frame::Connection;

/// First version that names topics by id.
const TOPIC_IDS: i16 = 13;
/// First version that carries the last fetched epoch.
const LAST_FETCHED_EPOCH: i16 = 12;

/// Which lane: broker id, and its number among the lanes to that broker.
pub(super) type LaneId = (i32, usize);

pub(super) struct Lane {
    pub(super) connection: Option<Arc<Connection>>,
    pub(super) session: Session,
    pub(super) budget: Arc<MemoryBudget>,
    pub(super) partitions: BTreeSet<usize>,
    pub(super) busy: bool,
    /// After a failure: not before this time.
    pub(super) not_before: Option<Instant>,
    backoff: Option<ExponentialBackoff>,
}

impl Lane {
    /// True while something is read over it or its failures are remembered.
    pub(super) fn is_needed(&self) -> bool {
        self.busy || !self.partitions.is_empty() || self.backoff.is_some()
    }

    pub(super) fn new(budget: Arc<MemoryBudget>) -> Self {
        Self {
            connection: None,
            session: Session::default(),
            budget,
            partitions: BTreeSet::new(),
            busy: false,
            not_before: None,
            backoff: None,
        }
    }

    /// The connection is no good: start anew, after a pause that grows.
    pub(super) fn broken(&mut self, cluster: &Cluster) {
        self.connection = None;
        self.session.reset();
        let backoff = self.backoff.get_or_insert_with(|| cluster.reconnect_backoff());
        let pause = backoff.next().unwrap_or(Duration::from_secs(1));
        self.not_before = Some(Instant::now() + pause);
    }

    pub(super) fn healthy(&mut self) {
        self.backoff = None;
        self.not_before = None;
    }

    /// Bytes to ask for: at least two answers must fit the lane's share.
    pub(super) fn max_bytes(&self, settings: &FetchSettings) -> usize {
        settings.max_bytes.min(self.budget.limit() / 2).max(1)
    }

    /// Prepares the next fetch of `asks` on `connection`.
    pub(super) fn prepare(
        &mut self,
        connection: &Connection,
        settings: &FetchSettings,
        mut asks: HashMap<usize, Ask>,
    ) -> Result<(i16, FetchRequest), WireError> {
        let mut version = connection.versions().pick::<FetchRequest>(connection.address())?;
        if asks.values().any(|ask| ask.topic_id.is_nil()) {
            version = version.min(TOPIC_IDS - 1);
        }
        if version < LAST_FETCHED_EPOCH {
            asks.values_mut().for_each(|ask| ask.last_fetched_epoch = -1);
        }
        let max_bytes = self.max_bytes(settings);
        let request = FetchRequest::default()
            .with_max_wait_ms(settings.max_wait.as_millis() as i32)
            .with_min_bytes(settings.min_bytes)
            .with_max_bytes(i32::try_from(max_bytes).unwrap_or(i32::MAX))
            .with_isolation_level(i8::from(settings.read_committed))
            .with_rack_id(StrBytes::from_string(settings.rack.clone()));
        let partition_max = settings.partition_max_bytes.min(i32::try_from(max_bytes).unwrap_or(i32::MAX));
        Ok((version, self.session.fill(request, asks, partition_max)))
    }
}

/// Sends a prepared fetch. The future waits for its answer, whose bytes then hold `reservation`.
pub(super) fn fetch(
    connection: Arc<Connection>,
    version: i16,
    request: &FetchRequest,
    reservation: Reservation,
) -> impl Future<Output = Result<FetchResponse, WireError>> + use<> {
    let pending =
        connection.encode(request, version).map(|frame| connection.send::<FetchRequest>(version, frame));
    async move {
        let body = pending?.await?;
        let mut held = reservation.attach(body);
        connection.decode::<FetchRequest>(&mut held, version)
    }
}
