#![allow(clippy::unwrap_used)]
//! The herder with a scripted connector and stores in memory.

use std::sync::Mutex as StdMutex;

use tokio::sync::Notify;

use super::*;
use crate::api::*;
use crate::storage::{MemoryLog, State, Status};
use crate::worker::TaskReport;

/// What the test tells connectors and what these do.
#[derive(Default)]
struct Script {
    /// `task_configs` answers this many tasks.
    tasks: StdMutex<usize>,
    fail_start: Option<&'static str>,
    reconfigure: StdMutex<Option<Arc<Notify>>>,
    stopped: AtomicBool,
}

struct Scripted(Arc<Script>);

#[async_trait]
impl Connector for Scripted {
    async fn start(&mut self, context: ConnectorContext, _: ConfigMap) -> Result<(), ConnectError> {
        *self.0.reconfigure.lock().unwrap() = Some(context.reconfigure);
        self.0.fail_start.map_or(Ok(()), |reason| Err(ConnectError::new(reason)))
    }

    async fn task_configs(&mut self, _: usize) -> Result<Vec<ConfigMap>, ConnectError> {
        let count = *self.0.tasks.lock().unwrap();
        let config = |n: usize| ConfigMap::from([("share".to_owned(), format!("{n} of {count}"))]);
        Ok((0..count).map(config).collect())
    }

    async fn stop(&mut self) -> Result<(), ConnectError> {
        self.0.stopped.store(true, Ordering::Release);
        Ok(())
    }
}

struct ScriptedPlugin(Arc<Script>);

impl ConnectorPlugin for ScriptedPlugin {
    fn class(&self) -> &str {
        "org.example.ScriptedConnector"
    }
    fn task_class(&self) -> &str {
        "org.example.ScriptedTask"
    }
    fn version(&self) -> &str {
        "1.0"
    }
    fn kind(&self) -> ConnectorType {
        ConnectorType::Source
    }
    fn config_def(&self) -> ConfigDef {
        ConfigDef::new()
    }
    fn connector(&self) -> Box<dyn Connector> {
        Box::new(Scripted(self.0.clone()))
    }
    fn task(&self) -> Task {
        Task::Source(Box::new(Idle))
    }
}

/// A task that the runners of these tests do not call.
struct Idle;

#[async_trait]
impl SourceTask for Idle {
    async fn start(&mut self, _: SourceTaskContext, _: ConfigMap) -> Result<(), ConnectError> {
        Ok(())
    }
    async fn poll(&mut self) -> Result<Polled, ConnectError> {
        std::future::pending().await
    }
}

/// A worker under test.
struct Fixture {
    script: Arc<Script>,
    configs: MemoryLog,
    statuses: MemoryLog,
    executor: Executor,
}

impl Fixture {
    fn new(tasks: usize) -> Self {
        Self::scripted(Script { tasks: StdMutex::new(tasks), ..Script::default() })
    }

    fn scripted(script: Script) -> Self {
        Self {
            script: Arc::new(script),
            configs: MemoryLog::default(),
            statuses: MemoryLog::default(),
            executor: Executor::Threads,
        }
    }

    async fn herder(&self, runner: TaskRunner) -> Herder {
        let plugins = Plugins::default().with_connector(Arc::new(ScriptedPlugin(self.script.clone())));
        let stores = Stores::on_logs(
            Box::new(self.configs.clone()),
            Box::new(MemoryLog::default()),
            Box::new(self.statuses.clone()),
        );
        let settings = HerderSettings {
            worker_id: "w:1".to_owned(),
            shutdown_timeout: Duration::from_millis(300),
            executor: self.executor.clone(),
        };
        Herder::new(settings, plugins, stores.await.unwrap(), runner)
    }

    fn keys(&self) -> Vec<String> {
        let key = |r: crate::storage::LogRecord| String::from_utf8(r.key.unwrap().to_vec()).unwrap();
        self.configs.records().into_iter().map(key).collect()
    }
}

fn connectors(class: &str, tasks_max: &str) -> BTreeMap<String, ConfigMap> {
    let config = [("connector.class", class), ("tasks.max", tasks_max)];
    let config = config.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    BTreeMap::from([("c".to_owned(), config)])
}

