//! `FileStreamSourceConnector`: each line of a file, or of standard input, becomes a record.
//!
//! As Kafka's own: one task; a missing file is awaited; a file may grow, what follows its last line end is not a line yet;
//! the offset is `{"filename":…} → {"position":…}` and names the place after the line.
//!
//! Better than Kafka's own: after a restart the place is found in files with more than ASCII too (Kafka's counts characters
//! but skips bytes); lines beyond `batch.size` do not wait until the file grows; a missing file is reported once; a position
//! beyond the end waits for the file to grow without keeping a processor busy.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use connect_api::config_def::Validator;
use connect_api::helpers::{self, DividingConnector};
use connect_api::{
    ConfigDef, ConfigKey, ConfigMap, ConnectError, Connector, ConnectorOffset, ConnectorPlugin,
    ConnectorType, ExactlyOnceSupport, Importance, Record, Schema, SchemaAndValue, SourceOffset,
    SourcePartition, SourceRecord, SourceTask, SourceTaskContext, Task, Type, Value, async_trait,
};
use serde_json::Value as Json;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, channel};

use super::FILE;
use super::lines::Lines;

const TOPIC: &str = "topic";
const BATCH_SIZE: &str = "batch.size";
const FILENAME: &str = "filename";
const POSITION: &str = "position";

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;
/// Time between two looks at a file that did not grow, or does not exist.
const INTERVAL: Duration = Duration::from_millis(250);

/// `org.apache.kafka.connect.file.FileStreamSourceConnector`.
#[derive(Debug)]
pub struct FileStreamSource;

fn definition() -> ConfigDef {
    let file = "Source filename. If not specified, the standard input will be used";
    let batch = "The maximum number of records the source task can read from the file each time it is polled";
    ConfigDef::new()
        .define(ConfigKey::new(FILE, Type::String, Importance::High, file).optional())
        .define(
            ConfigKey::new(TOPIC, Type::String, Importance::High, "The topic to publish data to")
                .validator(Validator::non_empty()),
        )
        .define(ConfigKey::new(BATCH_SIZE, Type::Int, Importance::Low, batch).default(2000))
}

/// The configured file; `None`: standard input.
fn file(config: &ConfigMap) -> Option<&str> {
    config.get(FILE).map(|name| name.trim()).filter(|name| !name.is_empty())
}

#[async_trait]
impl ConnectorPlugin for FileStreamSource {
    fn class(&self) -> &str {
        "org.apache.kafka.connect.file.FileStreamSourceConnector"
    }

    fn task_class(&self) -> &str {
        "org.apache.kafka.connect.file.FileStreamSourceTask"
    }

    fn kind(&self) -> ConnectorType {
        ConnectorType::Source
    }

    fn config_def(&self) -> ConfigDef {
        definition()
    }

    fn connector(&self) -> Box<dyn Connector> {
        DividingConnector::boxed(|config, max_tasks| {
            definition().parse(config)?;
            helpers::one_task(config, max_tasks)
        })
    }

    fn task(&self) -> Task {
        Task::Source(Box::<FileStreamSourceTask>::default())
    }

    async fn exactly_once_support(&self, config: &ConfigMap) -> Option<ExactlyOnceSupport> {
        // Standard input cannot be read again.
        Some(match file(config) {
            Some(_) => ExactlyOnceSupport::Supported,
            None => ExactlyOnceSupport::Unsupported,
        })
    }

    async fn alter_offsets(
        &self,
        config: &ConfigMap,
        offsets: &[ConnectorOffset],
    ) -> Result<bool, ConnectError> {
        if file(config).is_none() {
            return Err(ConnectError::new(
                "Offsets cannot be modified if the 'file' configuration is unspecified. \
                 This is because stdin is used for input and offsets are not tracked.",
            ));
        }
        offsets.iter().try_for_each(check).map(|()| true).map_err(ConnectError::new)
    }
}

/// Whether an offset may be stored. Any offset may be removed, so that garbage can be cleaned up.
fn check(given: &ConnectorOffset) -> Result<(), &'static str> {
    let Some(offset) = &given.offset else {
        return Ok(());
    };
    let position = offset
        .get(POSITION)
        .ok_or("Offset objects should either be null or contain the key 'position'")?
        .as_i64()
        .ok_or("The value for the 'position' key in the offset is expected to be a Long value")?;
    if position < 0 {
        return Err("The value for the 'position' key in the offset should be a non-negative value");
    }
    if given.partition.contains_key(FILENAME) {
        Ok(())
    } else {
        Err("Partition objects should contain the key 'filename'")
    }
}

/// Bytes that arrive one after the other and cannot be read again.
#[derive(Debug)]
struct Stream {
    arriving: Receiver<Vec<u8>>,
    /// Bytes that a task had read and not delivered when it stopped.
    given_back: Vec<u8>,
}

impl Stream {
    fn new(arriving: Receiver<Vec<u8>>) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { arriving, given_back: vec![] }))
    }

    /// The next bytes; `None` at the end. Cancel-safe.
    async fn next(&mut self) -> Option<Vec<u8>> {
        if self.given_back.is_empty() {
            self.arriving.recv().await
        } else {
            Some(std::mem::take(&mut self.given_back))
        }
    }
}

