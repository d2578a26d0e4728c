//! The clusters that tests run between. The shared pair starts with the first test that asks for it and ends with the
//! test process: brokers die with their owner, and folders of earlier runs are swept away at the next start.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use kafka_clusters::{Cluster, ClusterBuilder, Version};

/// An origin and a destination.
#[derive(Clone)]
pub(crate) struct Pair {
    /// Short and fit for topic names.
    pub(crate) name: &'static str,
    pub(crate) origin: Arc<Cluster>,
    pub(crate) destination: Arc<Cluster>,
}

/// From Kafka 3.9 with ZooKeeper to Kafka 4.3; shared, so tests must not stop its brokers.
pub(crate) fn zk_to_kraft() -> Pair {
    let [zookeeper, kraft] = shared();
    Pair { name: "zk-kraft", origin: zookeeper, destination: kraft }
}

/// From Kafka 4.3 to Kafka 3.9 with ZooKeeper; shared, so tests must not stop its brokers.
pub(crate) fn kraft_to_zk() -> Pair {
    let [zookeeper, kraft] = shared();
    Pair { name: "kraft-zk", origin: kraft, destination: zookeeper }
}

/// Both directions.
pub(crate) fn both() -> [Pair; 2] {
    [zk_to_kraft(), kraft_to_zk()]
}

/// Settings of test clusters: nothing is created by accident, nothing expires (many records are old) unless its topic
/// says so, and brokers clean up soon enough to be watched.
pub(crate) fn builder(version: Version) -> ClusterBuilder {
    Cluster::builder()
        .version(version)
        .property("auto.create.topics.enable", false)
        .property("log.retention.ms", -1)
        .property("log.cleaner.backoff.ms", 200)
        .property("log.initial.task.delay.ms", 500)
        .property("log.retention.check.interval.ms", 500)
        .property("group.min.session.timeout.ms", 1000)
}

fn shared() -> [Arc<Cluster>; 2] {
    static SHARED: OnceLock<[Arc<Cluster>; 2]> = OnceLock::new();
    let start = || {
        let home = home();
        let start = |version, name: &str| {
            let folder = home.join(name);
            std::thread::spawn(move || Arc::new(builder(version).folder(folder).start().unwrap()))
        };
        let (zookeeper, kraft) = (start(Version::V39Zk, "zk"), start(Version::V43, "kraft"));
        [zookeeper.join().unwrap(), kraft.join().unwrap()]
    };
    SHARED.get_or_init(start).clone()
}

/// A folder of this process; those of processes that are gone are removed.
fn home() -> PathBuf {
    let parent = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("clusters");
    std::fs::create_dir_all(&parent).unwrap();
    for entry in std::fs::read_dir(&parent).unwrap().flatten() {
        let owner = entry.file_name().to_string_lossy().into_owned();
        if !PathBuf::from("/proc").join(owner).exists() {
            // Another test process may be sweeping, too.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    parent.join(std::process::id().to_string())
}
