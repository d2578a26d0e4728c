//! Source tasks that yield records.

use std::time::Duration;

use connect_api::{ConnectError, SchemaAndValue, Value};
use connect_core::ids::TargetState;
use kafka_sim::{Action, ApiKey, Fault};

use crate::scripted::{Step, record};
use crate::support::{Rig, eventually, task};

const CREATION: [(&str, &str); 2] =
    [("topic.creation.default.partitions", "1"), ("topic.creation.default.replication.factor", "1")];

#[tokio::test(flavor = "multi_thread")]
async fn sim_records_reach_kafka_and_offsets_follow() {
    let rig = Rig::new().await;
    rig.then([Step::Records(vec![record(1, "t", "a"), record(2, "t", "drop"), record(3, "t", "b")])]);
    let transforms = [("transforms", "s"), ("transforms.s.type", "Sieve")];
    rig.start_source(&[&CREATION[..], &transforms].concat(), None).await;
    eventually("three records are told", || rig.source.told.lock().unwrap().len() == 3).await;
    let report = rig.worker.stop_tasks(&[task(0)]).await;
    assert!(report.abandoned.is_empty());
    assert_eq!(rig.read("t").await, ["k1=a h:1 h:2 @1001", "k3=b h:1 h:2 @1003"]);
    let mut told = rig.source.told.lock().unwrap().clone();
    told.sort();
    assert_eq!(told, [("a".to_owned(), Some(0)), ("b".to_owned(), Some(1)), ("drop".to_owned(), None)]);
    assert_eq!(rig.heard.all(), ["c-0 started", "c-0 uses t", "c-0 shut down"]);
    assert_eq!(*rig.source.stops.lock().unwrap(), 1);
    rig.start_source(&[], None).await;
    eventually("it goes on", || *rig.source.found.lock().unwrap() == [None, Some(3)]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    assert!(rig.worker.tasks().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_offsets_are_committed_while_it_runs() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.then([Step::Records(vec![record(7, "t", "a")])]);
    rig.start_source(&[], None).await;
    let stored = || {
        rig.sim.offsets("offsets", 0).unwrap().1
            + rig.sim.offsets("offsets", 1).unwrap().1
            + rig.sim.offsets("offsets", 2).unwrap().1
    };
    eventually("an offset is stored", || stored() > 0).await;
    let page = rig.worker.metrics().prometheus();
    let total = "kafka_connect_source_task_metrics_source_record_write_total{connector=\"c\",task=\"0\"} 1\n";
    assert!(page.contains(total), "{page}");
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_an_intolerable_record_fails_the_task_and_leaves_what_came_before() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    let mut bad = record(2, "t", "x");
    bad.record.key = SchemaAndValue::schemaless(Value::Int32(1));
    rig.then([Step::Records(vec![record(1, "t", "a"), bad])]);
    rig.start_source(&[], None).await;
    eventually("it fails", || rig.heard.has("failed")).await;
    let failure = rig.heard.all().into_iter().find(|heard| heard.contains("failed")).unwrap();
    assert_eq!(
        failure,
        "c-0 failed: org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
         Caused by: org.apache.kafka.connect.errors.DataException: Int32(1) is no text\n"
    );
    rig.worker.stop_tasks(&[task(0)]).await;
    assert_eq!(rig.heard.all().last(), Some(&failure), "a failure is the last word");
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_task_that_fails_leaves_the_offsets_of_all_that_it_sent() {
    let ends = [Step::Fail(ConnectError::new("the source is gone")), Step::Panic];
    for (end, told) in ends.into_iter().zip(["the source is gone", "panic: boom"]) {
        let rig = Rig::with(&[("offset.flush.interval.ms", "3600000")]).await;
        rig.sim.create_topic("t", 1, 1, &[]);
        let slow = Fault::of(ApiKey::Produce, Action::Delay(Duration::from_millis(300)));
        rig.sim.faults().add(slow.on("t", 0));
        rig.then([Step::Records(vec![record(1, "t", "a")]), end]);
        rig.start_source(&[], None).await;
        eventually("it fails", || rig.heard.has(told)).await;
        assert_eq!(*rig.source.stops.lock().unwrap(), 1, "it is told to give back what it holds");
        assert!(!rig.sim.faults().log().is_empty());
        rig.worker.stop_tasks(&[task(0)]).await;
        rig.start_source(&[], None).await;
        eventually("it goes on behind it", || *rig.source.found.lock().unwrap() == [None, Some(1)]).await;
        rig.worker.stop_tasks(&[task(0)]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_tolerated_errors_are_skipped_and_offsets_pass_them() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[("max.message.bytes", "1000")]);
    let mut bad = record(1, "t", "x");
    bad.record.key = SchemaAndValue::schemaless(Value::Int32(1));
    let large = record(2, "t", &"l".repeat(2000));
    rig.then([Step::Records(vec![bad, large, record(3, "t", "a")])]);
    rig.start_source(&[("errors.tolerance", "all")], None).await;
    eventually("all are told", || rig.source.told.lock().unwrap().len() == 3).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    assert_eq!(rig.read("t").await, ["k3=a h:1 h:2 @1003"]);
    rig.start_source(&[], None).await;
    eventually("it goes on", || rig.source.found.lock().unwrap().last() == Some(&Some(3))).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_refused_record_fails_the_task() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[("max.message.bytes", "1000")]);
    rig.then([Step::Records(vec![record(1, "t", &"l".repeat(2000))])]);
    rig.start_source(&[], None).await;
    eventually("it fails", || rig.heard.has("RecordTooLargeException")).await;
    assert!(rig.heard.has("Unrecoverable exception from producer send callback"), "{:?}", rig.heard.all());
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_polling_goes_on_after_a_retriable_error() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    let fail = Step::Fail(ConnectError::retriable("try later"));
    rig.then([fail, Step::Records(vec![record(1, "t", "a")])]);
    rig.start_source(&[], None).await;
    eventually("the record is stored", || rig.source.told.lock().unwrap().len() == 1).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_topic_of_its_own_keeps_offsets_and_the_workers_a_copy() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    let config = [("offsets.storage.topic", "own-offsets")];
    rig.then([Step::Records(vec![record(5, "t", "a")])]);
    rig.start_source(&config, None).await;
    eventually("the record is stored", || rig.source.told.lock().unwrap().len() == 1).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    assert_eq!(rig.read("own-offsets").await.len(), 1);
    assert_eq!(rig.sim.topics()["own-offsets"], 25);
    rig.start_source(&config, None).await;
    eventually("it goes on", || *rig.source.found.lock().unwrap() == [None, Some(5)]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_whole_batches_pass_through_and_obey_a_pause() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.then([Step::Batch(10, "a"), Step::Batch(11, "b")]);
    rig.start_source(&[], None).await;
    eventually("both are acknowledged", || rig.source.told.lock().unwrap().len() == 2).await;
    rig.worker.set_target_state("c", TargetState::Paused);
    eventually("it is paused", || rig.heard.has("paused")).await;
    rig.then([Step::Batch(12, "c")]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(rig.source.steps.lock().unwrap().len(), 1);
    rig.worker.set_target_state("c", TargetState::Started);
    eventually("the third is acknowledged", || rig.source.told.lock().unwrap().len() == 3).await;
    let page = rig.worker.metrics().prometheus();
    assert!(page.contains("source_record_write_total{connector=\"c\",task=\"0\"} 3\n"), "{page}");
    rig.worker.stop_tasks(&[task(0)]).await;
    assert_eq!(rig.read("t").await, ["null=a @5", "null=b @5", "null=c @5"]);
    rig.start_source(&[], None).await;
    eventually("it goes on", || *rig.source.found.lock().unwrap() == [None, Some(12)]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_one_large_record_takes_no_neighbour_with_it() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[("max.message.bytes", "1000")]);
    let values = ["x".repeat(400), "y".repeat(400), "z".repeat(400)];
    let records = (1..).zip(&values).map(|(n, value)| record(n, "t", value));
    rig.then([Step::Records(records.collect())]);
    rig.start_source(&[("producer.override.linger.ms", "200")], None).await;
    eventually("all are stored, though not in one batch", || rig.source.told.lock().unwrap().len() == 3)
        .await;
    rig.worker.stop_tasks(&[task(0)]).await;
    assert_eq!(rig.read("t").await.len(), 3);
    assert!(!rig.heard.has("failed"));
}
