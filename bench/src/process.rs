//! A process under measurement: started, watched, ended by its id; it never outlives the benchmark.
//!
//! A small shell stands between: it holds the read end of a pipe that closes with the benchmark, however that ends, and
//! then kills the process. Called by the drains and by the latency runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// `$0` receives the process id of `"$@"`.
const GUARD: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null &
copier=$!
echo "$copier" > "$0"
{ read -r _ <&3; kill -KILL "$copier"; } >/dev/null 2>&1 &
guard=$!
exec 3<&-
wait "$copier"
code=$?
kill "$guard" 2>/dev/null
exit "$code"
"#;

const STEP: Duration = Duration::from_millis(10);

/// A running peer.
#[derive(Debug)]
pub(crate) struct Guarded {
    shell: Child,
    pid: Pid,
    log: PathBuf,
}

impl Guarded {
    /// Starts `command` with its output in `<folder>/<name>.log`.
    pub(crate) fn start(name: &str, command: &Command, folder: &Path) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let pid_file = folder.join(format!("{name}.pid"));
        // Left by an earlier process, it would name that one.
        let _ = fs::remove_file(&pid_file);
        let output = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(GUARD).arg(&pid_file).arg(command.get_program()).args(command.get_args());
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        let mut shell = shell
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        match wait_for_pid(&pid_file) {
            Ok(pid) => Ok(Self { shell, pid, log }),
            Err(error) => {
                drop(shell.stdin.take());
                let _ = shell.wait();
                Err(error)
            }
        }
    }

    /// The process that is measured.
    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// An error with the end of its log if it runs no more.
    pub(crate) fn check(&mut self) -> Result<()> {
        if let Some(status) = self.shell.try_wait()? {
            bail!("it ended by itself ({status}); its last words:\n{}", self.last_words());
        }
        Ok(())
    }

    /// The last lines it wrote.
    pub(crate) fn last_words(&self) -> String {
        let text = String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }

    /// SIGTERM, and SIGKILL when `grace` has passed. How long it took to stop; `None` when it had to be killed.
    pub(crate) fn stop(mut self, grace: Duration) -> Option<Duration> {
        let begun = Instant::now();
        let _ = kill_process(self.pid, Signal::TERM);
        while begun.elapsed() < grace {
            if let Ok(Some(_)) = self.shell.try_wait() {
                return Some(begun.elapsed());
            }
            std::thread::sleep(STEP);
        }
        None
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // The pid is that of a child which the shell has not reaped while the shell itself runs.
        if let Ok(None) = self.shell.try_wait() {
            let _ = kill_process(self.pid, Signal::KILL);
            drop(self.shell.stdin.take());
            let _ = self.shell.wait();
        }
    }
}

fn wait_for_pid(path: &Path) -> Result<Pid> {
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline {
        let text = fs::read_to_string(path).unwrap_or_default();
        if text.ends_with('\n')
            && let Some(pid) = text.trim().parse().ok().and_then(Pid::from_raw)
        {
            return Ok(pid);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    bail!("no process id appeared in {}", path.display())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn alive(pid: i32) -> bool {
        // The state follows the name, which is in brackets; a zombie is not alive.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    }

    fn sleeper(folder: &Path) -> Guarded {
        let mut command = Command::new("sleep");
        command.arg("60");
        Guarded::start("sleeper", &command, folder).unwrap()
    }

    #[test]
    fn it_is_gone_when_dropped_and_when_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let process = sleeper(folder.path());
        let pid = process.pid();
        assert!(alive(pid));
        drop(process);
        assert!(!alive(pid));
        assert!(sleeper(folder.path()).stop(Duration::from_secs(5)).is_some());
    }

    #[test]
    fn it_is_killed_when_the_pipe_closes_as_at_the_end_of_the_benchmark() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = sleeper(folder.path());
        let pid = process.pid();
        drop(process.shell.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(5);
        while alive(pid) && Instant::now() < deadline {
            std::thread::sleep(STEP);
        }
        assert!(!alive(pid));
    }

    #[test]
    fn an_early_end_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such topic; exit 3"]);
        let mut process = Guarded::start("early", &command, folder.path()).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let error = process.check().unwrap_err().to_string();
        assert!(error.contains("no such topic") && error.contains('3'), "{error}");
    }
}
