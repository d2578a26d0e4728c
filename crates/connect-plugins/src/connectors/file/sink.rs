//! `FileStreamSinkConnector`: the value of each record becomes a line at the end of a file, or on standard output, in the
//! words of Java's `toString`.
//!
//! Better than Kafka's own: a line that cannot be written fails the task instead of being lost.

use std::fs::OpenOptions;
use std::io::Write;

use connect_api::data::java_string;
use connect_api::helpers::{self, DividingConnector};
use connect_api::{
    ConfigDef, ConfigKey, ConfigMap, ConnectError, Connector, ConnectorOffset, ConnectorPlugin,
    ConnectorType, Importance, SinkRecord, SinkTask, SinkTaskContext, Task, Type, async_trait,
};

use super::FILE;

/// `org.apache.kafka.connect.file.FileStreamSinkConnector`.
#[derive(Debug)]
pub struct FileStreamSink;

fn definition() -> ConfigDef {
    let file = "Destination filename. If not specified, the standard output will be used";
    ConfigDef::new().define(ConfigKey::new(FILE, Type::String, Importance::High, file).optional())
}

#[async_trait]
impl ConnectorPlugin for FileStreamSink {
    fn class(&self) -> &str {
        "org.apache.kafka.connect.file.FileStreamSinkConnector"
    }

    fn task_class(&self) -> &str {
        "org.apache.kafka.connect.file.FileStreamSinkTask"
    }

    fn kind(&self) -> ConnectorType {
        ConnectorType::Sink
    }

    fn config_def(&self) -> ConfigDef {
        definition()
    }

    fn connector(&self) -> Box<dyn Connector> {
        DividingConnector::boxed(helpers::same_tasks)
    }

    fn task(&self) -> Task {
        Task::Sink(Box::<FileStreamSinkTask>::default())
    }

    async fn alter_offsets(
        &self,
        _config: &ConfigMap,
        _offsets: &[ConnectorOffset],
    ) -> Result<bool, ConnectError> {
        Ok(true)
    }
}

/// `org.apache.kafka.connect.file.FileStreamSinkTask`.
#[derive(Default)]
pub struct FileStreamSinkTask {
    /// For messages.
    name: String,
    output: Option<Box<dyn Write + Send>>,
}

impl std::fmt::Debug for FileStreamSinkTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileStreamSinkTask({})", self.name)
    }
}

#[async_trait]
impl SinkTask for FileStreamSinkTask {
    async fn start(&mut self, _context: SinkTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        let parsed = definition().parse(&config)?;
        match parsed.str(FILE).filter(|name| !name.is_empty()) {
            None => {
                self.name = "standard output".to_owned();
                self.output = Some(Box::new(std::io::stdout()));
            }
            Some(name) => {
                let file = OpenOptions::new().create(true).append(true).open(name).map_err(|error| {
                    let failed = format!("Couldn't find or create file '{name}' for FileStreamSinkTask");
                    ConnectError::new(failed).caused_by(ConnectError::new(error))
                })?;
                self.name = name.to_owned();
                self.output = Some(Box::new(file));
            }
        }
        Ok(())
    }

    /// All lines in one write, so that tasks which share a file do not mix theirs.
    async fn put(&mut self, records: Vec<SinkRecord>) -> Result<(), ConnectError> {
        let mut lines = String::new();
        for record in &records {
            lines.push_str(&java_string(&record.record.value.value));
            lines.push('\n');
        }
        self.write(|output| output.write_all(lines.as_bytes()))
    }

    async fn flush(
        &mut self,
        _offsets: &std::collections::BTreeMap<connect_api::TopicPartition, i64>,
    ) -> Result<(), ConnectError> {
        self.write(Write::flush)
    }

    async fn stop(&mut self) {
        self.output = None;
    }
}

impl FileStreamSinkTask {
    fn write(
        &mut self,
        write: impl FnOnce(&mut Box<dyn Write + Send>) -> std::io::Result<()>,
    ) -> Result<(), ConnectError> {
        let Some(output) = &mut self.output else {
            return Err(ConnectError::new("the task was not started, or was stopped"));
        };
        write(output).map_err(|error| {
            let name = &self.name;
            ConnectError::new(format!("cannot write to '{name}': {error}; the setting `file` names another"))
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use connect_api::{SchemaAndValue, Value};

    use super::*;

    fn record(offset: i64, value: Value) -> SinkRecord {
        helpers::sink_record("t", 0, offset, SchemaAndValue::schemaless(value))
    }

    async fn started(file: &std::path::Path) -> Result<FileStreamSinkTask, ConnectError> {
        let mut task = FileStreamSinkTask::default();
        let config = ConfigMap::from([(FILE.to_owned(), file.to_str().unwrap().to_owned())]);
        task.start(SinkTaskContext::default(), config).await.map(|()| task)
    }

    #[tokio::test]
    async fn values_become_lines_at_the_end_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("out.txt");
        std::fs::write(&file, "before\n").unwrap();
        let mut tasks = [started(&file).await.unwrap(), started(&file).await.unwrap()];
        tasks[0].put(vec![record(0, Value::String("é".to_owned())), record(1, Value::Null)]).await.unwrap();
        tasks[1].put(vec![record(0, Value::Int32(7))]).await.unwrap();
        tasks[0].put(vec![record(2, Value::Boolean(true))]).await.unwrap();
        tasks[0].flush(&Default::default()).await.unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "before\né\nnull\n7\ntrue\n");
        tasks[0].stop().await;
        assert!(tasks[0].put(vec![record(3, Value::Null)]).await.is_err());
    }

    #[tokio::test]
    async fn what_cannot_be_written_fails_the_task() {
        let error = started(std::path::Path::new("/nowhere/out.txt")).await.unwrap_err();
        assert_eq!(error.message(), "Couldn't find or create file '/nowhere/out.txt' for FileStreamSinkTask");
        let mut full = started(std::path::Path::new("/dev/full")).await.unwrap();
        let error = full.put(vec![record(0, Value::Null)]).await.unwrap_err();
        assert!(error.message().starts_with("cannot write to '/dev/full'"), "{error}");
    }
}
