//! A running replicator: its log, its REST interface, its end.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use replicator_api::{Client, ClientError, ReplicatorMetrics};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::log::{Announcements, Output};
use super::wait_for;

/// How long a stop may take.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// The executable at work. Its log is judged at its end; dropped without an end, it is killed.
pub(crate) struct Replicator {
    child: Child,
    log: Output,
    stdout: Output,
    port: u16,
    announcements: Announcements,
    /// Its files stay while it runs.
    folder: Option<Arc<tempfile::TempDir>>,
}

impl Replicator {
    /// Runs `command`, which must pipe its outputs.
    pub(crate) fn spawn(mut command: Command, port: u16, announcements: Announcements) -> Self {
        let mut child = command.spawn().unwrap();
        let log = Output::of(child.stderr.take().unwrap());
        let stdout = Output::of(child.stdout.take().unwrap());
        Self { child, log, stdout, port, announcements, folder: None }
    }

    /// Keeps `folder` while it runs.
    pub(crate) fn with_folder(mut self, folder: Arc<tempfile::TempDir>) -> Self {
        self.folder = Some(folder);
        self
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Of its REST interface.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// Everything written to standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// A warning or error with `text` must come until its end.
    pub(crate) fn expect(&mut self, text: &str) {
        self.announcements.expect(text);
    }

    /// A warning or error with `text` may come until its end.
    pub(crate) fn tolerate(&mut self, text: &str) {
        self.announcements.tolerate(text);
    }

    /// Waits for a line with `text`, which is given back.
    pub(crate) fn wait_for_log(&self, text: &str) -> String {
        let find = || self.log().lines().find(|line| line.contains(text)).map(str::to_owned);
        let gone = || !std::path::Path::new(&format!("/proc/{}/fd/0", self.child.id())).exists();
        let found = wait_for(
            || find().map(Some).or_else(|| gone().then(find)),
            || format!("the log does not say {text:?}:\n{}", self.log()),
        );
        found.unwrap_or_else(|| panic!("it ended without saying {text:?}:\n{}", self.log()))
    }

    /// Status and body of `GET path`; an error when it cannot be asked.
    pub(crate) fn try_rest_get(&self, path: &str) -> std::io::Result<(u16, Value)> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", self.port);
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let bad = || std::io::Error::other(format!("not an answer: {answer}"));
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(bad)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(bad)?;
        Ok((status, serde_json::from_str(body).map_err(|_| bad())?))
    }

    /// Status and body of `GET path`.
    pub(crate) fn rest_get(&self, path: &str) -> (u16, Value) {
        self.try_rest_get(path).unwrap_or_else(|e| panic!("GET {path}: {e}; the log:\n{}", self.log()))
    }

    /// `GET /ReplicatorMetrics`, by the client that users have.
    fn try_metrics(&self) -> Result<ReplicatorMetrics, ClientError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = Client::new(&format!("http://127.0.0.1:{}", self.port))?;
        runtime.block_on(client.replicator_metrics())
    }

    /// What `GET /ReplicatorMetrics` tells of the partitions of a topic, by number.
    pub(crate) fn partitions(&self, topic: &str) -> Vec<Value> {
        let Ok(metrics) = self.try_metrics() else { return Vec::new() };
        let tasks =
            metrics.connectors.into_iter().next().map(|connector| connector.tasks).unwrap_or_default();
        let all = tasks.into_iter().flat_map(|task| task.partitions);
        let of_topic = all.filter(|partition| partition.src_topic == topic);
        let mut found: Vec<Value> =
            of_topic.map(|partition| serde_json::to_value(partition).unwrap()).collect();
        found.sort_by_key(|partition| partition["partition"].as_i64());
        found
    }

    /// What `GET /ReplicatorMetrics` tells of one partition.
    pub(crate) fn partition(&self, topic: &str, number: i64) -> Value {
        let found = self.partitions(topic).into_iter().find(|p| p["partition"] == number);
        found.unwrap_or_else(|| {
            panic!("{topic}-{number} is not in /ReplicatorMetrics; the log:\n{}", self.log())
        })
    }

    /// Waits until every partition of `topic` is acknowledged up to its end in `ends`.
    pub(crate) fn wait_position(&self, topic: &str, ends: &[i64]) {
        let there = || {
            let partitions = self.partitions(topic);
            let position = |p: &Value| p["position"].as_i64().unwrap_or(-1);
            let all = partitions.iter().zip(ends).all(|(p, end)| position(p) >= *end);
            (all && partitions.len() == ends.len()).then_some(())
        };
        wait_for(there, || {
            format!(
                "{topic} is not copied up to {ends:?}: {:#?}\nthe log:\n{}",
                self.partitions(topic),
                self.log()
            )
        });
    }

    /// Waits until the connector and exactly `count` tasks are RUNNING.
    pub(crate) fn wait_tasks(&self, count: usize) {
        let running = || {
            let (code, status) = self.try_rest_get("/connectors/replicator/status").ok()?;
            let tasks = status["tasks"].as_array()?;
            let all = code == 200
                && status["connector"]["state"] == "RUNNING"
                && tasks.len() == count
                && tasks.iter().all(|task| task["state"] == "RUNNING");
            all.then_some(())
        };
        wait_for(running, || format!("not {count} tasks are RUNNING; the log:\n{}", self.log()));
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid()).unwrap(), signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn wait_exit(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it goes on after {limit:?}; the log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGTERM; it must end with exit code 0 in time, and its log must hold no surprise. Gives the log back.
    pub(crate) fn stop(mut self) -> String {
        self.signal(Signal::TERM);
        let status = self.wait_exit(STOP_LIMIT);
        let log = self.log.end();
        assert_eq!(status.code(), Some(0), "{log}");
        self.announcements.judge(&log);
        log
    }

    /// SIGKILL, with the same judgement on the log. Gives the log back.
    pub(crate) fn kill9(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let log = self.log.end();
        self.announcements.judge(&log);
        log
    }

    /// Its end, which must come by itself: exit code and log.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let status = self.wait_exit(super::PATIENCE);
        (status.code(), self.log.end())
    }
}

impl Drop for Replicator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
