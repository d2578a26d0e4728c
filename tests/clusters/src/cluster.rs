//! A whole cluster: built, started, asked, stopped.
//!
//! Guarantees: [`ClusterBuilder::start`] returns only when every broker answers and knows all the others; nothing of a
//! cluster is left behind when it is dropped (processes, ports, temporary folders), unless it was detached.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine;

use crate::broker::{Broker, Launch, ended};
use crate::distribution::{Distribution, Jvm};
use crate::error::{Context, Error, Result, create_folder, write_file};
use crate::ports::Port;
use crate::probe::{self, Answer};
use crate::process::{STEP, Server, last_lines};
use crate::security::Security;
use crate::settings::{self, Layout, Listener, Version, controller_count};
use crate::tools::{self, ToolProcess};

const TOOL_LIMIT: Duration = Duration::from_secs(60);

/// What a cluster shall be. Every setting has a default: one broker of Kafka 4.3.0, tuned to start fast.
#[derive(Debug, Clone)]
pub struct ClusterBuilder {
    version: Version,
    brokers: u16,
    port: Option<u16>,
    properties: Vec<(Option<i32>, String, String)>,
    heap: String,
    jvm: Jvm,
    security: bool,
    in_memory: bool,
    folder: Option<PathBuf>,
    detached: bool,
    limit: Duration,
}

impl ClusterBuilder {
    /// Which Kafka, and what keeps its metadata.
    pub fn version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// How many brokers, with ids from 1.
    pub fn brokers(self, brokers: u16) -> Self {
        Self { brokers: brokers.max(1), ..self }
    }

    /// The plaintext port of broker 1; broker 2 has the next, and so on. Without it: free ports.
    pub fn port(self, port: u16) -> Self {
        Self { port: Some(port), ..self }
    }

    /// A server property of all brokers, stronger than this crate's.
    pub fn property(mut self, key: &str, value: impl ToString) -> Self {
        self.properties.push((None, key.to_owned(), value.to_string()));
        self
    }

    /// A server property of one broker, stronger than [`Self::property`].
    pub fn broker_property(mut self, broker: i32, key: &str, value: impl ToString) -> Self {
        self.properties.push((Some(broker), key.to_owned(), value.to_string()));
        self
    }

    /// A broker's heap as `-Xmx` takes it; default `512m`.
    pub fn heap(self, heap: &str) -> Self {
        Self { heap: heap.to_owned(), ..self }
    }

    /// How Java is tuned; default [`Jvm::QuickStart`].
    pub fn jvm(self, jvm: Jvm) -> Self {
        Self { jvm, ..self }
    }

    /// Adds listeners for SSL, SASL_PLAINTEXT and SASL_SSL beside the plaintext one; see [`Cluster::security`].
    pub fn with_security(self) -> Self {
        Self { security: true, ..self }
    }

    /// Keeps all data in memory (`/dev/shm`), for measuring without the disk.
    pub fn in_memory(self) -> Self {
        Self { in_memory: true, ..self }
    }

