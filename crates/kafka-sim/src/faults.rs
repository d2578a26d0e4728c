//! Faults of requests and links that can be ordered, and the record of those that happened. Faults of brokers
//! and logs are in `world`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kafka_protocol::messages::{ApiKey, RequestKind};
use tokio::sync::watch;
use uuid::Uuid;

use crate::clock::Clock;

/// Fate of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is not applied; the partition, or the request as a whole where it has none, is answered with this
    /// error code.
    Error(i16),
    /// It is applied after this time.
    Delay(Duration),
    /// It is applied and never answered; the connection stays open.
    Drop,
    /// The connection is closed, nothing is applied.
    Disconnect,
    /// It is applied, then the connection is closed without an answer.
    ApplyThenDisconnect,
    /// It is applied; this many bytes of the answer are sent, then the connection is closed.
    Truncate(usize),
    /// It is applied; the answer asks for this pause (`throttle_time_ms`), and the connection is not read
    /// meanwhile.
    Throttle(Duration),
}

/// A fault: which requests it hits, and how. What is `None` matches everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// API.
    pub api: Option<ApiKey>,
    /// Broker that was asked.
    pub broker: Option<i32>,
    /// Part of the client id.
    pub client: Option<String>,
    /// Topic named in the request. Of those that end or delay a request, faults with a topic hit requests
    /// that name partitions: Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, OffsetCommit, DeleteRecords.
    pub topic: Option<String>,
    /// Partition named in the request.
    pub partition: Option<i32>,
    /// Matching requests that pass before the first is hit.
    pub skip: u32,
    /// Requests that are hit; `None`: all until it is removed.
    pub times: Option<u32>,
    /// Its fate.
    pub action: Action,
}

impl Fault {
    /// A fault of every request of `api`.
    pub fn of(api: ApiKey, action: Action) -> Self {
        Self { api: Some(api), ..Self::any(action) }
    }

    /// A fault of every request.
    pub fn any(action: Action) -> Self {
        Self {
            api: None,
            broker: None,
            client: None,
            topic: None,
            partition: None,
            skip: 0,
            times: None,
            action,
        }
    }

    /// Only at this broker.
    pub fn at(mut self, broker: i32) -> Self {
        self.broker = Some(broker);
        self
    }

    /// Only for this partition.
    pub fn on(mut self, topic: &str, partition: i32) -> Self {
        (self.topic, self.partition) = (Some(topic.to_owned()), Some(partition));
        self
    }

    /// Only the first `times` requests.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Not the first `skip` requests.
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }
}

/// Names a fault for [`Faults::remove`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultId(u64);

/// A fault that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// When, since the cluster was made.
    pub at: Duration,
    /// The broker that it happened to, or that was asked; 0 for the cluster as a whole.
    pub broker: i32,
    /// Account of it, for people.
    pub what: String,
}

/// The state of the link to a broker, in front of its protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Link {
    /// Requests do not arrive.
    pub inbound_cut: bool,
    /// Answers do not leave, though requests are applied.
    pub outbound_cut: bool,
    /// Added to every request's way.
    pub delay: Duration,
    /// Bytes each way per second and connection; 0: unlimited.
    pub bytes_per_second: u64,
}

/// The faults of one cluster.
#[derive(Debug)]
pub struct Faults {
    clock: Clock,
    table: Mutex<Table>,
    links: watch::Sender<BTreeMap<i32, Link>>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    faults: BTreeMap<FaultId, Fault>,
    hits: Vec<Hit>,
}

