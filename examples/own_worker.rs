//! A worker with connectors of one's own, as `docs/WRITING_CONNECTORS.md` explains it.
//!
//!     cargo run --example own_worker -- config/connect-distributed.properties

#[path = "../crates/connect-plugins/examples/folder_connectors/sink.rs"]
mod sink;
#[path = "../crates/connect-plugins/examples/folder_connectors/source.rs"]
mod source;

use std::process::ExitCode;
use std::sync::Arc;

use replicator_appliance::connect::{self, Plugins};
use sink::FolderSink;
use source::FolderSource;

fn main() -> ExitCode {
    connect::distributed_with(std::env::args_os(), |plugins: Plugins| {
        plugins.with_connector(Arc::new(FolderSource)).with_connector(Arc::new(FolderSink))
    })
}
