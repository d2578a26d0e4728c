//! A worker on a simulated cluster, with a source and a sink that do what a test tells them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use connect_api::convert::{Converter, HeaderConverter};
use connect_api::*;
use connect_core::plugins::Plugins;
use connect_core::storage::{OffsetStore, TargetState};
use connect_core::worker::{
    ExactlyOnce, InstanceId, OffsetBacking, StatusListener, Surroundings, TaskId, Worker, WorkerSettings,
};
use kafka_wire::batch::{BatchBuilder, Codec};
use kafka_wire::cluster::Cluster as Client;
use kafka_wire::log::TopicLog;
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::TcpConnector;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers as _, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

const PATIENCE: Duration = Duration::from_secs(20);

/// Text, as UTF-8.
struct Text;

impl Converter for Text {
    fn from_connect_data(
        &self,
        _: &str,
        _: &Headers,
        _: Option<&Schema>,
        value: &Value,
    ) -> Result<Option<Bytes>, ConnectError> {
        match value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(Bytes::from(text.clone()))),
            other => Err(ConnectError::data(format!("{other:?} is no text"))),
        }
    }

    fn to_connect_data(
        &self,
        _: &str,
        _: &Headers,
        bytes: Option<&[u8]>,
    ) -> Result<SchemaAndValue, ConnectError> {
        let Some(bytes) = bytes else { return Ok(SchemaAndValue::NULL) };
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| ConnectError::data("bad text: "))?;
        Ok(SchemaAndValue::schemaless(Value::String(text)))
    }
}

impl HeaderConverter for Text {
    fn from_connect_header(
        &self,
        topic: &str,
        _: &str,
        value: &SchemaAndValue,
    ) -> Result<Option<Bytes>, ConnectError> {
        self.from_connect_data(topic, &Headers::default(), None, &value.value)
    }

    fn to_connect_header(
        &self,
        topic: &str,
        _: &str,
        bytes: Option<&[u8]>,
    ) -> Result<SchemaAndValue, ConnectError> {
        self.to_connect_data(topic, &Headers::default(), bytes)
    }
}

/// Drops records whose value is `drop`.
struct Sieve;

impl Transformation for Sieve {
    fn apply(&self, record: Record) -> Result<Option<Record>, ConnectError> {
        let drop = record.value.value == Value::String("drop".to_owned());
        Ok((!drop).then_some(record))
    }
}

/// What a source task is to do next; when there is nothing more, it waits.
pub(crate) enum Step {
    Records(Vec<SourceRecord>),
    Abort(Vec<SourceRecord>),
    Commit(Vec<SourceRecord>),
    /// A whole batch at this offset of the source, for partition 0 of topic `t`.
    Batch(i64, &'static str),
    Fail(ConnectError),
    Panic,
    /// Blocks its thread until the sender is gone.
    Block(std::sync::mpsc::Receiver<()>),
}

#[derive(Default)]
pub(crate) struct SourceScript {
    pub(crate) steps: Mutex<VecDeque<Step>>,
    /// What `commit_record` was told: the value, and the offset if it is stored.
    pub(crate) told: Mutex<Vec<(String, Option<i64>)>>,
    /// The offset found at each start.
    pub(crate) found: Mutex<Vec<Option<i64>>>,
    pub(crate) stops: Mutex<usize>,
}

struct Source {
    script: Arc<SourceScript>,
    transaction: Option<TransactionContext>,
}

pub(crate) fn partition() -> SourcePartition {
    SourcePartition(serde_json::json!({"file": "f"}).as_object().unwrap().clone())
}

/// Record number `n` of the source.
pub(crate) fn record(n: i64, topic: &str, value: &str) -> SourceRecord {
    let text = |text: &str| SchemaAndValue::schemaless(Value::String(text.to_owned()));
    let mut record = Record::new(topic, text(&format!("k{n}")), text(value));
    record.headers.add("h", text("1"));
    record.headers.add("h", text("2"));
    record.timestamp = Some(1000 + n);
    let offset = serde_json::json!({"n": n}).as_object().unwrap().clone();
    SourceRecord { record, source_partition: Some(partition()), source_offset: Some(offset) }
}

fn batch(offset: i64, value: &str) -> RawBatch {
    let mut builder = BatchBuilder::new(Codec::None);
    builder.push(5, None, Some(value.as_bytes()), &Default::default()).unwrap();
    let destination = Arc::new(Destination { topic: "t".to_owned(), partition: 0 });
    RawBatch {
        partition: 0,
        source: Arc::new(partition()),
        first_offset: offset,
        last_offset: offset,
        payload: Some((destination, builder.finish().unwrap())),
    }
}

#[async_trait]
impl SourceTask for Source {
    async fn start(&mut self, context: SourceTaskContext, _: ConfigMap) -> Result<(), ConnectError> {
        let found = context.offsets.offsets(&[partition()]).await?.remove(0);
        let number = |offset: SourceOffset| offset.get("n").or_else(|| offset.get("offset"))?.as_i64();
        self.script.found.lock().unwrap().push(found.and_then(number));
        self.transaction = context.transaction;
        Ok(())
    }