/// Runs until asked to stop, then claims to have drained 5 records.
fn obedient() -> TaskRunner {
    Arc::new(|context| {
        Box::pin(async move {
            context.status.running();
            context.stop.requested().await;
            Ok(TaskReport { drained_records: 5 })
        })
    })
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < limit, "not within 10 s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn states(view: &HerderView) -> Vec<State> {
    view.task_statuses("c").into_iter().map(|(_, status)| status.state).collect()
}

async fn run(fixture: &Fixture, runner: TaskRunner) -> (Herder, HerderView) {
    let mut herder = fixture.herder(runner).await;
    herder.start(connectors("Scripted", "2")).await.unwrap();
    herder.started("c").await.unwrap();
    let view = herder.view();
    (herder, view)
}

#[tokio::test]
async fn a_connector_runs_and_stops() {
    let fixture = Fixture::new(2);
    let (herder, view) = run(&fixture, obedient()).await;
    eventually("both tasks run", || states(&view) == [State::Running, State::Running]).await;
    assert_eq!(fixture.keys(), ["connector-c", "task-c-0", "task-c-1", "commit-c"]);
    let connector = view.connector("c").unwrap();
    assert_eq!((connector.kind, connector.tasks.len()), ("source", 2));
    assert_eq!(connector.config["name"].as_deref(), Some("c"));
    assert_eq!(connector.tasks[1]["task.class"].as_deref(), Some("org.example.ScriptedTask"));
    assert_eq!(connector.tasks[1]["share"].as_deref(), Some("1 of 2"));
    let expected = Status {
        state: State::Running,
        trace: None,
        worker_id: "w:1".to_owned(),
        generation: 0,
        version: Some("1.0".to_owned()),
    };
    assert_eq!(view.connector_status("c"), Some(expected));

    assert_eq!(herder.stop().await, StopReport { drained_records: 10, abandoned: vec![] });
    assert_eq!(states(&view), [State::Unassigned, State::Unassigned]);
    assert_eq!(view.connector_status("c").unwrap().state, State::Unassigned);
    assert!(fixture.script.stopped.load(Ordering::Acquire));
}

#[tokio::test]
async fn a_second_start_writes_nothing_new_and_is_a_newer_generation() {
    let fixture = Fixture::new(1);
    let (herder, _) = run(&fixture, obedient()).await;
    herder.stop().await;
    let before = fixture.keys();
    let (herder, view) = run(&fixture, obedient()).await;
    assert_eq!(fixture.keys(), before);
    assert_eq!(view.connector_status("c").unwrap().generation, 1);
    herder.stop().await;
}

#[tokio::test]
async fn the_work_is_divided_anew_on_request() {
    let fixture = Fixture::new(2);
    let starts = Arc::new(StdMutex::new(Vec::new()));
    let seen = starts.clone();
    let runner: TaskRunner = Arc::new(move |context| {
        seen.lock().unwrap().push(context.config["share"].clone());
        obedient()(context)
    });
    let (herder, view) = run(&fixture, runner).await;
    let ask = || fixture.script.reconfigure.lock().unwrap().as_ref().unwrap().notify_one();
    ask();
    *fixture.script.tasks.lock().unwrap() = 1;
    ask();
    eventually("one task is left", || {
        states(&view) == [State::Running] && starts.lock().unwrap().last().unwrap() == "0 of 1"
    })
    .await;
    assert_eq!(view.connector("c").unwrap().tasks.len(), 1);
    assert_eq!(starts.lock().unwrap().len(), 3, "an unchanged division restarts nothing");
    herder.stop().await;
}

/// A launcher that puts every job into the `LocalSet` it is made in.
fn local() -> Executor {
    let (jobs, mut inbox) = tokio::sync::mpsc::unbounded_channel::<Job>();
    tokio::task::spawn_local(async move {
        while let Some(job) = inbox.recv().await {
            tokio::task::spawn_local(job());
        }
    });
    Executor::Launcher(Arc::new(move |_, job| jobs.send(job).map_err(|_| std::io::Error::other("gone"))))
}

#[tokio::test]
async fn a_launcher_runs_it_all_in_one_place() {
    let here = tokio::task::LocalSet::new();
    let thread = std::thread::current().id();
    let runner: TaskRunner = Arc::new(move |context| {
        assert_eq!(std::thread::current().id(), thread);
        match context.id.task {
            0 => obedient()(context),
            _ => panic!("boom {}", 7),
        }
    });
    here.run_until(async {
        let fixture = Fixture { executor: local(), ..Fixture::new(2) };
        let (herder, view) = run(&fixture, runner).await;
        eventually("one runs, one has failed", || states(&view) == [State::Running, State::Failed]).await;
        assert_eq!(view.task_statuses("c")[1].1.trace.as_deref(), Some("panic: boom 7"));
        assert_eq!(herder.stop().await.drained_records, 5);
    })
    .await;
}

