//! Command lines of the workers.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, Styles};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::cli::{Exit, LogFormat, LogSettings, code, log_filter};

/// The command line cannot be understood; Apache's launchers end with 1 then.
const USAGE: u8 = 1;

/// A command line that was understood.
#[derive(Debug, Clone)]
pub(super) struct Invocation {
    /// The worker's properties.
    pub(super) worker: PathBuf,
    /// Connectors to create, in standalone mode.
    pub(super) connectors: Vec<PathBuf>,
    /// `--dry-run`: check the properties, print them, and end.
    pub(super) dry_run: bool,
    /// How to log.
    pub(super) log: LogSettings,
}

const DISTRIBUTED: &str = "\
Examples:
  A worker of the group that the file names; start as many as you like, they share the work:
    connect-distributed config/connect-distributed.properties

  Check the file and see what applies, without starting:
    connect-distributed config/connect-distributed.properties --dry-run

  Then create a connector:
    curl -X POST -H 'Content-Type: application/json' http://localhost:8083/connectors \\
         -d '{\"name\":\"lines\",\"config\":{\"connector.class\":\"FileStreamSource\",\"file\":\"/tmp/in\",\"topic\":\"lines\"}}'

Exit codes:
  0  stopped as asked
  1  the command line cannot be understood, or a storage topic cannot serve
  2  the properties cannot be used, or the worker cannot start
";

const STANDALONE: &str = "\
Examples:
  A worker alone, with the connectors of two files:
    connect-standalone config/connect-standalone.properties \\
                       config/connect-file-source.properties config/connect-file-sink.json

Connector files are properties, a JSON object of strings, or {\"name\":…,\"config\":{…},\"initial_state\":…}.

Exit codes:
  0  stopped as asked
  1  the command line cannot be understood
  2  the properties cannot be used, or the worker cannot start
  3  a connector's file cannot be used
";

impl Invocation {
    pub(super) fn distributed(args: impl IntoIterator<Item = OsString>) -> Result<Self, Exit> {
        let command = command(
            "connect-distributed",
            "A Kafka Connect worker that shares connectors and tasks with others of its group",
            DISTRIBUTED,
        );
        Self::from_matches(&parse(command, args)?)
    }

    pub(super) fn standalone(args: impl IntoIterator<Item = OsString>) -> Result<Self, Exit> {
        let files = Arg::new("connectors")
            .value_name("CONNECTOR-FILE")
            .action(ArgAction::Append)
            .value_parser(value_parser!(PathBuf))
            .help("Connectors to create at the start");
        let about = "A Kafka Connect worker alone, with its offsets in a file";
        Self::from_matches(&parse(command("connect-standalone", about, STANDALONE).arg(files), args)?)
    }

    fn from_matches(matches: &ArgMatches) -> Result<Self, Exit> {
        let format = match matches.get_one::<String>("log-format").map(String::as_str) {
            Some("json") => LogFormat::Json,
            _ => LogFormat::Text,
        };
        let level = matches.get_one::<String>("log-level").map(String::as_str);
        let connectors = matches.try_get_many::<PathBuf>("connectors").ok().flatten();
        Ok(Self {
            worker: matches.get_one::<PathBuf>("worker").cloned().unwrap_or_default(),
            connectors: connectors.into_iter().flatten().cloned().collect(),
            dry_run: matches.get_flag("dry-run"),
            log: LogSettings { format, filter: log_filter(level)? },
        })
    }
}

fn command(name: &'static str, about: &'static str, after: &'static str) -> Command {
    Command::new(name)
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .after_help(after)
        .styles(Styles::plain())
        .max_term_width(110)
        .arg(
            Arg::new("worker")
                .value_name("WORKER-PROPERTIES")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The worker's properties file"),
        )
        .arg(
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .help("Check the properties, print them without secrets, and end"),
        )
        .arg(
            Arg::new("log-format")
                .long("log-format")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(["text", "json"]))
                .help("Format of log lines on standard error [default: text]"),
        )
        .arg(
            Arg::new("log-level")
                .long("log-level")
                .value_name("LEVEL")
                .help("How much to log: error, warn, info, debug, trace, or as RUST_LOG [default: info]"),
        )
}

fn parse(command: Command, args: impl IntoIterator<Item = OsString>) -> Result<ArgMatches, Exit> {
    command.try_get_matches_from(args).map_err(|error| {
        let answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        let text = error.render().to_string();
        Exit { code: if answer { code::OK } else { USAGE }, text, to_stdout: answer }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn args(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn a_worker_needs_its_file() {
        let exit = Invocation::distributed(args("connect-distributed")).unwrap_err();
        assert_eq!((exit.code, exit.to_stdout), (1, false));
        let help = Invocation::distributed(args("connect-distributed --help")).unwrap_err();
        assert!(help.code == 0 && help.to_stdout && help.text.contains("Examples:"));
        let read =
            Invocation::standalone(args("connect-standalone w.properties a.properties b.json")).unwrap();
        assert_eq!((read.worker.to_str(), read.connectors.len()), (Some("w.properties"), 2));
    }
}
