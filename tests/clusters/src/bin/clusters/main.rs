//! `scripts/clusters` and `scripts/kafka`: a detached pair of real clusters, and Kafka's own tools.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line: results on stdout, progress on stderr"
)]

mod pair;

use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kafka_clusters::{Release, tools};

use crate::pair::{Pair, Ports};

/// Two real Kafka clusters on this machine: an origin and a destination for the replicator.
#[derive(Parser)]
#[command(name = "scripts/clusters", after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

const AFTER_HELP: &str = "\
The first start fetches Kafka 3.9.2 and 4.3.0 with Maven (60 MB each). Java 17 is needed.
Jars, data and logs are kept in .clusters (or KAFKA_CLUSTERS_HOME).";

#[derive(Subcommand)]
enum Action {
    /// Start both clusters and leave them running; what runs already is left alone
    Up {
        /// Which kind of cluster is on which side; ZooKeeper is Kafka 3.9.2, KRaft is 4.3.0
        #[arg(long, value_enum, default_value_t = Pair::ZkToKraft)]
        pair: Pair,
        /// The origin's port on 127.0.0.1
        #[arg(long, value_name = "PORT", default_value_t = 9082)]
        origin_port: u16,
        /// The destination's port on 127.0.0.1
        #[arg(long, value_name = "PORT", default_value_t = 9092)]
        destination_port: u16,
    },
    /// Stop both clusters
    Down {
        /// Remove their data, too
        #[arg(long)]
        wipe: bool,
    },
    /// Show what runs; exit code 1 unless both are up
    Status,
    /// Run one of Kafka's own tools (this is scripts/kafka)
    #[command(hide = true, disable_help_flag = true)]
    Kafka {
        /// The tool, its arguments, and anywhere among them --kafka-version 3.9.2 or 4.3.0 (default)
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().action {
        Action::Up { pair, origin_port, destination_port } => {
            pair::up(pair, Ports { origin: origin_port, destination: destination_port })
        }
        Action::Down { wipe } => pair::down(wipe),
        Action::Status => pair::status(),
        Action::Kafka { arguments } => kafka(arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}

/// Becomes the tool: streams, signals and exit code are its own.
fn kafka(mut arguments: Vec<String>) -> anyhow::Result<ExitCode> {
    let release = take_version(&mut arguments)?;
    if arguments.is_empty() || ["--help", "-h", "help"].contains(&arguments[0].as_str()) {
        println!("scripts/kafka TOOL [--kafka-version 3.9.2|4.3.0] ARGUMENTS…\n\nTools:");
        tools::names().iter().for_each(|name| println!("  {name}"));
        return Ok(ExitCode::SUCCESS);
    }
    let name = arguments.remove(0);
    tools::check(&name)?;
    let distribution = pair::prepare(release)?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = tools::command(&distribution, &name, &arguments)?;
    Err(anyhow::Error::new(command.exec()).context("cannot start java"))
}

fn take_version(arguments: &mut Vec<String>) -> anyhow::Result<Release> {
    const FLAG: &str = "--kafka-version";
    let Some(at) = arguments.iter().position(|argument| argument.split('=').next() == Some(FLAG)) else {
        return Ok(Release::V4_3_0);
    };
    let flag = arguments.remove(at);
    let value = match flag.split_once('=') {
        Some((_, value)) => value.to_owned(),
        None if at < arguments.len() => arguments.remove(at),
        None => anyhow::bail!("{FLAG} needs a value: 3.9.2 or 4.3.0"),
    };
    value.parse().map_err(anyhow::Error::msg)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_taken_from_anywhere_and_the_rest_is_left() {
        let list = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for given in
            ["--kafka-version 3.9.2 t --a", "t --kafka-version=3.9.2 --a", "t --a --kafka-version 3.9.2"]
        {
            let mut arguments = list(given);
            assert_eq!(take_version(&mut arguments).unwrap(), Release::V3_9_2);
            assert_eq!(arguments, list("t --a"));
        }
        assert!(take_version(&mut list("t --kafka-version")).is_err());
        assert!(take_version(&mut list("t --kafka-version 1.0")).is_err());
    }

    #[test]
    fn the_command_line_is_consistent() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }
}
