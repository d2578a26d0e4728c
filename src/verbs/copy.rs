//! `replicator` without a verb: read the configuration, start, say so, copy until told to stop, drain.

use std::process::ExitCode;
use std::time::Instant;

use replicator::Worker;
use replicator::config::{self, NoticeLevel, ReplicatorConfig};
use tracing::{error, info, warn};

use crate::cli::Invocation;
use crate::process::console::Console;
use crate::process::exit::{Exit, code};
use crate::process::life::{self, VERSION, on_runtime};
use crate::process::signals::Signals;
use crate::{progress, start, summary};

/// Runs the replicator to its end.
pub(super) fn run(invocation: &Invocation) -> ExitCode {
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

async fn live(config: ReplicatorConfig, console: Console) -> u8 {
    let Some(mut signals) = Signals::or_log() else { return code::INTERNAL };
    info!("replicator {VERSION} starts");
    let worker = tokio::select! {
        started = Worker::start(config.clone(), VERSION) => match started {
            Ok(worker) => worker,
            Err(error) => {
                error!("the replicator cannot start: {error}");
                return start::exit_code(&error);
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
async fn stop(worker: Worker, name: &str, signals: Signals) -> u8 {
    info!("{name}: reading no more, delivering and committing what was read (again to end at once)");
    let started = Instant::now();
    let monitor = worker.monitor();
    let drained = async {
        let report = worker.stop().await;
        let totals = monitor.totals();
        info!(
            "stopped in {:.1} s: {} records drained, {} copied since the start",
            started.elapsed().as_secs_f64(),
            report.drained_records,
            totals.records
        );
        life::warn_of_abandoned(&report.abandoned);
    };
    life::end(drained, signals, "; what was not committed will be copied again").await
}