    async fn poll(&mut self) -> Result<Polled, ConnectError> {
        let step = self.script.steps.lock().unwrap().pop_front();
        match step {
            None => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(Polled::Records(Vec::new()))
            }
            Some(Step::Records(records)) => Ok(Polled::Records(records)),
            Some(Step::Abort(records)) => {
                self.transaction.as_ref().unwrap().abort_transaction();
                Ok(Polled::Records(records))
            }
            Some(Step::Commit(records)) => {
                self.transaction.as_ref().unwrap().commit_transaction();
                Ok(Polled::Records(records))
            }
            Some(Step::Batch(offset, value)) => Ok(Polled::Batches(vec![batch(offset, value)])),
            Some(Step::Fail(error)) => Err(error),
            Some(Step::Panic) => panic!("boom"),
            Some(Step::Block(until)) => {
                let _ = until.recv();
                Ok(Polled::Records(Vec::new()))
            }
        }
    }

    fn commit_record(&mut self, record: &SourceRecord, metadata: Option<&RecordMetadata>) {
        let Value::String(value) = &record.record.value.value else { panic!("text") };
        self.script.told.lock().unwrap().push((value.clone(), metadata.map(|metadata| metadata.offset)));
    }

    fn acknowledged(&mut self, ack: &Acknowledged) {
        self.script.told.lock().unwrap().push(("batch".to_owned(), Some(ack.destination_offset)));
    }

    async fn stop(&mut self) {
        *self.script.stops.lock().unwrap() += 1;
    }
}

#[derive(Default)]
pub(crate) struct SinkScript {
    /// Calls with their partitions or values.
    pub(crate) calls: Mutex<Vec<String>>,
    /// What the next puts answer.
    pub(crate) outcomes: Mutex<VecDeque<ConnectError>>,
    /// The next put panics.
    pub(crate) panics: AtomicBool,
    /// Values to report instead of writing.
    pub(crate) report: Mutex<Vec<String>>,
}

impl SinkScript {
    /// All values put and not refused, in order.
    pub(crate) fn values(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        let puts = calls.iter().filter_map(|call| call.strip_prefix("put "));
        puts.flat_map(|values| values.split(',').map(str::to_owned)).collect()
    }

    pub(crate) fn calls_of(&self, name: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| call.starts_with(name)).count()
    }
}

struct Sink {
    script: Arc<SinkScript>,
    context: SinkTaskContext,
}

impl Sink {
    fn note(&self, what: &str, partitions: &[TopicPartition]) {
        let mut names: Vec<_> = partitions.iter().map(|p| format!("{}-{}", p.topic, p.partition)).collect();
        names.sort();
        self.script.calls.lock().unwrap().push(format!("{what} {}", names.join(",")));
    }
}

#[async_trait]
impl SinkTask for Sink {
    async fn start(&mut self, context: SinkTaskContext, _: ConfigMap) -> Result<(), ConnectError> {
        self.context = context;
        Ok(())
    }

