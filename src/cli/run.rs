//! The command line of the `replicator` executable: upstream's parameters and quirks. Booleans may stand bare, values
//! may follow `=` or a blank, environment variables stand in for absent parameters.

use std::ffi::OsString;
use std::path::Path;

use clap::builder::Styles;
use clap::{Arg, ArgAction, ArgMatches, Command};
use replicator::config::{ConfigFile, Setting, Source, Sources};

use super::flags::{FLAGS, Flag, Kind};
use super::help;
use crate::process::exit::{self, Executable, Exit, code};
use crate::process::log::{self, LogSettings};

/// A command line that was understood.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// For [`replicator::config::load`].
    pub(crate) sources: Sources,
    /// How to log.
    pub(crate) log: LogSettings,
    /// `--dry-run`: check the configuration, print it, and end.
    pub(crate) dry_run: bool,
}

const RUNNING: &str = "Running";

/// The world around the command line, to be replaced in tests.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// An environment variable that is set to something.
    pub(crate) env: &'a dyn Fn(&str) -> Option<String>,
    /// True for a file that exists.
    pub(crate) exists: &'a dyn Fn(&Path) -> bool,
}

/// Answers a command line without arguments with their list, unless the environment stands in for them.
///
/// # Errors
/// With that list.
pub(crate) fn check_asked(
    args: &[OsString],
    command: &mut Command,
    around: Surroundings<'_>,
) -> Result<(), Exit> {
    if args.len() > 1 || FLAGS.iter().any(|flag| (around.env)(flag.env).is_some()) {
        return Ok(());
    }
    let text = command.render_help().to_string();
    Err(Exit { code: code::NO_ARGUMENTS, to_stdout: true, text })
}

/// Reads the parameters of [`command`], with the environment for those that are absent.
///
/// # Errors
/// With what is missing or cannot be understood.
pub(crate) fn invocation(matches: &ArgMatches, around: Surroundings<'_>) -> Result<Invocation, Exit> {
    let sources = sources(matches, around);
    check_required(&sources)?;
    let log = LogSettings::from_matches(matches, around.env)?;
    Ok(Invocation { sources, log, dry_run: matches.get_flag("dry-run") })
}

/// The command `replicator` without its verbs.
pub(crate) fn command() -> Command {
    Command::new("replicator")
        .version(env!("CARGO_PKG_VERSION"))
        .about(help::ABOUT)
        .after_help(format!("{}{}", help::AFTER, exit::listing(Executable::Replicator)))
        .styles(Styles::plain())
        .args_override_self(true)
        .max_term_width(110)
        .args(FLAGS.iter().map(argument))
        .arg(
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .help_heading(RUNNING)
                .help("Check the configuration, print every setting with where it came from, and end"),
        )
        .args(log::arguments().map(|argument| argument.help_heading(RUNNING)))
}

fn argument(flag: &'static Flag) -> Arg {
    let arg = Arg::new(flag.name)
        .long(flag.name)
        .value_name(flag.value_name)
        .help_heading(flag.heading)
        .help(&flag.help);
    match flag.kind {
        Kind::File(_) | Kind::Value => arg.action(ArgAction::Set),
        Kind::List => arg.action(ArgAction::Append),
        Kind::Switch => arg.num_args(0..=1).default_missing_value("true"),
    }
}

fn sources(matches: &ArgMatches, around: Surroundings<'_>) -> Sources {
    let named = |name: &str| matches.contains_id(name);
    let by_environment = !named("consumer.config") && !named("producer.config");
    let mut sources = Sources::default();
    for flag in FLAGS.iter() {
        let given = given(flag, matches, around);
        if let Kind::File(well_known) = flag.kind {
            let default = by_environment.then(|| Path::new(well_known)).filter(|path| (around.exists)(path));
            let default = default.map(|path| ConfigFile { path: path.into(), named_by: Source::Default });
            let file = given.map(|(path, named_by)| ConfigFile { path: path.into(), named_by }).or(default);
            *file_slot(&mut sources, flag.name) = file;
        } else if let Some((value, source)) = given {
            sources.settings.push(Setting { key: flag.key.to_owned(), value, source });
        }
    }
    sources.default_cluster_id = by_environment.then(|| "replicator".to_owned());
    sources
}

/// The parameter's value, else its environment variable's.
fn given(flag: &Flag, matches: &ArgMatches, around: Surroundings<'_>) -> Option<(String, Source)> {
    match matches.get_many::<String>(flag.name) {
        Some(values) => {
            let all: Vec<&str> = values.map(String::as_str).collect();
            Some((all.join(","), Source::Flag(flag.name.to_owned())))
        }
        None => (around.env)(flag.env).map(|value| (value, Source::Env(flag.env.to_owned()))),
    }
}

fn file_slot<'a>(sources: &'a mut Sources, name: &str) -> &'a mut Option<ConfigFile> {
    match name {
        "consumer.config" => &mut sources.consumer,
        "producer.config" => &mut sources.producer,
        "consumer.monitoring.config" => &mut sources.consumer_monitoring,
        "producer.monitoring.config" => &mut sources.producer_monitoring,
        _ => &mut sources.replication,
    }
}

/// Refuses a command line that lacks a file; what may also stand in the replication file is left for the configuration to miss.
fn check_required(sources: &Sources) -> Result<(), Exit> {
    let in_file = sources.replication.is_some();
    let id = sources.default_cluster_id.is_some() || sources.settings.iter().any(|s| s.key == "cluster.id");
    let missing: Vec<&str> = [
        (sources.consumer.is_none() && !in_file, "--consumer.config <FILE>"),
        (sources.producer.is_none() && !in_file, "--producer.config <FILE>"),
        (!id && !in_file, "--cluster.id <NAME>"),
    ]
    .into_iter()
    .filter_map(|(missing, name)| missing.then_some(name))
    .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Exit::usage(&format!("required and not given: {}", missing.join(", "))))
}
