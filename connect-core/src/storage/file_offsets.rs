//! Source offsets of a standalone worker, in the file of `offset.storage.file.filename`.
//!
//! The file is text: the line `connect-offsets 1`, then one JSON object for each key, `{"key":"…","value":"…"}`, key and value
//! with exactly the text that they have in an offset topic. It is replaced as a whole: written beside itself, synced, renamed. A
//! file of Java's standalone worker (a serialized `HashMap<byte[], byte[]>`) is read too, and becomes text with the first write.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use java::serialized_map;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::log::{KeyedRecord, LogRecord, LogTail, RecordLog};
use super::{OffsetStore, StorageError};

const HEADER: &str = "connect-offsets 1";
const SETTING: &str = "offset.storage.file.filename";

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    value: String,
}

/// The offsets of a file, as a log whose newest record of each key is kept.
#[derive(Debug)]
pub struct FileLog {
    path: PathBuf,
    entries: BTreeMap<Bytes, Bytes>,
    /// Records that were appended, or found at the start, and not yet read.
    unread: Vec<KeyedRecord>,
    next: i64,
    length: Arc<watch::Sender<usize>>,
}

impl FileLog {
    /// Reads the file; one that does not exist, or is empty, holds no offsets.
    ///
    /// # Errors
    /// A file that cannot be read, or that is of another kind.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let failed = |reason: String| StorageError::File { path: path.to_owned(), setting: SETTING, reason };
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(error.to_string())),
        };
        let entries = parse(&bytes).map_err(failed)?;
        let unread =
            entries.iter().map(|(key, value)| KeyedRecord { key: key.clone(), value: Some(value.clone()) });
        let unread = unread.collect();
        Ok(Self { path: path.to_owned(), entries, unread, next: 0, length: Arc::default() })
    }

    fn store(&self) -> io::Result<()> {
        let mut text = format!("{HEADER}\n");
        for (key, value) in &self.entries {
            let text_of = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
            text.push_str(&serde_json::to_string(&Line { key: text_of(key), value: text_of(value) })?);
            text.push('\n');
        }
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let mut file = File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)
    }
}

fn parse(bytes: &[u8]) -> Result<BTreeMap<Bytes, Bytes>, String> {
    if bytes.is_empty() {
        return Ok(BTreeMap::new());
    }
    if bytes.starts_with(&serialized_map::MAGIC) {
        return serialized_map::read(bytes).map_err(|reason| {
            format!("is no file of offsets that Java's standalone worker wrote ({reason}); remove it to begin anew")
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "is not a file of offsets".to_owned())?;
    let mut lines = text.lines();
    if lines.next() != Some(HEADER) {
        return Err(format!("is not a file of offsets: it does not begin with '{HEADER}'"));
    }
    let entry = |(number, line): (usize, &str)| {
        let line: Line = serde_json::from_str(line).map_err(|e| format!("line {}: {e}", number + 2))?;
        Ok((Bytes::from(line.key), Bytes::from(line.value)))
    };
    lines.enumerate().map(entry).collect()
}

impl RecordLog for FileLog {
    fn read_to_end<'a>(
        &'a mut self,
        sink: &'a mut (dyn FnMut(LogRecord) + Send),
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            for KeyedRecord { key, value } in self.unread.drain(..) {
                sink(LogRecord {
                    partition: 0,
                    offset: self.next,
                    timestamp: self.next,
                    key: Some(key),
                    value,
                });
                self.next += 1;
            }
            Ok(())
        })
    }

    fn append<'a>(&'a mut self, records: Vec<KeyedRecord>) -> BoxFuture<'a, Result<(), StorageError>> {
        Box::pin(async move {
            for KeyedRecord { key, value } in &records {
                match value {
                    Some(value) => drop(self.entries.insert(key.clone(), value.clone())),
                    None => drop(self.entries.remove(key)),
                }
            }
            self.unread.extend(records);
            let path = self.path.clone();
            let failed =
                |error: io::Error| StorageError::File { path, setting: SETTING, reason: error.to_string() };
            self.store().map_err(failed)?;
            self.length.send_modify(|length| *length += 1);
            Ok(())
        })
    }

    fn tail(&self) -> Box<dyn LogTail> {
        Box::new(self.length.subscribe())
    }
}

impl OffsetStore {
    /// Opens the store on a file, see [`FileLog`].
    ///
    /// # Errors
    /// A file that cannot be used.
    pub async fn on_file(path: &Path) -> Result<Self, StorageError> {
        Self::open(Box::new(FileLog::open(path)?)).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::api::SourcePartition;
    use serde_json::{Map, Value, json};

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[tokio::test]
    async fn offsets_survive_in_their_own_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("offsets");
        let file = SourcePartition(map(json!({"filename": "/x"})));
        let store = OffsetStore::on_file(&path).await.unwrap();
        store.commit("c", &[(file.clone(), map(json!({"position": 3})))]).await.unwrap();
        store.commit("c", &[(file.clone(), map(json!({"position": 7})))]).await.unwrap();
        let text = "connect-offsets 1\n{\"key\":\"[\\\"c\\\",{\\\"filename\\\":\\\"/x\\\"}]\",\"value\":\"{\\\"position\\\":7}\"}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        let again = OffsetStore::on_file(&path).await.unwrap();
        assert_eq!(again.read("c", &[file]).await.unwrap(), [Some(map(json!({"position": 7})))]);
    }

    #[tokio::test]
    async fn other_files_are_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("offsets");
        for content in [&b"hello"[..], b"connect-offsets 1\n{", b"\xac\xed\x00\x05t\x00\x01a", b"\xff"] {
            fs::write(&path, content).unwrap();
            let error = FileLog::open(&path).unwrap_err().to_string();
            assert!(error.contains("offset.storage.file.filename"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), content);
        }
        fs::write(&path, "").unwrap();
        assert!(FileLog::open(&path).unwrap().entries.is_empty());
    }
}
