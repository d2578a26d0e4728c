//! Command lines of the workers.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::Styles;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::process::exit::{self, Executable, Exit, worker_code};
use crate::process::log::{self, LogSettings};

/// A command line that was understood.
#[derive(Debug, Clone)]
pub(super) struct Invocation {
    /// The worker's properties.
    pub(super) worker: PathBuf,
    /// Connectors to create, in standalone mode.
    pub(super) connectors: Vec<PathBuf>,
    /// `--dry-run`: check the properties, print them, and end.
    pub(super) dry_run: bool,
    /// Logging as asked for.
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

";

const STANDALONE: &str = "\
Examples:
  A worker alone, with the connectors of two files:
    connect-standalone config/connect-standalone.properties \\
                       config/connect-file-source.properties config/connect-file-sink.json

Connector files are properties, a JSON object of strings, or {\"name\":…,\"config\":{…},\"initial_state\":…}.

";

impl Invocation {
    pub(super) fn distributed(args: impl IntoIterator<Item = OsString>) -> Result<Self, Exit> {
        let command = command(
            "connect-distributed",
            "A Kafka Connect worker that shares connectors and tasks with others of its group",
            DISTRIBUTED,
            Executable::Distributed,
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
        let command = command("connect-standalone", about, STANDALONE, Executable::Standalone).arg(files);
        Self::from_matches(&parse(command, args)?)
    }

    fn from_matches(matches: &ArgMatches) -> Result<Self, Exit> {
        let connectors = matches.try_get_many::<PathBuf>("connectors").ok().flatten();
        Ok(Self {
            worker: matches.get_one::<PathBuf>("worker").cloned().unwrap_or_default(),
            connectors: connectors.into_iter().flatten().cloned().collect(),
            dry_run: matches.get_flag("dry-run"),
            log: LogSettings::from_matches(matches, &log::env)?,
        })
    }
}

fn command(
    name: &'static str,
    about: &'static str,
    examples: &'static str,
    executable: Executable,
) -> Command {
    Command::new(name)
        .version(env!("CARGO_PKG_VERSION"))
        .about(about)
        .after_help(format!("{examples}{}", exit::listing(executable)))
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
        .args(log::arguments())
}

fn parse(command: Command, args: impl IntoIterator<Item = OsString>) -> Result<ArgMatches, Exit> {
    command.try_get_matches_from(args).map_err(|error| Exit::from_clap(&error, worker_code::USAGE))
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
