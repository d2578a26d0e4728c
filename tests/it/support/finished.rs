//! The executable run to its end, for command lines that do not copy.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::log::Output;

/// How it ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The executable in a clean environment, in `folder`.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_replicator"));
    command.env_clear().env("RUST_BACKTRACE", "1").current_dir(folder).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs `command` to its end, which must come within 30 s.
pub(crate) fn run(mut command: Command) -> Finished {
    let mut child = command.spawn().unwrap();
    let mut stdout = Output::of(child.stdout.take().unwrap());
    let mut stderr = Output::of(child.stderr.take().unwrap());
    let deadline = Instant::now() + Duration::from_secs(30);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("{command:?} goes on:\n{}{}", stdout.text(), stderr.text());
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Finished { code: status.code(), stdout: stdout.end(), stderr: stderr.end() }
}