    async fn open(&mut self, partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        self.note("open", partitions);
        Ok(())
    }

    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        self.note("close", partitions);
        Ok(())
    }

    async fn flush(&mut self, offsets: &BTreeMap<TopicPartition, i64>) -> Result<(), ConnectError> {
        let offsets = offsets.iter().map(|(at, offset)| format!("{}-{}@{offset}", at.topic, at.partition));
        self.script.calls.lock().unwrap().push(format!("flush {}", offsets.collect::<Vec<_>>().join(",")));
        Ok(())
    }

    async fn put(&mut self, records: Vec<SinkRecord>) -> Result<(), ConnectError> {
        if records.is_empty() {
            return Ok(());
        }
        assert!(!self.script.panics.swap(false, Ordering::AcqRel), "boom");
        let text = |record: &SinkRecord| match &record.record.value.value {
            Value::String(text) => text.clone(),
            other => format!("{other:?}"),
        };
        let values: Vec<_> = records.iter().map(text).collect();
        if let Some(outcome) = self.script.outcomes.lock().unwrap().pop_front() {
            self.script.calls.lock().unwrap().push(format!("refused {}", values.join(",")));
            return Err(outcome);
        }
        let report = self.script.report.lock().unwrap().clone();
        for record in records.iter().filter(|record| report.contains(&text(record))) {
            let reporter = self.context.reporter.clone().unwrap();
            drop(reporter.report(record, &ConnectError::of("x.WriteException", "disk full")));
        }
        self.script.calls.lock().unwrap().push(format!("put {}", values.join(",")));
        Ok(())
    }
}

/// Divides the work into as many tasks as allowed.
struct Divider(bool);

#[async_trait]
impl Connector for Divider {
    async fn start(&mut self, context: ConnectorContext, config: ConfigMap) -> Result<(), ConnectError> {
        self.0 = config.contains_key("too.many");
        match config.get("fail").map(String::as_str) {
            Some("start") => Err(ConnectError::config("no such file")),
            Some("panic") => panic!("boom"),
            Some("later") => {
                context.raise_error(ConnectError::new("the source went away"));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn task_configs(&mut self, max: usize) -> Result<Vec<ConfigMap>, ConnectError> {
        let count = max + usize::from(self.0);
        Ok((0..count).map(|n| BTreeMap::from([("share".to_owned(), n.to_string())])).collect())
    }
}

enum Script {
    Source(Arc<SourceScript>),
    Sink(Arc<SinkScript>),
}

struct Scripted(Script);

#[async_trait]
impl ConnectorPlugin for Scripted {
    fn class(&self) -> &str {
        match self.0 {
            Script::Source(_) => "test.ScriptedSourceConnector",
            Script::Sink(_) => "test.ScriptedSinkConnector",
        }
    }

    fn task_class(&self) -> &str {
        "test.ScriptedTask"
    }

    fn kind(&self) -> ConnectorType {
        match self.0 {
            Script::Source(_) => ConnectorType::Source,
            Script::Sink(_) => ConnectorType::Sink,
        }
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn connector(&self) -> Box<dyn Connector> {
        Box::new(Divider(false))
    }

    fn task(&self) -> Task {
        match &self.0 {
            Script::Source(script) => {
                Task::Source(Box::new(Source { script: script.clone(), transaction: None }))
            }
            Script::Sink(script) => {
                Task::Sink(Box::new(Sink { script: script.clone(), context: SinkTaskContext::default() }))
            }
        }
    }
}

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
        let converter = ConverterPlugin {
            class: "test.TextConverter",
            config_def: ConfigDef::new,
            converter: Some(|_, _| Ok(Box::new(Text))),
            header_converter: Some(|_| Ok(Box::new(Text))),
        };
        let sieve = TransformationPlugin {
            class: "test.Sieve",
            config_def: ConfigDef::new,
            create: |_| Ok(Box::new(Sieve)),
        };
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
