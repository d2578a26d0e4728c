//! The command line of `replicator demo`.

use std::ffi::OsString;

use clap::{Parser, ValueEnum as _};

use super::scenario::Scenario;
use crate::cli::{Exit, code};

/// What the demo is asked to do.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "replicator demo",
    about = "Two embedded Kafka clusters and the replicator between them, with nothing to install",
    after_help = AFTER,
    args_override_self = true,
    max_term_width = 110
)]
pub struct DemoOptions {
    /// End by itself after this many seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) seconds: Option<u64>,

    /// Records written per second, over all topics
    #[arg(long, value_name = "RECORDS", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub(super) rate: u32,

    /// Let something go wrong, again and again, and see what the replicator does
    #[arg(long, value_name = "NAME", value_enum)]
    pub(super) fault: Option<Scenario>,

    /// Port of the origin; a free one is taken if it is in use
    #[arg(long, value_name = "PORT", default_value_t = 9082)]
    pub(super) origin_port: u16,

    /// Port of the destination; a free one is taken if it is in use
    #[arg(long, value_name = "PORT", default_value_t = 9092)]
    pub(super) destination_port: u16,

    /// Port of the REST interface; a free one is taken if it is in use
    #[arg(long, value_name = "PORT", default_value_t = 8083)]
    pub(super) rest_port: u16,

    /// How much to log: error, warn, info, debug, trace, or by module as in RUST_LOG
    #[arg(long = "log-level", value_name = "LEVEL", default_value = "warn,replicator_appliance=info")]
    pub(super) log_filter: String,
}

const AFTER: &str = "\
Examples:
  replicator demo                            until Ctrl-C
  replicator demo --seconds 10               ends by itself, and compares both sides
  replicator demo --fault broker-restart     the destination's broker is killed and comes back

The clusters are in memory and forget everything at the end. They are for trying and testing, not for production.
";

/// Understands the arguments behind `replicator demo`.
///
/// # Errors
/// With what to print instead of starting: help, or what was not understood.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<DemoOptions, Exit> {
    let name = OsString::from("replicator demo");
    let options = DemoOptions::try_parse_from(std::iter::once(name).chain(args)).map_err(|error| {
        let text = error.render().to_string();
        match error.use_stderr() {
            true => Exit { code: code::USAGE, text, to_stdout: false },
            false => Exit::answer(text),
        }
    })?;
    match tracing_subscriber::EnvFilter::try_new(&options.log_filter) {
        Ok(_) => Ok(options),
        Err(error) => Err(Exit::usage(&format!("invalid value for --log-level: {error}"))),
    }
}

impl std::fmt::Display for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<DemoOptions, Exit> {
        super::parse(args.iter().map(OsString::from))
    }

    #[test]
    fn defaults_are_the_well_known_ports() {
        let options = parse(&[]).unwrap();
        assert_eq!((options.origin_port, options.destination_port, options.rest_port), (9082, 9092, 8083));
        assert_eq!((options.seconds, options.fault), (None, None));
    }

    #[test]
    fn faults_have_names_and_unknown_ones_list_them() {
        assert_eq!(parse(&["--fault", "slow-link"]).unwrap().fault, Some(Scenario::SlowLink));
        let refused = parse(&["--fault", "earthquake"]).unwrap_err();
        assert_eq!((refused.code, refused.to_stdout), (code::USAGE, false));
        assert!(refused.text.contains("broker-restart") && refused.text.contains("truncate-origin"));
    }

    #[test]
    fn nonsense_is_refused_before_anything_starts() {
        for args in [
            &["--seconds", "0"][..],
            &["--rate", "0"],
            &["--log-level", "a=b=c"],
            &["--origin-port", "70000"],
        ] {
            assert_eq!(parse(args).unwrap_err().code, code::USAGE, "{args:?}");
        }
        assert_eq!(parse(&["--help"]).unwrap_err().code, code::OK);
    }
}
