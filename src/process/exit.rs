//! Ends of the executables: every exit code in one table, from which `--help` and the README list them, and an end
//! before any work with its text.

use std::io::Write as _;
use std::process::ExitCode;

use clap::error::ErrorKind;

/// Exit codes of `replicator` and all its verbs, after `sysexits.h` as far as it knows them.
pub(crate) mod code {
    /// Everything went as asked.
    pub(crate) const OK: u8 = 0;
    /// The arguments were only listed, because there were none.
    pub(crate) const NO_ARGUMENTS: u8 = 1;
    /// The command line cannot be understood.
    pub(crate) const USAGE: u8 = 2;
    /// A cluster, or something else that is needed, is not available.
    pub(crate) const UNAVAILABLE: u8 = 69;
    /// A defect of this program.
    pub(crate) const INTERNAL: u8 = 70;
    /// The configuration cannot be used.
    pub(crate) const CONFIG: u8 = 78;
    /// A second signal ended the process at once; as shells give it for an interrupt.
    pub(crate) const INTERRUPTED: u8 = 130;
}

/// Exit codes of `connect-distributed` and `connect-standalone` where they differ from [`code`]: those of Apache's
/// launchers.
pub(crate) mod worker_code {
    /// The command line cannot be understood.
    pub(crate) const USAGE: u8 = 1;
    /// A storage topic cannot serve.
    pub(crate) const STORAGE: u8 = 1;
    /// The properties cannot be used, or the worker cannot start.
    pub(crate) const CONFIG: u8 = 2;
    /// A connector's file cannot be used.
    pub(crate) const CONNECTOR: u8 = 3;
}

/// An executable, as a column of [`TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Executable {
    /// `replicator`, with all its verbs.
    Replicator,
    /// `connect-distributed`.
    Distributed,
    /// `connect-standalone`.
    Standalone,
}

/// Each code with its meaning for `replicator`, `connect-distributed` and `connect-standalone`; empty where an
/// executable never ends with it.
const TABLE: &[(u8, [&str; 3])] = &[
    (code::OK, ["fine", "stopped as asked", "stopped as asked"]),
    (
        code::NO_ARGUMENTS,
        [
            "no arguments: they were listed",
            "the command line cannot be understood, or a storage topic cannot serve",
            "the command line cannot be understood",
        ],
    ),
    (
        code::USAGE,
        [
            "the command line cannot be understood",
            "the properties cannot be used, or the worker cannot start",
            "the properties cannot be used, or the worker cannot start",
        ],
    ),
    (worker_code::CONNECTOR, ["", "", "a connector's file cannot be used"]),
    (code::UNAVAILABLE, ["something that is needed is not available", "", ""]),
    (code::INTERNAL, ["a defect of this program"; 3]),
    (code::CONFIG, ["the configuration cannot be used", "", ""]),
    (code::INTERRUPTED, ["ended at once by a second signal"; 3]),
];

/// The codes of an executable, as its `--help` lists them.
pub(crate) fn listing(executable: Executable) -> String {
    let column = executable as usize;
    let lines = TABLE
        .iter()
        .filter(|(_, meanings)| !meanings[column].is_empty())
        .map(|(code, meanings)| format!("  {code:<3} {}\n", meanings[column]));
    std::iter::once("Exit codes:\n".to_owned()).chain(lines).collect()
}

/// A reason to end before any work: what to print, where, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    /// One of [`code`] or [`worker_code`].
    pub(crate) code: u8,
    /// Text to print, with its last line end.
    pub(crate) text: String,
    /// True for answers to questions such as `--help`; errors go to standard error.
    pub(crate) to_stdout: bool,
}

impl Exit {
    /// An answer on standard output, with code 0.
    pub(crate) fn answer(text: String) -> Self {
        Self { code: code::OK, text, to_stdout: true }
    }

    /// An error on standard error.
    pub(crate) fn error(code: u8, text: String) -> Self {
        Self { code, text, to_stdout: false }
    }

    /// A command line that cannot be understood.
    pub(crate) fn usage(message: &str) -> Self {
        Self::error(code::USAGE, format!("error: {message}\n\nFor more information, try '--help'.\n"))
    }

    /// A configuration that cannot be used: one or more lines, each a problem.
    pub(crate) fn config(error: &impl std::fmt::Display) -> Self {
        Self::error(code::CONFIG, error.to_string().lines().map(|line| format!("error: {line}\n")).collect())
    }

    /// Help and version are answers; everything else is a usage error, to which clap adds what may have been meant.
    pub(crate) fn from_clap(error: &clap::Error, usage: u8) -> Self {
        let text = error.render().to_string();
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Self::answer(text),
            _ => Self::error(usage, text),
        }
    }

    /// Prints the text and gives the code to end with. A closed pipe is no reason to complain.
    pub(crate) fn print(&self) -> ExitCode {
        let text = self.text.as_bytes();
        let _printed_or_nobody_listens = if self.to_stdout {
            std::io::stdout().lock().write_all(text)
        } else {
            std::io::stderr().lock().write_all(text)
        };
        ExitCode::from(self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_lists_the_same_codes() {
        let readme = include_str!("../../README.md");
        for (code, meanings) in TABLE {
            let cells = meanings.join(" | ");
            let row = format!("| {code} | {cells} |");
            assert!(readme.contains(&row), "README.md lacks the row\n{row}");
        }
    }

    #[test]
    fn help_lists_what_an_executable_ends_with() {
        let standalone = listing(Executable::Standalone);
        assert!(standalone.contains("  3   a connector's file cannot be used\n"), "{standalone}");
        assert!(!standalone.contains("78") && !listing(Executable::Distributed).contains("connector's file"));
        assert!(listing(Executable::Replicator).starts_with("Exit codes:\n  0   fine\n  1   no arguments"));
    }
}
