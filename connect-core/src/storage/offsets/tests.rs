//! The offset store on a log in memory.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::storage::MemoryLog;
use serde_json::json;

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn partition(value: Value) -> SourcePartition {
    SourcePartition(map(value))
}

fn put(log: &MemoryLog, key: &str, value: Option<&str>) {
    let value = value.map(|v| Bytes::copy_from_slice(v.as_bytes()));
    log.push(vec![KeyedRecord { key: Bytes::copy_from_slice(key.as_bytes()), value }]);
}

fn written(log: &MemoryLog) -> Vec<(String, String)> {
    let text = |b: Option<Bytes>| String::from_utf8(b.unwrap_or_default().to_vec()).unwrap();
    log.records().into_iter().map(|r| (text(r.key), text(r.value))).collect()
}

async fn open(log: &MemoryLog) -> OffsetStore {
    OffsetStore::open(Box::new(log.clone())).await.unwrap()
}

/// A log whose last record waits for another transaction to end.
struct Held {
    log: MemoryLog,
    hidden: Arc<std::sync::Mutex<Option<LogRecord>>>,
}

impl RecordLog for Held {
    fn read_to_end<'a>(
        &'a mut self,
        sink: &'a mut (dyn FnMut(LogRecord) + Send),
    ) -> BoxFuture<'a, Result<(), StorageError>> {
        self.log.read_to_end(sink)
    }

    fn append<'a>(&'a mut self, records: Vec<KeyedRecord>) -> BoxFuture<'a, Result<(), StorageError>> {
        self.log.append(records)
    }

    fn has_read(&self, _ends: &[i64]) -> bool {
        // The other transaction ends after it has been asked for once.
        match self.hidden.lock().unwrap().take() {
            Some(LogRecord { key, value, .. }) => {
                self.log.push(vec![KeyedRecord { key: key.unwrap(), value }]);
                false
            }
            None => true,
        }
    }

    fn tail(&self) -> Box<dyn super::super::log::LogTail> {
        self.log.tail()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_committed_behind_an_open_transaction_is_waited_for() {
    let log = MemoryLog::default();
    put(&log, r#"["c",{"p":1}]"#, Some(r#"{"o":1}"#));
    let mut hidden = log.records().remove(0);
    hidden.value = Some(Bytes::from_static(br#"{"o":2}"#));
    let held = Held { log: log.clone(), hidden: Arc::new(std::sync::Mutex::new(Some(hidden))) };
    let store = OffsetStore::open(Box::new(held)).await.unwrap();
    let found = store.read("c", &[partition(json!({"p": 1}))]).await.unwrap();
    assert_eq!(found, [Some(map(json!({"o": 2})))]);
}

#[tokio::test]
async fn a_commit_has_connects_bytes_and_is_read_back() {
    let log = MemoryLog::default();
    let store = open(&log).await;
    let t0 = partition(json!({"topic": "t", "partition": 0}));
    store.commit("replicator", &[(t0.clone(), map(json!({"offset": 7})))]).await.unwrap();
    let expected = (r#"["replicator",{"topic":"t","partition":0}]"#, r#"{"offset":7}"#);
    assert_eq!(written(&log), [(expected.0.to_owned(), expected.1.to_owned())]);
    let other = partition(json!({"topic": "t", "partition": 1}));
    let read = store.reader("replicator").offsets(&[t0, other]).await.unwrap();
    assert_eq!(read, [Some(map(json!({"offset": 7}))), None]);
}

#[tokio::test]
async fn javas_key_bytes_are_kept() {
    let log = MemoryLog::default();
    let java_key = r#"["c",{"partition":0,"topic":"t"}]"#;
    put(&log, java_key, Some(r#"{"offset":3}"#));
    let store = open(&log).await;
    let ours = partition(json!({"topic": "t", "partition": 0}));
    let read = store.read("c", std::slice::from_ref(&ours)).await.unwrap();
    assert_eq!(read, [Some(map(json!({"offset": 3})))]);
    store.commit("c", &[(ours, map(json!({"offset": 4})))]).await.unwrap();
    assert_eq!(written(&log)[1], (java_key.to_owned(), r#"{"offset":4}"#.to_owned()));
}

#[tokio::test]
async fn key_bytes_that_another_worker_chose_meanwhile_are_kept_too() {
    let log = MemoryLog::default();
    let store = open(&log).await;
    let java_key = r#"["c",{"partition":0,"topic":"t"}]"#;
    put(&log, java_key, Some(r#"{"offset":3}"#));
    let ours = partition(json!({"topic": "t", "partition": 0}));
    store.commit("c", &[(ours, map(json!({"offset": 4})))]).await.unwrap();
    assert_eq!(written(&log)[1].0, java_key);
}

#[tokio::test]
async fn two_live_keys_of_one_partition_are_both_kept_current() {
    let log = MemoryLog::default();
    put(&log, r#"["c",{"topic":"t","partition":0}]"#, Some(r#"{"offset":9}"#));
    put(&log, r#"["c",{"partition":0,"topic":"t"}]"#, Some(r#"{"offset":3}"#));
    let store = open(&log).await;
    let t0 = partition(json!({"topic": "t", "partition": 0}));
    let read = store.read("c", std::slice::from_ref(&t0)).await.unwrap();
    assert_eq!(read, [Some(map(json!({"offset": 3})))], "the newer record counts");
    store.commit("c", &[(t0, map(json!({"offset": 10})))]).await.unwrap();
    let values: Vec<_> = written(&log).drain(2..).map(|r| r.1).collect();
    assert_eq!(values, [r#"{"offset":10}"#, r#"{"offset":10}"#]);
}

#[tokio::test]
async fn junk_is_skipped_and_tombstones_reset() {
    let log = MemoryLog::default();
    put(&log, "junk", Some("{}"));
    put(&log, r#"["c",null]"#, Some("{}"));
    put(&log, r#"["c",{"a":1}]"#, Some("not json"));
    put(&log, r#"["c",{"b":1}]"#, Some(r#"{"offset":1}"#));
    put(&log, r#"["c",{"b":1}]"#, None);
    let store = open(&log).await;
    let asked = [partition(json!({"a": 1})), partition(json!({"b": 1}))];
    assert_eq!(store.read("c", &asked).await.unwrap(), [None, None]);
}

#[tokio::test]
async fn all_offsets_of_a_connector_are_listed_and_can_be_reset() {
    let log = MemoryLog::default();
    let store = open(&log).await;
    let (a, b) = (partition(json!({"f": "a"})), partition(json!({"f": "b"})));
    store.commit("c", &[(b.clone(), map(json!({"p": 1}))), (a.clone(), map(json!({"p": 2})))]).await.unwrap();
    store.commit("d", &[(a.clone(), map(json!({"p": 3})))]).await.unwrap();
    let expected = [(b.clone(), map(json!({"p": 1}))), (a.clone(), map(json!({"p": 2})))];
    assert_eq!(store.all("c").await.unwrap(), expected);
    store.write("c", vec![(b, None)]).await.unwrap();
    assert_eq!(store.all("c").await.unwrap(), expected[1..]);
    assert_eq!(store.all("d").await.unwrap().len(), 1);
    store.set_gate(Arc::new(|| false));
    let refused = store.commit("c", &[(a, map(json!({"p": 9})))]).await.unwrap_err();
    assert!(matches!(refused, StorageError::Fenced { .. }) && refused.is_passing(), "{refused}");
}

#[tokio::test]
async fn nested_offsets_are_refused_before_anything_is_written() {
    let log = MemoryLog::default();
    let store = open(&log).await;
    let offsets = [(partition(json!({"a": 1})), map(json!({"offset": {"x": 1}})))];
    let error = store.commit("c", &offsets).await.unwrap_err();
    assert!(matches!(error, StorageError::NotFlat { what: "offset", .. }), "{error}");
    assert!(log.records().is_empty());
}

#[test]
fn a_task_on_another_runtime_can_commit() {
    let log = MemoryLog::default();
    let home = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let store = home.block_on(open(&log));
    let task = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let t0 = partition(json!({"topic": "t", "partition": 0}));
    task.block_on(store.commit("c", &[(t0, map(json!({"offset": 1})))])).unwrap();
    assert_eq!(log.records().len(), 1);
}
