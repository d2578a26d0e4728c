//! kafka-sim as a target: a cluster of its own for every case.

use std::time::Duration;

use kafka_protocol::messages::ApiKey;
use kafka_sim::{Action, Cluster, Fault};
use tokio::runtime::Runtime;

use super::real::put_two;
use super::target::{ELECTED, PROPERTIES, Release, Target};
use super::transcript::T;

pub(crate) struct Sim {
    release: Release,
    cluster: Cluster,
    address: String,
    /// Where it answers; ends with it.
    _runtime: Runtime,
}

impl Sim {
    pub(crate) fn start(release: Release) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut builder = Cluster::builder().release(match release {
            Release::V3_9 => kafka_sim::Release::V3_9,
            Release::V4_3 => kafka_sim::Release::V4_3,
        });
        for (key, value) in PROPERTIES {
            builder = builder.property(key, value);
        }
        let cluster = runtime.block_on(async {
            let cluster = builder.build();
            cluster.listen(&[0]).await.unwrap();
            cluster
        });
        let sim = Self { release, address: cluster.bootstrap(), cluster, _runtime: runtime };
        T::new(&sim, "preparation").create(ELECTED, 1, &[]);
        put_two(&sim);
        assert!(sim.cluster.move_leader(ELECTED, 0, 1), "no election");
        put_two(&sim);
        sim
    }
}

impl Target for Sim {
    fn release(&self) -> Release {
        self.release
    }

    fn address(&self) -> String {
        self.address.clone()
    }

    /// Everything but the last record, which stands for the active segment.
    fn clean(&self, topic: &str) {
        let (_, _, end) = self.cluster.offsets(topic, 0).unwrap();
        self.cluster.clean(topic, 0, end - 1);
    }

    fn throttle(&self, client_id: &str, _bytes: u32) {
        let fault = Fault::of(ApiKey::Produce, Action::Throttle(Duration::from_secs(1)));
        self.cluster.faults().add(Fault { client: Some(client_id.to_owned()), ..fault });
    }

    fn retain(&self) {
        self.cluster.apply_retention();
    }
}
