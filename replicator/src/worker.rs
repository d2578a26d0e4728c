//! The Connect worker that the `replicator` executable is: storage topics and group at the destination, REST, and one connector
//! named `replicator`. Processes with the same cluster id share its tasks.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use connect_core::answers::HerderError;
use connect_core::api::{ConfigMap, ConnectError};
use connect_core::connect::{Build, Connect, StartError as WorkerError};
use connect_core::herder::api::Herder;
use connect_core::herder::distributed::DistributedHerder;
use connect_core::plugins::Plugins;
use connect_core::storage::{ConfigState, Properties, State, Status, StatusId};
use connect_core::worker::{Executor, StopReport, Surroundings as WorkerSurroundings};
use kafka_wire::Reminder;
use kafka_wire::settings::{HIDDEN, is_secret};
use kafka_wire::transport::TlsError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::config::{CONNECTOR_NAME, ReplicatorConfig};
use crate::context::{Network, client, tcp};
use crate::monitoring::{Monitor, routes};
use crate::plugin::{plugin, register};

/// Interval at which the group is looked at while the connector has not started.
const LOOK: Duration = Duration::from_millis(50);
/// Pause before the connector is offered again to a group that cannot take it now.
const RETRY: Duration = Duration::from_millis(500);
/// Time for which telling the leader of a group of another configuration is tried.
const OFFER_LIMIT: Duration = Duration::from_secs(30);

/// Why the worker cannot start. Passing faults are not among them: those are waited out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Certificates or keys cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The worker itself.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The connector's configuration is refused by the worker.
    #[error("{0}")]
    Herder(HerderError),
    /// The connector itself does not start.
    #[error(transparent)]
    Connector(#[from] ConnectError),
}

/// Ground that the worker stands on. The default is the real world; a simulation gives its own.
#[derive(Clone)]
pub struct Surroundings {
    /// Way to clusters.
    pub network: Network,
    /// Threads, or what else the connector and its tasks run on.
    pub executor: Executor,
    /// False: no REST listener is opened.
    pub rest: bool,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { network: tcp(), executor: Executor::Threads, rest: true }
    }
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Surroundings({:?}, rest: {})", self.executor, self.rest)
    }
}

/// A running worker.
pub struct Worker {
    connect: Connect,
    monitor: Arc<Monitor>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Worker({:?})", self.connect.addresses())
    }
}

impl Worker {
    /// Starts everything and returns when the connector has found its topics, here or on another worker of the group. REST
    /// answers from early on.
    pub async fn start(config: ReplicatorConfig, version: &str) -> Result<Self, StartError> {
        Self::start_in(Surroundings::default(), config, version).await
    }

    /// As [`Worker::start`], in other surroundings than the real world.
    pub async fn start_in(
        surroundings: Surroundings,
        config: ReplicatorConfig,
        version: &str,
    ) -> Result<Self, StartError> {
        let Surroundings { network, executor, rest } = surroundings;
        // Certificates that cannot be used are refused before anything is waited for.
        client(&network, "origin", &config.origin.client)?;
        client(&network, "destination", &config.destination.client)?;
        let (plugin, monitors) = plugin(Some(config.local.clone()), network.clone(), version);
        let monitor = monitors.of(CONNECTOR_NAME);
        let destination = config.destination.client.clone();
        let build = Build {
            surroundings: WorkerSurroundings {
                executor,
                clusters: Arc::new(move |_, _| {
                    client(&network, "destination", &destination).map_err(ConnectError::config)
                }),
                ..WorkerSurroundings::default()
            },
            rest,
            routes: routes(monitors.clone()),
            ..Build::new(version)
        };
        let plugins = register(Plugins::default().with(connect_plugins::all()), plugin);
        let connect = Connect::distributed(config.worker_properties.clone(), plugins, build).await?;
        let worker = Self { connect, monitor };
        match worker.run_connector(config.connector_config()).await {
            Ok(()) => Ok(worker),
            Err(error) => {
                worker.stop().await;
                Err(error)
            }
        }
    }

    /// Figures of the copy.
    pub fn monitor(&self) -> Arc<Monitor> {
        self.monitor.clone()
    }

    /// Configurations and statuses of the connector and its tasks.
    pub fn herder(&self) -> &DistributedHerder {
        self.connect.herder()
    }

