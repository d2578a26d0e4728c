//! The `replicator` executable: copies topics from an origin Kafka cluster to a destination.

use std::process::ExitCode;

use replicator_appliance::verbs;

fn main() -> ExitCode {
    verbs::replicator(std::env::args_os())
}
