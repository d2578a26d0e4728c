//! The replicator on its simulated host: started, watched, stopped and killed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use connect_core::herder::distributed::DistributedHerder;
use connect_core::storage::{State, StatusId};
use connect_core::worker::{Executor, Job, StopReport};
use replicator::config::{self, CONNECTOR_NAME, ConfigFile, ReplicatorConfig, Source, Sources};
use replicator::monitoring::{Monitor, PartitionState};
use replicator::{Surroundings, Worker};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep};

use crate::clusters::{CLIENT, Clusters};
use crate::event_log::EventLog;
use crate::network;
use crate::plan::Plan;

/// Name of its host.
pub const HOST: &str = "replicator";

/// Pause after which a replicator that ended with an error is started again, as a supervisor would.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// What is known of the replicator from outside.
#[derive(Default)]
pub struct Subject {
    /// Its figures and statuses, while it runs.
    running: RefCell<Option<(Arc<Monitor>, DistributedHerder)>>,
    stop: Notify,
    report: RefCell<Option<Stopped>>,
}

/// How a stop in good order went.
#[derive(Debug, Clone)]
pub struct Stopped {
    /// What the worker says.
    pub report: StopReport,
    /// How long it took.
    pub took: Duration,
}

impl Subject {
    /// Its host's software: one life of the process.
    ///
    /// # Errors
    /// Never: what goes wrong is logged, and tried again.
    pub async fn live(self: Rc<Self>, config: ReplicatorConfig, log: EventLog) -> turmoil::Result {
        log.say(HOST, "starts");
        let worker = loop {
            let surroundings = Surroundings { network: network::simulated(), executor: local(), rest: false };
            match Worker::start_in(surroundings, config.clone(), "simulation").await {
                Ok(worker) => break worker,
                Err(error) => log.say(HOST, format!("ends with an error: {error}")),
            }
            sleep(RESTART_PAUSE).await;
        };
        log.say(HOST, "has started");
        self.running.replace(Some((worker.monitor(), worker.herder().clone())));
        self.stop.notified().await;
        log.say(HOST, "is asked to stop");
        let begun = Instant::now();
        let report = worker.stop().await;
        log.say(HOST, format!("has stopped: {report:?}"));
        self.report.replace(Some(Stopped { report, took: begun.elapsed() }));
        self.running.replace(None);
        std::future::pending().await
    }

    /// Asks it to stop in good order.
    pub fn ask_to_stop(&self) {
        self.report.replace(None);
        self.stop.notify_one();
    }

    /// How the last stop went, once it is done.
    pub fn stopped(&self) -> Option<Stopped> {
        self.report.borrow().clone()
    }

    /// It was killed.
    pub fn killed(&self) {
        self.running.replace(None);
        self.report.replace(None);
    }

    /// True from the end of its start to its end.
    pub fn is_running(&self) -> bool {
        self.running.borrow().is_some()
    }

    /// States and positions of its partitions, as it shows them.
    pub fn partitions(&self) -> BTreeMap<(String, i32), (PartitionState, i64)> {
        let running = self.running.borrow();
        let Some((monitor, _)) = running.as_ref() else { return BTreeMap::new() };
        let shown = monitor.partitions().into_iter().map(|figures| {
            let position = figures.position.load(std::sync::atomic::Ordering::Relaxed);
            ((figures.topic.clone(), figures.partition), (figures.state(), position))
        });
        shown.collect()
    }

    /// Traces of its connector and tasks that have failed.
    pub fn failures(&self) -> Vec<String> {
        let running = self.running.borrow();
        let Some((_, herder)) = running.as_ref() else { return Vec::new() };
        let tasks = herder.task_statuses(CONNECTOR_NAME).into_iter().map(|(_, status)| status);
        let all = herder.status(&StatusId::Connector(CONNECTOR_NAME.to_owned())).into_iter().chain(tasks);
        all.filter(|status| status.state == State::Failed).filter_map(|status| status.trace).collect()
    }
}

/// Puts connector and tasks beside each other on the host.
fn local() -> Executor {
    let (jobs, mut inbox) = mpsc::unbounded_channel::<Job>();
    tokio::task::spawn_local(async move {
        while let Some(job) = inbox.recv().await {
            tokio::task::spawn_local(job());
        }
    });
    let gone = |_| io::Error::other("the host is gone");
    Executor::Launcher(Arc::new(move |_, job| jobs.send(job).map_err(gone)))
}

/// The replicator's configuration, by the way that users give it.
///
/// # Errors
/// When the file cannot be written, or the plan asks for what the replicator refuses.
pub fn configuration(plan: &Plan, clusters: &Clusters) -> anyhow::Result<ReplicatorConfig> {
    let mut text = String::from("cluster.id=subject\nreplication.factor=1\noffset.storage.partitions=3\n");
    for (prefix, cluster) in [("src.kafka.", &clusters.origin), ("dest.kafka.", &clusters.destination)] {
        for (key, value) in [
            ("bootstrap.servers", cluster.bootstrap().as_str()),
            ("client.id", CLIENT),
            ("request.timeout.ms", "2000"),
            ("socket.connection.setup.timeout.ms", "1000"),
        ] {
            writeln!(text, "{prefix}{key}={value}")?;
        }
    }
    let isolation = if plan.read_committed { "read_committed" } else { "read_uncommitted" };
    writeln!(text, "src.kafka.isolation.level={isolation}\nsrc.consumer.fetch.max.wait.ms=300")?;
    let names: Vec<&str> = plan.topics.iter().map(|topic| topic.name.as_str()).collect();
    if plan.by_name() {
        writeln!(text, "topic.whitelist={}", names.join(","))?
    } else {
        writeln!(text, "topic.regex=topic-.*")?
    }
    for factor in ["offset", "config", "status"] {
        writeln!(text, "{factor}.storage.replication.factor=1")?;
    }
    for (key, value) in &plan.settings {
        writeln!(text, "{key}={value}")?;
    }
    let path = std::env::temp_dir().join(format!("simulation-{}.properties", std::process::id()));
    std::fs::write(&path, text).context("writing the replicator's configuration")?;
    let file = ConfigFile { path: path.clone(), named_by: Source::Default };
    let loaded = config::load(&Sources { replication: Some(file), ..Sources::default() });
    std::fs::remove_file(&path).context("removing the replicator's configuration")?;
    Ok(loaded?)
}