impl Faults {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, table: Mutex::default(), links: watch::channel(BTreeMap::new()).0 }
    }

    /// From now on, this goes wrong.
    pub fn add(&self, fault: Fault) -> FaultId {
        let mut table = self.table();
        table.next += 1;
        let id = FaultId(table.next);
        table.faults.insert(id, fault);
        id
    }

    /// Takes one fault away; nothing happens if it has ended.
    pub fn remove(&self, id: FaultId) {
        self.table().faults.remove(&id);
    }

    /// Takes all faults away and repairs all links.
    pub fn clear(&self) {
        self.table().faults.clear();
        self.links.send_replace(BTreeMap::new());
    }

    /// Everything that has happened so far, in order.
    pub fn log(&self) -> Vec<Hit> {
        self.table().hits.clone()
    }

    /// Sets the state of the link to a broker.
    pub fn set_link(&self, broker: i32, link: Link) {
        self.note(broker, format!("link set to {link:?}"));
        self.links.send_modify(|links| {
            links.insert(broker, link);
        });
    }

    pub(crate) fn note(&self, broker: i32, what: impl Into<String>) {
        let hit = Hit { at: self.clock.elapsed(), broker, what: what.into() };
        tracing::debug!(broker, "fault: {}", hit.what);
        self.table().hits.push(hit);
    }

    /// Fate of a request as a whole.
    pub(crate) fn interrupt(
        &self,
        broker: i32,
        client: &str,
        api: ApiKey,
        request: &RequestKind,
        name: impl Fn(Uuid) -> Option<String>,
    ) -> Option<Action> {
        if self.table().faults.is_empty() {
            return None;
        }
        // A session's partitions are in its first request only: an incremental fetch names those that are
        // new.
        let named = partitions(request, name);
        let mut table = self.table();
        let fits = |fault: &Fault| {
            !matches!(fault.action, Action::Error(_) | Action::Throttle(_))
                && fault.client.as_deref().is_none_or(|c| client.contains(c))
                && (fault.topic.is_none() || named.iter().any(|(t, p)| names(fault, t, *p)))
        };
        let action = table.strike(api, broker, fits)?;
        drop(table);
        self.note(broker, format!("{api:?} from '{client}': {action:?}"));
        Some(action)
    }

    /// The error to answer for one partition.
    pub(crate) fn partition_error(
        &self,
        broker: i32,
        api: ApiKey,
        topic: &str,
        partition: i32,
    ) -> Option<i16> {
        let fits = |fault: &Fault| matches!(fault.action, Action::Error(_)) && names(fault, topic, partition);
        self.error(broker, api, fits, format_args!("{topic}-{partition}"))
    }

    /// The error to answer for a request that names no partitions.
    pub(crate) fn request_error(&self, broker: i32, api: ApiKey) -> Option<i16> {
        let fits = |fault: &Fault| matches!(fault.action, Action::Error(_)) && fault.topic.is_none();
        self.error(broker, api, fits, format_args!("the request"))
    }

    fn error(
        &self,
        broker: i32,
        api: ApiKey,
        fits: impl Fn(&Fault) -> bool,
        subject: std::fmt::Arguments<'_>,
    ) -> Option<i16> {
        let Some(Action::Error(code)) = self.table().strike(api, broker, fits) else { return None };
        self.note(broker, format!("{api:?} of {subject}: error {code}"));
        Some(code)
    }

    /// The pause to ask for, ms.
    pub(crate) fn throttle_ms(&self, broker: i32, client: &str, api: ApiKey) -> i32 {
        let fits = |fault: &Fault| {
            matches!(fault.action, Action::Throttle(_))
                && fault.client.as_deref().is_none_or(|c| client.contains(c))
        };
        let Some(Action::Throttle(pause)) = self.table().strike(api, broker, fits) else { return 0 };
        self.note(broker, format!("{api:?} throttled for {pause:?}"));
        pause.as_millis() as i32
    }

    /// The way of a request to the broker.
    pub(crate) async fn inbound(&self, broker: i32, bytes: usize) {
        self.pass(broker, bytes, |link| link.inbound_cut).await;
        let delay = self.links.borrow().get(&broker).map_or(Duration::ZERO, |link| link.delay);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }

    /// The way of an answer from the broker.
    pub(crate) async fn outbound(&self, broker: i32, bytes: usize) {
        self.pass(broker, bytes, |link| link.outbound_cut).await;
    }

    async fn pass(&self, broker: i32, bytes: usize, cut: impl Fn(&Link) -> bool) {
        let Some(link) = self.links.borrow().get(&broker).copied() else { return };
        if cut(&link) {
            let mut links = self.links.subscribe();
            let open = links.wait_for(|links| !links.get(&broker).is_some_and(&cut));
            // The sender lives as long as `self`.
            let _ = open.await.map(drop);
        }
        if let Some(nanos) = (bytes as u64 * 1_000_000_000).checked_div(link.bytes_per_second) {
            tokio::time::sleep(Duration::from_nanos(nanos)).await;
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// The action of the first fault that hits; counts it.
    fn strike(&mut self, api: ApiKey, broker: i32, fits: impl Fn(&Fault) -> bool) -> Option<Action> {
        let mut spent = None;
        let mut struck = None;
        for (id, fault) in &mut self.faults {
            let here = fault.api.is_none_or(|a| a == api) && fault.broker.is_none_or(|b| b == broker);
            if !here || !fits(fault) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            struck = Some(fault.action);
            if let Some(times) = &mut fault.times {
                *times = times.saturating_sub(1);
                spent = (*times == 0).then_some(*id);
            }
            break;
        }
        if let Some(id) = spent {
            self.faults.remove(&id);
        }
        struck
    }
}

fn names(fault: &Fault, topic: &str, partition: i32) -> bool {
    fault.topic.as_deref().is_none_or(|t| t == topic) && fault.partition.is_none_or(|p| p == partition)
}

/// The partitions that a request names. `name`: of a topic that is named by its id.
fn partitions(request: &RequestKind, name: impl Fn(Uuid) -> Option<String>) -> Vec<(String, i32)> {
    let mut all = Vec::new();
    let mut add = |topic: &str, id: Uuid, numbers: &mut dyn Iterator<Item = i32>| {
        let topic = if id.is_nil() { Some(topic.to_owned()) } else { name(id) };
        if let Some(topic) = topic {
            all.extend(numbers.map(|number| (topic.clone(), number)));
        }
    };
    match request {
        RequestKind::Produce(r) => r.topic_data.iter().for_each(|t| {
            add(&t.name, t.topic_id, &mut t.partition_data.iter().map(|p| p.index));
        }),
        RequestKind::Fetch(r) => r.topics.iter().for_each(|t| {
            add(&t.topic, t.topic_id, &mut t.partitions.iter().map(|p| p.partition));
        }),
        RequestKind::ListOffsets(r) => r.topics.iter().for_each(|t| {
            add(&t.name, Uuid::nil(), &mut t.partitions.iter().map(|p| p.partition_index));
        }),
        RequestKind::OffsetForLeaderEpoch(r) => r.topics.iter().for_each(|t| {
            add(&t.topic, Uuid::nil(), &mut t.partitions.iter().map(|p| p.partition));
        }),
        RequestKind::OffsetCommit(r) => r.topics.iter().for_each(|t| {
            add(&t.name, Uuid::nil(), &mut t.partitions.iter().map(|p| p.partition_index));
        }),
        RequestKind::DeleteRecords(r) => r.topics.iter().for_each(|t| {
            add(&t.name, Uuid::nil(), &mut t.partitions.iter().map(|p| p.partition_index));
        }),
        _ => {}
    }
    all
}
