//! The subject of the fault tests: the `replicator` executable as a process that is started again and again, whose
//! log may complain as much as the fault deserves.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Pair, Replicator, Setup};

/// The log's words when the tasks of a start copy.
const COPYING: &str = "task(s), offsets in";

/// How a replicator is configured; the same for each of its starts.
pub(super) struct Subject {
    setup: Setup,
}

impl Subject {
    /// A replicator of its own that copies `topics`, each to `<topic>.replica`. Passing faults pass fast.
    pub(super) fn new(pair: &Pair, name: &str, topics: &[&str]) -> Self {
        let setup = Setup::new(pair, name)
            .whitelist(topics)
            .consumer("reconnect.backoff.max.ms", 500)
            .producer("reconnect.backoff.max.ms", 500);
        Self { setup }
    }

    /// Another process of it.
    pub(super) fn another(&self) -> Self {
        Self { setup: self.setup.another() }
    }

    /// How statuses name its process.
    pub(super) fn worker_id(&self) -> String {
        format!("127.0.0.1:{}", self.setup.port)
    }

    pub(super) fn args<T: ToString>(self, arguments: impl IntoIterator<Item = T>) -> Self {
        Self { setup: self.setup.args(arguments) }
    }

    pub(super) fn consumer(self, key: &str, value: impl ToString) -> Self {
        Self { setup: self.setup.consumer(key, value) }
    }

    pub(super) fn producer(self, key: &str, value: impl ToString) -> Self {
        Self { setup: self.setup.producer(key, value) }
    }

    pub(super) fn replication(self, key: &str, value: impl ToString) -> Self {
        Self { setup: self.setup.replication(key, value) }
    }

    /// Name of one of its storage topics: `offsets`, `configs`, `status`.
    pub(super) fn storage(&self, which: &str) -> String {
        format!("{}-{which}", self.setup.id)
    }

    /// Starts it, without waiting for anything.
    pub(super) fn start(&self) -> Running {
        Running { replicator: self.setup.spawn() }
    }

    /// Starts it and waits until it copies.
    pub(super) fn start_copying(&self) -> Running {
        let mut running = self.start();
        running.wait_for_log(COPYING, Duration::from_secs(30));
        running
    }
}

/// One life of the process. Killed when dropped; its log is printed when that is because a test failed.
pub(super) struct Running {
    replicator: Replicator,
}

impl Running {
    pub(super) fn log(&self) -> String {
        self.replicator.log()
    }

    /// Lines of the log that contain `text`.
    pub(super) fn lines(&self, text: &str) -> Vec<String> {
        self.log().lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }

    /// Waits until the log contains `text`.
    pub(super) fn wait_for_log(&mut self, text: &str, limit: Duration) {
        let what = format!("the log to say {text:?}");
        self.wait_for(&what, limit, |running| running.log().contains(text));
    }

    /// Waits until `done`; panics when the process ends before, or the time is up.
    pub(super) fn wait_for(&mut self, what: &str, limit: Duration, mut done: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + limit;
        while !done(self) {
            self.assert_alive();
            assert!(Instant::now() < deadline, "waited {limit:?} for {what}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Panics if the process has ended.
    pub(super) fn assert_alive(&self) {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.replicator.pid())).unwrap_or_default();
        let state = stat.rsplit(')').next().and_then(|rest| rest.trim().chars().next());
        assert!(!matches!(state, None | Some('Z' | 'X')), "the process must live, but ended");
    }

    pub(super) fn signal(&self, signal: Signal) {
        self.replicator.signal(signal);
    }

    /// SIGKILL; asserts that it was alive until then and died of it.
    pub(super) fn kill9(&mut self) {
        self.assert_alive();
        self.signal(Signal::KILL);
        assert_eq!(self.replicator.wait_exit(Duration::from_secs(5)).signal(), Some(9));
    }

    /// SIGTERM; returns the exit code and how long the end took.
    pub(super) fn terminate(&mut self, limit: Duration) -> (Option<i32>, Duration) {
        self.assert_alive();
        let asked = Instant::now();
        self.signal(Signal::TERM);
        (self.exit_code(limit), asked.elapsed())
    }

    /// Waits for its end.
    pub(super) fn exit_code(&mut self, limit: Duration) -> Option<i32> {
        self.replicator.wait_exit(limit).code()
    }

    /// The body of a REST answer; `None` while it does not answer with 200.
    pub(super) fn rest(&self, path: &str) -> Option<Value> {
        self.replicator.try_rest_get(path).ok().filter(|(code, _)| *code == 200).map(|(_, body)| body)
    }

    /// `/ReplicatorMetrics` of one partition.
    pub(super) fn metrics(&self, topic: &str, partition: i32) -> Option<Value> {
        self.replicator.partitions(topic).into_iter().find(|p| p["partition"] == partition)
    }

    /// Numbers of the partitions of a topic that this process copies.
    pub(super) fn copies(&self, topic: &str) -> Vec<usize> {
        let number = |partition: &Value| partition["partition"].as_u64().unwrap() as usize;
        self.replicator.partitions(topic).iter().map(number).collect()
    }

    /// `(state, trace)` of task 0.
    pub(super) fn task_status(&self) -> Option<(String, String)> {
        let status = self.rest("/connectors/replicator/status")?;
        let text = |key: &str| status["tasks"][0][key].as_str().unwrap_or_default().to_owned();
        Some((text("state"), text("trace")))
    }

    /// Sum of the lag of all partitions of a topic; `None` while one is unknown.
    pub(super) fn lag(&self, topic: &str) -> Option<i64> {
        let partitions = self.replicator.partitions(topic);
        let lags: Vec<i64> = partitions.iter().map(|p| p["messageLag"].as_i64().unwrap_or(-1)).collect();
        (!lags.is_empty() && !lags.contains(&-1)).then(|| lags.iter().sum())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("---- log of the replicator ----\n{}---- end of the log ----", self.log());
        }
    }
}
