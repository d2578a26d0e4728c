//! The life of the `replicator` process: read the configuration, start, say so, copy until told to stop, drain.

use std::process::ExitCode;
use std::time::Instant;

use connect_core::connect::StartError as WorkerError;
use replicator::config::{self, NoticeLevel, ReplicatorConfig};
use replicator::{StartError, Worker};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info, warn};

use crate::cli::{Exit, Invocation, code};
use crate::console::Console;
use crate::{progress, summary};

/// Version of the product, as REST and `--version` show it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Exit code after a second signal, as shells give it for an interrupt.
pub(crate) const INTERRUPTED: u8 = 130;

/// Runs the replicator to its end.
pub fn replicator(invocation: Invocation) -> ExitCode {
    let config = match config::load(&invocation.sources) {
        Ok(config) => config,
        Err(error) => return Exit::config(&error).print(),
    };
    if invocation.dry_run {
        return Exit::answer(config.listing()).print();
    }
    let console = Console::start(&invocation.log);
    for notice in &config.notices {
        match notice.level {
            NoticeLevel::Warning => warn!("{notice}"),
            NoticeLevel::Info => info!("{notice}"),
        }
    }
    on_runtime(live(config, console))
}

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

async fn live(config: ReplicatorConfig, console: Console) -> u8 {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => {
            error!("signals cannot be received: {error}");
            return code::INTERNAL;
        }
    };
    info!("replicator {VERSION} starts");
    let worker = tokio::select! {
        started = Worker::start(config.clone(), VERSION) => match started {
            Ok(worker) => worker,
            Err(error) => {
                error!("the replicator cannot start: {error}");
                return exit_code(&error);
            }
        },
        name = signals.next() => {
            info!("{name} before the start was complete: nothing was copied");
            return code::OK;
        }
    };
    summary::log(&config, &worker.monitor());
    let telling = tokio::spawn(progress::tell(console.clone(), worker.monitor()));
    let name = signals.next().await;
    telling.abort();
    console.clear();
    stop(worker, name, signals).await
}

/// Drains; a second signal ends at once.
async fn stop(worker: Worker, name: &str, mut signals: Signals) -> u8 {
    info!("{name}: reading no more, delivering and committing what was read (again to end at once)");
    let started = Instant::now();
    let monitor = worker.monitor();
    tokio::select! {
        report = worker.stop() => {
            let totals = monitor.totals();
            info!(
                "stopped in {:.1} s: {} records drained, {} copied since the start",
                started.elapsed().as_secs_f64(), report.drained_records, totals.records
            );
            for task in &report.abandoned {
                warn!("task {task} did not stop in time (task.shutdown.graceful.timeout.ms)");
            }
            code::OK
        }
        name = signals.next() => {
            warn!("{name} again: ending at once; what was not committed will be copied again");
            INTERRUPTED
        }
    }
}

pub(crate) fn exit_code(error: &StartError) -> u8 {
    match error {
        StartError::Worker(WorkerError::Rest(_)) => code::UNAVAILABLE,
        StartError::Worker(WorkerError::Cluster(e)) if e.is_retriable() => code::UNAVAILABLE,
        _ => code::CONFIG,
    }
}

/// What asks a process to stop.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
