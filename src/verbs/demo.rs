//! `replicator demo`: the demo with its log on standard error.

use std::process::ExitCode;

use crate::demo::{self, DemoOptions};
use crate::process::console::Console;
use crate::process::life::on_runtime;
use crate::process::log::{LogFormat, LogSettings};

/// Runs the demo to its end.
pub(super) fn run(options: DemoOptions) -> ExitCode {
    let console =
        Console::start(&LogSettings { format: LogFormat::Text, filter: options.log_filter.clone() });
    on_runtime(async move { demo::live(&options, &console).await })
}
