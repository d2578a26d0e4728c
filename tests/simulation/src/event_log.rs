//! The event log of a run: what was drawn, what was done, what was seen, and everything that the replicator logs, each
//! with its simulated time. Two runs of one number write the same bytes.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// The log. Clones write to the same one.
#[derive(Debug, Clone, Default)]
pub struct EventLog(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    text: String,
    now: Duration,
}

impl EventLog {
    /// Adds a line under the present simulated time.
    pub fn say(&self, who: &str, what: impl AsRef<str>) {
        let mut lines = self.lines();
        if let Some(now) = turmoil::sim_elapsed() {
            lines.now = lines.now.max(now);
        }
        let now = lines.now.as_secs_f64();
        for line in what.as_ref().lines() {
            // Writing to a string cannot fail.
            let _ = writeln!(lines.text, "{now:9.3} {who:<12} {line}");
        }
    }

    /// Simulated time since the start, also outside of hosts.
    pub fn now(&self) -> Duration {
        let mut lines = self.lines();
        if let Some(now) = turmoil::sim_elapsed() {
            lines.now = lines.now.max(now);
        }
        lines.now
    }

    /// Notes the time, for whoever writes outside of hosts.
    pub fn set_now(&self, now: Duration) {
        let mut lines = self.lines();
        lines.now = lines.now.max(now);
    }

    /// Everything so far.
    pub fn text(&self) -> String {
        self.lines().text.clone()
    }

    /// Takes in what the product logs through `tracing`. Once for each process. `SIMULATION_LOG` changes what is
    /// wanted, as `RUST_LOG` does elsewhere.
    pub fn listen(&self) {
        let wanted = std::env::var("SIMULATION_LOG");
        let wanted = wanted.as_deref().unwrap_or("info,turmoil=off");
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(wanted))
            .with_ansi(false)
            .without_time()
            .with_writer(self.clone())
            .init();
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> MakeWriter<'a> for EventLog {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl io::Write for EventLog {
    /// `tracing` hands over whole events.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.say("log", String::from_utf8_lossy(event));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
