//! The command line of the `replicator` executable: upstream's parameters and quirks. Booleans may stand bare, values
//! may follow `=` or a blank, environment variables stand in for absent parameters.

use std::ffi::OsString;
use std::path::Path;

use clap::builder::{PossibleValuesParser, Styles};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};
use replicator::config::{ConfigFile, Setting, Source, Sources};

use super::exit::{Exit, code};
use super::flags::{FLAGS, Flag, Kind};
use super::help;
use super::log::{self, LogFormat, LogSettings};

/// A command line that was understood.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// For [`replicator::config::load`].
    pub sources: Sources,
    /// How to log.
    pub log: LogSettings,
    /// `--dry-run`: check the configuration, print it, and end.
    pub dry_run: bool,
}

/// The world around the command line, to be replaced in tests.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// An environment variable that is set to something.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a file exists.
    pub exists: &'a dyn Fn(&Path) -> bool,
}

/// Understands `args`, the first of which is the program's name, in the process's own environment.
///
/// # Errors
/// With what to print instead of starting: help, version, or what was not understood.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, Exit> {
    let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let exists = |path: &Path| path.exists();
    parse_in(args, Surroundings { env: &env, exists: &exists })
}

/// [`parse`] with the environment as a parameter.
///
/// # Errors
/// As [`parse`].
pub fn parse_in(
    args: impl IntoIterator<Item = OsString>,
    around: Surroundings<'_>,
) -> Result<Invocation, Exit> {
    let args: Vec<OsString> = args.into_iter().collect();
    if args.len() <= 1 && !FLAGS.iter().any(|flag| (around.env)(flag.env).is_some()) {
        let text = command().render_help().to_string();
        return Err(Exit { code: code::NO_ARGUMENTS, text, to_stdout: true });
    }
    let matches = command().try_get_matches_from(args).map_err(|error| from_clap(&error))?;
    let sources = sources(&matches, around);
    check_required(&sources)?;
    let format = match matches.get_one::<String>("log-format").map(String::as_str) {
        Some("json") => LogFormat::Json,
        _ => LogFormat::Text,
    };
    let level = matches.get_one::<String>("log-level").map(String::as_str);
    Ok(Invocation {
        sources,
        log: LogSettings { format, filter: log::filter(level, &around)? },
        dry_run: matches.get_flag("dry-run"),
    })
}

fn command() -> Command {
    Command::new("replicator")
        .version(env!("CARGO_PKG_VERSION"))
        .about(help::ABOUT)
        .after_help(help::AFTER)
        .styles(Styles::plain())
        .args_override_self(true)
        .max_term_width(110)
        .args(FLAGS.iter().map(argument))
        .args([
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .help_heading("Running")
                .help("Check the configuration, print every setting with where it came from, and end"),
            Arg::new("log-format")
                .long("log-format")
                .value_name("FORMAT")
                .value_parser(PossibleValuesParser::new(["text", "json"]))
                .help_heading("Running")
                .help("Format of log lines on standard error [default: text]"),
            Arg::new("log-level")
                .long("log-level")
                .value_name("LEVEL")
                .help_heading("Running")
                .help("How much to log: error, warn, info, debug, trace, or as RUST_LOG [default: info]"),
        ])
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

/// Help and version are answers; everything else is a usage error, to which clap adds what may have been meant.
fn from_clap(error: &clap::Error) -> Exit {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::answer(text),
        _ => Exit { code: code::USAGE, text, to_stdout: false },
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

/// Whatever may also stand in the replication file is left for the configuration to miss.
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
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Exit::usage(&format!("required and not given: {}", missing.join(", ")))),
    }
}
