//! Standard error, shared by log lines and the progress line so that neither tears the other.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use connect_core::loggers::{self, Level};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::log::{LogFormat, LogSettings};

/// Writes log lines above the progress line.
#[derive(Clone)]
pub(crate) struct Console {
    line: ProgressBar,
    on_terminal: bool,
}

impl Console {
    /// Sets logging up for the process. The progress line shows only on a terminal, beside logs for people.
    pub(crate) fn start(settings: &LogSettings) -> Self {
        let on_terminal = settings.format == LogFormat::Text && io::stderr().is_terminal();
        let line = if on_terminal {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            line.set_style(style);
        }
        let console = Self { line, on_terminal };
        let builder = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(&settings.filter))
            .with_ansi(on_terminal && std::env::var_os("NO_COLOR").is_none())
            .with_writer(console.clone());
        let set = match settings.format {
            LogFormat::Text => {
                let builder = builder.with_target(false).with_filter_reloading();
                let filter = builder.reload_handle();
                rule_by_rest(settings, move |directives| filter.reload(directives).is_ok());
                builder.try_init()
            }
            LogFormat::Json => {
                let builder = builder.json().flatten_event(true).with_filter_reloading();
                let filter = builder.reload_handle();
                rule_by_rest(settings, move |directives| filter.reload(directives).is_ok());
                builder.try_init()
            }
        };
        // Only a second start in one process can fail here, and then logging is set up already.
        drop(set);
        console
    }

    /// True when there is a progress line.
    pub(crate) fn is_terminal(&self) -> bool {
        self.on_terminal
    }

    /// Shows `text` as the progress line.
    pub(crate) fn show(&self, text: String) {
        self.line.set_message(text);
        self.line.tick();
    }

    /// Takes the progress line away.
    pub(crate) fn clear(&self) {
        self.line.finish_and_clear();
    }
}

/// Lets `/admin/loggers` change what is logged.
fn rule_by_rest(settings: &LogSettings, reload: impl Fn(EnvFilter) -> bool + Send + Sync + 'static) {
    let root = settings.filter.split(',').find_map(Level::from_name).unwrap_or(Level::Info);
    loggers::install(
        root,
        Arc::new(move |directives| {
            // Directives that nobody understands leave everything as it is.
            if let Ok(filter) = EnvFilter::try_new(directives) {
                reload(filter);
            }
        }),
    );
}

impl<'a> MakeWriter<'a> for Console {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.suspend(|| io::stderr().lock().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
