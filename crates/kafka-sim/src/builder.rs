//! Making a cluster: what tests and the demo begin with.

use crate::blueprint::Blueprint;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::protocol::Release;
use crate::state::State;

/// Settings of a cluster that does not exist yet.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    blueprint: Blueprint,
    clock: Option<Clock>,
}

impl Cluster {
    /// Settings for a new cluster.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// Release whose answers it gives where releases differ. 4.3 unless said.
    pub fn release(mut self, release: Release) -> Self {
        self.blueprint.release = release;
        self
    }

    /// Number of brokers; their ids are 1 to this. One unless said.
    pub fn brokers(mut self, brokers: usize) -> Self {
        self.blueprint.brokers = brokers.max(1);
        self
    }

    /// Number that ids of clusters, topics, producers and group members are drawn from.
    pub fn seed(mut self, seed: u64) -> Self {
        self.blueprint.seed = seed;
        self
    }

    /// A broker property, as in `server.properties`: `auto.create.topics.enable`, `num.partitions`,
    /// `group.initial.rebalance.delay.ms`, `log.retention.bytes` and so on. See [`crate::config`] for those
    /// that have an effect.
    pub fn property(mut self, name: &str, value: &str) -> Self {
        self.blueprint.properties.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Puts every broker into a rack of its own (`rack-1`, `rack-2` …) and lets consumers that name one read
    /// from the replica there (KIP-392).
    pub fn racks(mut self) -> Self {
        self.blueprint.racks = true;
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
        Cluster::new(clock.clone(), State::new(self.blueprint, clock))
    }
}
