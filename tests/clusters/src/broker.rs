//! One broker of a [`crate::Cluster`]: stopped, killed, frozen and started again at the same port with the same data.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::distribution::{Distribution, Jvm};
use crate::error::{Context, Error, Result};
use crate::ports::Port;
use crate::probe::{self, Answer};
use crate::process::{STEP, Server, last_lines};
use crate::settings::Listener;

/// How every server process of a cluster is run.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub(crate) distribution: Distribution,
    pub(crate) heap: String,
    pub(crate) jvm: Jvm,
    pub(crate) owned: bool,
    pub(crate) limit: Duration,
}

/// A broker. Its methods take `&self`, so that a test may freeze it from one thread while others use the cluster.
#[derive(Debug)]
pub struct Broker {
    pub(crate) id: i32,
    pub(crate) listeners: Vec<(Listener, Port)>,
    pub(crate) controller: Option<Port>,
    pub(crate) folder: PathBuf,
    pub(crate) launch: Launch,
    pub(crate) server: Mutex<Option<Server>>,
}

impl Broker {
    /// Its id, counted from 1, as Kafka's metadata shows it.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// The port of its plaintext listener.
    pub fn port(&self) -> u16 {
        self.listeners.first().map_or(0, |(_, port)| port.number())
    }

    /// `127.0.0.1:port` of a listener; `None` if the cluster was started without security.
    pub fn address(&self, listener: Listener) -> Option<String> {
        let found = self.listeners.iter().find(|(own, _)| *own == listener);
        found.map(|(_, port)| format!("127.0.0.1:{}", port.number()))
    }

    /// Where its log segments are, one folder per partition.
    pub fn data_folder(&self) -> PathBuf {
        self.folder.join(format!("data-{}", self.id))
    }

    /// What it logged since its last start.
    pub fn log(&self) -> String {
        self.lock().as_ref().map(Server::log_text).unwrap_or_default()
    }

    /// The Java process's id; `None` while it is stopped.
    pub fn pid(&self) -> Option<i32> {
        self.lock().as_ref().map(Server::pid)
    }

    /// Controlled shutdown: SIGTERM, and SIGKILL if it takes more than 30 s. No effect on a stopped broker.
    ///
    /// # Errors
    /// The process could not be signalled.
    pub fn stop(&self) -> Result<()> {
        let server = self.lock().take();
        server.map_or(Ok(()), |server| server.terminate(Duration::from_secs(30)))
    }

    /// SIGKILL. No effect on a stopped broker.
    ///
    /// # Errors
    /// None so far; a result for symmetry.
    pub fn kill(&self) -> Result<()> {
        let server = self.lock().take();
        if let Some(server) = server {
            server.kill();
        }
        Ok(())
    }

    /// Starts it again and waits until it answers and is part of the cluster. After [`Self::kill`] that takes up to the
    /// session timeout of 6 s longer, for the cluster must first notice that the old process is gone.
    ///
    /// # Errors
    /// It ended, or did not answer within the cluster's limit (as when a quorum of controllers is missing:
    /// then use [`Self::spawn`] on several and [`crate::Cluster::wait_ready`]).
    pub fn start(&self) -> Result<()> {
        self.spawn()?;
        self.wait(|answer| answer.brokers.contains(&self.id)).map(drop)
    }

    /// Starts it without waiting. No effect on a running broker.
    ///
    /// # Errors
    /// Java could not be started.
    pub fn spawn(&self) -> Result<()> {
        let mut server = self.lock();
        if server.is_none() {
            *server = Some(self.launch()?);
        }
        Ok(())
    }

    /// SIGSTOP: it keeps its connections and answers nothing. Returns when every thread of it stands still.
    ///
    /// # Errors
    /// The process could not be signalled.
    pub fn suspend(&self) -> Result<()> {
        self.lock().as_ref().map_or(Ok(()), Server::suspend)
    }

    /// SIGCONT: undoes [`Self::suspend`].
    ///
    /// # Errors
    /// The process could not be signalled.
    pub fn resume(&self) -> Result<()> {
        self.lock().as_ref().map_or(Ok(()), |server| server.signal(Signal::CONT))
    }

    /// What this broker knows of the cluster at this moment.
    ///
    /// # Errors
    /// It does not answer within 2 s.
    pub fn metadata(&self) -> Result<Answer> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port()));
        probe::metadata(address).context(|| format!("broker {} at {address} does not answer", self.id))
    }

    pub(crate) fn wait(&self, ready: impl Fn(&Answer) -> bool) -> Result<Answer> {
        let deadline = Instant::now() + self.launch.limit;
        loop {
            let last = match self.metadata() {
                Ok(answer) if ready(&answer) && answer.controller >= 0 => return Ok(answer),
                Ok(answer) => format!("it answers, but knows only {answer:?}"),
                Err(error) => error.to_string(),
            };
            self.check_alive(Instant::now() < deadline)?;
            if Instant::now() >= deadline {
                return Err(self.not_ready(last));
            }
            std::thread::sleep(STEP);
        }
    }

    /// An error if the process ended, except for the one end that waiting cures.
    fn check_alive(&self, may_restart: bool) -> Result<()> {
        let mut server = self.lock();
        let Some(running) = server.as_mut() else { return Ok(()) };
        let Some(status) = running.exited() else { return Ok(()) };
        let log = running.log_text();
        // ZooKeeper still holds the registration of the killed process, until its session times out.
        if may_restart && log.contains("NodeExistsException") {
            *server = Some(self.launch()?);
            return Ok(());
        }
        Err(ended(running, &status.to_string()))
    }

    fn not_ready(&self, last: String) -> Error {
        let server = self.lock();
        let (log, tail) = server
            .as_ref()
            .map(|server| (server.log().to_owned(), last_lines(&server.log_text(), 15)))
            .unwrap_or_default();
        Error::NotReady { name: format!("broker-{}", self.id), waited: self.launch.limit, last, log, tail }
    }

    fn launch(&self) -> Result<Server> {
        let Launch { distribution, heap, jvm, owned, .. } = &self.launch;
        let mut command = distribution.java("kafka.Kafka", heap, *jvm, "info");
        command.arg(self.properties_file());
        Server::start(&format!("broker-{}", self.id), &command, &self.folder, *owned)
    }

    pub(crate) fn properties_file(&self) -> PathBuf {
        properties_file(&self.folder, self.id)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The path is on the broker's command line: the mark by which `scripts/clusters` knows its processes.
pub(crate) fn properties_file(folder: &Path, id: i32) -> PathBuf {
    folder.join(format!("broker-{id}.properties"))
}

pub(crate) fn ended(server: &Server, status: &str) -> Error {
    Error::Exited {
        name: server.name().to_owned(),
        status: status.to_owned(),
        log: server.log().to_owned(),
        tail: last_lines(&server.log_text(), 15),
    }
}
