//! Input of the configuration as the command line hands it over, and problems with it.

use std::fmt;
use std::path::PathBuf;

use super::notice::Source;

/// Everything that was said outside of files. The executable's command line fills it.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--consumer.config`: how to read the origin. Required.
    pub consumer: Option<ConfigFile>,
    /// `--producer.config`: how to write the destination. Required.
    pub producer: Option<ConfigFile>,
    /// `--replication.config`: everything else.
    pub replication: Option<ConfigFile>,
    /// `--consumer.monitoring.config`: must be readable, and has no effect.
    pub consumer_monitoring: Option<ConfigFile>,
    /// `--producer.monitoring.config`: must be readable, and has no effect.
    pub producer_monitoring: Option<ConfigFile>,
    /// Cluster id when nothing else sets one; without it a missing id is a problem.
    pub default_cluster_id: Option<String>,
    /// Single settings, each under its property name (`tasks.max` for `--cluster.threads`).
    pub settings: Vec<Setting>,
}

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its path.
    pub path: PathBuf,
    /// The place that named it; [`Source::Default`] for the well-known places.
    pub named_by: Source,
}

/// One setting that does not come from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Property name.
    pub key: String,
    /// Value as given.
    pub value: String,
    /// The place that gave it.
    pub source: Source,
}

/// Everything that keeps the replicator from starting, all of it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// Sorts: what is missing and what the command line says first, then by file and line.
    pub(super) fn sorted(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_cached_key(|problem| match problem {
            Problem::Missing(_) => (0, PathBuf::new(), 0),
            Problem::File { file, .. } => (1, file.path.clone(), 0),
            Problem::Value { source: Source::File { path, line }, .. } => (3, path.clone(), *line),
            Problem::Value { .. } => (2, PathBuf::new(), 0),
        });
        Self { problems }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A file cannot be read, or Java would refuse it.
    File {
        /// The file, and who named it.
        file: ConfigFile,
        /// Why.
        reason: String,
    },
    /// A value cannot be used.
    Value {
        /// Its place.
        source: Source,
        /// The key as written there.
        key: String,
        /// The value as written, `[hidden]` for secrets.
        value: String,
        /// Why, and what is allowed.
        reason: String,
    },
    /// Something required is missing.
    Missing(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, reason } => match &file.named_by {
                Source::Default => write!(f, "{}: {reason}", file.path.display()),
                by => write!(f, "{by} {}: {reason}", file.path.display()),
            },
            Self::Value { source: Source::Default, key, reason, .. } => write!(f, "{key}: {reason}"),
            Self::Value { source: source @ Source::File { .. }, key, value, reason } => {
                write!(f, "{source}: {key}={value}: {reason}")
            }
            Self::Value { source: Source::Connector, key, value, reason } => {
                write!(f, "{key}={value}: {reason}")
            }
            Self::Value { source, value, reason, .. } => write!(f, "{source} {value}: {reason}"),
            Self::Missing(text) => f.write_str(text),
        }
    }
}
