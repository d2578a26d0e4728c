//! Sink tasks.

use std::time::Duration;

use connect_api::ConnectError;
use connect_core::ids::TargetState;

use crate::support::{Rig, eventually, task};

const DEAD: [(&str, &str); 3] = [
    ("errors.deadletterqueue.topic.name", "dead"),
    ("errors.deadletterqueue.topic.replication.factor", "1"),
    ("errors.deadletterqueue.context.headers.enable", "true"),
];

#[tokio::test(flavor = "multi_thread")]
async fn sim_records_are_put_and_offsets_committed() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 2, 1, &[]);
    rig.write("t", &[b"a", b"drop", b"b"]).await;
    rig.start_sink(&[("transforms", "s"), ("transforms.s.type", "Sieve")]).await;
    eventually("both are put", || rig.sink.values() == ["a", "b"]).await;
    let report = rig.worker.stop_tasks(&[task(0)]).await;
    assert!(report.abandoned.is_empty());
    assert_eq!(rig.heard.all(), ["c-0 started", "c-0 uses t", "c-0 shut down"]);
    let calls = rig.sink.calls.lock().unwrap().clone();
    assert_eq!(
        (calls.first().unwrap().as_str(), calls.last().unwrap().as_str()),
        ("open t-0,t-1", "close t-0,t-1")
    );
    rig.write("t", &[b"c"]).await;
    rig.start_sink(&[]).await;
    eventually("it goes on", || rig.sink.values() == ["a", "b", "c"]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    assert_eq!(rig.sink.values(), ["a", "b", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_batch_that_may_pass_later_is_put_again() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    let mut outcomes = vec![ConnectError::retriable("busy"), ConnectError::retriable("busy")];
    rig.sink.outcomes.lock().unwrap().extend(outcomes.drain(..));
    rig.write("t", &[b"a", b"b"]).await;
    rig.start_sink(&[]).await;
    eventually("all are put", || rig.sink.values() == ["a", "b"]).await;
    assert_eq!(rig.sink.calls_of("refused"), 2);
    rig.write("t", &[b"c"]).await;
    eventually("reading goes on", || rig.sink.values() == ["a", "b", "c"]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_another_error_fails_the_task() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.sink.outcomes.lock().unwrap().push_back(ConnectError::new("disk on fire"));
    rig.write("t", &[b"a"]).await;
    rig.start_sink(&[]).await;
    eventually("it fails", || {
        rig.heard.has("Caused by: org.apache.kafka.connect.errors.ConnectException: disk on fire")
    })
    .await;
    assert!(rig.heard.has("Exiting WorkerSinkTask due to unrecoverable exception."));
    rig.worker.stop_tasks(&[task(0)]).await;
    rig.start_sink(&[]).await;
    eventually("it comes again", || rig.sink.values() == ["a"]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_panic_in_a_sink_is_a_failure() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.sink.panics.store(true, std::sync::atomic::Ordering::Release);
    rig.write("t", &[b"a"]).await;
    rig.start_sink(&[]).await;
    eventually("it fails", || rig.heard.has("panic: boom")).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    rig.start_sink(&[]).await;
    eventually("the record comes again", || rig.sink.values() == ["a"]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_pause_holds_records_back() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.start_sink(&[]).await;
    eventually("it has its partition", || rig.sink.calls_of("open") == 1).await;
    rig.worker.set_target_state("c", TargetState::Paused);
    eventually("it is paused", || rig.heard.has("paused")).await;
    rig.write("t", &[b"a"]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(rig.sink.values().is_empty());
    rig.worker.set_target_state("c", TargetState::Started);
    eventually("it is put", || rig.sink.values() == ["a"]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_pause_commits_what_was_put() {
    let rig = Rig::with(&[("offset.flush.interval.ms", "3600000")]).await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.write("t", &[b"a"]).await;
    rig.start_sink(&[]).await;
    eventually("it is put", || rig.sink.values() == ["a"]).await;
    assert_eq!(rig.sink.calls_of("flush"), 0);
    rig.worker.set_target_state("c", TargetState::Paused);
    eventually("it is flushed", || rig.sink.calls_of("flush t-0@1") == 1).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_without_a_reset_policy_a_partition_without_offset_is_a_failure() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    let overrides = [("consumer.override.auto.offset.reset", "none")];
    rig.start_sink(&overrides).await;
    let failure =
        "NoOffsetForPartitionException: Undefined offset with no reset policy for partitions: [t-0]";
    eventually("it fails", || rig.heard.has(failure)).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    rig.start_sink(&[]).await;
    rig.write("t", &[b"a"]).await;
    eventually("it is put", || rig.sink.values() == ["a"]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    rig.write("t", &[b"b"]).await;
    rig.start_sink(&overrides).await;
    eventually("it goes on", || rig.sink.values() == ["a", "b"]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_topic_that_comes_again_is_read_from_its_start() {
    let rig = Rig::with(&[("consumer.metadata.max.age.ms", "300")]).await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.write("t", &[b"a"]).await;
    rig.start_sink(&[]).await;
    eventually("it is put", || rig.sink.values() == ["a"]).await;
    assert!(rig.sim.delete_topic("t"));
    eventually("its partition is closed", || rig.sink.calls_of("close t-0") == 1).await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.write("t", &[b"b", b"c"]).await;
    eventually("all of it is read", || rig.sink.values() == ["a", "b", "c"]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_unreadable_records_become_dead_letters() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.write("t", &[b"a", b"\xff", b"b"]).await;
    rig.start_sink(&[&DEAD[..], &[("errors.tolerance", "all")]].concat()).await;
    eventually("the others are put", || rig.sink.values() == ["a", "b"]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    let dead = rig.read("dead").await;
    assert_eq!(
        dead,
        ["k=\u{fffd} own:x __connect.errors.topic:t __connect.errors.partition:0 __connect.errors.offset:1 \
         __connect.errors.connector.name:c __connect.errors.task.id:0 __connect.errors.stage:VALUE_CONVERTER \
         __connect.errors.class.name:test.TextConverter \
         __connect.errors.exception.class.name:org.apache.kafka.connect.errors.DataException \
         __connect.errors.exception.message:bad text:  \
         __connect.errors.exception.stacktrace:org.apache.kafka.connect.errors.DataException: bad text: \n @77"]
    );
    assert_eq!(rig.sim.topics()["dead"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_dead_letter_is_kept_even_when_the_task_then_fails() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.write("t", &[b"\xff"]).await;
    rig.start_sink(&DEAD).await;
    eventually("it fails", || rig.heard.has("Tolerance exceeded in error handler")).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    assert_eq!(rig.read("dead").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_task_reports_records_that_it_cannot_write() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.sink.report.lock().unwrap().push("b".to_owned());
    rig.write("t", &[b"a", b"b"]).await;
    rig.start_sink(&[&DEAD[..], &[("errors.tolerance", "all")]].concat()).await;
    eventually("both came", || rig.sink.values() == ["a", "b"]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    let dead = rig.read("dead").await;
    assert_eq!(dead.len(), 1);
    for part in [
        "k=b own:x ",
        "stage:TASK_PUT",
        "exception.class.name:x.WriteException",
        "exception.message:disk full",
    ] {
        assert!(dead[0].contains(part), "{part} is not in {}", dead[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_topics_are_found_by_expression() {
    let rig = Rig::with(&[("consumer.metadata.max.age.ms", "300")]).await;
    for topic in ["in-1", "in-2", "other"] {
        rig.sim.create_topic(topic, 1, 1, &[]);
        rig.write(topic, &[topic.as_bytes()]).await;
    }
    rig.start_sink(&[("topics", ""), ("topics.regex", "\\Qin-\\E\\p{Digit}")]).await;
    let sorted = || {
        let mut values = rig.sink.values();
        values.sort();
        values
    };
    eventually("both are read", || sorted() == ["in-1", "in-2"]).await;
    rig.sim.create_topic("in-3", 1, 1, &[]);
    rig.write("in-3", &[b"in-3"]).await;
    eventually("a new one is found", || sorted() == ["in-1", "in-2", "in-3"]).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    assert_eq!(sorted().len(), 3, "nothing came twice");
}
