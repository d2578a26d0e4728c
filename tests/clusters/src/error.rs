//! Everything that can go wrong between "fetch Kafka" and "the brokers answer", in words that say what to change.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a cluster or one of Kafka's tools could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `java` or `mvn` cannot be started or is too old.
    #[error(
        "Java 17 and Maven are needed to run Kafka's brokers and tools: {0} (Debian: apt install openjdk-17-jre-headless maven)"
    )]
    Prerequisite(String),

    /// Maven ended with an error.
    #[error("Maven could not fetch Kafka {version}; it said:\n{output}")]
    Maven {
        /// Kafka's version.
        version: &'static str,
        /// The last lines of Maven's output.
        output: String,
    },

    /// A fixed port is in use by another process.
    #[error("port {port} on 127.0.0.1 is taken by another process; choose another port")]
    PortTaken {
        /// The port asked for.
        port: u16,
    },

    /// No free port was found for a listener.
    #[error("no free port on 127.0.0.1 between {0} and {1}")]
    NoFreePort(u16, u16),

    /// A server ended before it answered.
    #[error("{name} ended ({status}) before it was ready; the end of its log {}:\n{tail}", log.display())]
    Exited {
        /// `broker-1`, `zookeeper`, …
        name: String,
        /// How it ended.
        status: String,
        /// Its log file; gone if the cluster's folder was temporary and `KAFKA_CLUSTERS_KEEP` is unset.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },

    /// A server did not answer in time.
    #[error("{name} was not ready after {waited:?}: {last}; the end of its log {}:\n{tail}", log.display())]
    NotReady {
        /// `broker-1`, `zookeeper`, …
        name: String,
        /// How long it was waited for.
        waited: Duration,
        /// What the last probe found.
        last: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },

    /// A tool's name is not one of [`crate::tools::names`].
    #[error("no tool is called {name}; known tools:\n  {}", known.join("\n  "))]
    UnknownTool {
        /// The name asked for.
        name: String,
        /// Every known name.
        known: Vec<&'static str>,
    },

    /// A tool ended with a non-zero exit code.
    #[error("{tool} failed ({status}):\n{output}")]
    Tool {
        /// The tool and its arguments.
        tool: String,
        /// How it ended.
        status: String,
        /// What it wrote to both its outputs.
        output: String,
    },

    /// A tool ran longer than its limit and was killed.
    #[error("{tool} did not end within {limit:?} and was killed; it had written:\n{output}")]
    ToolTimeout {
        /// The tool and its arguments.
        tool: String,
        /// The limit.
        limit: Duration,
        /// What it wrote to both its outputs.
        output: String,
    },

    /// Certificates could not be made.
    #[error("cannot make certificates: {0}")]
    Certificate(#[from] rcgen::Error),

    /// A key store could not be made.
    #[error("cannot make a key store: {0}")]
    Store(#[from] p12_keystore::error::Error),

    /// A file, folder, process or socket operation failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, with its path or address.
        what: String,
        /// The operating system's reason.
        source: std::io::Error,
    },
}

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Adds "what was being done" to an input/output error.
pub(crate) trait Context<T> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Context<T> for std::io::Result<T> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io { what: what(), source })
    }
}

pub(crate) fn write_file(path: &Path, text: impl AsRef<[u8]>) -> Result<()> {
    std::fs::write(path, text).context(|| format!("cannot write {}", path.display()))
}

pub(crate) fn create_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).context(|| format!("cannot create the folder {}", path.display()))
}
