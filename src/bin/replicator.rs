//! The `replicator` executable: copies topics from an origin Kafka cluster to a destination.

use std::process::ExitCode;

use replicator_appliance::{cli, run};

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(invocation) => run::replicator(invocation),
        Err(exit) => exit.print(),
    }
}
