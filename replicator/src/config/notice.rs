//! Sources of values, and notices about them. Everything that reads settings names places and gives notices
//! with these; they know nobody.

use std::fmt;
use std::path::PathBuf;

/// Origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A command line parameter, with its name without dashes.
    Flag(String),
    /// An environment variable.
    Env(String),
    /// A line of a file.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// Line of the key, from 1.
        line: usize,
    },
    /// The configuration that Connect holds of the connector.
    Connector,
    /// Nobody set it.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Env(name) => write!(f, "${name}"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Connector => f.write_str("the connector's configuration"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Something worth saying about the configuration, to be logged once at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Urgency.
    pub level: NoticeLevel,
    /// The place, if it is about one.
    pub source: Option<Source>,
    /// The text, which names the key.
    pub text: String,
}

/// Urgency of a [`Notice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeLevel {
    /// The user probably wants something that does not happen.
    Warning,
    /// Accepted, and of no consequence.
    Info,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{source}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}