/// Standard input, read by a thread that never ends, because nothing can interrupt such a read. Tasks that follow each
/// other continue where the one before stopped.
static STANDARD_INPUT: LazyLock<Arc<Mutex<Stream>>> = LazyLock::new(|| {
    let (sender, receiver) = channel(1);
    std::thread::spawn(move || {
        let mut chunk = vec![0; CHUNK];
        loop {
            match std::io::stdin().read(&mut chunk) {
                Ok(0) => break,
                Ok(length) if sender.blocking_send(chunk[..length].to_vec()).is_err() => break,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::error!(%error, "standard input cannot be read any further");
                    break;
                }
            }
        }
    });
    Stream::new(receiver)
});

#[derive(Debug)]
enum Input {
    /// A file that was not there yet, and whether that was said.
    Awaited {
        said: bool,
    },
    File(File),
    Stream(Arc<Mutex<Stream>>),
}

/// `org.apache.kafka.connect.file.FileStreamSourceTask`.
#[derive(Debug)]
pub struct FileStreamSourceTask {
    /// `None`: standard input.
    file: Option<String>,
    topic: String,
    batch_size: usize,
    input: Input,
    lines: Lines,
    chunk: Vec<u8>,
}

impl Default for FileStreamSourceTask {
    fn default() -> Self {
        Self {
            file: None,
            topic: String::new(),
            batch_size: 1,
            input: Input::Awaited { said: false },
            lines: Lines::default(),
            chunk: vec![],
        }
    }
}

#[async_trait]
impl SourceTask for FileStreamSourceTask {
    async fn start(&mut self, context: SourceTaskContext, config: ConfigMap) -> Result<(), ConnectError> {
        let parsed = definition().parse(&config)?;
        self.topic = parsed.str(TOPIC).unwrap_or_default().to_owned();
        self.batch_size =
            parsed.integer(BATCH_SIZE).and_then(|n| usize::try_from(n).ok()).unwrap_or(1).max(1);
        self.file = file(&config).map(str::to_owned);
        self.chunk = vec![0; CHUNK];
        if self.file.is_none() {
            self.input = Input::Stream(STANDARD_INPUT.clone());
            return Ok(());
        }
        if let Some(offset) = helpers::committed_offset(&context, &self.partition()).await? {
            let position = match offset.get(POSITION) {
                None | Some(Json::Null) => 0,
                Some(position) => position
                    .as_i64()
                    .ok_or_else(|| ConnectError::new("Offset position is the incorrect type"))?,
            };
            self.lines = Lines::resuming_at(position);
        }
        Ok(())
    }

    async fn poll(&mut self) -> Result<Vec<SourceRecord>, ConnectError> {
        loop {
            let records = self.take_lines();
            if !records.is_empty() {
                return Ok(records);
            }
            if self.read().await? {
                // Finding the place again in a long file takes many reads: the worker may want to stop meanwhile.
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(INTERVAL).await;
            }
        }
    }

    async fn stop(&mut self) {
        if let Input::Stream(stream) = &self.input {
            stream.lock().await.given_back.extend(self.lines.take_rest());
        }
        self.input = Input::Awaited { said: true };
    }
}

impl FileStreamSourceTask {
    fn partition(&self) -> SourcePartition {
        SourcePartition(helpers::fields([(FILENAME, self.file.clone().into())]))
    }

    fn offset(&self) -> SourceOffset {
        let position = self.file.as_ref().map(|_| self.lines.position());
        helpers::fields([(POSITION, position.into())])
    }

    /// Lines that have been read already.
    fn take_lines(&mut self) -> Vec<SourceRecord> {
        let mut records = Vec::new();
        while records.len() < self.batch_size
            && let Some(line) = self.lines.next_line()
        {
            let value = SchemaAndValue::new(Schema::of(connect_api::data::Type::String), Value::String(line));
            let mut record = Record::new(self.topic.clone(), SchemaAndValue::NULL, value);
            record.timestamp = Some(now());
            records.push(SourceRecord {
                record,
                source_partition: Some(self.partition()),
                source_offset: Some(self.offset()),
            });
        }
        records
    }

    /// Reads once. False: there is nothing now.
    async fn read(&mut self) -> Result<bool, ConnectError> {
        let name = self.file.as_deref().unwrap_or_default();
        match &mut self.input {
            Input::Awaited { said } => {
                match open(name, said)? {
                    Some(file) => self.input = Input::File(file),
                    None => return Ok(false),
                }
                Ok(true)
            }
            Input::File(file) => {
                let length = file.read(&mut self.chunk).map_err(|error| cannot("read", name, &error))?;
                self.lines.push(&self.chunk[..length]);
                Ok(length > 0)
            }
            Input::Stream(stream) => {
                let received = stream.lock().await.next().await;
                self.lines.push(received.as_deref().unwrap_or_default());
                Ok(received.is_some())
            }
        }
    }
}

fn open(name: &str, said: &mut bool) -> Result<Option<File>, ConnectError> {
    match File::open(name) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if !std::mem::replace(said, true) {
                tracing::warn!(file = name, "the source file does not exist yet; waiting for it");
            }
            Ok(None)
        }
        Err(error) => Err(cannot("open", name, &error)),
    }
}

fn cannot(verb: &str, name: &str, error: &std::io::Error) -> ConnectError {
    ConnectError::new(format!("cannot {verb} '{name}': {error}; the setting `file` names another"))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
