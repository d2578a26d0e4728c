#![allow(clippy::unwrap_used)]

use std::path::Path;

use connect_api::helpers::MemoryOffsets;
use serde_json::json;

use super::*;

fn config(file: &Path, more: &[(&str, &str)]) -> ConfigMap {
    let own = [(TOPIC, "t"), (FILE, file.to_str().unwrap())];
    own.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

async fn started(offsets: &MemoryOffsets, config: ConfigMap) -> FileStreamSourceTask {
    let mut task = FileStreamSourceTask::default();
    task.start(offsets.context(), config).await.unwrap();
    task
}

async fn poll(task: &mut FileStreamSourceTask) -> Vec<SourceRecord> {
    tokio::time::timeout(Duration::from_secs(20), task.poll()).await.unwrap().unwrap()
}

/// True when nothing comes for three looks at the file; the poll is dropped, as workers do.
async fn silent(task: &mut FileStreamSourceTask) -> bool {
    tokio::time::timeout(INTERVAL * 3, task.poll()).await.is_err()
}

fn text(record: &SourceRecord) -> (&str, i64) {
    let Value::String(line) = &record.record.value.value else { panic!("{record:?}") };
    (line, record.source_offset.as_ref().unwrap()[POSITION].as_i64().unwrap())
}

fn append(file: &Path, text: &[u8]) {
    use std::io::Write;
    std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap().write_all(text).unwrap();
}

#[tokio::test]
async fn a_file_is_awaited_and_may_grow() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.txt");
    let mut task = started(&MemoryOffsets::default(), config(&file, &[])).await;
    assert!(silent(&mut task).await);
    append(&file, "one\nzwölf\r\nhal".as_bytes());
    let records = poll(&mut task).await;
    assert_eq!(records.iter().map(text).collect::<Vec<_>>(), [("one", 4), ("zwölf", 11)]);
    assert!(silent(&mut task).await, "a line without end is none yet");
    append(&file, b"f\r");
    assert!(silent(&mut task).await, "a line feed may follow");
    append(&file, b"x\n");
    assert_eq!(poll(&mut task).await.iter().map(text).collect::<Vec<_>>(), [("half", 16), ("x", 18)]);
}

#[tokio::test]
async fn a_record_is_what_kafkas_task_makes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.txt");
    append(&file, b"line\n");
    let mut task = started(&MemoryOffsets::default(), config(&file, &[])).await;
    let before = now();
    let record = poll(&mut task).await.remove(0);
    assert_eq!(record.source_partition.unwrap().0, *json!({"filename": file}).as_object().unwrap());
    assert_eq!(record.source_offset.unwrap(), *json!({"position": 5}).as_object().unwrap());
    let record = record.record;
    assert_eq!((record.topic.as_str(), record.partition, &record.key), ("t", None, &SchemaAndValue::NULL));
    assert_eq!(record.value.schema, Some(Schema::of(connect_api::data::Type::String)));
    assert!((before..=now()).contains(&record.timestamp.unwrap()));
}

#[tokio::test]
async fn a_batch_holds_so_many_lines_and_the_rest_follows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.txt");
    append(&file, b"a\nb\nc\n");
    let mut task = started(&MemoryOffsets::default(), config(&file, &[(BATCH_SIZE, "2")])).await;
    assert_eq!((poll(&mut task).await.len(), poll(&mut task).await.len()), (2, 1));
}

#[tokio::test]
async fn a_restart_goes_on_after_the_last_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.txt");
    append(&file, "eins\nzwölf 😀\ndrei\n".as_bytes());
    let offsets = MemoryOffsets::default();
    for expected in ["eins", "zwölf 😀", "drei", "vier"] {
        let mut task = started(&offsets, config(&file, &[(BATCH_SIZE, "1")])).await;
        if expected == "vier" {
            assert!(silent(&mut task).await);
            append(&file, b"vier\n");
        }
        let record = poll(&mut task).await.remove(0);
        assert_eq!(text(&record).0, expected);
        offsets.commit(&record);
        task.stop().await;
    }
}

#[tokio::test]
async fn a_position_beyond_the_end_waits_for_the_file_to_grow() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.txt");
    append(&file, b"a\n");
    let offsets = MemoryOffsets::default();
    let partition = SourcePartition(helpers::fields([(FILENAME, file.to_str().into())]));
    offsets.set(partition.clone(), helpers::fields([(POSITION, 4.into())]));
    let mut task = started(&offsets, config(&file, &[])).await;
    assert!(silent(&mut task).await);
    append(&file, b"b\nc\n");
    assert_eq!(text(&poll(&mut task).await[0]), ("c", 6));

    offsets.set(partition, helpers::fields([(POSITION, "4".into())]));
    let mut task = FileStreamSourceTask::default();
    let error = task.start(offsets.context(), config(&file, &[])).await.unwrap_err();
    assert_eq!(error.message(), "Offset position is the incorrect type");
}

