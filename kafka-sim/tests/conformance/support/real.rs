//! A real broker, started for the tests or running already.

use kafka_clusters::{Cluster, Version};

use kafka_protocol::messages::AlterClientQuotasRequest;
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};

use super::target::{PROPERTIES, Release, Target};
use super::{Client, text};

pub(crate) struct Real {
    release: Release,
    address: String,
    /// Ends the broker when dropped.
    _cluster: Option<Cluster>,
}

impl Real {
    /// Starts one broker, or uses the one that `CONFORMANCE_BROKER_3_9` or `CONFORMANCE_BROKER_4_3` names
    /// (see the test `keep_brokers_running`).
    pub(crate) fn start(release: Release) -> Self {
        let variable = format!("CONFORMANCE_BROKER_{}", release.as_str().replace('.', "_"));
        if let Ok(address) = std::env::var(variable) {
            return Self { release, address, _cluster: None };
        }
        let version = match release {
            Release::V3_9 => Version::V39Zk,
            Release::V4_3 => Version::V43,
        };
        let mut builder = Cluster::builder().version(version).in_memory();
        for (key, value) in PROPERTIES {
            builder = builder.property(key, value);
        }
        let cluster = builder.start().unwrap_or_else(|e| panic!("no broker: {e}"));
        Self { release, address: cluster.bootstrap(), _cluster: Some(cluster) }
    }
}

impl Target for Real {
    fn release(&self) -> Release {
        self.release
    }

    fn address(&self) -> String {
        self.address.clone()
    }

    fn clean(&self, _topic: &str) {}

    fn throttle(&self, client_id: &str, bytes: u32) {
        let entity =
            EntityData::default().with_entity_type(text("client-id")).with_entity_name(Some(text(client_id)));
        let op = OpData::default().with_key(text("producer_byte_rate")).with_value(f64::from(bytes));
        let entry = EntryData::default().with_entity(vec![entity]).with_ops(vec![op]);
        let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
        let answer = Client::connect(&self.address).call(1, &request);
        assert_eq!(answer.entries[0].error_code, 0, "a quota");
    }

    fn retain(&self) {}
}
