//! A source: each file of some folders becomes a record, in the order of the names.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use connect_api::config_def::Validator;
use connect_api::data::Type as Kind;
use connect_api::helpers::{self, DividingConnector};
use connect_api::{
    ConfigDef, ConfigKey, ConfigMap, ConnectError, Connector, ConnectorPlugin, ConnectorType,
    ExactlyOnceSupport, Importance, Record, Schema, SchemaAndValue, SourcePartition, SourceRecord,
    SourceTask, SourceTaskContext, Task, Type, Value, async_trait,
};

/// The plugin: what a worker knows of it before anything runs.
#[derive(Debug)]
pub(crate) struct FolderSource;

/// Its settings. REST shows them, `validate` checks them, tasks parse by them.
fn definition() -> ConfigDef {
    ConfigDef::new()
        .define(ConfigKey::new("folders", Type::List, Importance::High, "Folders to read, comma separated"))
        .define(
            ConfigKey::new("topic", Type::String, Importance::High, "Topic to write to")
                .validator(Validator::non_empty()),
        )
        .define(
            ConfigKey::new("batch.size", Type::Int, Importance::Low, "Files that one poll reads at most")
                .default(100)
                .validator(Validator::at_least(1)),
        )
}

#[async_trait]
impl ConnectorPlugin for FolderSource {
    fn class(&self) -> &str {
        "com.example.FolderSourceConnector"
    }

    fn task_class(&self) -> &str {
        "com.example.FolderSourceTask"
    }

    fn kind(&self) -> ConnectorType {
        ConnectorType::Source
    }

    fn config_def(&self) -> ConfigDef {
        definition()
    }

    fn connector(&self) -> Box<dyn Connector> {
        DividingConnector::boxed(divide)
    }

    fn task(&self) -> Task {
        Task::Source(Box::<FolderSourceTask>::default())
    }

    /// Every offset names the place exactly, and nothing is read twice: yes.
    async fn exactly_once_support(&self, _config: &ConfigMap) -> Option<ExactlyOnceSupport> {
        Some(ExactlyOnceSupport::Supported)
    }
}

/// Deals the folders out to at most `max_tasks` tasks.
fn divide(config: &ConfigMap, max_tasks: usize) -> Result<Vec<ConfigMap>, ConnectError> {
    let parsed = definition().parse(config)?;
    let folders = parsed.list("folders");
    let tasks = max_tasks.min(folders.len());
    let share = |task: usize| folders.iter().skip(task).step_by(tasks).cloned().collect::<Vec<_>>();
    let task_config = |task| {
        let mut config = config.clone();
        config.insert("folders".to_owned(), share(task).join(","));
        config
    };
    Ok((0..tasks).map(task_config).collect())
}

/// One task.
#[derive(Debug, Default)]
pub(crate) struct FolderSourceTask {
    topic: String,
    batch_size: usize,
    /// Each folder with the name of the last file that was read; empty: none yet.
    last: BTreeMap<String, String>,
}

fn partition(folder: &str) -> SourcePartition {
    SourcePartition(helpers::fields([("folder", folder.into())]))
}

