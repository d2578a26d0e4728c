//! The `connect-standalone` executable: a Kafka Connect worker alone, with its offsets in a file.

use std::process::ExitCode;

use replicator_appliance::connect;

fn main() -> ExitCode {
    connect::standalone(std::env::args_os())
}
