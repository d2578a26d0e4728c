//! Logging as the command line and the environment ask for it: format, and how much.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches};
use tracing_subscriber::EnvFilter;

use super::exit::Exit;

/// Logging as asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogSettings {
    /// `--log-format`.
    pub(crate) format: LogFormat,
    /// Directives for [`EnvFilter`], already checked: `--log-level`, else `RUST_LOG`, else
    /// `REPLICATOR_LOG4J_ROOT_LOGLEVEL`, else `info`.
    pub(crate) filter: String,
}

/// `--log-format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The parameters `--log-format` and `--log-level`.
pub(crate) fn arguments() -> [Arg; 2] {
    [
        Arg::new("log-format")
            .long("log-format")
            .value_name("FORMAT")
            .value_parser(PossibleValuesParser::new(["text", "json"]))
            .help("Format of log lines on standard error [default: text]"),
        Arg::new("log-level")
            .long("log-level")
            .value_name("LEVEL")
            .help("How much to log: error, warn, info, debug, trace, or as RUST_LOG [default: info]"),
    ]
}

impl LogSettings {
    /// Reads [`arguments`]; `env` is the environment, without variables that are empty.
    ///
    /// # Errors
    /// If the directives cannot be understood.
    pub(crate) fn from_matches(
        matches: &ArgMatches,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Exit> {
        let format = match matches.get_one::<String>("log-format").map(String::as_str) {
            Some("json") => LogFormat::Json,
            _ => LogFormat::Text,
        };
        let level = matches.get_one::<String>("log-level").map(String::as_str);
        Ok(Self { format, filter: filter(level, env)? })
    }
}

/// An environment variable of this process that is set to something.
pub(crate) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Decides the filter from the parameter and the environment.
fn filter(parameter: Option<&str>, env: &dyn Fn(&str) -> Option<String>) -> Result<String, Exit> {
    let root = "REPLICATOR_LOG4J_ROOT_LOGLEVEL";
    let (name, directives) = match (parameter, env("RUST_LOG"), env(root)) {
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

fn from_log4j(level: &str) -> String {
    match level.to_ascii_lowercase().as_str() {
        "all" => "trace".to_owned(),
        "fatal" => "error".to_owned(),
        other => other.to_owned(),
    }
}
