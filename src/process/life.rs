//! The life of a process: threads to run on, and an end in order that a second signal cuts short.

use std::process::ExitCode;

use tracing::{error, warn};

use super::exit::code;
use super::signals::Signals;

/// Version of the product, as REST and `--version` show it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs a process's future to its end, which is an exit code.
pub(crate) fn on_runtime(life: impl Future<Output = u8>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(life);
            // Threads that hang in a connection do not keep a process that has said that it is done.
            runtime.shutdown_background();
            ExitCode::from(code)
        }
        Err(error) => {
            error!("no threads to run on: {error}");
            ExitCode::from(code::INTERNAL)
        }
    }
}

/// Waits for the end in order; a second signal ends at once, with `lost` told about what that means.
pub(crate) async fn end(in_order: impl Future<Output = ()>, mut signals: Signals, lost: &str) -> u8 {
    tokio::select! {
        () = in_order => code::OK,
        name = signals.next() => {
            warn!("{name} again: ending at once{lost}");
            code::INTERRUPTED
        }
    }
}

/// Warns of tasks that did not stop within their time.
pub(crate) fn warn_of_abandoned(tasks: &[impl std::fmt::Display]) {
    for task in tasks {
        warn!("task {task} did not stop in time (task.shutdown.graceful.timeout.ms)");
    }
}
