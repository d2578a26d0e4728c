//! `connect.tools.TestSinkConnector`: reports what it gets.
//!
//! Settings beside the common ones: `events.values` (true: `put` events have `values` too); `report.every` (each n-th record
//! goes to the errant record reporter); `ask.commit` (true: a commit is asked for after each `put`).
//!
//! Events: `start`, `open` and `close` (`partitions`), `put` (`records`, and `offsets`: first and last of each partition;
//! empty batches are not reported), `report`, `preCommit` and `flush` (`offsets`), `stop`. Partitions are written
//! `topic-0`.

use std::collections::BTreeMap;

use connect_api::config_def::ValidatedValue;
use connect_api::{
    ConfigDef, ConfigKey, ConfigMap, ConnectError, Connector, ConnectorOffset, ConnectorPlugin,
    ConnectorType, Importance, SinkRecord, SinkTask, SinkTaskContext, Task, TopicPartition, Type,
    async_trait,
};
use serde_json::{Value as Json, json};

use super::connector::TestConnector;
use super::events::Events;
use super::fault::{Fault, common_definition};
use crate::connectors::tools::plain_json;

/// `connect.tools.TestSinkConnector`.
#[derive(Debug)]
pub struct TestSink;

fn definition() -> ConfigDef {
    let key = |name, kind, text| ConfigKey::new(name, kind, Importance::Low, text);
    common_definition()
        .define(key("events.values", Type::Boolean, "Report values too").default(false))
        .define(key("report.every", Type::Int, "Each n-th record is errant; 0: none").default(0))
        .define(key("ask.commit", Type::Boolean, "Ask for a commit after each put").default(false))
}

#[async_trait]
impl ConnectorPlugin for TestSink {
    fn class(&self) -> &str {
        "connect.tools.TestSinkConnector"
    }

    fn task_class(&self) -> &str {
        "connect.tools.TestSinkTask"
    }

    fn kind(&self) -> ConnectorType {
        ConnectorType::Sink
    }

    fn config_def(&self) -> ConfigDef {
        definition()
    }

    async fn validate(&self, config: &ConfigMap, values: &mut Vec<ValidatedValue>) {
        super::connector::validate(config, values);
    }

    fn connector(&self) -> Box<dyn Connector> {
        Box::<TestConnector>::default()
    }

    fn task(&self) -> Task {
        Task::Sink(Box::<TestSinkTask>::default())
    }

    async fn alter_offsets(
        &self,
        config: &ConfigMap,
        offsets: &[ConnectorOffset],
    ) -> Result<bool, ConnectError> {
        super::connector::alter_offsets(config, offsets).await
    }
}

/// `connect.tools.TestSinkTask`.
#[derive(Debug, Default)]
pub struct TestSinkTask {
    events: Events,
    fault: Fault,
    context: SinkTaskContext,
    values: bool,
    report_every: u64,
    ask_commit: bool,
    received: u64,
}

#[async_trait]
impl SinkTask for TestSinkTask {
    async fn start(&mut self, context: SinkTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        self.events = Events::of(&config);
        self.fault = Fault::of(&config)?;
        self.fault.strike("start").await?;
        let parsed = definition().parse(&config)?;
        self.values = parsed.bool("events.values");
        self.report_every = parsed.integer("report.every").and_then(|n| n.try_into().ok()).unwrap_or(0);
        self.ask_commit = parsed.bool("ask.commit");
        self.context = context;
        self.events.write("start", []);
        Ok(())
    }

    async fn open(&mut self, partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        self.events.write("open", [("partitions", names(partitions))]);
        self.fault.strike("open").await
    }

    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        self.events.write("close", [("partitions", names(partitions))]);
        self.fault.strike("close").await
    }

    async fn put(&mut self, records: Vec<SinkRecord>) -> Result<(), ConnectError> {
        self.fault.strike("put").await?;
        if records.is_empty() {
            return Ok(());
        }
        let mut values = Json::Null;
        if self.values {
            values = records.iter().map(|record| plain_json(&record.record.value.value)).collect();
        }
        self.events.write(
            "put",
            [("records", records.len().into()), ("offsets", ranges(&records)), ("values", values)],
        );
        self.fault.handled(records.len());
        for record in &records {
            self.received += 1;
            if self.received.is_multiple_of(self.report_every) {
                self.report(record).await?;
            }
        }
        if self.ask_commit {
            self.context.with(|requests| requests.commit = true);
        }
        Ok(())
    }

    async fn flush(&mut self, offsets: &BTreeMap<TopicPartition, i64>) -> Result<(), ConnectError> {
        self.events.write("flush", [("offsets", by_name(offsets))]);
        self.fault.strike("flush").await
    }

    async fn pre_commit(
        &mut self,
        offsets: BTreeMap<TopicPartition, i64>,
    ) -> Result<BTreeMap<TopicPartition, i64>, ConnectError> {
        self.events.write("preCommit", [("offsets", by_name(&offsets))]);
        self.fault.strike("preCommit").await?;
        self.flush(&offsets).await?;
        Ok(offsets)
    }

    async fn stop(&mut self) {
        self.events.write("stop", []);
        if let Err(error) = self.fault.strike("stop").await {
            tracing::warn!(%error, "stop has no way to fail but a panic");
        }
    }
}

