//! The life of a worker's process: read the properties, start, work until told to stop, stop.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use connect_core::api::ConfigMap;
use connect_core::config::{Mode, Properties, WorkerConfig};
use connect_core::connect::{Build, Connect, StartError};
use connect_core::plugins::Plugins;
use connect_core::storage::StorageError;
use tracing::{error, info, warn};

use super::cli::Invocation;
use crate::cli::{Exit, code};
use crate::console::Console;
use crate::run::{INTERRUPTED, Signals, VERSION, on_runtime};

/// Properties that cannot be used, or a worker that cannot start.
const CONFIG: u8 = 2;
/// A storage topic that cannot serve.
const STORAGE: u8 = 1;

pub(super) fn distributed(invocation: &Invocation) -> ExitCode {
    let properties = match read(&invocation.worker) {
        Ok(properties) => properties,
        Err(exit) => return exit.print(),
    };
    if invocation.dry_run {
        return dry_run(Mode::Distributed, properties).print();
    }
    Console::start(&invocation.log);
    on_runtime(live(properties))
}

fn read(path: &Path) -> Result<ConfigMap, Exit> {
    let unreadable = |e: &dyn std::fmt::Display| Exit {
        code: CONFIG,
        text: format!("error: {}: cannot be read: {e}\n", path.display()),
        to_stdout: false,
    };
    let properties = Properties::read(path).map_err(|e| unreadable(&e))?;
    Ok(properties.effective().into_iter().map(|p| (p.key.clone(), p.value.trim().to_owned())).collect())
}

fn dry_run(mode: Mode, properties: ConfigMap) -> Exit {
    match WorkerConfig::new(mode, properties) {
        Ok(config) => {
            let unused = config.unused();
            let line = |(key, value): (&str, &str)| {
                let note = if unused.contains(&key) { "  # not known, no effect" } else { "" };
                format!("{key}={}{note}\n", value.escape_debug())
            };
            Exit::answer(config.shown().into_iter().map(line).collect())
        }
        Err(error) => Exit { code: CONFIG, text: format!("error: {error}\n"), to_stdout: false },
    }
}

/// The plugins of a worker: those that come along, the replicator's connector, and with `CONNECT_TEST_PLUGINS=1` those for
/// tests of workers.
fn plugins() -> Plugins {
    let test = std::env::var(connect_plugins::connectors::TEST_PLUGINS_VARIABLE).ok();
    let all = connect_plugins::connectors::plugins_for(test.as_deref());
    all.into_iter().fold(Plugins::builtin(), Plugins::with_connector)
}

async fn live(properties: ConfigMap) -> u8 {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(reason) => {
            error!("signals cannot be received: {reason}");
            return code::INTERNAL;
        }
    };
    let started = Instant::now();
    info!("connect-distributed {VERSION} starts");
    let connect = tokio::select! {
        connect = Connect::distributed(properties, plugins(), Build::new(VERSION)) => match connect {
            Ok(connect) => connect,
            Err(reason) => {
                error!("the worker cannot start: {reason}");
                return exit_code(&reason);
            }
        },
        name = signals.next() => {
            info!("{name} before the start was complete");
            return code::OK;
        }
    };
    info!("REST answers after {:.2} s", started.elapsed().as_secs_f64());
    let name = signals.next().await;
    info!("{name}: stopping connectors and tasks (again to end at once)");
    tokio::select! {
        report = connect.stop() => {
            for task in &report.abandoned {
                warn!("task {task} did not stop in time (task.shutdown.graceful.timeout.ms)");
            }
            info!("stopped");
            code::OK
        }
        name = signals.next() => {
            warn!("{name} again: ending at once");
            INTERRUPTED
        }
    }
}

fn exit_code(error: &StartError) -> u8 {
    match error {
        StartError::Storage(StorageError::CleanupPolicy { .. } | StorageError::PartitionCount { .. }) => STORAGE,
        _ => CONFIG,
    }
}
