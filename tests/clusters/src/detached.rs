//! Servers that were started with [`crate::ClusterBuilder::detached`], found again by the pid files in their folder.
//!
//! A pid may have been given to another process since: one counts only if its command line still names the property file
//! that lies beside the pid file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::process::STEP;

/// A detached server that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// `broker-1`, `zookeeper`, …
    pub name: String,
    /// Its process id.
    pub pid: i32,
    mark: PathBuf,
}

impl Process {
    fn read(pid_file: &Path) -> Option<Self> {
        let pid = fs::read_to_string(pid_file).ok()?.trim().parse().ok()?;
        let name = pid_file.file_stem()?.to_string_lossy().into_owned();
        let process = Self { name, pid, mark: pid_file.with_extension("properties") };
        process.runs().then_some(process)
    }

    fn runs(&self) -> bool {
        let command_line = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        command_line
            .split(|byte| *byte == 0)
            .any(|argument| argument == self.mark.as_os_str().as_encoded_bytes())
    }

    /// SIGTERM, and SIGKILL when `grace` has passed; returns when it is gone.
    pub fn end(&self, grace: Duration) {
        let Some(pid) = Pid::from_raw(self.pid) else { return };
        let _ = kill_process(pid, Signal::TERM);
        let deadline = Instant::now() + grace;
        while self.runs() {
            if Instant::now() > deadline {
                let _ = kill_process(pid, Signal::KILL);
            }
            std::thread::sleep(STEP);
        }
    }
}

/// The servers of `folder` that run: brokers first, then what they need, so that ending them in this order is clean.
pub fn processes(folder: &Path) -> Vec<Process> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let pid_files =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ext| ext == "pid"));
    let mut found: Vec<Process> = pid_files.filter_map(|path| Process::read(&path)).collect();
    found.sort_by(|left, right| left.name.cmp(&right.name));
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_that_is_another_process_now_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("broker-1.pid"), format!("{}\n", std::process::id())).unwrap();
        assert!(processes(folder.path()).is_empty());
    }

    #[test]
    fn a_marked_process_is_found_and_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("broker-1.properties");
        // Reaped by a thread, as init reaps what is detached.
        let mut child = std::process::Command::new("/bin/sh")
            .args(["-c", "while :; do sleep 1; done"])
            .arg(&mark)
            .spawn()
            .unwrap();
        fs::write(folder.path().join("broker-1.pid"), format!("{}\n", child.id())).unwrap();
        std::thread::spawn(move || child.wait());
        // The kernel lets the parent of a new program go on before it has filled in the command line.
        let deadline = Instant::now() + Duration::from_secs(10);
        let found = loop {
            match processes(folder.path()).pop() {
                Some(found) => break found,
                None => assert!(Instant::now() < deadline, "not found in 10 s"),
            }
            std::thread::sleep(STEP);
        };
        found.end(Duration::from_secs(5));
        assert!(processes(folder.path()).is_empty());
    }
}
