//! The two clusters under test, and the few admin calls that a benchmark needs.
//!
//! Called by everything that touches a broker. Both clusters end with the [`Lab`], however the process ends.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kafka_clusters::{Cluster, Jvm, Version};
use kafka_wire::admin::{NewTopic, OffsetSpec, TopicPartition};
use kafka_wire::cluster::Cluster as Client;
use kafka_wire::kafka_protocol::messages::DeleteTopicsRequest;
use kafka_wire::kafka_protocol::protocol::StrBytes;
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::TcpConnector;
use tokio::runtime::Runtime;

use crate::cases::PARTITIONS;
use crate::interrupt;
use crate::meter::Subjects;

const HEAP: &str = "512m";

/// A cluster and a client to it.
#[derive(Debug)]
pub(crate) struct Side {
    /// The running cluster.
    pub(crate) cluster: Cluster,
    /// A client of this process.
    pub(crate) client: Client,
}

/// Origin and destination.
#[derive(Debug)]
pub(crate) struct Lab {
    /// For calls of the clients.
    pub(crate) runtime: Runtime,
    /// Kafka 3.9.2 with ZooKeeper.
    pub(crate) origin: Side,
    /// Kafka 4.3.0 with KRaft.
    pub(crate) destination: Side,
    folder: tempfile::TempDir,
}

impl Lab {
    /// Starts both clusters, data in memory; the origin's on disk if `origin_on_disk`.
    pub(crate) fn start(origin_on_disk: bool) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        interrupt::install(&runtime);
        let (origin, destination) = std::thread::scope(|scope| {
            let origin = scope.spawn(|| cluster(Version::V39Zk, !origin_on_disk));
            let destination = cluster(Version::V43, true);
            (origin.join(), destination)
        });
        let origin = origin.ok().context("the origin's start panicked")??;
        let destination = destination?;
        interrupt::check()?;
        Ok(Self {
            origin: side(&runtime, "origin", origin)?,
            destination: side(&runtime, "destination", destination)?,
            runtime,
            folder: tempfile::Builder::new().prefix("replicator-bench-").tempdir()?,
        })
    }

    /// A new folder for the files of one run.
    pub(crate) fn run_folder(&self, run: &str) -> Result<PathBuf> {
        let folder = self.folder.path().join(run);
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(folder)
    }

    /// Deletes the topics that a copier made for itself in a run: those that carry the run's name between dots and dashes.
    pub(crate) fn sweep(&self, run: &str) {
        for side in [&self.origin, &self.destination] {
            let Ok(metadata) = self.runtime.block_on(side.client.refresh(None)) else { continue };
            for topic in
                metadata.topics.keys().filter(|topic| topic.split(['.', '-']).any(|part| part == run))
            {
                side.delete(&self.runtime, topic);
            }
        }
    }

    /// The brokers' process ids.
    pub(crate) fn subjects(&self) -> Subjects {
        Subjects { origin: pids(&self.origin.cluster), destination: pids(&self.destination.cluster) }
    }
}

fn cluster(version: Version, in_memory: bool) -> Result<Cluster> {
    let builder = Cluster::builder()
        .version(version)
        .heap(HEAP)
        .jvm(Jvm::Throughput)
        // What is deleted must give its memory back before the next run.
        .property("log.segment.delete.delay.ms", 500)
        .property("auto.create.topics.enable", false);
    let builder = if in_memory { builder.in_memory() } else { builder };
    builder.start().with_context(|| format!("{version} did not start"))
}

fn side(runtime: &Runtime, role: &'static str, cluster: Cluster) -> Result<Side> {
    let properties = BTreeMap::from([("bootstrap.servers".to_owned(), cluster.bootstrap())]);
    let settings = ClientSettings::from_properties(&properties)?;
    let connector = Arc::new(TcpConnector::new(&settings)?);
    let client = Client::new(role, settings, connector);
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(30), client.connect()).await })??;
    Ok(Side { cluster, client })
}

fn pids(cluster: &Cluster) -> Vec<i32> {
    let zookeeper = fs::read_to_string(cluster.folder().join("zookeeper.pid")).unwrap_or_default();
    cluster.broker(1).pid().into_iter().chain(zookeeper.trim().parse()).collect()
}

/// All partitions of a topic of the benchmark.
pub(crate) fn partitions(topic: &str) -> Vec<TopicPartition> {
    (0..PARTITIONS).map(|number| (topic.to_owned(), number)).collect()
}

impl Side {
    /// Creates a topic with the benchmark's partition count and the broker's defaults.
    pub(crate) fn create(&self, runtime: &Runtime, topic: &str) -> Result<()> {
        let new = NewTopic {
            name: topic.to_owned(),
            partitions: PARTITIONS,
            replication_factor: 1,
            configs: BTreeMap::new(),
        };
        if !runtime.block_on(self.client.create_topic(&new))? {
            bail!("topic {topic} exists already");
        }
        // A new partition refuses its first requests for up to a second.
        std::thread::sleep(Duration::from_secs(1));
        Ok(())
    }

    /// Deletes a topic; it does not matter if that fails.
    pub(crate) fn delete(&self, runtime: &Runtime, topic: &str) {
        let request = DeleteTopicsRequest::default()
            .with_timeout_ms(30_000)
            .with_topic_names(vec![StrBytes::from_string(topic.to_owned()).into()]);
        if let Err(error) = runtime.block_on(self.client.call_controller(request)) {
            eprintln!("topic {topic} could not be deleted: {error}");
        }
    }

    /// End offsets of all partitions, summed, by partition.
    pub(crate) fn ends(&self, runtime: &Runtime, partitions: &[TopicPartition]) -> Result<Vec<i64>> {
        let spec = OffsetSpec::Latest { read_committed: false };
        let call = async {
            tokio::time::timeout(Duration::from_secs(20), self.client.list_offsets(partitions, spec)).await
        };
        Ok(runtime.block_on(call)??.into_values().collect())
    }

    /// Bytes of a topic's log segments on the broker's disk.
    pub(crate) fn segment_bytes(&self, topic: &str) -> u64 {
        let data = self.cluster.broker(1).data_folder();
        (0..PARTITIONS).map(|number| log_bytes(&data.join(format!("{topic}-{number}")))).sum()
    }
}

fn log_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let logs = entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "log"));
    logs.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}
