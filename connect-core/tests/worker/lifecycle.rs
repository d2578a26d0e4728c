//! Connectors and tasks that start, pause, fail, block and stop.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_core::ids::TargetState;

use crate::scripted::{Step, record};
use crate::support::{Rig, eventually, map, task};

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_connector_starts_divides_its_work_pauses_and_stops() {
    let rig = Rig::new().await;
    let asked = Arc::new(Mutex::new(0));
    let count = asked.clone();
    let reconfigure = Arc::new(move |name: &str| {
        assert_eq!(name, "c");
        *count.lock().unwrap() += 1;
    });
    let config = map(&[("connector.class", "ScriptedSink"), ("tasks.max", "2"), ("topics", "t")]);
    let start =
        rig.worker.start_connector("c", config.clone(), TargetState::Started, rig.heard.clone(), reconfigure);
    start.await.unwrap();
    eventually("it asks for its work to be divided", || *asked.lock().unwrap() == 1).await;
    assert!(rig.worker.is_running("c"));
    let tasks = rig.worker.connector_task_configs("c", &config).await.unwrap();
    assert_eq!(
        tasks,
        [
            map(&[("share", "0"), ("task.class", "test.ScriptedTask"), ("topics", "t")]),
            map(&[("share", "1"), ("task.class", "test.ScriptedTask"), ("topics", "t")]),
        ]
    );
    rig.worker.set_target_state("c", TargetState::Paused);
    eventually("it is paused", || rig.heard.has("c paused")).await;
    assert!(!rig.worker.is_running("c"));
    assert!(rig.worker.connector_task_configs("c", &config).await.is_err());
    rig.worker.set_target_state("c", TargetState::Started);
    eventually("it is resumed", || rig.heard.has("c resumed")).await;
    rig.worker.set_target_state("c", TargetState::Stopped);
    eventually("it is stopped", || rig.heard.has("c stopped")).await;
    assert_eq!(rig.worker.connectors(), ["c"]);
    rig.worker.stop_connector("c").await;
    assert_eq!(rig.heard.all(), ["c started", "c paused", "c resumed", "c stopped", "c shut down"]);
    assert!(rig.worker.connectors().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_connectors_fail_at_once_later_and_by_their_tasks() {
    let rig = Rig::new().await;
    let start = async |name: &str, entries: &[(&str, &str)]| {
        let listener = rig.heard.clone();
        rig.worker
            .start_connector(name, map(entries), TargetState::Started, listener, Arc::new(|_: &str| {}))
            .await
    };
    start("a", &[("connector.class", "ScriptedSource"), ("fail", "start")]).await.unwrap();
    start("b", &[("connector.class", "ScriptedSource"), ("fail", "later")]).await.unwrap();
    let many = [("connector.class", "ScriptedSource"), ("too.many", "1")];
    start("m", &many).await.unwrap();
    let unknown = start("u", &[("connector.class", "Nothing")]).await.unwrap_err();
    assert!(unknown.message().starts_with("Failed to find any class that implements Connector"), "{unknown}");
    for failure in
        ["a failed: org.apache.kafka.common.config.ConfigException: no such file", "b failed: ", "u failed: "]
    {
        eventually(failure, || rig.heard.has(failure)).await;
    }
    let tolerated = map(&[many[0], many[1], ("tasks.max.enforce", "false")]);
    assert_eq!(rig.worker.connector_task_configs("m", &tolerated).await.unwrap().len(), 2);
    let refused = rig.worker.connector_task_configs("m", &map(&many)).await.unwrap_err();
    let class = "org.apache.kafka.connect.runtime.TooManyTasksException";
    assert_eq!(refused.class(), class);
    eventually("too many tasks are the connector's failure", || rig.heard.has(&format!("m failed: {class}")))
        .await;
    for name in ["a", "b", "m"] {
        rig.worker.stop_connector(name).await;
    }
    assert!(!rig.heard.has("a shut down") && !rig.heard.has("m shut down"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_connector_that_failed_can_be_stopped() {
    let rig = Rig::new().await;
    for (name, fail) in [("a", "start"), ("p", "panic")] {
        let config = map(&[("connector.class", "ScriptedSource"), ("fail", fail)]);
        let nothing = Arc::new(|_: &str| {});
        let started =
            rig.worker.start_connector(name, config, TargetState::Started, rig.heard.clone(), nothing);
        started.await.unwrap();
        let failures =
            || rig.heard.all().iter().filter(|heard| heard.starts_with(&format!("{name} failed"))).count();
        eventually("it fails", || failures() == 1).await;
        rig.worker.set_target_state(name, TargetState::Stopped);
        eventually("it is stopped", || rig.heard.has(&format!("{name} stopped"))).await;
        rig.worker.set_target_state(name, TargetState::Started);
        eventually("it tries again", || failures() == 2).await;
        rig.worker.stop_connector(name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_overrides_that_the_policy_forbids_are_refused() {
    let rig = Rig::with(&[("connector.client.config.override.policy", "None")]).await;
    let config = map(&[("connector.class", "ScriptedSource"), ("producer.override.acks", "1")]);
    let start = rig.worker.start_connector(
        "c",
        config,
        TargetState::Started,
        rig.heard.clone(),
        Arc::new(|_: &str| {}),
    );
    let error = start.await.unwrap_err();
    assert!(error.message().contains("'None' policy does not allow 'acks'"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_paused_task_does_not_poll() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.start_source(&[], None).await;
    eventually("it runs", || rig.heard.has("started")).await;
    rig.worker.set_target_state("c", TargetState::Paused);
    eventually("it is paused", || rig.heard.has("paused")).await;
    rig.then([Step::Records(vec![record(1, "t", "a")])]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(rig.source.steps.lock().unwrap().len(), 1);
    rig.worker.set_target_state("c", TargetState::Started);
    eventually("the record is stored", || rig.source.told.lock().unwrap().len() == 1).await;
    rig.worker.stop_tasks(&[task(0)]).await;
    assert_eq!(rig.heard.all(), ["c-0 started", "c-0 paused", "c-0 resumed", "c-0 uses t", "c-0 shut down"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_panic_is_a_failure() {
    let rig = Rig::new().await;
    rig.then([Step::Panic]);
    rig.start_source(&[], None).await;
    eventually("it fails", || rig.heard.has("panic: boom")).await;
    let page = rig.worker.metrics().prometheus();
    let failed = "connector_task_metrics_status{connector=\"c\",task=\"0\",status=\"failed\"} 1";
    assert!(page.contains(failed), "{page}");
    rig.worker.stop_tasks(&[task(0)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_a_blocking_task_is_left_behind_in_time() {
    let rig = Rig::with(&[("task.shutdown.graceful.timeout.ms", "300")]).await;
    rig.sim.create_topic("t", 1, 1, &[]);
    let (release, blocked) = std::sync::mpsc::channel();
    rig.then([Step::Block(blocked), Step::Fail(connect_api::ConnectError::new("late"))]);
    rig.start_source(&[], None).await;
    eventually("it blocks", || rig.source.steps.lock().unwrap().len() == 1).await;
    let report = rig.worker.stop_tasks(&[task(0)]).await;
    assert_eq!(report.abandoned, [task(0)]);
    assert_eq!(rig.heard.all(), ["c-0 started", "c-0 shut down"]);
    drop(release);
    eventually("it is over", || *rig.source.stops.lock().unwrap() == 1).await;
    assert_eq!(rig.heard.all().len(), 2, "it is no longer heard");
}
