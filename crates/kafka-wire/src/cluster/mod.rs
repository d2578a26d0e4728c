//! A cluster as seen by a client: which brokers there are, who leads what, and a connection to each of them
//! for control-plane requests. The copy path opens connections of its own ([`Cluster::open_broker`]).
//!
//! Every call here retries what a passing fault broke, with back-off, for at most [`CALL_LIMIT`]; only
//! [`Cluster::connect`] waits for ever, because an appliance has nothing better to do while its cluster is
//! down.

mod metadata;
mod routing;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use kafka_protocol::messages::MetadataRequest;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::protocol::StrBytes;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

pub use metadata::{Broker, Metadata, PartitionMetadata, TopicMetadata};

use crate::error::WireError;
use crate::error_code::ErrorCode;
use crate::frame::Connection;
use crate::reminder::Reminder;
use crate::settings::ClientSettings;
use crate::transport::SharedConnector;

/// Time for which one control-plane call goes on retrying (Java's `default.api.timeout.ms`).
pub const CALL_LIMIT: Duration = Duration::from_secs(60);

/// A cheap handle to one cluster; clones share connections and metadata.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    role: &'static str,
    settings: ClientSettings,
    connector: SharedConnector,
    metadata: RwLock<Arc<Metadata>>,
    slots: std::sync::Mutex<HashMap<i32, Slot>>,
    bootstrap: Slot,
    coordinators: std::sync::Mutex<HashMap<String, i32>>,
}

/// One place for a shared connection; whoever finds it empty or closed opens it, others wait for that.
type Slot = Arc<tokio::sync::Mutex<Option<Arc<Connection>>>>;

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cluster({} at {})", self.inner.role, self.addresses())
    }
}

impl Cluster {
    /// A handle that has not connected yet. `role` is the caller's name for it, which stands in messages: the
    /// `{role}` cluster.
    pub fn new(role: &'static str, settings: ClientSettings, connector: SharedConnector) -> Self {
        Self {
            inner: Arc::new(Inner {
                role,
                settings,
                connector,
                metadata: RwLock::new(Arc::new(Metadata::default())),
                slots: std::sync::Mutex::default(),
                bootstrap: Slot::default(),
                coordinators: std::sync::Mutex::default(),
            }),
        }
    }

    /// The same cluster by connections of its own, for calls that wait at a broker and would hold up others.
    pub fn separate(&self) -> Self {
        Self::new(self.inner.role, self.inner.settings.clone(), self.inner.connector.clone())
    }

    /// Connects, and waits as long as no broker can be reached, saying so. Fails only for what waiting cannot
    /// cure: refused credentials, no common protocol.
    pub async fn connect(&self) -> Result<(), WireError> {
        let mut backoff = self.reconnect_backoff();
        let mut reminder = Reminder::default();
        loop {
            let error = match self.fetch_metadata(Some(&[])).await {
                Ok(_) => {
                    if reminder.is_over() {
                        info!("the {} cluster at {} answers", self.role(), self.addresses());
                    }
                    return Ok(());
                }
                Err(error) => error,
            };
            if !error.is_retriable() {
                return Err(error);
            }
            if reminder.is_due() {
                warn!("waiting for the {} cluster at {}: {error}", self.role(), self.addresses());
            }
            sleep(backoff.next().unwrap_or(self.inner.settings.reconnect_backoff_max)).await;
        }
    }

    /// The caller's name for it.
    pub fn role(&self) -> &'static str {
        self.inner.role
    }

    /// The settings this client was made with.
    pub fn settings(&self) -> &ClientSettings {
        &self.inner.settings
    }

    /// The bootstrap addresses, for messages.
    pub fn addresses(&self) -> String {
        let servers = self.inner.settings.bootstrap_servers.iter();
        servers.map(|(h, p)| format!("{h}:{p}")).collect::<Vec<_>>().join(",")
    }

    /// The cluster's id, empty before the first answer.
    pub fn id(&self) -> String {
        self.metadata().cluster_id.clone()
    }

    /// Metadata as known now, without asking.
    pub fn metadata(&self) -> Arc<Metadata> {
        self.inner.metadata.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks any broker for metadata once, of all topics (`None`) or of those named, and remembers the answer.
    pub async fn fetch_metadata(&self, topics: Option<&[String]>) -> Result<Arc<Metadata>, WireError> {
        let connection = self.any_connection().await?;
        let request = MetadataRequest::default().with_allow_auto_topic_creation(false).with_topics(
            topics.map(|names| {
                let name = |n: &String| Some(StrBytes::from_string(n.clone()).into());
                names.iter().map(|n| MetadataRequestTopic::default().with_name(name(n))).collect()
            }),
        );
        let answer = connection.call(&request).await?;
        if let Some(code) = ErrorCode::try_from_code(answer.error_code) {
            return Err(WireError::broker(format!("metadata of the {} cluster", self.role()), code));
        }
        let fresh = Metadata::from_response(answer);
        let mut known = self.inner.metadata.write().unwrap_or_else(PoisonError::into_inner);
        *known = Arc::new(known.updated(fresh, topics.is_none()));
        Ok(known.clone())
    }

    /// Like [`Cluster::fetch_metadata`], retrying passing faults.
    pub async fn refresh(&self, topics: Option<&[String]>) -> Result<Arc<Metadata>, WireError> {
        self.retry(|| self.fetch_metadata(topics)).await
    }

    /// Repeats `attempt` while it fails for a passing fault, with back-off, for at most [`CALL_LIMIT`].
    pub async fn retry<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, WireError>
    where
        F: Future<Output = Result<T, WireError>>,
    {
        let started = Instant::now();
        let mut backoff = self.retry_backoff();
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if !error.is_retriable() || started.elapsed() > CALL_LIMIT {
                return Err(error);
            }
            sleep(backoff.next().unwrap_or(self.inner.settings.retry_backoff_max)).await;
        }
    }

    /// `retry.backoff.ms` growing to `retry.backoff.max.ms`.
    pub fn retry_backoff(&self) -> ExponentialBackoff {
        let settings = &self.inner.settings;
        backoff(settings.retry_backoff, settings.retry_backoff_max)
    }

    /// `reconnect.backoff.ms` growing to `reconnect.backoff.max.ms`.
    pub fn reconnect_backoff(&self) -> ExponentialBackoff {
        let settings = &self.inner.settings;
        backoff(settings.reconnect_backoff, settings.reconnect_backoff_max)
    }
}

fn backoff(min: Duration, max: Duration) -> ExponentialBackoff {
    // A zero would spin.
    let min = min.max(Duration::from_millis(1));
    ExponentialBuilder::new()
        .with_min_delay(min)
        .with_max_delay(max.max(min))
        .with_jitter()
        .without_max_times()
        .build()
}
