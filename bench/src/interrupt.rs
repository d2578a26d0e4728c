//! Ctrl-C and SIGTERM end the benchmark in order: copiers and brokers stop, memory that holds their data is given back.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Listens for both signals.
pub(crate) fn install(runtime: &Runtime) {
    runtime.spawn(async {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        ASKED.store(true, Ordering::Release);
    });
}

/// Whether the benchmark was asked to end.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Acquire)
}

/// An error when the benchmark was asked to end; every loop that waits calls it.
pub(crate) fn check() -> Result<()> {
    if asked() {
        bail!("interrupted");
    }
    Ok(())
}
