//! Signals that ask a process to stop: SIGINT and SIGTERM. The first one asks for an end in order, a second one for an
//! end at once (see [`super::life`]).

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::error;

/// The signals that a process has asked to be told of.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Has the signals delivered here from now on.
    ///
    /// # Errors
    /// If the system refuses that.
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// [`Signals::new`] with the error logged.
    pub(crate) fn or_log() -> Option<Self> {
        Self::new().inspect_err(|error| error!("signals cannot be received: {error}")).ok()
    }

    /// Waits for the next signal, and names it.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
