//! Which topics a sink task reads: those of `topics`, or those that match `topics.regex` whenever it looks.

use std::collections::BTreeSet;
use std::time::Duration;

use connect_api::{ConfigMap, ConnectError};
use java::regex::JavaRegex;
use kafka_wire::cluster::Cluster;
use tokio::time::{Instant, sleep_until};
use tracing::warn;

use crate::worker::clients::pattern;
use crate::worker::settings::{list, millis, text};

/// Pause before a look that failed is repeated.
const RETRY: Duration = Duration::from_secs(5);

/// The topics of one task.
pub(crate) struct Subscription {
    regex: Option<(JavaRegex, Cluster)>,
    topics: Vec<String>,
    interval: Duration,
    next: Instant,
}

impl Subscription {
    /// Reads a configuration. `consumer` are the consumer's properties: it looks for topics as often as they say
    /// (`metadata.max.age.ms`).
    pub(crate) fn from_config(
        config: &ConfigMap,
        consumer: &ConfigMap,
        cluster: impl FnOnce() -> Result<Cluster, ConnectError>,
    ) -> Result<Self, ConnectError> {
        let regex = match text(config, "topics.regex") {
            Some(regex) => Some((pattern(regex)?, cluster()?)),
            None => None,
        };
        Ok(Self {
            regex,
            topics: list(config, "topics"),
            interval: millis(consumer, "metadata.max.age.ms", 300_000)?,
            next: Instant::now(),
        })
    }

    /// The topics now. Cancel-safe.
    pub(super) async fn topics(&mut self) -> Vec<String> {
        if let Some((regex, cluster)) = &self.regex {
            match cluster.refresh(None).await {
                Ok(metadata) => {
                    let names: BTreeSet<String> = metadata
                        .topics
                        .iter()
                        .filter(|(name, topic)| !topic.internal && regex.is_match(name).unwrap_or(false))
                        .map(|(name, _)| name.clone())
                        .collect();
                    self.topics = names.into_iter().collect();
                    self.next = Instant::now() + self.interval;
                }
                Err(error) => {
                    warn!("cannot look for topics that match topics.regex: {error}");
                    self.next = Instant::now() + RETRY;
                }
            }
        }
        self.topics.clone()
    }

    /// Waits until it is time to look again; for ever with a fixed list.
    pub(super) async fn due(&self) {
        match self.regex {
            Some(_) => sleep_until(self.next).await,
            None => std::future::pending().await,
        }
    }
}
