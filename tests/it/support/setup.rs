//! How a replicator is to be run: its files, its arguments, and what it may complain about.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use super::clusters::Pair;
use super::finished::{Finished, command, run};
use super::log::Announcements;
use super::replicator::Replicator;

/// Files and arguments of a replicator between the clusters of a pair. It may be started several times, one after the
/// other: then it goes on where it was.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) pair: Pair,
    /// `cluster.id`; also the beginning of the names of its topics.
    pub(crate) id: String,
    pub(crate) port: u16,
    pub(crate) announcements: Announcements,
    consumer: Vec<(String, String)>,
    producer: Vec<(String, String)>,
    replication: Vec<(String, String)>,
    arguments: Vec<String>,
    folder: Arc<tempfile::TempDir>,
}

impl Setup {
    /// A replicator of its own: cluster id, group, storage topics and REST port that no other test has. `name` must be
    /// different in each test; it may be used on several pairs.
    pub(crate) fn new(pair: &Pair, name: &str) -> Self {
        let id = format!("{name}-{}", pair.name);
        let port = free_port();
        let setup = Self {
            pair: pair.clone(),
            port,
            announcements: Announcements::default(),
            consumer: Vec::new(),
            producer: Vec::new(),
            replication: Vec::new(),
            arguments: Vec::new(),
            folder: Arc::new(tempfile::tempdir().unwrap()),
            id: id.clone(),
        };
        setup
            .consumer("bootstrap.servers", pair.origin.bootstrap())
            .consumer("group.id", format!("{id}-group"))
            .producer("bootstrap.servers", pair.destination.bootstrap())
            .replication("listeners", format!("http://127.0.0.1:{port}"))
            .replication("replication.factor", 1)
            .replication("offset.storage.topic", format!("{id}-offsets"))
            .replication("offset.storage.partitions", 1)
            .replication("config.storage.topic", format!("{id}-configs"))
            .replication("status.storage.topic", format!("{id}-status"))
            .replication("status.storage.partitions", 1)
            .replication("topic.rename.format", "${topic}.replica")
    }

    /// Another process of the same replicator: with a REST port and a folder of its own.
    pub(crate) fn another(&self) -> Self {
        let port = free_port();
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self { port, folder, ..self.clone() }.replication("listeners", format!("http://127.0.0.1:{port}"))
    }

    /// A topic name that no other test has.
    pub(crate) fn topic(&self, name: &str) -> String {
        format!("{}-{name}", self.id)
    }

    /// The consumer group at the origin.
    pub(crate) fn group(&self) -> String {
        format!("{}-group", self.id)
    }

    /// A line of the consumer's file; replaces an earlier one.
    pub(crate) fn consumer(mut self, key: &str, value: impl ToString) -> Self {
        set(&mut self.consumer, key, value);
        self
    }

    /// A line of the producer's file; replaces an earlier one.
    pub(crate) fn producer(mut self, key: &str, value: impl ToString) -> Self {
        set(&mut self.producer, key, value);
        self
    }

    /// A line of the replication file; replaces an earlier one.
    pub(crate) fn replication(mut self, key: &str, value: impl ToString) -> Self {
        set(&mut self.replication, key, value);
        self
    }

    /// More arguments.
    pub(crate) fn args<T: ToString>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.to_string()));
        self
    }

    /// `--whitelist`.
    pub(crate) fn whitelist(self, topics: &[&str]) -> Self {
        self.args(["--whitelist", &topics.join(",")])
    }

    /// A warning or error with `text` must come.
    pub(crate) fn expect(mut self, text: &str) -> Self {
        self.announcements.expect(text);
        self
    }

    /// A warning or error with `text` may come.
    pub(crate) fn tolerate(mut self, text: &str) -> Self {
        self.announcements.tolerate(text);
        self
    }

    /// The folder of its files, in which it runs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in its folder with this text.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Writes the files and gives the whole command.
    pub(crate) fn command(&self) -> Command {
        let mut command = command(self.folder());
        command.args(["--cluster.id", &self.id]);
        let files =
            [("consumer", &self.consumer), ("producer", &self.producer), ("replication", &self.replication)];
        for (name, lines) in files {
            let text: String = lines.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
            let file = format!("{name}.properties");
            self.file(&file, text);
            command.args([format!("--{name}.config"), file]);
        }
        command.args(&self.arguments);
        command
    }

    /// Starts it and waits until it has found its topics.
    pub(crate) fn start(&self) -> Replicator {
        let replicator = self.spawn();
        replicator.wait_for_log("task(s), offsets in");
        replicator
    }

    /// Starts it.
    pub(crate) fn spawn(&self) -> Replicator {
        Replicator::spawn(self.command(), self.port, self.announcements.clone())
            .with_folder(self.folder.clone())
    }

    /// Runs it to its end, which must come by itself.
    pub(crate) fn run(&self) -> Finished {
        run(self.command())
    }
}

fn set(lines: &mut Vec<(String, String)>, key: &str, value: impl ToString) {
    lines.retain(|(other, _)| other != key);
    lines.push((key.to_owned(), value.to_string()));
}

/// A port below those of the clusters and of outgoing connections, for other tests of this process to leave alone.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = std::process::id() % 5000;
    loop {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 10_000 + u16::try_from((offset * 37 + step) % 5000).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
