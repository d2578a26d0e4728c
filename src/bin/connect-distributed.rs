//! The `connect-distributed` executable: a Kafka Connect worker that shares its work with others of its group.

use std::process::ExitCode;

use replicator_appliance::connect;

fn main() -> ExitCode {
    connect::distributed(std::env::args_os())
}
