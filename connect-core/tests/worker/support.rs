//! A worker on a simulated cluster, with a source and a sink that do what a test tells them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_api::*;
use connect_core::ids::TargetState;
use connect_core::ids::{InstanceId, TaskId};
use connect_core::plugins::Plugins;
use connect_core::storage::OffsetStore;
use connect_core::worker::{
    ExactlyOnce, OffsetBacking, StatusListener, Surroundings, Worker, WorkerSettings,
};
use kafka_wire::cluster::Cluster as Client;
use kafka_wire::log::TopicLog;
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::TcpConnector;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers as _, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::scripted::{Script, Scripted, Sieve, SinkScript, SourceScript, Step, Text};

const PATIENCE: Duration = Duration::from_secs(20);

/// Remembers what it hears, as `<id> <what>`.
#[derive(Default)]
pub(crate) struct Heard(pub(crate) Mutex<Vec<String>>);

impl Heard {
    fn add(&self, id: &InstanceId, what: &str) {
        self.0.lock().unwrap().push(format!("{id} {what}"));
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.0.lock().unwrap().iter().any(|heard| heard.contains(text))
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl StatusListener for Heard {
    fn on_startup(&self, id: &InstanceId) {
        self.add(id, "started");
    }
    fn on_running(&self, id: &InstanceId, trouble: Option<&str>) {
        self.add(id, &format!("running {trouble:?}"));
    }
    fn on_pause(&self, id: &InstanceId) {
        self.add(id, "paused");
    }
    fn on_resume(&self, id: &InstanceId) {
        self.add(id, "resumed");
    }
    fn on_stop(&self, id: &InstanceId) {
        self.add(id, "stopped");
    }
    fn on_failure(&self, id: &InstanceId, error: &ConnectError) {
        self.add(id, &format!("failed: {}", error.trace()));
    }
    fn on_shutdown(&self, id: &InstanceId) {
        self.add(id, "shut down");
    }
    fn on_topic(&self, id: &TaskId, topic: &str) {
        self.add(&InstanceId::Task(id.clone()), &format!("uses {topic}"));
    }
}

/// Hooks that only take note.
#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) asked: Mutex<Vec<&'static str>>,
    /// Nobody answers a request for fencing.
    pub(crate) leaderless: bool,
}

#[async_trait]
impl ExactlyOnce for Hooks {
    async fn fence(&self, _: &TaskId) -> Result<(), ConnectError> {
        self.asked.lock().unwrap().push("fence");
        if self.leaderless {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
    async fn verify(&self, _: &TaskId) -> Result<(), ConnectError> {
        self.asked.lock().unwrap().push("verify");
        Ok(())
    }
}

/// A worker under test.
pub(crate) struct Rig {
    pub(crate) sim: kafka_sim::Cluster,
    pub(crate) worker: Worker,
    pub(crate) source: Arc<SourceScript>,
    pub(crate) sink: Arc<SinkScript>,
    pub(crate) heard: Arc<Heard>,
}

pub(crate) fn map(entries: &[(&str, &str)]) -> ConfigMap {
    entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

pub(crate) fn task(n: usize) -> TaskId {
    TaskId { connector: "c".to_owned(), task: n }
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(properties: &[(&str, &str)]) -> Self {
        let builder = kafka_sim::Cluster::builder()
            .property("auto.create.topics.enable", "false")
            .property("group.initial.rebalance.delay.ms", "0");
        let sim = builder.build();
        sim.listen(&[]).await.unwrap();
        sim.create_topic("offsets", 3, 1, &[("cleanup.policy", "compact")]);
        let (source, sink) = (Arc::new(SourceScript::default()), Arc::new(SinkScript::default()));
        let converter = ConverterPlugin::new("test.TextConverter", ConfigDef::new)
            .of_data(|_, _| Ok(Box::new(Text)))
            .of_headers(|_| Ok(Box::new(Text)));
        let sieve = TransformationPlugin::new("test.Sieve", ConfigDef::new, |_| Ok(Box::new(Sieve)));
        let plugins = Plugins::default()
            .with_converter(converter)
            .with_transformation(sieve)
            .with_connector(Arc::new(Scripted(Script::Source(source.clone()))))
            .with_connector(Arc::new(Scripted(Script::Sink(sink.clone()))));
        let mut all = map(&[
            ("group.id", "g"),
            ("key.converter", "test.TextConverter"),
            ("value.converter", "Text"),
            ("header.converter", "test.TextConverter"),
            ("offset.flush.interval.ms", "500"),
            ("task.shutdown.graceful.timeout.ms", "5000"),
            ("offset.storage.replication.factor", "1"),
            ("consumer.session.timeout.ms", "10000"),
        ]);
        all.insert("bootstrap.servers".to_owned(), sim.bootstrap());
        all.extend(map(properties));
        let settings = WorkerSettings::from_properties("w:1", all).unwrap();
        let log = TopicLog::open(client(&sim), "offsets").await.unwrap();
        let store = OffsetStore::open(Box::new(log)).await.unwrap();
        let offsets = OffsetBacking { store, topic: Some("offsets".to_owned()) };
        let worker = Worker::new(settings, Arc::new(plugins), offsets, Surroundings::default()).unwrap();
        Self { sim, worker, source, sink, heard: Arc::default() }
    }

    pub(crate) async fn start_source(&self, config: &[(&str, &str)], hooks: Option<Arc<Hooks>>) {
        let mut connector = map(&[("name", "c"), ("connector.class", "ScriptedSource")]);
        connector.extend(map(config));
        let hooks = hooks.map(|hooks| hooks as Arc<dyn ExactlyOnce>);
        let listener = self.heard.clone();
        let config = map(&[("task.class", "test.ScriptedTask")]);
        let started =
            self.worker.start_task(task(0), connector, config, TargetState::Started, 1, listener, hooks);
        started.await.unwrap();
    }

    pub(crate) async fn start_sink(&self, config: &[(&str, &str)]) {
        let mut connector = map(&[("name", "c"), ("connector.class", "ScriptedSink"), ("topics", "t")]);
        connector.extend(map(config));
        connector.retain(|_, value| !value.is_empty());
        let listener = self.heard.clone();
        let config = map(&[("task.class", "test.ScriptedTask")]);
        let started =
            self.worker.start_task(task(0), connector, config, TargetState::Started, 1, listener, None);
        started.await.unwrap();
    }

    pub(crate) fn then(&self, steps: impl IntoIterator<Item = Step>) {
        self.source.steps.lock().unwrap().extend(steps);
    }

    /// Everything that a reader of a topic sees, one line for each record.
    pub(crate) async fn read(&self, topic: &str) -> Vec<String> {
        let (bootstrap, topic) = (self.sim.bootstrap(), topic.to_owned());
        tokio::task::spawn_blocking(move || read(&bootstrap, &topic)).await.unwrap()
    }

    pub(crate) async fn write(&self, topic: &str, values: &[&[u8]]) {
        let (bootstrap, topic) = (self.sim.bootstrap(), topic.to_owned());
        let values: Vec<Vec<u8>> = values.iter().map(|value| value.to_vec()).collect();
        let write = move || {
            let producer: BaseProducer =
                ClientConfig::new().set("bootstrap.servers", bootstrap).create().unwrap();
            for value in &values {
                let headers = rdkafka::message::OwnedHeaders::new()
                    .insert(rdkafka::message::Header { key: "own", value: Some("x") });
                let record = BaseRecord::to(&topic).key("k").payload(value).partition(0).headers(headers);
                producer.send(record.timestamp(77)).map_err(|(error, _)| error).unwrap();
            }
            producer.flush(PATIENCE).unwrap();
        };
        tokio::task::spawn_blocking(write).await.unwrap();
    }
}

fn client(sim: &kafka_sim::Cluster) -> Client {
    let settings = ClientSettings::from_properties(&map(&[("bootstrap.servers", &sim.bootstrap())])).unwrap();
    let connector = Arc::new(TcpConnector::new(&settings).unwrap());
    Client::new("test", settings, connector)
}

/// An independent, read-committed reader: values with keys, headers and timestamps.
fn read(bootstrap: &str, topic: &str) -> Vec<String> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "reader")
        .set("isolation.level", "read_committed");
    config.set("enable.partition.eof", "true").set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config.create().unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
    let mut list = rdkafka::TopicPartitionList::new();
    let partitions = metadata.topics()[0].partitions().len();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition as i32, rdkafka::Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let mut found = Vec::new();
    let mut ends = 0;
    while ends < partitions {
        match consumer.poll(PATIENCE).unwrap() {
            Err(rdkafka::error::KafkaError::PartitionEOF(_)) => ends += 1,
            Err(error) => panic!("{error}"),
            Ok(message) => found.push(line(&message)),
        }
    }
    found
}

fn line(message: &rdkafka::message::BorrowedMessage<'_>) -> String {
    let text =
        |bytes: Option<&[u8]>| bytes.map_or("null".into(), |b| String::from_utf8_lossy(b).into_owned());
    let mut line = format!("{}={}", text(message.key()), text(message.payload()));
    for header in message.headers().into_iter().flat_map(|headers| headers.iter()) {
        line.push_str(&format!(" {}:{}", header.key, text(header.value)));
    }
    line.push_str(&format!(" @{}", message.timestamp().to_millis().unwrap_or(-1)));
    line
}

pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = tokio::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(tokio::time::Instant::now() < limit, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
