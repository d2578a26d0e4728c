//! The command line of `replicator demo`.

use clap::{ArgMatches, Args, Command, FromArgMatches as _, ValueEnum};

use crate::process::exit::{Exit, code};

/// Two embedded Kafka clusters and the replicator between them, with nothing to install
#[derive(Debug, Clone, Args)]
pub(crate) struct DemoOptions {
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
    pub(crate) log_filter: String,
}

const AFTER: &str = "\
Examples:
  replicator demo                            until Ctrl-C
  replicator demo --seconds 10               ends by itself, and compares both sides
  replicator demo --fault broker-restart     the destination's broker is killed and comes back

The clusters are in memory and forget everything at the end. They are for trying and testing, not for production.
";

impl DemoOptions {
    /// Name of the verb.
    pub(crate) const VERB: &str = "demo";

    /// The verb with its parameters.
    pub(crate) fn command() -> Command {
        let command = Command::new(Self::VERB).after_help(AFTER).args_override_self(true).max_term_width(110);
        Self::augment_args(command)
    }

    /// Reads the parameters of [`DemoOptions::command`].
    ///
    /// # Errors
    /// With what cannot be understood.
    pub(crate) fn from_matches(matches: &ArgMatches) -> Result<Self, Exit> {
        let options = Self::from_arg_matches(matches).map_err(|e| Exit::from_clap(&e, code::USAGE))?;
        match tracing_subscriber::EnvFilter::try_new(&options.log_filter) {
            Ok(_) => Ok(options),
            Err(error) => Err(Exit::usage(&format!("invalid value for --log-level: {error}"))),
        }
    }
}

/// A fault that is played again and again, or once where the replicator stops at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Scenario {
    /// The destination's broker is killed and comes back
    BrokerRestart,
    /// The origin's broker is killed and comes back
    OriginRestart,
    /// Leaders move between two brokers on both sides
    LeaderMove,
    /// The link to the destination becomes slow and narrow
    SlowLink,
    /// The destination stores batches, but its answers do not arrive for a while
    CutLink,
    /// The destination stores batches, and connections break before it answers
    LostAnswers,
    /// The destination asks for pauses (a quota)
    Throttle,
    /// The destination answers with errors that pass
    Errors,
    /// The origin loses its newest records, as after an unclean election
    TruncateOrigin,
    /// A topic is deleted at the origin and created again under its name
    RecreateTopic,
    /// Records are deleted at the origin before they are copied
    DeleteRecords,
    /// A batch is damaged at the origin before it is copied
    Corrupt,
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
        let name = std::iter::once(&DemoOptions::VERB);
        let matches = DemoOptions::command().try_get_matches_from(name.chain(args));
        DemoOptions::from_matches(&matches.map_err(|e| Exit::from_clap(&e, code::USAGE))?)
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