    /// Keeps data, logs and process ids in this folder instead of a temporary one; data found there is used again.
    pub fn folder(self, folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..self }
    }

    /// The brokers outlive the [`Cluster`] and this process. Only sensible with [`Self::folder`].
    pub fn detached(self) -> Self {
        Self { detached: true, ..self }
    }

    /// How long a broker may take to be ready; default 90 s.
    pub fn startup_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Fetches the jars if need be, starts all processes and waits until the cluster answers.
    ///
    /// # Errors
    /// See [`Error`]; all processes started so far are ended.
    pub fn start(self) -> Result<Cluster> {
        let distribution = Distribution::prepare(self.version.release())?;
        let mut attempts = 3;
        loop {
            let mut cluster = self.lay_out(distribution.clone())?;
            let result = cluster.run();
            attempts -= 1;
            match result {
                Ok(()) => return Ok(cluster),
                Err(Error::Exited { tail, .. })
                    if tail.contains("Address already in use") && self.port.is_none() && attempts > 0 => {}
                Err(error) => {
                    cluster.kill_all();
                    return Err(error);
                }
            }
            cluster.kill_all();
        }
    }

    fn lay_out(&self, distribution: Distribution) -> Result<Cluster> {
        let folder = self.open_folder()?;
        let path = folder.path();
        let launch = Launch {
            distribution,
            heap: self.heap.clone(),
            jvm: self.jvm,
            owned: !self.detached,
            limit: self.limit,
        };
        let security = if self.security { Some(Security::create(&path.join("security"))?) } else { None };
        let brokers = (1..=self.brokers)
            .map(|number| self.broker(number, path, &launch))
            .collect::<Result<Vec<_>>>()?;
        let zookeeper = if self.version == Version::V39Zk { Some((Port::any()?, None)) } else { None };
        let cluster = Cluster { version: self.version, brokers, zookeeper, launch, security, folder };
        self.write_properties(&cluster)?;
        Ok(cluster)
    }

    fn open_folder(&self) -> Result<Folder> {
        if let Some(folder) = &self.folder {
            create_folder(folder)?;
            return Ok(Folder::Kept(folder.clone()));
        }
        let parent = if self.in_memory { PathBuf::from("/dev/shm") } else { std::env::temp_dir() };
        let mut folder = tempfile::Builder::new()
            .prefix("kafka-cluster-")
            .tempdir_in(&parent)
            .context(|| format!("cannot create a temporary folder in {}", parent.display()))?;
        folder.disable_cleanup(std::env::var_os("KAFKA_CLUSTERS_KEEP").is_some());
        Ok(Folder::Temporary(folder))
    }

    fn broker(&self, number: u16, folder: &Path, launch: &Launch) -> Result<Broker> {
        let plaintext = match self.port {
            Some(first) => Port::fixed(first + number - 1)?,
            None => Port::any()?,
        };
        let mut listeners = vec![(Listener::Plaintext, plaintext)];
        if self.security {
            for listener in Listener::SECURED {
                listeners.push((listener, Port::any()?));
            }
        }
        let controls = self.version != Version::V39Zk && number <= controller_count(self.brokers);
        Ok(Broker {
            id: i32::from(number),
            listeners,
            controller: if controls { Some(Port::any()?) } else { None },
            folder: folder.to_owned(),
            launch: launch.clone(),
            server: Mutex::new(None),
        })
    }

    fn write_properties(&self, cluster: &Cluster) -> Result<()> {
        let controllers: Vec<(i32, u16)> = cluster
            .brokers
            .iter()
            .filter_map(|broker| Some((broker.id, broker.controller.as_ref()?.number())))
            .collect();
        let layout = Layout {
            brokers: self.brokers,
            zookeeper: cluster.zookeeper.as_ref().map(|(port, _)| port.number()),
            controllers: &controllers,
            security: cluster.security.as_ref(),
        };
        for broker in &cluster.brokers {
            let ports: Vec<(Listener, u16)> =
                broker.listeners.iter().map(|(listener, port)| (*listener, port.number())).collect();
            let extra = self.extra(broker.id);
            let text = settings::broker(broker.id, &ports, &broker.data_folder(), &layout, &extra);
            write_file(&broker.properties_file(), text)?;
        }
        Ok(())
    }

    fn extra(&self, id: i32) -> Vec<(String, String)> {
        let of = |owner: Option<i32>| {
            let matching = self.properties.iter().filter(move |(broker, _, _)| *broker == owner);
            matching.map(|(_, key, value)| (key.clone(), value.clone()))
        };
        of(None).chain(of(Some(id))).collect()
    }
}

#[derive(Debug)]
enum Folder {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Folder::Temporary(folder) => folder.path(),
            Folder::Kept(folder) => folder,
        }
    }
}

/// A running cluster. Dropping it kills its processes and removes its folder.
#[derive(Debug)]
pub struct Cluster {
    version: Version,
    // The order of the fields is the order of their end: brokers, ZooKeeper, then the folder they write to.
    brokers: Vec<Broker>,
    zookeeper: Option<(Port, Option<Server>)>,
    launch: Launch,
    security: Option<Security>,
    folder: Folder,
}

