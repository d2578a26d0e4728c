//! The `replicator` executable: copies topics from an origin Kafka cluster to a destination.

use std::process::ExitCode;

use replicator_appliance::{cli, demo, run};

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == "demo") {
        return match demo::parse(args) {
            Ok(options) => demo::run(options),
            Err(exit) => exit.print(),
        };
    }
    match cli::parse(std::env::args_os()) {
        Ok(invocation) => run::replicator(invocation),
        Err(exit) => exit.print(),
    }
}
