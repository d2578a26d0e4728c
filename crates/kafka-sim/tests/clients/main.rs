//! Real clients against kafka-sim over TCP: Kafka's command-line tools of 3.9 and 4.3, unmodified, and librdkafka.
//! The names of tests that need
//! Java begin with `java_`, those of the others with `sim_`.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../conformance/support/batch.rs"]
mod batch;
#[allow(dead_code)]
#[path = "../conformance/support/codec.rs"]
mod codec;
mod coordinators;
mod java;
mod librdkafka;

use kafka_sim::{Cluster, Release};
use tokio::runtime::Runtime;

/// A cluster that answers on ports of this machine as long as this lives.
pub(crate) struct Served {
    pub(crate) cluster: Cluster,
    _runtime: Runtime,
}

impl Served {
    pub(crate) fn start(release: Release, brokers: usize) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let builder = Cluster::builder()
            .release(release)
            .brokers(brokers)
            .property("auto.create.topics.enable", "false")
            .property("group.initial.rebalance.delay.ms", "0");
        let cluster = runtime.block_on(async {
            let cluster = builder.build();
            cluster.listen(&[]).await.unwrap();
            cluster
        });
        Self { cluster, _runtime: runtime }
    }

    pub(crate) fn bootstrap(&self) -> String {
        self.cluster.bootstrap()
    }
}
