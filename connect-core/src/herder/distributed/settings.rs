//! The worker's settings that a distributed herder needs.

use std::time::Duration;

use kafka_wire::group::GroupSettings;

use crate::config::WorkerConfig;
use crate::group::ConnectProtocol;

/// Names, units and defaults are those of Connect's `DistributedConfig`.
#[derive(Debug, Clone)]
pub struct DistributedSettings {
    /// `group.id`
    pub group_id: String,
    /// `config.storage.topic`
    pub config_topic: String,
    /// `host:port` of the advertised REST address: names this worker in statuses.
    pub worker_id: String,
    /// The advertised REST URL, with a slash at its end.
    pub url: String,
    /// `session.timeout.ms`
    pub session_timeout: Duration,
    /// `connect.protocol`
    pub protocol: ConnectProtocol,
    /// `scheduled.rebalance.max.delay.ms`
    pub rebalance_max_delay: Duration,
    /// `graceful.handover.enabled`, which Connect has not: what a worker stopped in good order does not wait for its return.
    pub graceful_handover: bool,
    /// `worker.sync.timeout.ms`
    pub sync_timeout: Duration,
    /// `worker.unsync.backoff.ms`
    pub unsync_backoff: Duration,
    /// `inter.worker.key.ttl.ms`; zero: a key is never renewed.
    pub key_ttl: Duration,
    /// `inter.worker.key.generation.algorithm`
    pub key_algorithm: String,
    /// `inter.worker.key.size` in bits
    pub key_size: Option<usize>,
    /// `inter.worker.signature.algorithm`
    pub signature_algorithm: String,
    /// `inter.worker.verification.algorithms`
    pub verification_algorithms: Vec<String>,
    /// `exactly.once.source.support`
    pub exactly_once: ExactlyOnceSource,
    /// `metrics.sample.window.ms` times `metrics.num.samples`: how long figures look back.
    pub metrics_window: Duration,
}

/// `exactly.once.source.support`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExactlyOnceSource {
    /// Not at all.
    Disabled,
    /// The leader already writes so that the others can be switched one by one.
    Preparing,
    /// Source tasks write in transactions.
    Enabled,
}

impl ExactlyOnceSource {
    /// True when the leader writes to the config topic in transactions.
    pub fn has_transactional_leader(self) -> bool {
        self != Self::Disabled
    }
}

impl DistributedSettings {
    /// From a worker's properties. `worker_id` and `url` are its advertised address.
    pub fn new(config: &WorkerConfig, worker_id: &str, url: &str) -> Self {
        let text = |key: &str| config.text(key).to_owned();
        Self {
            group_id: text("group.id"),
            config_topic: text("config.storage.topic"),
            worker_id: worker_id.to_owned(),
            url: url.to_owned(),
            session_timeout: config.millis("session.timeout.ms"),
            protocol: config
                .text("connect.protocol")
                .to_ascii_lowercase()
                .parse()
                .unwrap_or(ConnectProtocol::Sessioned),
            rebalance_max_delay: config.millis("scheduled.rebalance.max.delay.ms"),
            graceful_handover: config.parsed.bool("graceful.handover.enabled"),
            sync_timeout: config.millis("worker.sync.timeout.ms"),
            unsync_backoff: config.millis("worker.unsync.backoff.ms"),
            key_ttl: config.millis("inter.worker.key.ttl.ms"),
            key_algorithm: text("inter.worker.key.generation.algorithm"),
            key_size: config
                .parsed
                .integer("inter.worker.key.size")
                .and_then(|bits| usize::try_from(bits).ok()),
            signature_algorithm: text("inter.worker.signature.algorithm"),
            verification_algorithms: config.parsed.list("inter.worker.verification.algorithms").to_vec(),
            exactly_once: match config.text("exactly.once.source.support").to_ascii_lowercase().as_str() {
                "enabled" => ExactlyOnceSource::Enabled,
                "preparing" => ExactlyOnceSource::Preparing,
                _ => ExactlyOnceSource::Disabled,
            },
            metrics_window: metrics_window(config),
        }
    }
}

/// Session, rebalance and heartbeat times of a worker, and how long its figures look back.
pub fn group_settings(config: &WorkerConfig, worker_id: &str) -> GroupSettings {
    let heartbeat_interval = config.millis("heartbeat.interval.ms");
    GroupSettings {
        session_timeout: config.millis("session.timeout.ms"),
        rebalance_timeout: config.millis("rebalance.timeout.ms"),
        heartbeat_interval,
        coordinator_timeout: heartbeat_interval,
        metrics_window: metrics_window(config),
        ..GroupSettings::new(config.text("group.id"), "connect", &format!("connect-{worker_id}"))
    }
}

fn metrics_window(config: &WorkerConfig) -> Duration {
    let samples = config.parsed.integer("metrics.num.samples").and_then(|n| u32::try_from(n).ok());
    config.millis("metrics.sample.window.ms") * samples.unwrap_or(2)
}