impl Cluster {
    /// The settings of a cluster to be.
    pub fn builder() -> ClusterBuilder {
        ClusterBuilder {
            version: Version::V43,
            brokers: 1,
            port: None,
            properties: Vec::new(),
            heap: "512m".to_owned(),
            jvm: Jvm::default(),
            security: false,
            in_memory: false,
            folder: None,
            detached: false,
            limit: Duration::from_secs(90),
        }
    }

    /// Which Kafka it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The jars it runs from.
    pub fn distribution(&self) -> &Distribution {
        &self.launch.distribution
    }

    /// `bootstrap.servers` with every broker's plaintext listener.
    pub fn bootstrap(&self) -> String {
        self.bootstrap_of(Listener::Plaintext)
    }

    /// `bootstrap.servers` of one kind of listener; empty if the cluster does not have it.
    pub fn bootstrap_of(&self, listener: Listener) -> String {
        let addresses: Vec<String> =
            self.brokers.iter().filter_map(|broker| broker.address(listener)).collect();
        addresses.join(",")
    }

    /// `host:port` of its ZooKeeper; `None` in KRaft mode.
    pub fn zookeeper(&self) -> Option<String> {
        self.zookeeper.as_ref().map(|(port, _)| format!("127.0.0.1:{}", port.number()))
    }

    /// Certificates and account; `Some` after [`ClusterBuilder::with_security`].
    pub fn security(&self) -> Option<&Security> {
        self.security.as_ref()
    }

    /// All brokers, in the order of their ids.
    pub fn brokers(&self) -> &[Broker] {
        &self.brokers
    }

    /// The broker with this id, counted from 1.
    ///
    /// # Panics
    /// If the cluster has no such broker.
    pub fn broker(&self, id: i32) -> &Broker {
        let found = self.brokers.iter().find(|broker| broker.id == id);
        found.unwrap_or_else(|| panic!("the cluster has the brokers 1 to {}, not {id}", self.brokers.len()))
    }

    /// Data, logs, properties and process ids.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until every broker answers and knows all brokers, and gives back what they know.
    ///
    /// # Errors
    /// A broker ended, or the limit of the builder passed.
    pub fn wait_ready(&self) -> Result<Answer> {
        let mut answer = None;
        for broker in &self.brokers {
            answer = Some(broker.wait(|answer| answer.brokers.len() == self.brokers.len())?);
        }
        Ok(answer.expect("a builder makes at least one broker"))
    }

    /// Gives an account for a mechanism of SCRAM, such as `SCRAM-SHA-512`; another one replaces it.
    ///
    /// # Errors
    /// As [`Self::tool`].
    pub fn add_scram_user(&self, mechanism: &str, user: &str, password: &str) -> Result<()> {
        let credentials = format!("{mechanism}=[iterations=8192,password={password}]");
        let whom = ["--alter", "--entity-type", "users", "--entity-name", user, "--add-config", &credentials];
        self.tool("kafka-configs", &whom).map(drop)
    }

    /// Runs one of Kafka's tools to its end (60 s at most) and gives back its standard output;
    /// `--bootstrap-server` is added where the tool takes it and it is missing.
    ///
    /// # Errors
    /// An unknown tool, a non-zero exit code (with all output), or the time limit.
    pub fn tool(&self, name: &str, arguments: &[&str]) -> Result<String> {
        tools::run(name, &self.tool_command(name, arguments)?, None, TOOL_LIMIT)
    }

    /// [`Self::tool`] with `input` on its standard input, as kafka-console-producer takes it.
    ///
    /// # Errors
    /// As [`Self::tool`].
    pub fn tool_with_input(
        &self,
        name: &str,
        arguments: &[&str],
        input: impl Into<Vec<u8>>,
    ) -> Result<String> {
        tools::run(name, &self.tool_command(name, arguments)?, Some(input.into()), TOOL_LIMIT)
    }

    /// Starts a tool that runs on, such as a consumer or a Connect worker; it is killed when dropped.
    ///
    /// # Errors
    /// An unknown tool, or Java could not be started.
    pub fn spawn_tool(&self, name: &str, arguments: &[&str]) -> Result<ToolProcess> {
        ToolProcess::start(name, &self.tool_command(name, arguments)?, false)
    }

