//! What the logs look like and how much they say.

use tracing_subscriber::EnvFilter;

use super::exit::Exit;
use super::run::Surroundings;

/// Logging as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// `--log-format`.
    pub format: LogFormat,
    /// Directives for [`EnvFilter`], already checked: `--log-level`, else `RUST_LOG`, else
    /// `REPLICATOR_LOG4J_ROOT_LOGLEVEL`, else `info`.
    pub filter: String,
}

/// `--log-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Decides the filter from the parameter and the environment.
pub(super) fn filter(parameter: Option<&str>, around: &Surroundings<'_>) -> Result<String, Exit> {
    let root = "REPLICATOR_LOG4J_ROOT_LOGLEVEL";
    let (name, directives) = match (parameter, (around.env)("RUST_LOG"), (around.env)(root)) {
        (Some(level), _, _) => ("--log-level", level.to_owned()),
        (None, Some(directives), _) => ("RUST_LOG", directives),
        (None, None, Some(level)) => (root, from_log4j(&level)),
        (None, None, None) => return Ok("info".to_owned()),
    };
    match EnvFilter::try_new(&directives) {
        Ok(_) => Ok(directives),
        Err(error) => Err(Exit::usage(&format!(
            "invalid value '{directives}' for {name}: {error}; write error, warn, info, debug, trace or off, \
             also by module as in info,kafka_wire=debug"
        ))),
    }
}

/// Decides the filter from the parameter and the process's own environment.
pub(crate) fn from_environment(parameter: Option<&str>) -> Result<String, Exit> {
    let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    filter(parameter, &Surroundings { env: &env, exists: &|path| path.exists() })
}

fn from_log4j(level: &str) -> String {
    match level.to_ascii_lowercase().as_str() {
        "all" => "trace".to_owned(),
        "fatal" => "error".to_owned(),
        other => other.to_owned(),
    }
}
