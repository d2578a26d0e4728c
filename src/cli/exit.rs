//! How an executable ends.

use std::io::Write as _;

/// Exit codes, the same for every executable; after `sysexits.h`, as far as it knows them.
pub mod code {
    /// Everything went as asked.
    pub const OK: u8 = 0;
    /// The arguments were only listed, because there were none.
    pub const NO_ARGUMENTS: u8 = 1;
    /// The command line cannot be understood.
    pub const USAGE: u8 = 2;
    /// A cluster, or something else that is needed, is not available.
    pub const UNAVAILABLE: u8 = 69;
    /// A defect of this program.
    pub const INTERNAL: u8 = 70;
    /// The configuration cannot be used.
    pub const CONFIG: u8 = 78;
}

/// A reason to end before any work: what to print, where, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// One of [`code`].
    pub code: u8,
    /// What to print, with its last line end.
    pub text: String,
    /// True for answers to questions such as `--help`; errors go to standard error.
    pub to_stdout: bool,
}

impl Exit {
    /// An answer on standard output, with code 0.
    pub fn answer(text: String) -> Self {
        Self { code: code::OK, text, to_stdout: true }
    }

    /// A command line that cannot be understood.
    pub fn usage(message: &str) -> Self {
        let text = format!("error: {message}\n\nFor more information, try '--help'.\n");
        Self { code: code::USAGE, text, to_stdout: false }
    }

    /// A configuration that cannot be used: one or more lines, each a problem.
    pub fn config(error: &impl std::fmt::Display) -> Self {
        let text = error.to_string().lines().map(|line| format!("error: {line}\n")).collect();
        Self { code: code::CONFIG, text, to_stdout: false }
    }

    /// Prints the text and gives the code to end with. A closed pipe is no reason to complain.
    pub fn print(&self) -> std::process::ExitCode {
        let text = self.text.as_bytes();
        let _printed_or_nobody_listens = match self.to_stdout {
            true => std::io::stdout().lock().write_all(text),
            false => std::io::stderr().lock().write_all(text),
        };
        std::process::ExitCode::from(self.code)
    }
}