    /// [`Self::spawn_tool`] with a standard input to write to ([`ToolProcess::take_stdin`]).
    ///
    /// # Errors
    /// As [`Self::spawn_tool`].
    pub fn spawn_tool_with_stdin(&self, name: &str, arguments: &[&str]) -> Result<ToolProcess> {
        ToolProcess::start(name, &self.tool_command(name, arguments)?, true)
    }

    /// The bare command of a tool, for a caller that runs it itself.
    ///
    /// # Errors
    /// An unknown tool.
    pub fn tool_command(&self, name: &str, arguments: &[&str]) -> Result<Command> {
        let bootstrap = tools::bootstrap_arguments(name, arguments, &self.bootstrap())?;
        let mut command = tools::command(&self.launch.distribution, name, arguments)?;
        command.args(bootstrap);
        Ok(command)
    }

    fn kill_all(&mut self) {
        for broker in &self.brokers {
            let _ = broker.kill();
        }
        if let Some((_, server)) = &mut self.zookeeper
            && let Some(server) = server.take()
        {
            server.kill();
        }
    }

    fn run(&mut self) -> Result<()> {
        match self.zookeeper.is_some() {
            true => self.start_zookeeper()?,
            false => self.format()?,
        }
        self.brokers.iter().try_for_each(Broker::spawn)?;
        self.wait_ready().map(drop)
    }

    fn start_zookeeper(&mut self) -> Result<()> {
        let Some((port, server)) = &mut self.zookeeper else { return Ok(()) };
        let folder = self.folder.path();
        let file = zookeeper_file(folder);
        write_file(&file, settings::zookeeper(port.number(), &folder.join("zookeeper")))?;
        let class = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
        let mut command = self.launch.distribution.java(class, "128m", self.launch.jvm, "info");
        command.arg(&file);
        let server = server.insert(Server::start("zookeeper", &command, folder, self.launch.owned)?);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
        let deadline = Instant::now() + self.launch.limit;
        while let Err(error) = probe::zookeeper(address) {
            if let Some(status) = server.exited() {
                return Err(ended(server, &status.to_string()));
            }
            if Instant::now() > deadline {
                return Err(Error::NotReady {
                    name: "zookeeper".to_owned(),
                    waited: self.launch.limit,
                    last: error.to_string(),
                    log: server.log().to_owned(),
                    tail: last_lines(&server.log_text(), 15),
                });
            }
            std::thread::sleep(STEP);
        }
        Ok(())
    }

    /// Formats the data folders that are new, all at once.
    fn format(&self) -> Result<()> {
        let id = self.cluster_id()?;
        let mut running = Vec::new();
        for broker in &self.brokers {
            if broker.data_folder().join("meta.properties").exists() {
                continue;
            }
            let config = broker.properties_file().display().to_string();
            let arguments = ["format", "--cluster-id", &id, "--config", &config];
            let command = tools::command(&self.launch.distribution, "kafka-storage", &arguments)?;
            running.push(ToolProcess::start("kafka-storage", &command, false)?);
        }
        running.into_iter().try_for_each(|process| process.finish(TOOL_LIMIT).map(drop))
    }

    /// The id in the cluster's folder, made at random on first use.
    fn cluster_id(&self) -> Result<String> {
        let path = self.folder().join("cluster.id");
        if let Ok(id) = std::fs::read_to_string(&path) {
            return Ok(id);
        }
        let mut bytes = [0; 16];
        std::fs::File::open("/dev/urandom")
            .and_then(|mut random| std::io::Read::read_exact(&mut random, &mut bytes))
            .context(|| "cannot read /dev/urandom".to_owned())?;
        bytes[0] &= 0x7f; // so that the text never starts with '-', which would read as an option
        let id = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
        write_file(&path, &id)?;
        Ok(id)
    }
}

/// The path is on ZooKeeper's command line, as its properties file is on a broker's.
pub(crate) fn zookeeper_file(folder: &Path) -> PathBuf {
    folder.join("zookeeper.properties")
}
