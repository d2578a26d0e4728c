//! A source, a sink, a converter and a transform that do what a test tells them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use connect_api::convert::{Converter, HeaderConverter};
use connect_api::*;
use kafka_wire::batch::{BatchBuilder, Codec};

/// Text, as UTF-8.
pub(crate) struct Text;

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
pub(crate) struct Sieve;

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
        payload: Some(BatchPayload {
            destination,
            batch: builder.finish().unwrap(),
            first_record: offset,
            dense: true,
        }),
    }
}

impl SourceScript {
    /// Notes what is committed.
    async fn found(&self, context: &SourceTaskContext) -> Result<(), ConnectError> {
        let found = context.offsets.offsets(&[partition()]).await?.remove(0);
        let number = |offset: SourceOffset| offset.get("n").or_else(|| offset.get("offset"))?.as_i64();
        self.found.lock().unwrap().push(found.and_then(number));
        Ok(())
    }

    /// The task for the step that comes next.
    fn task(self: &Arc<Self>) -> Task {
        match self.steps.lock().unwrap().front() {
            Some(Step::Batch(..)) => Task::Batches(Box::new(Batches(self.clone()))),
            _ => Task::Source(Box::new(Source { script: self.clone(), transaction: None })),
        }
    }
}

#[async_trait]
impl SourceTask for Source {
    async fn start(&mut self, context: SourceTaskContext, _: ConfigMap) -> Result<(), ConnectError> {
        self.script.found(&context).await?;
        self.transaction = context.transaction;
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>, ConnectError> {
        let step = self.script.steps.lock().unwrap().pop_front();
        match step {
            None => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(Vec::new())
            }
            Some(Step::Records(records)) => Ok(records),
            Some(Step::Abort(records)) => {
                self.transaction.as_ref().unwrap().abort_transaction();
                Ok(records)
            }
            Some(Step::Commit(records)) => {
                self.transaction.as_ref().unwrap().commit_transaction();
                Ok(records)
            }
            Some(Step::Batch(..)) => panic!("this task yields records"),
            Some(Step::Fail(error)) => Err(error),
            Some(Step::Panic) => panic!("boom"),
            Some(Step::Block(until)) => {
                let _ = until.recv();
                Ok(Vec::new())
            }
        }
    }

    fn commit_record(&mut self, record: &SourceRecord, metadata: Option<&RecordMetadata>) {
        let Value::String(value) = &record.record.value.value else { panic!("text") };
        self.script.told.lock().unwrap().push((value.clone(), metadata.map(|metadata| metadata.offset)));
    }

    async fn stop(&mut self) {
        *self.script.stops.lock().unwrap() += 1;
    }
}

/// Yields the batches of a script, and nothing else.
struct Batches(Arc<SourceScript>);

#[async_trait]
impl BatchTask for Batches {
    async fn start(&mut self, context: SourceTaskContext, _: ConfigMap) -> Result<(), ConnectError> {
        self.0.found(&context).await
    }

    async fn poll(&mut self) -> Result<Vec<RawBatch>, ConnectError> {
        let step = self.0.steps.lock().unwrap().pop_front();
        match step {
            Some(Step::Batch(offset, value)) => Ok(vec![batch(offset, value)]),
            Some(_) => panic!("this task yields batches"),
            None => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(Vec::new())
            }
        }
    }

    fn told(&mut self, _: usize, event: BatchEvent) {
        if let BatchEvent::Stored(stored) = event {
            assert!(stored.dense && stored.first_record == stored.last_offset, "{stored:?}");
            self.0.told.lock().unwrap().push(("batch".to_owned(), stored.destination_offset));
        }
    }

    async fn stop(&mut self) {
        *self.0.stops.lock().unwrap() += 1;
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

pub(crate) enum Script {
    Source(Arc<SourceScript>),
    Sink(Arc<SinkScript>),
}

pub(crate) struct Scripted(pub(crate) Script);

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
            Script::Source(script) => script.task(),
            Script::Sink(script) => {
                Task::Sink(Box::new(Sink { script: script.clone(), context: SinkTaskContext::default() }))
            }
        }
    }
}
