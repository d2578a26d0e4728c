#![allow(clippy::unwrap_used)]
//! The life of a connector that waits for a file, without any broker.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::*;
use crate::answers::ConnectorOffsets;
use crate::api::ConfigMap;
use crate::plugins::Plugins;
use crate::storage::RestartRequest;
use crate::storage::{OffsetStore, State};
use crate::worker::{OffsetBacking, Surroundings, WorkerSettings};

const LIMIT: Duration = Duration::from_secs(20);

async fn herder(folder: &Path) -> StandaloneHerder {
    let properties: ConfigMap = [
        ("bootstrap.servers", "127.0.0.1:1"),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("value.converter", "org.apache.kafka.connect.storage.StringConverter"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    let settings = WorkerSettings::from_properties("w:1", properties).unwrap();
    let store = OffsetStore::on_file(&folder.join("offsets")).await.unwrap();
    let backing = OffsetBacking { store, topic: None };
    let plugins = Arc::new(Plugins::default().with(connect_plugins::all()));
    let worker = Worker::new(settings, plugins, backing, Surroundings::default()).unwrap();
    StandaloneHerder::new(worker, "cluster".to_owned()).await.unwrap()
}

fn config(folder: &Path, more: &[(&str, &str)]) -> Properties {
    let file = folder.join("in.txt").display().to_string();
    let own = [("name", "c"), ("connector.class", "FileStreamSource"), ("topic", "t"), ("file", &file)];
    own.iter().chain(more).map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect()
}

/// Waits until the connector and each of its tasks is in a state.
async fn reach(herder: &StandaloneHerder, connector: State, tasks: &[State]) {
    let reached = async {
        loop {
            let status = herder.reader().connector_status("c").await.unwrap();
            let all: Vec<State> = status.tasks.iter().map(|task| task.state.state).collect();
            if status.connector.state == connector && all == tasks {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let outcome = timeout(LIMIT, reached).await;
    assert!(outcome.is_ok(), "{:?}", herder.reader().connector_status("c").await);
}

async fn started() -> (TempDir, StandaloneHerder) {
    let folder = tempfile::tempdir().unwrap();
    let herder = herder(folder.path()).await;
    let created = herder.create("c", config(folder.path(), &[]), None).await.unwrap();
    assert!(created.created);
    assert_eq!(created.result.tasks.len(), 1, "the work is divided before the answer");
    reach(&herder, State::Running, &[State::Running]).await;
    (folder, herder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_is_created_changed_and_deleted() {
    let (folder, herder) = started().await;
    let again = herder.create("c", config(folder.path(), &[]), None).await.unwrap_err();
    assert_eq!((again.status(), again.to_string()), (409, "Connector c already exists".to_owned()));
    let changed = config(folder.path(), &[("batch.size", "7")]);
    let put = herder.put_connector_config("c", changed, None, true).await.unwrap();
    assert!(!put.created);
    let task = &herder.reader().task_configs("c").await.unwrap()[0];
    assert_eq!(task.config["batch.size"], Some("7".to_owned()));
    reach(&herder, State::Running, &[State::Running]).await;
    let patch = [("batch.size".to_owned(), None), ("topic".to_owned(), Some("u".to_owned()))].into();
    let patched = herder.patch_connector_config("c", patch).await.unwrap().result.config;
    assert_eq!((patched.get("batch.size"), &patched["topic"]), (None, &Some("u".to_owned())));
    let refused = herder.put_connector_config("c", config(folder.path(), &[("topic", "")]), None, true).await;
    assert_eq!(refused.unwrap_err().status(), 400);
    herder.delete_connector("c").await.unwrap();
    assert_eq!(herder.reader().connector_status("c").await.unwrap_err().status(), 404);
    assert!(herder.reader().connectors().await.unwrap().is_empty());
    assert!(herder.worker().tasks().is_empty() && herder.worker().connectors().is_empty());
    assert_eq!(herder.delete_connector("c").await.unwrap_err().status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_pauses_stops_and_goes_on() {
    let (folder, herder) = started().await;
    herder.pause_connector("c").await.unwrap();
    reach(&herder, State::Paused, &[State::Paused]).await;
    herder.resume_connector("c").await.unwrap();
    reach(&herder, State::Running, &[State::Running]).await;
    let partition = json!({"filename": folder.path().join("in.txt")});
    let offsets = json!({"offsets": [{"partition": partition, "offset": {"position": 3}}]});
    let offsets: ConnectorOffsets = serde_json::from_value(offsets).unwrap();
    let early = herder.alter_connector_offsets("c", offsets.clone()).await.unwrap_err();
    assert!(early.status() == 400 && early.to_string().contains("must be in the STOPPED state"), "{early}");
    herder.stop_connector("c").await.unwrap();
    reach(&herder, State::Stopped, &[]).await;
    let altered = herder.alter_connector_offsets("c", offsets.clone()).await.unwrap();
    assert_eq!(altered, "The offsets for this connector have been altered successfully");
    assert_eq!(herder.reader().connector_offsets("c").await.unwrap(), offsets);
    herder.reset_connector_offsets("c").await.unwrap();
    assert!(herder.reader().connector_offsets("c").await.unwrap().offsets.is_empty());
    herder.resume_connector("c").await.unwrap();
    reach(&herder, State::Running, &[State::Running]).await;
    herder.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_say_what_they_restart() {
    let (_folder, herder) = started().await;
    let request =
        |only_failed, include_tasks| RestartRequest { connector: "c".to_owned(), only_failed, include_tasks };
    let none = herder.restart_connector_and_tasks(request(true, true)).await.unwrap();
    assert_eq!(none.connector.state, State::Running);
    let all = herder.restart_connector_and_tasks(request(false, true)).await.unwrap();
    assert_eq!((all.connector.state, all.tasks[0].state.state), (State::Restarting, State::Restarting));
    reach(&herder, State::Running, &[State::Running]).await;
    herder.restart_connector("c").await.unwrap();
    herder.restart_task("c", 0).await.unwrap();
    reach(&herder, State::Running, &[State::Running]).await;
    assert_eq!(herder.restart_task("c", 7).await.unwrap_err().to_string(), "Task c-7 not found");
    assert_eq!(herder.restart_connector("x").await.unwrap_err().status(), 500);
    assert_eq!(herder.pause_connector("x").await.unwrap_err().to_string(), "Unknown connector x");
    assert!(herder.health_check().await.is_err());
    herder.set_ready();
    herder.health_check().await.unwrap();
    herder.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connector_may_begin_paused_or_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let herder = herder(folder.path()).await;
    for (target, state) in [(TargetState::Paused, State::Paused), (TargetState::Stopped, State::Stopped)] {
        let created = herder.create("c", config(folder.path(), &[]), Some(target)).await.unwrap();
        assert!(created.result.tasks.is_empty());
        reach(&herder, state, &[]).await;
        herder.resume_connector("c").await.unwrap();
        reach(&herder, State::Running, &[State::Running]).await;
        herder.delete_connector("c").await.unwrap();
    }
    herder.stop().await;
}
