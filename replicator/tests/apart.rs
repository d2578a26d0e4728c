//! Connector and tasks that know nothing of each other but configurations, as on different workers: each has a plugin of
//! its own, and a small worker's side moves what tasks poll to the destination. Both clusters are kafka-sim.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use connect_core::api::helpers::{MemoryOffsets, fields};
use connect_core::api::{
    BatchEvent, BatchTask, BatchWriter, ConfigMap, Connector, ConnectorContext, ConnectorOffset,
    ConnectorPlugin, SourcePartition, Task,
};
use kafka_sim::{Action, ApiKey, Cluster as Sim, Fault};
use kafka_wire::admin::GroupOffset;
use kafka_wire::batch::{BatchBuilder, Codec, Headers, OutgoingBatch};
use kafka_wire::cluster::Cluster;
use kafka_wire::produce::{Advice, ProduceEvent, ProduceSettings, Producer};
use kafka_wire::settings::ProducerSettings;
use kafka_wire::transport::TcpConnector;
use replicator::monitoring::{Monitor, MonitorHandle, PartitionState};
use replicator::{ReplicatorPlugin, plugin, tcp};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};

const LIMIT: Duration = Duration::from_secs(30);

/// What one process has.
struct Process {
    plugin: Arc<ReplicatorPlugin>,
    monitors: MonitorHandle,
}

impl Process {
    fn new() -> Self {
        let (plugin, monitors) = plugin(None, tcp(), "1");
        Self { plugin, monitors }
    }

    fn monitor(&self) -> Arc<Monitor> {
        self.monitors.of("c")
    }

    async fn connector(&self, config: &ConfigMap) -> Box<dyn Connector> {
        self.heard_connector(config, Arc::new(Notify::new())).await
    }

    /// A connector whose wish for other tasks is heard.
    async fn heard_connector(&self, config: &ConfigMap, reconfigure: Arc<Notify>) -> Box<dyn Connector> {
        let mut connector = self.plugin.connector();
        let context = ConnectorContext { reconfigure, errors: mpsc::unbounded_channel().0 };
        connector.start(context, config.clone()).await.unwrap();
        connector
    }

    async fn task(&self, config: &ConfigMap, offsets: &MemoryOffsets) -> Box<dyn BatchTask> {
        let Task::Batches(mut task) = self.plugin.task() else { panic!("not batches") };
        task.start(offsets.context(), config.clone()).await.unwrap();
        task
    }

    /// Copies until `done`.
    async fn copy(&self, task: &mut dyn BatchTask, done: impl Fn() -> bool) {
        let BatchWriter { destination, produce } = task.batch_writer().unwrap().unwrap();
        let mut producer = Producer::new(destination, produce);
        let mut sources = HashMap::new();
        let work = async {
            while !done() {
                tokio::select! {
                    polled = task.poll() => {
                        for batch in polled.unwrap() {
                            let Some(payload) = batch.payload else { continue };
                            let target = producer.open(&payload.destination.topic, payload.destination.partition);
                            sources.insert(target, batch.partition);
                            producer.enqueue(target, batch.last_offset, payload.batch);
                        }
                    }
                    events = producer.next() => for event in events {
                        if let ProduceEvent::Acknowledged(ack) = event {
                            task.told(sources[&ack.partition], BatchEvent::Moved { last_offset: ack.tag });
                        }
                    },
                    () = sleep(Duration::from_millis(20)) => {}
                }
            }
        };
        timeout(LIMIT, work).await.expect("the copy does not come to its end");
    }
}

async fn cluster() -> Sim {
    let sim = Sim::builder().build();
    sim.listen(&[]).await.unwrap();
    sim
}

fn client(sim: &Sim) -> Cluster {
    let settings = [("bootstrap.servers".to_owned(), sim.bootstrap())].into();
    let settings = ProducerSettings::from_properties(&settings).unwrap().client;
    Cluster::new("test", settings.clone(), Arc::new(TcpConnector::new(&settings).unwrap()))
}

fn batch(records: i32) -> OutgoingBatch {
    let mut builder = BatchBuilder::new(Codec::None);
    for number in 0..records {
        builder.push(1, None, Some(&number.to_be_bytes()), &Headers::default()).unwrap();
    }
    builder.finish().unwrap()
}