#[tokio::test]
async fn a_stream_has_lines_without_positions() {
    let (sender, receiver) = channel(4);
    let stream = Stream::new(receiver);
    let reading = || FileStreamSourceTask {
        topic: "t".to_owned(),
        input: Input::Stream(stream.clone()),
        ..FileStreamSourceTask::default()
    };
    let mut task = reading();
    for part in ["a", "\nb\nc"] {
        sender.send(part.as_bytes().to_vec()).await.unwrap();
    }
    let record = poll(&mut task).await.remove(0);
    // Kafka's task stores these nulls too.
    assert_eq!(record.source_partition.unwrap().0, *json!({"filename": null}).as_object().unwrap());
    assert_eq!(record.source_offset.unwrap(), *json!({"position": null}).as_object().unwrap());
    sender.send("d\nü\n".as_bytes()[..3].to_vec()).await.unwrap();
    assert_eq!(poll(&mut task).await.len(), 1);
    assert_eq!(poll(&mut task).await.len(), 1);
    task.stop().await;
    sender.send("ü\n".as_bytes()[1..].to_vec()).await.unwrap();
    let mut task = reading();
    let value = poll(&mut task).await.remove(0).record.value.value;
    assert_eq!(value, Value::String("ü".to_owned()), "half a character was given back");
    drop(sender);
    assert!(silent(&mut task).await, "the end of the input ends no line");
}

#[tokio::test]
async fn what_is_no_file_fails_the_task() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = started(&MemoryOffsets::default(), config(folder.path(), &[])).await;
    let error = task.poll().await.unwrap_err();
    assert!(error.message().contains("the setting `file`"), "{error}");
}

#[tokio::test]
async fn offsets_are_checked_before_they_are_altered() {
    let check = |file: &'static str, partition: Json, offset: Json| async move {
        let given = ConnectorOffset {
            partition: partition.as_object().unwrap().clone(),
            offset: offset.as_object().cloned(),
        };
        let answer = FileStreamSource.alter_offsets(&config(Path::new(file), &[]), &[given]).await;
        answer.map_err(|error| error.message().to_owned())
    };
    let name = || json!({"filename": "x"});
    assert_eq!(check("x", name(), json!({"position": 3})).await, Ok(true));
    assert_eq!(check("x", json!({"filename": 7}), json!({"position": 3, "more": 1})).await, Ok(true));
    assert_eq!(check("x", json!({}), json!(null)).await, Ok(true));
    let refused = |offset| async { check("x", name(), offset).await.unwrap_err() };
    let long = "The value for the 'position' key in the offset is expected to be a Long value";
    for wrong in [json!("3"), json!(1.5), json!(null), json!(true)] {
        assert_eq!(refused(json!({"position": wrong})).await, long);
    }
    assert_eq!(
        refused(json!({"position": -1})).await,
        "The value for the 'position' key in the offset should be a non-negative value"
    );
    assert_eq!(
        refused(json!({})).await,
        "Offset objects should either be null or contain the key 'position'"
    );
    assert_eq!(
        check("x", json!({"file": "x"}), json!({"position": 1})).await.unwrap_err(),
        "Partition objects should contain the key 'filename'"
    );
    assert_eq!(
        check(" ", name(), json!(null)).await.unwrap_err(),
        "Offsets cannot be modified if the 'file' configuration is unspecified. \
         This is because stdin is used for input and offsets are not tracked."
    );
}

#[tokio::test]
async fn settings_and_tasks_are_kafkas() {
    let plugin = FileStreamSource;
    let (sender, _errors) = tokio::sync::mpsc::unbounded_channel();
    let context = connect_api::ConnectorContext { reconfigure: Default::default(), errors: sender.clone() };
    let mut connector = plugin.connector();
    let given = config(Path::new("x"), &[]);
    connector.start(context, given.clone()).await.unwrap();
    assert_eq!(connector.task_configs(5).await.unwrap(), std::slice::from_ref(&given));
    let context = connect_api::ConnectorContext { reconfigure: Default::default(), errors: sender };
    assert!(plugin.connector().start(context, ConfigMap::new()).await.is_err(), "the topic is missing");
    assert_eq!(plugin.exactly_once_support(&given).await, Some(ExactlyOnceSupport::Supported));
    assert_eq!(plugin.exactly_once_support(&ConfigMap::new()).await, Some(ExactlyOnceSupport::Unsupported));
    let error = plugin.config_def().parse(&ConfigMap::from([(TOPIC.to_owned(), String::new())])).unwrap_err();
    assert_eq!(error.message(), "Invalid value  for configuration topic: String must be non-empty");
}

/// Set in the process that this test starts: the same test once more, with pipes for input and output.
const CHILD: &str = "FILE_STREAM_CHILD";

/// Without `file` the source reads standard input and the sink writes standard output.
#[tokio::test]
async fn standard_streams_are_used_without_a_file() {
    use std::process::{Command, Stdio};

    use connect_api::SinkTask;

    if std::env::var_os(CHILD).is_some() {
        let mut sink = super::super::FileStreamSinkTask::default();
        sink.start(Default::default(), ConfigMap::new()).await.unwrap();
        // The second task goes on where the first one stopped.
        for _ in 0..2 {
            let config = ConfigMap::from([
                (TOPIC.to_owned(), "t".to_owned()),
                (BATCH_SIZE.to_owned(), "1".to_owned()),
            ]);
            let mut source = started(&MemoryOffsets::default(), config).await;
            let value = poll(&mut source).await.remove(0).record.value;
            source.stop().await;
            sink.put(vec![helpers::sink_record("t", 0, 0, value)]).await.unwrap();
        }
        sink.flush(&Default::default()).await.unwrap();
        return;
    }
    let name = "connectors::file::source::tests::standard_streams_are_used_without_a_file";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, "über\nunter\n".as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let output = String::from_utf8_lossy(&output.stdout);
    assert!(output.contains("über\nunter\n"), "{output}");
}
