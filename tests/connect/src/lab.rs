//! What a suite runs on: one real broker, and the Connect workers of one side, each started when the first scenario asks.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use kafka_clusters::{Cluster, Distribution, Jvm, Port, Server, Version};

use crate::http::{self, Request};
use crate::kafka::Kafka;
use crate::settings;

/// Whose worker it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Kafka's own, 3.9.2.
    Java,
    /// The executables `connect-distributed` and `connect-standalone` of this project.
    Ours,
}

/// Which worker a scenario runs on. Several scenarios share one at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum On {
    /// `connect-distributed` as most people have it.
    Distributed,
    /// `connect-standalone` as most people have it.
    Standalone,
    /// A distributed worker that forbids what can be forbidden, with CORS, headers and admin listeners.
    Guarded,
    /// A standalone worker with the other values of the same settings.
    Other,
    /// None of them: the scenario starts what it needs.
    Own,
}

impl On {
    /// Those that are there to be shared.
    pub(crate) const SHARED: [On; 4] = [On::Distributed, On::Standalone, On::Guarded, On::Other];

    /// As in the recordings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            On::Distributed => "distributed",
            On::Standalone => "standalone",
            On::Guarded => "guarded",
            On::Other => "other",
            On::Own => "none",
        }
    }

    pub(crate) fn is_distributed(self) -> bool {
        matches!(self, On::Distributed | On::Guarded)
    }

    fn index(self) -> Option<usize> {
        Self::SHARED.iter().position(|on| *on == self)
    }
}

/// A running worker: a process with a REST address and a log.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) address: String,
    /// Where loggers are served, if not at `address`.
    pub(crate) admin: Option<String>,
    server: Server,
    _ports: [Port; 2],
}

impl Worker {
    /// Everything it logged.
    pub(crate) fn log(&self) -> String {
        self.server.log_text()
    }

    /// Ends it in good order.
    pub(crate) fn stop(self) {
        self.server.terminate(Duration::from_secs(30)).unwrap();
    }
}

/// The broker and the workers of one side.
pub(crate) struct Lab {
    pub(crate) side: Side,
    workers: [OnceLock<Worker>; 4],
    pub(crate) kafka: Kafka,
    pub(crate) cluster_id: String,
    _cluster: Cluster,
    folder: tempfile::TempDir,
}

impl Lab {
    /// Starts the broker.
    pub(crate) fn start(side: Side) -> Self {
        let cluster = Cluster::builder()
            .version(Version::V39Kraft)
            .property("auto.create.topics.enable", false)
            .property("log.retention.ms", -1)
            .in_memory()
            .start()
            .unwrap_or_else(|error| panic!("no broker: {error}"));
        let cluster_id = cluster.broker(1).metadata().unwrap().cluster_id.unwrap();
        let mut folder = tempfile::Builder::new().prefix("connect-").tempdir().unwrap();
        folder.disable_cleanup(std::env::var_os("KAFKA_CLUSTERS_KEEP").is_some());
        let kafka = Kafka::new(cluster.bootstrap());
        Self { side, workers: Default::default(), kafka, cluster_id, _cluster: cluster, folder }
    }

    /// Files of connectors, settings and logs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The worker, started if it is not there yet; `None` for [`On::Own`].
    pub(crate) fn worker(&self, on: On) -> Option<&Worker> {
        Some(self.workers[on.index()?].get_or_init(|| self.start_worker(on)))
    }

    /// Logs of all workers that were started.
    pub(crate) fn logs(&self) -> Vec<(On, String)> {
        let running = |on: On| Some((on, self.workers[on.index()?].get()?.log()));
        On::SHARED.into_iter().filter_map(running).collect()
    }

    fn start_worker(&self, on: On) -> Worker {
        let settings = |port: &str, admin: &str| settings::worker(self, on, port, admin);
        self.launch(on.name(), on, settings, &[]).unwrap_or_else(|log| panic!("the worker ended:\n{log}"))
    }

