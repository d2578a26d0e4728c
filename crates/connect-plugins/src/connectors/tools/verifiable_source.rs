//! `VerifiableSourceConnector`: numbered records at a given speed. Each record is said on standard output when it is made and,
//! with `"committed":true`, when Kafka has it. A restarted task goes on after the last committed number.
//!
//! Settings: `topic`, `throughput` (records a second; negative: no limit), `complete.record.data` (the whole line as a
//! struct instead of the number).

use connect_api::data::{SchemaBuilder, Struct, Type};
use connect_api::helpers::{self, DividingConnector};
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Connector, ConnectorPlugin, ConnectorType, Record, RecordMetadata,
    Schema, SchemaAndValue, SourceRecord, SourceTask, SourceTaskContext, Task, Value, async_trait,
};
use serde_json::{Map, Value as Json};

use super::output::{Output, now, plain_json};
use super::{Throttle, flag, next_seqno, number, offset, partition};

/// `org.apache.kafka.connect.tools.VerifiableSourceConnector`.
#[derive(Debug)]
pub struct VerifiableSource;

impl ConnectorPlugin for VerifiableSource {
    fn class(&self) -> &str {
        "org.apache.kafka.connect.tools.VerifiableSourceConnector"
    }

    fn task_class(&self) -> &str {
        "org.apache.kafka.connect.tools.VerifiableSourceTask"
    }

    fn kind(&self) -> ConnectorType {
        ConnectorType::Source
    }

    /// None, as Kafka's own: a wrong setting fails the task.
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn connector(&self) -> Box<dyn Connector> {
        DividingConnector::boxed(helpers::numbered_tasks)
    }

    fn task(&self) -> Task {
        Task::Source(Box::<VerifiableSourceTask>::default())
    }
}

/// `org.apache.kafka.connect.tools.VerifiableSourceTask`.
#[derive(Debug)]
pub struct VerifiableSourceTask {
    name: Option<String>,
    id: i32,
    topic: String,
    complete: bool,
    seqno: i64,
    sent: u64,
    throttle: Throttle,
    output: Output,
}

impl Default for VerifiableSourceTask {
    fn default() -> Self {
        Self {
            name: None,
            id: 0,
            topic: String::new(),
            complete: false,
            seqno: 0,
            sent: 0,
            throttle: Throttle::new(-1),
            output: Output::default(),
        }
    }
}

#[async_trait]
impl SourceTask for VerifiableSourceTask {
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        let task = "VerifiableSourceTask";
        self.name = config.get("name").cloned();
        self.id = number(&config, "id", task)?;
        self.topic = config.get("topic").cloned().unwrap_or_default();
        self.complete = flag(&config, "complete.record.data");
        self.throttle = Throttle::new(number(&config, "throughput", task)?);
        self.seqno = next_seqno(&context, &partition(self.id)).await?;
        let (name, seqno) = (self.name.as_deref().unwrap_or_default(), self.seqno);
        tracing::info!(name, task = self.id, topic = self.topic, seqno, "verifiable source started");
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>, ConnectError> {
        self.throttle.wait(self.sent).await;
        let (seqno, time) = (self.seqno, now());
        self.output.object(&self.line(seqno.into(), time))?;
        let key = SchemaAndValue::new(Schema::of(Type::Int32), Value::Int32(self.id));
        let value = if self.complete {
            self.complete_value(seqno, time)
        } else {
            SchemaAndValue::new(Schema::of(Type::Int64), Value::Int64(seqno))
        };
        self.seqno += 1;
        self.sent += 1;
        Ok(vec![SourceRecord {
            record: Record::new(self.topic.clone(), key, value),
            source_partition: Some(partition(self.id)),
            source_offset: Some(offset(seqno)),
        }])
    }

