//! A sink: each record becomes a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use connect_api::helpers::{self, DividingConnector};
use connect_api::{
    ConfigDef, ConfigKey, ConfigMap, ConnectError, Connector, ConnectorPlugin, ConnectorType, Importance,
    SinkRecord, SinkTask, SinkTaskContext, Task, TopicPartition, Type, Value, async_trait,
};

/// The plugin: what a worker knows of it before anything runs.
#[derive(Debug)]
pub(crate) struct FolderSink;

fn definition() -> ConfigDef {
    ConfigDef::new().define(ConfigKey::new(
        "folder",
        Type::String,
        Importance::High,
        "Folder to write the files into",
    ))
}

impl ConnectorPlugin for FolderSink {
    fn class(&self) -> &str {
        "com.example.FolderSinkConnector"
    }

    fn task_class(&self) -> &str {
        "com.example.FolderSinkTask"
    }

    fn kind(&self) -> ConnectorType {
        ConnectorType::Sink
    }

    fn config_def(&self) -> ConfigDef {
        definition()
    }

    /// Kafka deals the partitions out, so all tasks are alike.
    fn connector(&self) -> Box<dyn Connector> {
        DividingConnector::boxed(helpers::same_tasks)
    }

    fn task(&self) -> Task {
        Task::Sink(Box::<FolderSinkTask>::default())
    }
}

/// One task.
#[derive(Debug, Default)]
pub(crate) struct FolderSinkTask {
    folder: PathBuf,
    context: SinkTaskContext,
    /// Files written since the last flush.
    unflushed: Vec<File>,
}

#[async_trait]
impl SinkTask for FolderSinkTask {
    async fn start(&mut self, context: SinkTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        self.folder = definition().parse(&config)?.str("folder").unwrap_or_default().into();
        self.context = context;
        std::fs::create_dir_all(&self.folder).map_err(|error| self.cannot_write(&error))
    }

    /// After a crash or a retriable error the same records come again; they get the same names, so that nothing is
    /// there twice.
    async fn put(&mut self, records: Vec<SinkRecord>) -> Result<(), ConnectError> {
        for record in &records {
            match &record.record.value.value {
                Value::Bytes(content) => self.write(record, content)?,
                Value::String(text) => self.write(record, text.as_bytes())?,
                _ => self.refuse(record).await?,
            }
        }
        Ok(())
    }

    /// When this has returned, the worker commits the offsets: nothing may be lost any more.
    async fn flush(&mut self, _offsets: &BTreeMap<TopicPartition, i64>) -> Result<(), ConnectError> {
        for file in &self.unflushed {
            file.sync_all().map_err(|error| self.cannot_write(&error))?;
        }
        self.unflushed.clear();
        Ok(())
    }
}

impl FolderSinkTask {
    fn write(&mut self, record: &SinkRecord, content: &[u8]) -> Result<(), ConnectError> {
        // Where the record stands in Kafka, whatever transformations made of its topic.
        let (topic, partition) = (&record.original_topic, record.original_partition);
        let path = self.folder.join(format!("{topic}-{partition}-{:020}", record.original_offset));
        let mut file = File::create(path).map_err(|error| self.cannot_write(&error))?;
        file.write_all(content).map_err(|error| self.cannot_write(&error))?;
        self.unflushed.push(file);
        Ok(())
    }

    /// Neither text nor bytes: to the dead letters if the connector has any, else the task fails.
    async fn refuse(&self, record: &SinkRecord) -> Result<(), ConnectError> {
        let error = ConnectError::data("only text and bytes can become a file; see `value.converter`");
        match &self.context.reporter {
            Some(reporter) => reporter.report(record, &error).await,
            None => Err(error),
        }
    }

    fn cannot_write(&self, error: &std::io::Error) -> ConnectError {
        let folder = self.folder.display();
        let text = format!("cannot write into {folder}: {error}; the setting `folder` names another");
        match error.kind() {
            // Somebody may make room: the worker delivers the same records again.
            ErrorKind::StorageFull => ConnectError::retriable(text),
            _ => ConnectError::new(text),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use connect_api::SchemaAndValue;

    use super::*;

    #[tokio::test]
    async fn records_become_files() {
        let folder = tempfile::tempdir().unwrap();
        let config = ConfigMap::from([("folder".to_owned(), folder.path().to_str().unwrap().to_owned())]);
        let mut task = FolderSinkTask::default();
        task.start(SinkTaskContext::default(), config).await.unwrap();
        let record = |value| helpers::sink_record("t", 3, 7, SchemaAndValue::schemaless(value));
        for _ in 0..2 {
            task.put(vec![record(Value::String("text".to_owned()))]).await.unwrap();
        }
        task.flush(&BTreeMap::new()).await.unwrap();
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().collect();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].file_name(), "t-3-00000000000000000007");
        assert_eq!(std::fs::read(files[0].path()).unwrap(), b"text");
        let refused = task.put(vec![record(Value::Int32(1))]).await.unwrap_err();
        assert!(refused.message().contains("value.converter"), "{refused}");
    }
}
