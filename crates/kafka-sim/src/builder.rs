//! How a cluster is made.

use std::collections::BTreeMap;

use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::protocol::Release;
use crate::state::State;

/// Settings of a cluster that does not exist yet.
#[derive(Debug, Clone)]
pub struct Builder {
    pub(crate) release: Release,
    pub(crate) brokers: usize,
    pub(crate) seed: u64,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) racks: bool,
    clock: Option<Clock>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            release: Release::V4_3,
            brokers: 1,
            seed: 0,
            properties: BTreeMap::new(),
            racks: false,
            clock: None,
        }
    }
}

impl Builder {
    /// Whose answers it gives where releases differ. 4.3 unless said.
    pub fn release(mut self, release: Release) -> Self {
        self.release = release;
        self
    }

    /// Number of brokers; their ids are 1 to this. One unless said.
    pub fn brokers(mut self, brokers: usize) -> Self {
        self.brokers = brokers.max(1);
        self
    }

    /// What ids of clusters, topics, producers and group members are drawn from.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// A broker property, as in `server.properties`: `auto.create.topics.enable`, `num.partitions`,
    /// `group.initial.rebalance.delay.ms`, `log.retention.bytes` and so on. See [`crate::config`] for those that have
    /// an effect.
    pub fn property(mut self, name: &str, value: &str) -> Self {
        self.properties.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Puts every broker into a rack of its own (`rack-1`, `rack-2` …) and lets consumers that name one read from the
    /// replica there (KIP-392).
    pub fn racks(mut self) -> Self {
        self.racks = true;
        self
    }

    /// The time it lives in. The real time unless said.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The cluster, all brokers up. They answer on streams given to [`Cluster::serve`] or on ports after
    /// [`Cluster::listen`].
    pub fn build(mut self) -> Cluster {
        let clock = self.clock.take().unwrap_or_else(Clock::real);
        Cluster::new(clock.clone(), State::new(self, clock))
    }
}
