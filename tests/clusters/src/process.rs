//! Java processes that are ended by process id, and that never outlive their owner.
//!
//! An owned process runs under a small shell in a process group of its own. The shell holds the read end of a pipe whose
//! write end is ours: when this process ends, even by SIGKILL, the pipe closes and the whole group is killed. No name is
//! ever searched for. A detached process (`scripts/clusters up`) runs without the shell and is found by its pid file.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::error::{Context, Result, write_file};

/// Runs `"$@"`, writes its pid to `$0`, and kills the group as soon as standard input closes.
const WATCH: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null &
java=$!
echo "$java" > "$0"
{ read -r _ <&3; kill -KILL 0; } >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait "$java"
code=$?
kill "$watch"
exit "$code"
"#;

pub(crate) const STEP: Duration = Duration::from_millis(20);
/// Threads that have not stopped by then hang in the kernel: they answer nothing either.
const SUSPEND: Duration = Duration::from_secs(5);

/// The same command, ended together with this process; `pid_file` receives the pid of the command itself.
pub(crate) fn watched(command: &Command, pid_file: &Path) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(WATCH).arg(pid_file).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(Stdio::piped()).process_group(0);
    shell
}

/// A running server: a broker, a Connect worker. Killed when dropped, and when this process ends, unless it was detached.
#[derive(Debug)]
pub struct Server {
    name: String,
    child: Child,
    pid: Pid,
    owned: bool,
    log: PathBuf,
    log_start: u64,
}

impl Server {
    /// Starts `command` (its program, arguments and environment) with its output appended to `<folder>/<name>.log` and
    /// its pid in `<folder>/<name>.pid`.
    ///
    /// # Errors
    /// The program cannot be started, or the folder not written.
    pub fn run(name: &str, command: &Command, folder: &Path) -> Result<Self> {
        Self::start(name, command, folder, true)
    }

    /// [`Self::run`]; without `owned` it outlives this process.
    pub(crate) fn start(name: &str, command: &Command, folder: &Path, owned: bool) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let pid_file = folder.join(format!("{name}.pid"));
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .context(|| format!("cannot open {}", log.display()))?;
        let log_start = output.metadata().map_or(0, |metadata| metadata.len());
        let _ = fs::remove_file(&pid_file);
        let mut command = if owned { watched(command, &pid_file) } else { detached(command) };
        let errors = output.try_clone().context(|| format!("cannot open {}", log.display()))?;
        let child = command
            .stdout(output)
            .stderr(errors)
            .spawn()
            .context(|| format!("cannot start {}", command.get_program().display()))?;
        if !owned {
            write_file(&pid_file, format!("{}\n", child.id()))?;
        }
        let pid = wait_for_pid(&pid_file)?;
        Ok(Self { name: name.to_owned(), child, pid, owned, log, log_start })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The file of its output.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The id of the process itself, not of the shell that guards it.
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// What it logged since this start (not before a restart).
    pub fn log_text(&self) -> String {
        read_from(&self.log, self.log_start)
    }

    /// How it ended, or `None` while it runs.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(self.pid, signal)
            .map_err(std::io::Error::from)
            .context(|| format!("cannot send {signal:?} to {} (pid {})", self.name, self.pid()))
    }

    /// SIGSTOP, and waits until every thread stands still: a thread that runs on another core goes on for a moment.
    ///
    /// # Errors
    /// The process could not be signalled.
    pub fn suspend(&self) -> Result<()> {
        self.signal(Signal::STOP)?;
        let deadline = Instant::now() + SUSPEND;
        while self.runs_a_thread() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// SIGCONT: undoes [`Self::suspend`].
    ///
    /// # Errors
    /// The process could not be signalled.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn runs_a_thread(&self) -> bool {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid())).into_iter().flatten().flatten();
        let states = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
        states.into_iter().any(|stat| state_of(&stat).is_some_and(|state| state != 'T'))
    }

    /// SIGTERM, and SIGKILL when `grace` has passed.
    ///
    /// # Errors
    /// The process could not be signalled.
    pub fn terminate(mut self, grace: Duration) -> Result<()> {
        if self.exited().is_none() {
            self.signal(Signal::CONT)?;
            self.signal(Signal::TERM)?;
        }
        let deadline = Instant::now() + grace;
        while self.exited().is_none() && Instant::now() < deadline {
            std::thread::sleep(STEP);
        }
        self.kill_now();
        Ok(())
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(mut self) {
        self.kill_now();
    }

    fn kill_now(&mut self) {
        if self.exited().is_none() {
            let _ = kill_process(self.pid, Signal::KILL);
            let group = Pid::from_child(&self.child);
            let _ = kill_process_group(group, Signal::KILL);
            let _ = self.child.wait();
            self.await_end();
        }
    }

    /// The shell is gone; the process itself is when it has given back its memory and closed its ports, which can take a moment. As long
    /// as it has threads its ports are open, even if the first thread is a zombie already.
    fn await_end(&self) {
        let deadline = Instant::now() + SUSPEND;
        let folder = PathBuf::from(format!("/proc/{}", self.pid()));
        let is_zombie =
            || fs::read_to_string(folder.join("stat")).is_ok_and(|stat| state_of(&stat) == Some('Z'));
        let lives = || match fs::read_dir(folder.join("task")) {
            Ok(threads) => threads.count() > 1 || !is_zombie(),
            Err(_) => false,
        };
        while lives() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.owned {
            self.kill_now();
        }
    }
}

/// The state in a `stat` of `/proc`: it follows the name, which is in brackets and may hold anything.
fn state_of(stat: &str) -> Option<char> {
    stat.rsplit_once(") ")?.1.chars().next()
}

fn detached(command: &Command) -> Command {
    let mut copy = Command::new(command.get_program());
    copy.args(command.get_args()).stdin(Stdio::null()).process_group(0);
    copy
}

pub(crate) fn wait_for_pid(path: &Path) -> Result<Pid> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if text.ends_with('\n')
            && let Some(pid) = text.trim().parse().ok().and_then(Pid::from_raw)
        {
            return Ok(pid);
        }
        if Instant::now() > deadline {
            return Err(std::io::Error::from(std::io::ErrorKind::TimedOut))
                .context(|| format!("no process id appeared in {}", path.display()));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The last `count` lines of `text`.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn read_from(path: &Path, start: u64) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(path)
        && file.seek(SeekFrom::Start(start)).is_ok()
    {
        let _ = file.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
