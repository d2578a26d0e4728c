//! The life of a worker's process: read the properties, start, work until told to stop, stop.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use connect_core::api::ConfigMap;
use connect_core::config::{Mode, Properties, WorkerConfig};
use connect_core::connect::{Build, Connect, Standalone, StartError};
use connect_core::herder::standalone::files;
use connect_core::plugins::Plugins;
use connect_core::rest::CreateConnector;
use connect_core::storage::StorageError;
use connect_core::worker::StopReport;
use tracing::{error, info};

use super::cli::Invocation;
use crate::process::console::Console;
use crate::process::exit::{Exit, code, worker_code};
use crate::process::life::{self, VERSION, on_runtime};
use crate::process::signals::Signals;

pub(super) fn distributed(invocation: &Invocation, add: impl FnOnce(Plugins) -> Plugins) -> ExitCode {
    run(invocation, Mode::Distributed, |properties| async { group(properties, add).await })
}

pub(super) fn standalone(invocation: &Invocation, add: impl FnOnce(Plugins) -> Plugins) -> ExitCode {
    let files = invocation.connectors.clone();
    run(invocation, Mode::Standalone, |properties| async move { alone(properties, &files, add).await })
}

fn run<F: Future<Output = u8>>(
    invocation: &Invocation,
    mode: Mode,
    life: impl FnOnce(ConfigMap) -> F,
) -> ExitCode {
    let properties = match read(&invocation.worker) {
        Ok(properties) => properties,
        Err(exit) => return exit.print(),
    };
    if invocation.dry_run {
        return dry_run(mode, properties).print();
    }
    Console::start(&invocation.log);
    on_runtime(life(properties))
}

fn read(path: &Path) -> Result<ConfigMap, Exit> {
    let unreadable = |e: &dyn std::fmt::Display| {
        Exit::error(worker_code::CONFIG, format!("error: {}: cannot be read: {e}\n", path.display()))
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
        Err(error) => Exit::error(worker_code::CONFIG, format!("error: {error}\n")),
    }
}

/// The plugins of a worker, with what they show by REST: those that come along, the replicator's connector, and with
/// `CONNECT_TEST_PLUGINS=1` those for tests of workers.
fn plugins() -> (Plugins, Build) {
    let test = std::env::var(connect_plugins::connectors::TEST_PLUGINS_VARIABLE).ok();
    let all = connect_plugins::connectors::plugins_for(test.as_deref());
    let (replicator, monitors) = replicator::plugin(None, replicator::tcp(), VERSION);
    let plugins =
        all.into_iter().fold(Plugins::default().with(connect_plugins::all()), Plugins::with_connector);
    let plugins = replicator::register(plugins, replicator);
    (
        plugins,
        Build {
            routes: replicator::monitoring::routes(monitors),
            resolve_brokers: true,
            ..Build::new(VERSION)
        },
    )
}

async fn group(properties: ConfigMap, add: impl FnOnce(Plugins) -> Plugins) -> u8 {
    let Some(mut signals) = Signals::or_log() else { return code::INTERNAL };
    let begun = Instant::now();
    info!("connect-distributed {VERSION} starts");
    let (plugins, build) = plugins();
    let connect = tokio::select! {
        connect = Connect::distributed(properties, add(plugins), build) => match connect {
            Ok(connect) => connect,
            Err(reason) => return failed(&reason),
        },
        name = signals.next() => return interrupted(name),
    };
    info!("REST answers after {:.2} s", begun.elapsed().as_secs_f64());
    let name = signals.next().await;
    stopped(name, connect.stop(), signals).await
}

async fn alone(properties: ConfigMap, files: &[PathBuf], add: impl FnOnce(Plugins) -> Plugins) -> u8 {
    let Some(mut signals) = Signals::or_log() else { return code::INTERNAL };
    info!("connect-standalone {VERSION} starts");
    let (plugins, build) = plugins();
    let standalone = tokio::select! {
        standalone = Standalone::start(properties, add(plugins), build) => match standalone {
            Ok(standalone) => standalone,
            Err(reason) => return failed(&reason),
        },
        name = signals.next() => return interrupted(name),
    };
    let created = tokio::select! {
        created = create(&standalone, files) => created,
        name = signals.next() => return stopped(name, standalone.stop(), signals).await,
    };
    if let Err(reason) = created {
        error!("{reason}");
        standalone.stop().await;
        return worker_code::CONNECTOR;
    }
    standalone.herder().set_ready();
    let name = signals.next().await;
    stopped(name, standalone.stop(), signals).await
}

/// Creates the connectors of the command line.
async fn create(standalone: &Standalone, files: &[PathBuf]) -> Result<(), String> {
    for path in files {
        let shown = path.display();
        let CreateConnector { name, config, initial_state } =
            files::read(path).map_err(|e| format!("{shown} cannot be used: {e}"))?;
        let created = standalone.herder().create(&name, config, initial_state).await;
        created.map_err(|e| format!("cannot create connector {name} from {shown}: {e}"))?;
        info!("created connector {name}");
    }
    Ok(())
}

fn failed(reason: &StartError) -> u8 {
    error!("the worker cannot start: {reason}");
    match reason {
        StartError::Storage(StorageError::CleanupPolicy { .. } | StorageError::PartitionCount { .. }) => {
            worker_code::STORAGE
        }
        _ => worker_code::CONFIG,
    }
}

fn interrupted(name: &str) -> u8 {
    info!("{name} before the start was complete");
    code::OK
}

/// Stops; a second signal ends at once.
async fn stopped(name: &str, stop: impl Future<Output = StopReport>, signals: Signals) -> u8 {
    info!("{name}: stopping connectors and tasks (again to end at once)");
    let in_order = async {
        life::warn_of_abandoned(&stop.await.abandoned);
        info!("stopped");
    };
    life::end(in_order, signals, "").await
}
