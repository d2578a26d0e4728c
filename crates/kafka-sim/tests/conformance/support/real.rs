//! A real broker, started for the tests.

use kafka_clusters::{Cluster, Version};

use kafka_protocol::messages::AlterClientQuotasRequest;
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};

use super::target::{ELECTED, PROPERTIES, Release, Target};
use super::{Batch, Client, T, text};

pub(crate) struct Real {
    release: Release,
    address: String,
    /// Ends the broker when dropped.
    _cluster: Option<Cluster>,
}

impl Real {
    /// Starts one broker.
    pub(crate) fn start(release: Release) -> Self {
        let version = match release {
            Release::V3_9 => Version::V39Zk,
            Release::V4_3 => Version::V43,
        };
        let mut builder = Cluster::builder().version(version).in_memory();
        for (key, value) in PROPERTIES {
            builder = builder.property(key, value);
        }
        let cluster = builder.start().unwrap_or_else(|e| panic!("no broker: {e}"));
        let real = Self { release, address: cluster.bootstrap(), _cluster: None };
        let prepare = |t: &mut T<'_>| t.create(ELECTED, 1, &[]);
        prepare(&mut T::new(&real, "preparation"));
        put_two(&real);
        cluster.broker(1).stop().unwrap();
        if let Some(zookeeper) = cluster.zookeeper() {
            elect(&cluster, &zookeeper);
        }
        cluster.broker(1).start().unwrap();
        put_two(&real);
        Self { _cluster: Some(cluster), ..real }
    }
}

/// With ZooKeeper, a lone broker finds itself the leader it was, in the same epoch: its record of that is changed.
fn elect(cluster: &Cluster, zookeeper: &str) {
    let path = format!("/brokers/topics/{ELECTED}/partitions/0/state");
    let state = r#"{"controller_epoch":1,"leader":1,"version":1,"leader_epoch":1,"isr":[1]}"#;
    cluster.tool("zookeeper-shell", &["-server", zookeeper, "set", &path, state]).unwrap();
}

/// Appends two records to the topic of several epochs as soon as it has a leader.
pub(crate) fn put_two(target: &dyn Target) {
    let mut t = T::new(target, "preparation");
    let batch = Batch::numbered(t.base, 2);
    t.until("a leader", |t| (t.produce(ELECTED, &batch).0.error_code == 0).then_some(()));
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