#[async_trait]
impl SourceTask for FolderSourceTask {
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        let parsed = definition().parse(&config)?;
        self.topic = parsed.str("topic").unwrap_or_default().to_owned();
        self.batch_size = parsed.integer("batch.size").and_then(|n| n.try_into().ok()).unwrap_or(1);
        for folder in parsed.list("folders") {
            // Where the run before this one stopped, perhaps on another worker.
            let offset = helpers::committed_offset(&context, &partition(folder)).await?;
            let file = offset.as_ref().and_then(|offset| offset.get("file")?.as_str()).unwrap_or_default();
            self.last.insert(folder.clone(), file.to_owned());
        }
        Ok(())
    }

    /// The worker may drop this future at any `await`: what it has read so far must not be lost with it. Here nothing
    /// is read before the last `await`.
    async fn poll(&mut self) -> Result<Vec<SourceRecord>, ConnectError> {
        loop {
            let records = self.next_files()?;
            if !records.is_empty() {
                return Ok(records);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

impl FolderSourceTask {
    /// All or nothing: after an error the same files come again.
    fn next_files(&mut self) -> Result<Vec<SourceRecord>, ConnectError> {
        let mut records = Vec::new();
        let mut read = self.last.clone();
        for (folder, last) in &mut read {
            for name in names_after(folder, last)?.into_iter().take(self.batch_size - records.len()) {
                let content = std::fs::read(Path::new(folder).join(&name));
                let content = content.map_err(|error| cannot_read(folder, &error))?;
                records.push(record(&self.topic, folder, &name, content));
                *last = name;
            }
        }
        self.last = read;
        Ok(records)
    }
}

fn names_after(folder: &str, last: &str) -> Result<Vec<String>, ConnectError> {
    let entries = std::fs::read_dir(folder).map_err(|error| cannot_read(folder, &error))?;
    let files = entries.flatten().filter(|entry| entry.path().is_file());
    let names = files.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.as_str() > last).collect();
    names.sort_unstable();
    Ok(names)
}

fn record(topic: &str, folder: &str, name: &str, content: Vec<u8>) -> SourceRecord {
    let key = SchemaAndValue::new(Schema::of(Kind::String), Value::String(name.to_owned()));
    let value = SchemaAndValue::new(Schema::of(Kind::Bytes), Value::Bytes(content.into()));
    SourceRecord {
        record: Record::new(topic, key, value),
        source_partition: Some(partition(folder)),
        source_offset: Some(helpers::fields([("file", name.into())])),
    }
}

/// The worker logs it and polls again: a network share may come back.
fn cannot_read(folder: &str, error: &std::io::Error) -> ConnectError {
    ConnectError::retriable(format!("cannot read {folder}: {error}; the setting `folders` names others"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use connect_api::helpers::MemoryOffsets;

    use super::*;

    fn config(folder: &Path) -> ConfigMap {
        let pairs = [("folders", folder.to_str().unwrap()), ("topic", "t"), ("batch.size", "2")];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    async fn poll(task: &mut FolderSourceTask) -> Vec<SourceRecord> {
        task.poll().await.unwrap()
    }

    #[tokio::test]
    async fn a_restarted_task_goes_on_after_the_last_file() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b", "a", "c"] {
            std::fs::write(folder.path().join(name), name.repeat(3)).unwrap();
        }
        let offsets = MemoryOffsets::default();
        for expected in [vec!["aaa", "bbb"], vec!["ccc"]] {
            let mut task = FolderSourceTask::default();
            task.start(offsets.context(), config(folder.path())).await.unwrap();
            let records = poll(&mut task).await;
            let values: Vec<_> = records.iter().map(|record| record.record.value.value.clone()).collect();
            assert_eq!(values, expected.iter().map(|text| Value::Bytes((*text).into())).collect::<Vec<_>>());
            records.iter().for_each(|record| offsets.commit(record));
        }
    }

    #[tokio::test]
    async fn a_folder_that_is_away_loses_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let [here, away] = ["here", "there"].map(|name| folder.path().join(name));
        std::fs::create_dir(&here).unwrap();
        std::fs::write(here.join("a"), "a").unwrap();
        let mut config = config(&here);
        config.insert("folders".to_owned(), format!("{},{}", here.display(), away.display()));
        let mut task = FolderSourceTask::default();
        task.start(MemoryOffsets::default().context(), config).await.unwrap();
        assert!(task.poll().await.unwrap_err().is_retriable());
        std::fs::create_dir(&away).unwrap();
        assert_eq!(poll(&mut task).await.len(), 1);
    }

    #[test]
    fn folders_are_dealt_out() {
        let mut config = config(Path::new("a, b, c"));
        let shares = |config: &ConfigMap, max| -> Vec<String> {
            divide(config, max).unwrap().iter().map(|task| task["folders"].clone()).collect()
        };
        assert_eq!(shares(&config, 2), ["a,c", "b"]);
        assert_eq!(shares(&config, 9), ["a", "b", "c"]);
        config.remove("topic");
        assert!(divide(&config, 1).unwrap_err().message().contains("topic"));
    }
}