    fn commit_record(&mut self, record: &SourceRecord, _metadata: Option<&RecordMetadata>) {
        let mut line = helpers::fields([("committed", true.into())]);
        line.extend(self.line(plain_json(&record.record.value.value), now()));
        if let Err(error) = self.output.object(&line) {
            tracing::error!(%error, "a committed record could not be reported");
        }
    }
}

impl VerifiableSourceTask {
    fn line(&self, seqno: Json, time: i64) -> Map<String, Json> {
        helpers::fields([
            ("task", self.id.into()),
            ("seqno", seqno),
            ("time_ms", time.into()),
            ("name", self.name.clone().into()),
            ("topic", self.topic.clone().into()),
        ])
    }

    fn complete_value(&self, seqno: i64, time: i64) -> SchemaAndValue {
        let schema = SchemaBuilder::new(Type::Struct)
            .field("name", Schema::of(Type::String))
            .field("task", Schema::of(Type::Int32))
            .field("topic", Schema::of(Type::String))
            .field("time_ms", Schema::of(Type::Int64))
            .field("seqno", Schema::of(Type::Int64))
            .build();
        let values = vec![
            Value::String(self.name.clone().unwrap_or_default()),
            Value::Int32(self.id),
            Value::String(self.topic.clone()),
            Value::Int64(time),
            Value::Int64(seqno),
        ];
        SchemaAndValue::new(schema.clone(), Value::Struct(Box::new(Struct { schema, values })))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use connect_api::helpers::MemoryOffsets;

    use super::super::output::tests::Captured;
    use super::*;

    fn config(more: &[(&str, &str)]) -> ConfigMap {
        let own = [("name", "n"), ("id", "2"), ("topic", "t"), ("throughput", "-1")];
        own.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    async fn next(task: &mut VerifiableSourceTask) -> SourceRecord {
        task.poll().await.unwrap().remove(0)
    }

    /// The lines are those of Kafka's own task.
    #[tokio::test]
    async fn every_record_is_said_when_made_and_when_committed() {
        let (offsets, captured) = (MemoryOffsets::default(), Captured::default());
        for seqno in 0..2 {
            let mut task =
                VerifiableSourceTask { output: captured.output(), ..VerifiableSourceTask::default() };
            task.start(offsets.context(), config(&[])).await.unwrap();
            let record = next(&mut task).await;
            task.commit_record(&record, None);
            assert_eq!(
                captured.take(),
                [
                    format!(r#"{{"task":2,"seqno":{seqno},"name":"n","topic":"t"}}"#),
                    format!(r#"{{"committed":true,"task":2,"seqno":{seqno},"name":"n","topic":"t"}}"#),
                ]
            );
            let key = SchemaAndValue::new(Schema::of(Type::Int32), Value::Int32(2));
            let value = SchemaAndValue::new(Schema::of(Type::Int64), Value::Int64(seqno));
            assert_eq!(record.record, Record::new("t", key, value));
            offsets.commit(&record);
        }
    }

    #[tokio::test]
    async fn a_record_can_hold_the_whole_line() {
        let captured = Captured::default();
        let mut task = VerifiableSourceTask { output: captured.output(), ..VerifiableSourceTask::default() };
        let config = config(&[("complete.record.data", "TRUE")]);
        task.start(MemoryOffsets::default().context(), config).await.unwrap();
        let record = next(&mut task).await;
        let value = plain_json(&record.record.value.value);
        let keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["name", "task", "topic", "time_ms", "seqno"]);
        assert_eq!((value["name"].as_str(), value["seqno"].as_i64()), (Some("n"), Some(0)));
    }

    #[tokio::test]
    async fn a_setting_that_is_no_number_is_named() {
        for (key, given) in [("id", "x"), ("throughput", "")] {
            let error = VerifiableSourceTask::default()
                .start(MemoryOffsets::default().context(), config(&[(key, given)]))
                .await
                .unwrap_err();
            assert_eq!(error.message(), "Invalid VerifiableSourceTask configuration");
            assert!(error.cause().unwrap().message().contains(key), "{error}");
        }
    }
}
