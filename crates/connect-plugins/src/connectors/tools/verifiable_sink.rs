//! `VerifiableSinkConnector`: says on standard output each record that it gets and, with `"flushed":true`, each that a flush
//! covers. `task` is the record's key and `seqno` its value: what the verifiable source put there.

use std::collections::BTreeMap;

use connect_api::helpers::{self, DividingConnector};
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Connector, ConnectorPlugin, ConnectorType, SinkRecord, SinkTask,
    SinkTaskContext, Task, TopicPartition, async_trait,
};
use serde_json::{Map, Value as Json};

use super::number;
use super::output::{Output, now, plain_json};

/// `org.apache.kafka.connect.tools.VerifiableSinkConnector`.
#[derive(Debug)]
pub struct VerifiableSink;

impl ConnectorPlugin for VerifiableSink {
    fn class(&self) -> &str {
        "org.apache.kafka.connect.tools.VerifiableSinkConnector"
    }

    fn task_class(&self) -> &str {
        "org.apache.kafka.connect.tools.VerifiableSinkTask"
    }

    fn kind(&self) -> ConnectorType {
        ConnectorType::Sink
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn connector(&self) -> Box<dyn Connector> {
        DividingConnector::boxed(helpers::numbered_tasks)
    }

    fn task(&self) -> Task {
        Task::Sink(Box::<VerifiableSinkTask>::default())
    }
}

/// `org.apache.kafka.connect.tools.VerifiableSinkTask`.
#[derive(Debug, Default)]
pub struct VerifiableSinkTask {
    name: Option<String>,
    id: i32,
    /// Lines of records that no flush has covered yet.
    unflushed: BTreeMap<TopicPartition, Vec<Map<String, Json>>>,
    output: Output,
}

#[async_trait]
impl SinkTask for VerifiableSinkTask {
    async fn start(&mut self, _context: SinkTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        self.name = config.get("name").cloned();
        self.id = number(&config, "id", "VerifiableSinkTask")?;
        Ok(())
    }

    async fn put(&mut self, records: Vec<SinkRecord>) -> Result<(), ConnectError> {
        let time = now();
        for SinkRecord { record, .. } in records {
            let line = helpers::fields([
                ("task", plain_json(&record.key.value)),
                ("seqno", plain_json(&record.value.value)),
                ("offset", record.offset.into()),
                ("time_ms", time.into()),
                ("name", self.name.clone().into()),
                ("topic", record.topic.clone().into()),
                ("sinkTask", self.id.into()),
            ]);
            self.output.object(&line)?;
            let partition =
                TopicPartition { topic: record.topic, partition: record.partition.unwrap_or_default() };
            self.unflushed.entry(partition).or_default().push(line);
        }
        Ok(())
    }

    async fn flush(&mut self, offsets: &BTreeMap<TopicPartition, i64>) -> Result<(), ConnectError> {
        let time = now();
        for lines in offsets.keys().filter_map(|partition| self.unflushed.remove(partition)) {
            for mut line in lines {
                line.insert("time_ms".to_owned(), time.into());
                line.insert("flushed".to_owned(), true.into());
                self.output.object(&line)?;
            }
        }
        Ok(())
    }

    async fn close(&mut self, partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        // Whoever has them next gets what was not flushed once more.
        self.unflushed.retain(|partition, _| !partitions.contains(partition));
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use connect_api::{SchemaAndValue, Value};

    use super::super::output::tests::Captured;
    use super::*;

    fn record(partition: i32, offset: i64, value: Value) -> SinkRecord {
        let mut record = helpers::sink_record("t", partition, offset, SchemaAndValue::schemaless(value));
        record.record.key = SchemaAndValue::schemaless(Value::Int32(2));
        record
    }

    /// The lines are those of Kafka's own task.
    #[tokio::test]
    async fn every_record_is_said_when_put_and_when_flushed() {
        let captured = Captured::default();
        let mut task = VerifiableSinkTask { output: captured.output(), ..VerifiableSinkTask::default() };
        let config = [("name", "n"), ("id", "1")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        task.start(SinkTaskContext::default(), config.into()).await.unwrap();
        task.put(vec![record(0, 99, Value::Int64(7)), record(1, 5, Value::Bytes(vec![1, 2, 3].into()))])
            .await
            .unwrap();
        let first = r#"{"task":2,"seqno":7,"offset":99,"name":"n","topic":"t","sinkTask":1}"#;
        let second = r#"{"task":2,"seqno":"AQID","offset":5,"name":"n","topic":"t","sinkTask":1}"#;
        assert_eq!(captured.take(), [first, second]);
        let offsets =
            |partition| BTreeMap::from([(TopicPartition { topic: "t".to_owned(), partition }, 100)]);
        task.flush(&offsets(0)).await.unwrap();
        task.flush(&offsets(0)).await.unwrap();
        assert_eq!(captured.take(), [first.replace('}', r#","flushed":true}"#)]);
        task.close(&[TopicPartition { topic: "t".to_owned(), partition: 1 }]).await.unwrap();
        task.flush(&offsets(1)).await.unwrap();
        assert!(captured.take().is_empty());
    }
}
