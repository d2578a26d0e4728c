#![allow(clippy::unwrap_used)]

use std::path::Path;

use connect_api::helpers::MemoryOffsets;

use super::*;

fn config(folder: &Path, more: &[(&str, &str)]) -> ConfigMap {
    let events = folder.join("events");
    let own =
        [("topic", "t"), ("task.id", "2"), ("throughput", "-1"), ("events.file", events.to_str().unwrap())];
    own.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn events(folder: &Path) -> Vec<Json> {
    let text = std::fs::read_to_string(folder.join("events")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn poll(task: &mut TestSourceTask) -> Vec<SourceRecord> {
    task.poll().await.unwrap()
}

#[tokio::test]
async fn records_are_numbered_over_restarts_and_everything_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let offsets = MemoryOffsets::default();
    let config = config(folder.path(), &[("records.per.poll", "2"), ("max.records", "3")]);
    for values in [vec!["value-2-0", "value-2-1"], vec!["value-2-2"]] {
        let mut task = TestSourceTask::default();
        task.start(offsets.context(), config.clone()).await.unwrap();
        let records = poll(&mut task).await;
        let found: Vec<_> = records.iter().map(|record| record.record.value.value.clone()).collect();
        assert_eq!(found, values.iter().map(|text| Value::String((*text).to_owned())).collect::<Vec<_>>());
        let metadata = RecordMetadata { topic: "t".to_owned(), partition: 1, offset: 9 };
        task.commit_record(records.last().unwrap(), Some(&metadata));
        offsets.commit(records.last().unwrap());
        task.commit().await.unwrap();
        task.stop().await;
    }
    let events = events(folder.path());
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    let once = ["start", "poll", "commitRecord", "commit", "stop"];
    assert_eq!(names, [once, once].concat());
    assert_eq!((&events[6]["first"], &events[6]["last"]), (&2.into(), &2.into()));
    assert_eq!(
        (&events[7]["seqno"], &events[7]["offset"], &events[7]["task"]),
        (&2.into(), &9.into(), &2.into())
    );
}

#[tokio::test]
async fn transactions_end_where_the_settings_say() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &[("transaction.records", "4"), ("transaction.abort.every", "2")]);
    let transaction = TransactionContext::default();
    let context =
        SourceTaskContext { transaction: Some(transaction.clone()), ..MemoryOffsets::default().context() };
    let mut task = TestSourceTask::default();
    task.start(context, config).await.unwrap();
    assert_eq!(poll(&mut task).await.len(), 10);
    let requests = transaction.take();
    assert_eq!((requests.commit_records, requests.abort_records), (vec![3], vec![7]));
    poll(&mut task).await;
    let requests = transaction.take();
    assert_eq!((requests.commit_records, requests.abort_records), (vec![1, 9], vec![5]));
}

#[tokio::test]
async fn it_fails_where_it_is_told_and_says_what_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let faulty = config(folder.path(), &[("fault", "throw"), ("fault.in", "poll,alterOffsets,validate")]);
    let mut task = TestSourceTask::default();
    task.start(MemoryOffsets::default().context(), faulty.clone()).await.unwrap();
    assert!(task.poll().await.is_err());
    assert!(TestSource.alter_offsets(&faulty, &[]).await.is_err());
    let mut values = TestSource.config_def().validate(&faulty);
    TestSource.validate(&faulty, &mut values).await;
    let wrong: Vec<_> = values.iter().filter(|value| !value.errors.is_empty()).map(|v| &v.name).collect();
    assert_eq!(wrong, ["fault"]);
    assert_eq!(TestSource.exactly_once_support(&faulty).await, Some(ExactlyOnceSupport::Supported));
    let other = config(folder.path(), &[("exactly.once", "unknown"), ("boundaries", "unsupported")]);
    assert_eq!(TestSource.exactly_once_support(&other).await, None);
    let boundaries = TestSource.can_define_transaction_boundaries(&other).await;
    assert_eq!(boundaries, ConnectorTransactionBoundaries::Unsupported);
}