/// Writes ten records to every partition of a topic.
async fn fill(sim: &Sim, topic: &str, partitions: i32) {
    let produce = ProduceSettings {
        lanes_per_broker: 1,
        max_request_bytes: 1 << 20,
        timeout: LIMIT,
        merge: None,
        advice: Advice::default(),
    };
    let cluster = client(sim);
    cluster.connect().await.unwrap();
    let mut producer = Producer::new(cluster, produce);
    for number in 0..partitions {
        let target = producer.open(topic, number);
        producer.enqueue(target, 0, batch(10));
    }
    while !producer.is_idle() {
        producer.next().await;
    }
}

fn configuration(origin: &Sim, destination: &Sim, extra: &[(&str, &str)]) -> ConfigMap {
    let (from, to) = (origin.bootstrap(), destination.bootstrap());
    let least = [
        ("name", "c"),
        ("connector.class", "io.confluent.connect.replicator.ReplicatorSourceConnector"),
        ("tasks.max", "2"),
        ("src.kafka.bootstrap.servers", from.as_str()),
        ("dest.kafka.bootstrap.servers", to.as_str()),
        ("topic.whitelist", "a"),
        ("topic.rename.format", "${topic}.r"),
    ];
    least.iter().chain(extra).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// End of a partition's log.
fn end(sim: &Sim, topic: &str, partition: i32) -> i64 {
    sim.offsets(topic, partition).map_or(0, |(_, _, end)| end)
}

#[tokio::test]
async fn sim_tasks_copy_in_other_processes_than_their_connector() {
    let (origin, destination) = (cluster().await, cluster().await);
    origin.create_topic("a", 4, 1, &[]);
    fill(&origin, "a", 4).await;
    let config = configuration(&origin, &destination, &[]);
    let here = Process::new();
    let mut connector = here.connector(&config).await;
    let tasks = connector.task_configs(2).await.unwrap();
    assert_eq!(tasks.len(), 2);
    for (number, task) in tasks.iter().enumerate() {
        assert_eq!(task["task.id"], format!("c-{number}"));
        assert!(config.iter().all(|(key, value)| task.get(key) == Some(value)), "{task:?}");
    }
    assert!(here.monitor().partitions().is_empty(), "no task runs here");
    assert_eq!(here.monitor().topics()["a"], "a.r");

    let offsets = MemoryOffsets::default();
    for (number, config) in tasks.iter().enumerate() {
        let there = Process::new();
        let mut task = there.task(config, &offsets).await;
        let share = [number as i32, number as i32 + 2];
        let done = || share.iter().all(|p| end(&destination, "a.r", *p) == 10);
        there.copy(&mut *task, || done() && there.monitor().totals().lag == 0).await;
        let monitor = there.monitor();
        let figures = monitor.partitions();
        assert_eq!(figures.iter().map(|f| f.partition).collect::<Vec<_>>(), share);
        assert!(figures.iter().all(|f| f.task == number && f.position.load(Relaxed) == 10));
        assert_eq!(monitor.topics()["a"], "a.r");
        let (from, to) = monitor.clusters();
        assert_eq!(from.addresses, origin.bootstrap());
        assert_eq!((to.addresses, to.brokers), (destination.bootstrap(), 1));
        task.stop().await;
        assert!(monitor.partitions().is_empty(), "a task that stopped leaves the figures");
    }
    connector.stop().await.unwrap();
    assert!(here.monitor().topics().is_empty());
}

#[tokio::test]
async fn sim_a_task_waits_for_a_destination_topic() {
    let (origin, destination) = (cluster().await, cluster().await);
    for topic in ["a", "b"] {
        origin.create_topic(topic, 1, 1, &[]);
        fill(&origin, topic, 1).await;
    }
    let config = configuration(&origin, &destination, &[("topic.whitelist", "a,b")]);
    let tasks = Process::new().connector(&config).await.task_configs(1).await.unwrap();
    destination.delete_topic("b.r");
    let there = Process::new();
    let mut task = there.task(&tasks[0], &MemoryOffsets::default()).await;
    there.copy(&mut *task, || end(&destination, "a.r", 0) == 10).await;
    let waits = |figures: &replicator::monitoring::PartitionFigures| match figures.state() {
        PartitionState::Waiting(reason) => reason.contains("b.r does not exist"),
        _ => false,
    };
    let figures = there.monitor().partitions();
    assert!(waits(&figures[1]) && figures[0].state() == PartitionState::Running, "{figures:?}");
    assert!(task.trouble().unwrap().text.contains("b-0 waits"));
    // The batches of a topic that stamps itself are passed on without the origin's stamps.
    destination.create_topic("b.r", 1, 1, &[("message.timestamp.type", "LogAppendTime")]);
    there.copy(&mut *task, || end(&destination, "b.r", 0) == 10).await;
    assert_eq!(task.trouble(), None);
    task.stop().await;
}

#[tokio::test]
async fn sim_what_a_destination_has_is_copied_while_it_may_not_grow() {
    let (origin, destination) = (cluster().await, cluster().await);
    origin.create_topic("a", 3, 1, &[]);
    fill(&origin, "a", 3).await;
    destination.create_topic("a.r", 1, 1, &[]);
    let refusal = destination.faults().add(Fault::of(ApiKey::CreatePartitions, Action::Error(29)));
    let config = configuration(&origin, &destination, &[("topic.create.backoff.ms", "200")]);
    let (process, reconfigure) = (Process::new(), Arc::new(Notify::new()));
    let mut connector = process.heard_connector(&config, reconfigure.clone()).await;
    let tasks = connector.task_configs(1).await.unwrap();
    let offsets = MemoryOffsets::default();
    let mut task = process.task(&tasks[0], &offsets).await;
    process.copy(&mut *task, || end(&destination, "a.r", 0) == 10).await;
    assert_eq!(process.monitor().partitions().len(), 1, "the others have nowhere to go");
    task.stop().await;

    destination.faults().remove(refusal);
    timeout(LIMIT, reconfigure.notified()).await.expect("other tasks are asked for once it has grown");
    let tasks = connector.task_configs(1).await.unwrap();
    let mut task = process.task(&tasks[0], &offsets).await;
    process.copy(&mut *task, || (1..3).all(|p| end(&destination, "a.r", p) == 10)).await;
    task.stop().await;
}

fn offset(partition: i32, offset: Value) -> ConnectorOffset {
    let partition = fields([("topic", "a".into()), ("partition", partition.into())]);
    ConnectorOffset { partition, offset: offset.as_object().cloned() }
}

#[tokio::test]
async fn sim_positions_that_are_altered_are_altered_at_the_origin_too() {
    let (origin, destination) = (cluster().await, cluster().await);
    origin.create_topic("a", 2, 1, &[]);
    fill(&origin, "a", 2).await;
    let (process, config) = (Process::new(), configuration(&origin, &destination, &[]));
    let keys = [("a".to_owned(), 0), ("a".to_owned(), 1)];
    let admin = client(&origin);
    admin.connect().await.unwrap();
    let before = keys.clone().map(|key| (key, GroupOffset { offset: 8, leader_epoch: -1 }));
    admin.commit_group_offsets("c", &before.into()).await.unwrap();
    let altered = [offset(0, json!({"offset": 4})), offset(1, Value::Null), offset(7, json!({"offset": 1}))];
    assert!(process.plugin.alter_offsets(&config, &altered).await.unwrap());
    let committed = admin.group_offsets("c", &keys).await.unwrap();
    assert_eq!(keys.each_ref().map(|key| committed[key].offset), [5, 0]);
    let mut own = config.clone();
    own.insert("offset.topic.commit".to_owned(), "false".to_owned());
    process.plugin.alter_offsets(&own, &[offset(0, json!({"offset": 6}))]).await.unwrap();
    let committed = admin.group_offsets("c", &keys).await.unwrap();
    assert_eq!(committed[&keys[0]].offset, 5, "the group is left alone");
}

#[tokio::test]
async fn sim_a_topic_that_was_made_again_is_copied_after_a_reset_only() {
    let (origin, destination) = (cluster().await, cluster().await);
    origin.create_topic("a", 1, 1, &[]);
    fill(&origin, "a", 1).await;
    let config = configuration(&origin, &destination, &[]);
    let tasks = Process::new().connector(&config).await.task_configs(1).await.unwrap();
    let process = Process::new();
    let offsets = MemoryOffsets::default();
    let source = fields([("topic", "a".into()), ("partition", 0.into())]);
    let stored = |last: i64| {
        offsets.set(SourcePartition(source.clone()), fields([("offset", last.into())]));
    };
    process.task(&tasks[0], &offsets).await.stop().await;
    stored(4);
    origin.recreate_topic("a");
    fill(&origin, "a", 1).await;
    let mut second = process.task(&tasks[0], &offsets).await;
    let state = process.monitor().partitions()[0].state();
    assert!(matches!(&state, PartitionState::Stopped(_)), "{state:?}");
    second.stop().await;
    process.plugin.alter_offsets(&config, &[offset(0, json!({"offset": 2}))]).await.unwrap();
    stored(2);
    let mut third = process.task(&tasks[0], &offsets).await;
    process.copy(&mut *third, || end(&destination, "a.r", 0) == 7).await;
    third.stop().await;
}
