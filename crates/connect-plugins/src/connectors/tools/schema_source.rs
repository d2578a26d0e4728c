//! `SchemaSourceConnector`: structs of two schema versions, each said on standard output.
//!
//! Settings: `topic`, `num.messages` (records for each run of a task), `throughput`, `multiple.schema` (every second record
//! has version 2 of the schema), `partition.count` (range of the field `partitioning`, default 1).

use connect_api::data::{SchemaBuilder, Struct, Type};
use connect_api::helpers::{self, DividingConnector};
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Connector, ConnectorPlugin, ConnectorType, Record, Schema,
    SchemaAndValue, SourceRecord, SourceTask, SourceTaskContext, Task, Value, async_trait,
};

use super::output::Output;
use super::{Throttle, flag, next_seqno, number, offset, partition};

/// `org.apache.kafka.connect.tools.SchemaSourceConnector`.
#[derive(Debug)]
pub struct SchemaSource;

impl ConnectorPlugin for SchemaSource {
    fn class(&self) -> &str {
        "org.apache.kafka.connect.tools.SchemaSourceConnector"
    }

    fn task_class(&self) -> &str {
        "org.apache.kafka.connect.tools.SchemaSourceTask"
    }

    fn kind(&self) -> ConnectorType {
        ConnectorType::Source
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }

    fn connector(&self) -> Box<dyn Connector> {
        DividingConnector::boxed(helpers::numbered_tasks)
    }

    fn task(&self) -> Task {
        Task::Source(Box::<SchemaSourceTask>::default())
    }
}

/// `org.apache.kafka.connect.tools.SchemaSourceTask`.
#[derive(Debug)]
pub struct SchemaSourceTask {
    id: i32,
    topic: String,
    messages: u64,
    multiple_schema: bool,
    partition_count: i64,
    seqno: i64,
    sent: u64,
    throttle: Throttle,
    output: Output,
}

impl Default for SchemaSourceTask {
    fn default() -> Self {
        Self {
            id: 0,
            topic: String::new(),
            messages: 0,
            multiple_schema: false,
            partition_count: 1,
            seqno: 0,
            sent: 0,
            throttle: Throttle::new(-1),
            output: Output::default(),
        }
    }
}

#[async_trait]
impl SourceTask for SchemaSourceTask {
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        let task = "SchemaSourceTask";
        self.id = number(&config, "id", task)?;
        self.topic = config.get("topic").cloned().unwrap_or_default();
        self.messages = number::<i64>(&config, "num.messages", task)?.try_into().unwrap_or(0);
        self.multiple_schema = flag(&config, "multiple.schema");
        if config.contains_key("partition.count") {
            self.partition_count = number::<i64>(&config, "partition.count", task)?.max(1);
        }
        self.throttle = Throttle::new(number(&config, "throughput", task)?);
        self.seqno = next_seqno(&context, &partition(self.id)).await?;
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>, ConnectError> {
        if self.sent >= self.messages {
            std::future::pending::<()>().await;
        }
        self.throttle.wait(self.sent).await;
        let seqno = self.seqno;
        let key = SchemaAndValue::new(Schema::of(Type::String), Value::String("key".to_owned()));
        let mut record = Record::new(self.topic.clone(), key, self.value(seqno));
        record.partition = Some(self.id);
        self.output.line(&format!("{{\"task\": {}, \"seqno\": {seqno}}}", self.id))?;
        self.seqno += 1;
        self.sent += 1;
        Ok(vec![SourceRecord {
            record,
            source_partition: Some(partition(self.id)),
            source_offset: Some(offset(seqno)),
        }])
    }
}

impl SchemaSourceTask {
    fn value(&self, seqno: i64) -> SchemaAndValue {
        let second = self.multiple_schema && self.sent % 2 == 1;
        let partitioning = i32::try_from(seqno % self.partition_count).unwrap_or(0);
        let mut fields = vec![
            ("boolean", Schema::of(Type::Boolean), Value::Boolean(true)),
            ("int", Schema::of(Type::Int32), Value::Int32(12)),
            ("long", Schema::of(Type::Int64), Value::Int64(12)),
            ("float", Schema::of(Type::Float32), Value::Float32(12.2)),
            ("double", Schema::of(Type::Float64), Value::Float64(12.2)),
            ("partitioning", Schema::of(Type::Int32), Value::Int32(partitioning)),
        ];
        if second {
            let default = Some(Value::String("abc".to_owned()));
            let schema = SchemaBuilder::new(Type::String).default_value(default).build();
            fields.push(("string", schema, Value::String("def".to_owned())));
        }
        fields.push(("id", Schema::of(Type::Int32), Value::Int32(self.id)));
        fields.push(("seqno", Schema::of(Type::Int64), Value::Int64(seqno)));
        let version = if second { 2 } else { 1 };
        let mut schema = SchemaBuilder::new(Type::Struct).name(Some("record")).version(Some(version));
        let mut values = Vec::new();
        for (name, kind, value) in fields {
            schema = schema.field(name, kind);
            values.push(value);
        }
        let schema = schema.build();
        SchemaAndValue::new(schema.clone(), Value::Struct(Box::new(Struct { schema, values })))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use connect_api::helpers::MemoryOffsets;
    use serde_json::json;

    use super::super::output::plain_json;
    use super::super::output::tests::Captured;
    use super::*;

    #[tokio::test]
    async fn structs_of_two_versions_until_all_are_made() {
        let captured = Captured::default();
        let mut task = SchemaSourceTask { output: captured.output(), ..SchemaSourceTask::default() };
        let config = [
            ("id", "2"),
            ("topic", "t"),
            ("throughput", "-1"),
            ("num.messages", "3"),
            ("multiple.schema", "true"),
            ("partition.count", "2"),
        ];
        let config = config.map(|(key, value)| (key.to_owned(), value.to_owned()));
        task.start(MemoryOffsets::default().context(), config.into()).await.unwrap();
        let mut versions = Vec::new();
        for seqno in 0..3 {
            let records = task.poll().await.unwrap();
            let record = &records[0].record;
            assert_eq!(record.partition, Some(2));
            versions.push(record.value.schema.as_ref().unwrap().version().unwrap());
            let value = plain_json(&record.value.value);
            assert_eq!((&value["seqno"], &value["partitioning"]), (&json!(seqno), &json!(seqno % 2)));
            assert_eq!(value.get("string").is_some(), seqno == 1);
        }
        assert_eq!(versions, [1, 2, 1]);
        assert_eq!(captured.take()[2], r#"{"task":2,"seqno":2}"#);
        let more = tokio::time::timeout(std::time::Duration::from_millis(50), task.poll()).await;
        assert!(more.is_err(), "three were ordered");
    }
}