#[tokio::test]
async fn errors_and_panics_fail_the_task_alone() {
    let fixture = Fixture::new(2);
    let runner: TaskRunner = Arc::new(|context| match context.id.task {
        0 => Box::pin(async { Err(ConnectError::new("disk on fire")) }),
        _ => Box::pin(async { panic!("boom {}", 7) }),
    });
    let (herder, view) = run(&fixture, runner).await;
    eventually("both have failed", || states(&view) == [State::Failed, State::Failed]).await;
    let traces: Vec<_> = view.task_statuses("c").into_iter().map(|(_, s)| s.trace.unwrap()).collect();
    assert_eq!(traces, ["disk on fire", "panic: boom 7"]);
    assert_eq!(view.connector_status("c").unwrap().state, State::Running);
    herder.stop().await;
    assert_eq!(states(&view), [State::Failed, State::Failed], "a stop does not hide a failure");
}

#[tokio::test]
async fn a_blocking_task_is_left_behind_in_time() {
    let fixture = Fixture::new(1);
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = StdMutex::new(Some(blocked));
    let late = Arc::new(StdMutex::new(None));
    let seen = late.clone();
    let runner: TaskRunner = Arc::new(move |context| {
        let (blocked, seen) = (blocked.lock().unwrap().take().unwrap(), seen.clone());
        Box::pin(async move {
            context.status.running();
            let _ = blocked.recv();
            context.status.degraded("awake again");
            let offset = (SourcePartition(Default::default()), Default::default());
            *seen.lock().unwrap() = Some(context.offsets.commit(&[offset]).await);
            Ok(TaskReport::default())
        })
    });
    let (herder, view) = run(&fixture, runner).await;
    eventually("it runs", || states(&view) == [State::Running]).await;
    let begun = Instant::now();
    let report = herder.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(report.abandoned, [TaskId { connector: "c".to_owned(), task: 0 }]);
    release.send(()).unwrap();
    eventually("the task woke up", || late.lock().unwrap().is_some()).await;
    let commit = late.lock().unwrap().take().unwrap();
    assert!(matches!(commit, Err(StorageError::Closed)), "{commit:?}");
    assert_eq!(view.task_statuses("c")[0].1.trace, None);
    assert_eq!(states(&view), [State::Unassigned]);
}

#[tokio::test]
async fn a_connector_that_cannot_start_is_failed() {
    let fixture = Fixture::scripted(Script { fail_start: Some("no such topic"), ..Script::default() });
    let mut herder = fixture.herder(obedient()).await;
    assert!(!herder.view().is_ready());
    herder.start(connectors("org.example.ScriptedConnector", "1")).await.unwrap();
    assert!(herder.view().is_ready());
    assert_eq!(herder.started("c").await.unwrap_err().to_string(), "no such topic");
    let view = herder.view();
    herder.stop().await;
    let status = view.connector_status("c").unwrap();
    assert_eq!((status.state, status.trace.as_deref()), (State::Failed, Some("no such topic")));
}

#[tokio::test]
async fn more_tasks_than_allowed_fail_the_connector() {
    let fixture = Fixture::new(3);
    let mut herder = fixture.herder(obedient()).await;
    herder.start(connectors("Scripted", "2")).await.unwrap();
    let error = herder.started("c").await.unwrap_err().to_string();
    assert!(error.contains("tasks.max allows 2"), "{error}");
    herder.stop().await;
}

#[tokio::test]
async fn unusable_configurations_are_refused() {
    let fixture = Fixture::new(1);
    let mut herder = fixture.herder(obedient()).await;
    let error = herder.start(connectors("Other", "1")).await.unwrap_err().to_string();
    assert!(
        error.contains("connector.class=Other") && error.contains("org.example.ScriptedConnector"),
        "{error}"
    );
    let error = herder.start(connectors("Scripted", "0")).await.unwrap_err().to_string();
    assert!(error.contains("tasks.max=0"), "{error}");
    assert!(fixture.configs.records().is_empty());
}