    /// Addresses on which REST listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.connect.addresses()
    }

    /// Stops in bounded time: reads no more, delivers and commits what was read.
    pub async fn stop(self) -> StopReport {
        self.connect.stop().await
    }

    /// Sees to it that the group runs the connector, and waits until it does.
    async fn run_connector(&self, config: ConfigMap) -> Result<(), StartError> {
        let mut patience = Patience::default();
        while !self.herder().is_ready() {
            patience.remind("waiting for the group of this cluster id");
            sleep(LOOK).await;
        }
        let generation = self.herder().generation();
        let config: Properties = config.into_iter().map(|(key, value)| (key, Some(value))).collect();
        let limit = Instant::now() + OFFER_LIMIT;
        while !self.offer(&config, limit).await? {
            patience.remind("waiting for the group to take the connector");
            sleep(RETRY).await;
        }
        tokio::spawn(tell_of_others(self.herder().config_states(), config));
        loop {
            if let Some(outcome) = self.outcome(generation) {
                return outcome;
            }
            patience.remind("waiting for the connector to start");
            sleep(LOOK).await;
        }
    }

    /// True when the group has the connector as it is configured here: what the process says that was started last counts for
    /// all. Where the leader cannot be told so until `limit`, what is there stays.
    async fn offer(&self, config: &Properties, limit: Instant) -> Result<bool, StartError> {
        let herder = self.herder();
        let stored = herder.reader().connector_config(CONNECTOR_NAME).await.ok();
        if stored.as_ref() == Some(config) {
            return Ok(true);
        }
        let mut put =
            herder.put_connector_config(CONNECTOR_NAME, config.clone(), None, true).await.map(|_| ());
        if let (Err(HerderError::NotLeader { leader_url: Some(leader), .. }), Some(_)) = (&put, &stored) {
            put = herder.send_connector_config(leader, CONNECTOR_NAME, config).await;
        }
        let Err(refusal) = put else {
            if let Some(stored) = &stored {
                let changes = changes(stored, config);
                info!("the connector is configured anew, for all processes with this cluster.id: {changes}");
            }
            return Ok(true);
        };
        let hopeless = matches!(refusal, HerderError::Forbidden(_)) || Instant::now() >= limit;
        match (refusal, stored) {
            (refusal, Some(stored)) if hopeless => {
                let changes = changes(config, &stored);
                warn!("the connector stays configured otherwise than here ({changes}): {refusal}");
                Ok(true)
            }
            (other @ (HerderError::BadRequest(_) | HerderError::Forbidden(_)), _) => {
                Err(StartError::Herder(other))
            }
            (HerderError::NotLeader { .. } | HerderError::Conflict { .. } | HerderError::Stale(_), _) => {
                Ok(false)
            }
            (passing, _) => {
                warn!("cannot store the connector's configuration, trying again: {passing}");
                Ok(false)
            }
        }
    }

    /// Outcome of the connector's start; `None` while that is open. What was said before this process joined, by one of
    /// its predecessors, does not count.
    fn outcome(&self, generation: i32) -> Option<Result<(), StartError>> {
        let herder = self.herder();
        let status: Status = herder.status(&StatusId::Connector(CONNECTOR_NAME.to_owned()))?;
        let ours = status.worker_id == herder.worker_id();
        if ours && status.generation < generation {
            return None;
        }
        match status.state {
            State::Running => {
                if !ours {
                    info!("the connector runs on {}", status.worker_id);
                }
                Some(Ok(()))
            }
            State::Paused | State::Stopped => {
                warn!(
                    "the connector is {:?}: resume it by PUT /connectors/{CONNECTOR_NAME}/resume",
                    status.state
                );
                Some(Ok(()))
            }
            State::Failed if ours => {
                Some(Err(ConnectError::new(status.trace.unwrap_or_default().trim_end()).into()))
            }
            State::Failed => {
                warn!("the connector has failed on {}", status.worker_id);
                Some(Ok(()))
            }
            _ => None,
        }
    }
}

/// Says so whenever the connector, once configured as here, is given another configuration: by another process or by REST.
async fn tell_of_others(mut states: watch::Receiver<Arc<ConfigState>>, own: Properties) {
    let mut known = None;
    loop {
        let now = states.borrow_and_update().connector(CONNECTOR_NAME).cloned();
        if let (Some(_), Some(now)) =
            (&known, now.as_ref().filter(|now| **now != own && Some(*now) != known.as_ref()))
        {
            warn!(
                "the connector was configured otherwise than here, by another process with this cluster.id or by REST; that \
                 counts until a process is started again: {}",
                changes(&own, now)
            );
        }
        if known.is_some() || now.as_ref() == Some(&own) {
            known = now.or(known);
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

/// Changes that another configuration makes, without secrets.
fn changes(from: &Properties, to: &Properties) -> String {
    let keys: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let value = |map: &Properties, key: &str| match map.get(key).cloned().flatten() {
        Some(_) if is_secret(key) => HIDDEN.to_owned(),
        Some(value) => format!("'{value}'"),
        None => "nothing".to_owned(),
    };
    let changed = keys.into_iter().filter(|key| from.get(*key) != to.get(*key));
    changed
        .map(|key| format!("{key} {} -> {}", value(from, key), value(to, key)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Mentions a wait that goes on, now and then.
struct Patience(Reminder);

impl Default for Patience {
    fn default() -> Self {
        Self(Reminder::when_it_lasts())
    }
}

impl Patience {
    fn remind(&mut self, what: &str) {
        if self.0.is_due() {
            info!("{what}");
        }
    }
}