impl TestSinkTask {
    async fn report(&self, record: &SinkRecord) -> Result<(), ConnectError> {
        let Some(reporter) = &self.context.reporter else {
            return Err(ConnectError::new(
                "there is no errant record reporter; `errors.tolerance` gives one",
            ));
        };
        let partition = format!("{}-{}", record.original_topic, record.original_partition);
        self.events
            .write("report", [("partition", partition.into()), ("offset", record.original_offset.into())]);
        reporter.report(record, &ConnectError::data("the setting `report.every` made this errant")).await
    }
}

fn name(partition: &TopicPartition) -> String {
    format!("{}-{}", partition.topic, partition.partition)
}

fn names(partitions: &[TopicPartition]) -> Json {
    partitions.iter().map(name).collect()
}

fn by_name(offsets: &BTreeMap<TopicPartition, i64>) -> Json {
    offsets.iter().map(|(partition, offset)| (name(partition), Json::from(*offset))).collect()
}

/// First and last offset of each partition.
fn ranges(records: &[SinkRecord]) -> Json {
    let mut ranges: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for record in records {
        let name = format!("{}-{}", record.original_topic, record.original_partition);
        let offset = record.original_offset;
        ranges.entry(name).or_insert((offset, offset)).1 = offset;
    }
    ranges.into_iter().map(|(name, (first, last))| (name, json!([first, last]))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::{Arc, Mutex};

    use connect_api::{ErrantRecordReporter, SchemaAndValue, Value, helpers};
    use futures::future::BoxFuture;

    use super::*;

    #[derive(Default)]
    struct Reporter(Mutex<Vec<i64>>);

    impl ErrantRecordReporter for Reporter {
        fn report(
            &self,
            record: &SinkRecord,
            _error: &ConnectError,
        ) -> BoxFuture<'static, Result<(), ConnectError>> {
            self.0.lock().unwrap().push(record.original_offset);
            Box::pin(async { Ok(()) })
        }
    }

    fn config(file: &std::path::Path, more: &[(&str, &str)]) -> ConfigMap {
        let own = [("events.file", file.to_str().unwrap()), ("events.values", "true"), ("task.id", "0")];
        own.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn record(offset: i64) -> SinkRecord {
        let value = SchemaAndValue::schemaless(Value::Int64(offset * 10));
        helpers::sink_record("t", 1, offset, value)
    }

    #[tokio::test]
    async fn everything_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events");
        let reporter = Arc::new(Reporter::default());
        let context = SinkTaskContext { reporter: Some(reporter.clone()), ..SinkTaskContext::default() };
        let mut task = TestSinkTask::default();
        let config = config(&file, &[("report.every", "2"), ("ask.commit", "true")]);
        task.start(context.clone(), config).await.unwrap();
        let partition = TopicPartition { topic: "t".to_owned(), partition: 1 };
        task.open(std::slice::from_ref(&partition)).await.unwrap();
        task.put(vec![]).await.unwrap();
        task.put(vec![record(4), record(5), record(6)]).await.unwrap();
        assert!(context.with(|requests| requests.commit));
        let offsets = BTreeMap::from([(partition.clone(), 7)]);
        assert_eq!(task.pre_commit(offsets.clone()).await.unwrap(), offsets);
        task.close(&[partition]).await.unwrap();
        task.stop().await;
        assert_eq!(*reporter.0.lock().unwrap(), [5]);
        let events = std::fs::read_to_string(&file).unwrap();
        let events: Vec<Json> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(names, ["start", "open", "put", "report", "preCommit", "flush", "close", "stop"]);
        assert_eq!(events[1]["partitions"], json!(["t-1"]));
        assert_eq!(events[2]["offsets"], json!({"t-1": [4, 6]}));
        assert_eq!(events[2]["values"], json!([40, 50, 60]));
        assert_eq!(events[5]["offsets"], json!({"t-1": 7}));
    }

    #[tokio::test]
    async fn it_fails_where_it_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let faults = [("fault", "retriable"), ("fault.in", "put,flush"), ("fault.after.records", "1")];
        let mut task = TestSinkTask::default();
        let config = config(&folder.path().join("events"), &faults);
        task.start(SinkTaskContext::default(), config).await.unwrap();
        task.put(vec![record(0)]).await.unwrap();
        assert!(task.put(vec![record(1)]).await.unwrap_err().is_retriable());
        assert!(task.pre_commit(BTreeMap::new()).await.is_err());
    }
}