    /// Starts a worker with settings of its own, which are given `host:port` of its listener and of its admin listener.
    ///
    /// # Errors
    /// It ended before it was healthy: its log, and the exit code after it.
    pub(crate) fn launch(
        &self,
        name: &str,
        like: On,
        settings: impl FnOnce(&str, &str) -> String,
        files: &[PathBuf],
    ) -> Result<Worker, String> {
        let ports = [Port::any().unwrap(), Port::any().unwrap()];
        let [port, admin] = [&ports[0], &ports[1]].map(|port| format!("127.0.0.1:{}", port.number()));
        let file = self.folder().join(format!("{name}.properties"));
        std::fs::write(&file, settings(&port, &admin)).unwrap();
        let arguments: Vec<PathBuf> = [file].into_iter().chain(files.iter().cloned()).collect();
        let mut command = self.command(like.is_distributed(), &arguments);
        let jaas = self.jaas_file(name);
        if jaas.exists() {
            with_jaas(self.side, &mut command, &jaas);
        }
        let server = Server::run(name, &command, self.folder()).unwrap();
        let admin = (like == On::Guarded).then_some(admin);
        let mut worker = Worker { address: port, admin, server, _ports: ports };
        worker.wait_ready().map(|()| worker)
    }

    /// The JAAS file that a worker of this name is given, if it is there when it starts.
    pub(crate) fn jaas_file(&self, name: &str) -> PathBuf {
        self.folder().join(format!("{name}.jaas"))
    }

    /// The command line of a worker.
    pub(crate) fn command(&self, distributed: bool, arguments: &[PathBuf]) -> Command {
        let mut command = command(self.side, self.folder(), distributed);
        command
            .args(arguments)
            .env("CONNECT_TEST_TOPIC", "from-the-environment")
            .env("HIDDEN_TEST", "hidden");
        command
    }
}

/// A worker without its arguments; `folder` takes what it needs besides.
pub fn command(side: Side, folder: &Path, distributed: bool) -> Command {
    match side {
        Side::Java => java(folder, distributed),
        Side::Ours => Command::new(executable(distributed)),
    }
}

/// Tells a worker of its JAAS file, as the start scripts of either do.
fn with_jaas(side: Side, command: &mut Command, file: &Path) {
    let option = format!("-Djava.security.auth.login.config={}", file.display());
    match side {
        Side::Ours => command.env("KAFKA_OPTS", option),
        Side::Java => {
            let given = command.get_envs().find(|(name, _)| *name == "JDK_JAVA_OPTIONS");
            let given = given.and_then(|(_, value)| value?.to_str()).unwrap_or_default().to_owned();
            command.env("JDK_JAVA_OPTIONS", format!("{given} {option}"))
        }
    };
}

fn java(folder: &Path, distributed: bool) -> Command {
    let class = match distributed {
        true => "org.apache.kafka.connect.cli.ConnectDistributed",
        false => "org.apache.kafka.connect.cli.ConnectStandalone",
    };
    let levels = folder.join("log4j.properties");
    std::fs::write(&levels, "log4j.rootLogger=INFO\n").unwrap();
    let distribution = Distribution::prepare(kafka_clusters::Release::V3_9_2).unwrap();
    let mut command = distribution.java(class, "512m", Jvm::QuickStart, "info");
    command.env("JDK_JAVA_OPTIONS", format!("-Dlog4j.configuration=file:{}", levels.display()));
    command
}

impl Worker {
    /// Waits until it is healthy, or wants to know first who asks.
    fn wait_ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(90);
        let health = Request::new("GET", "/health");
        while !http::send(&self.address, &health).is_ok_and(|answer| matches!(answer.status, 200 | 401)) {
            if let Some(status) = self.server.exited() {
                return Err(format!("{}\nexit code {:?}", self.log(), status.code()));
            }
            assert!(Instant::now() < deadline, "the worker is not healthy:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// Ours lie beside the tests' own folder.
fn executable(distributed: bool) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).expect("a test runs from a folder of the target folder");
    let path = folder.join(if distributed { "connect-distributed" } else { "connect-standalone" });
    assert!(path.exists(), "{} is missing: cargo build --bins", path.display());
    path
}
