//! Kafka's command-line tools by the names of its `bin` folder, and running them with a time limit.
//!
//! Called by [`crate::Cluster::tool`] in tests and by `scripts/kafka` for people.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::distribution::{Distribution, Jvm, Release};
use crate::error::{Context, Error, Result};
use crate::process::{STEP, wait_for_pid, watched};

struct Tool {
    name: &'static str,
    class: &'static str,
    /// The class in 3.9, where it was another.
    class_3_9: Option<&'static str>,
    /// Takes `--bootstrap-server`.
    bootstrap: bool,
}

const fn tool(name: &'static str, class: &'static str) -> Tool {
    Tool { name, class, class_3_9: None, bootstrap: true }
}

const fn local(name: &'static str, class: &'static str) -> Tool {
    Tool { bootstrap: false, ..tool(name, class) }
}

const TOOLS: &[Tool] = &[
    local("connect-distributed", "org.apache.kafka.connect.cli.ConnectDistributed"),
    local("connect-mirror-maker", "org.apache.kafka.connect.mirror.MirrorMaker"),
    local("connect-plugin-path", "org.apache.kafka.tools.ConnectPluginPath"),
    local("connect-standalone", "org.apache.kafka.connect.cli.ConnectStandalone"),
    tool("kafka-acls", "org.apache.kafka.tools.AclCommand").moved_from("kafka.admin.AclCommand"),
    tool("kafka-broker-api-versions", "org.apache.kafka.tools.BrokerApiVersionsCommand")
        .moved_from("kafka.admin.BrokerApiVersionsCommand"),
    local("kafka-cluster", "org.apache.kafka.tools.ClusterTool"),
    tool("kafka-configs", "kafka.admin.ConfigCommand"),
    tool("kafka-console-consumer", "org.apache.kafka.tools.consumer.ConsoleConsumer"),
    tool("kafka-console-producer", "org.apache.kafka.tools.ConsoleProducer")
        .moved_from("kafka.tools.ConsoleProducer"),
    tool("kafka-consumer-groups", "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"),
    tool("kafka-consumer-perf-test", "org.apache.kafka.tools.ConsumerPerformance"),
    tool("kafka-delete-records", "org.apache.kafka.tools.DeleteRecordsCommand"),
    local("kafka-dump-log", "org.apache.kafka.tools.DumpLogSegments")
        .moved_from("kafka.tools.DumpLogSegments"),
    tool("kafka-features", "org.apache.kafka.tools.FeatureCommand"),
    tool("kafka-get-offsets", "org.apache.kafka.tools.GetOffsetShell"),
    tool("kafka-leader-election", "org.apache.kafka.tools.LeaderElectionCommand"),
    tool("kafka-log-dirs", "org.apache.kafka.tools.LogDirsCommand"),
    tool("kafka-metadata-quorum", "org.apache.kafka.tools.MetadataQuorumCommand"),
    local("kafka-producer-perf-test", "org.apache.kafka.tools.ProducerPerformance"),
    tool("kafka-reassign-partitions", "org.apache.kafka.tools.reassign.ReassignPartitionsCommand"),
    local("kafka-storage", "kafka.tools.StorageTool"),
    tool("kafka-topics", "org.apache.kafka.tools.TopicCommand"),
    tool("kafka-transactions", "org.apache.kafka.tools.TransactionsCommand"),
    tool("kafka-verifiable-consumer", "org.apache.kafka.tools.VerifiableConsumer"),
    tool("kafka-verifiable-producer", "org.apache.kafka.tools.VerifiableProducer"),
    // Only 3.9 has it.
    local("zookeeper-shell", "org.apache.zookeeper.ZooKeeperMain"),
];

impl Tool {
    const fn moved_from(self, class_3_9: &'static str) -> Self {
        Self { class_3_9: Some(class_3_9), ..self }
    }

    fn find(name: &str) -> Result<&'static Tool> {
        let bare = name.strip_suffix(".sh").unwrap_or(name);
        TOOLS
            .iter()
            .find(|tool| tool.name == bare)
            .ok_or_else(|| Error::UnknownTool { name: name.to_owned(), known: names() })
    }

    fn class(&self, release: Release) -> &'static str {
        match (release, self.class_3_9) {
            (Release::V3_9_2, Some(class)) => class,
            _ => self.class,
        }
    }
}

/// Every tool that can be run.
pub fn names() -> Vec<&'static str> {
    TOOLS.iter().map(|tool| tool.name).collect()
}

/// Tells whether there is such a tool, before anything is fetched for it.
///
/// # Errors
/// [`Error::UnknownTool`].
pub fn check(name: &str) -> Result<()> {
    Tool::find(name).map(drop)
}

/// The command that runs a tool, with standard streams inherited. Connect's workers log what they do and get 1 GB of heap;
/// the others are quiet.
///
/// # Errors
/// [`Error::UnknownTool`].
pub fn command(distribution: &Distribution, name: &str, arguments: &[&str]) -> Result<Command> {
    let class = Tool::find(name)?.class(distribution.release());
    let (heap, jvm, log_level) = match name {
        "connect-distributed" | "connect-standalone" | "connect-mirror-maker" => {
            ("1g", Jvm::Throughput, "info")
        }
        _ if name.contains("perf-test") => ("1g", Jvm::Throughput, "warn"),
        _ => ("256m", Jvm::QuickStart, "warn"),
    };
    let mut command = distribution.java(class, heap, jvm, log_level);
    command.args(arguments);
    Ok(command)
}

/// `--bootstrap-server` and its value, if the tool takes it and the caller did not give it.
pub(crate) fn bootstrap_arguments(name: &str, arguments: &[&str], bootstrap: &str) -> Result<Vec<String>> {
    let given = arguments.iter().any(|argument| argument.starts_with("--bootstrap-"));
    match Tool::find(name)?.bootstrap && !given {
        true => Ok(vec!["--bootstrap-server".to_owned(), bootstrap.to_owned()]),
        false => Ok(Vec::new()),
    }
}

/// A running tool. Killed when dropped, and when this process ends. What it writes is read as it comes, so that it never
/// waits for a reader.
#[derive(Debug)]
pub struct ToolProcess {
    title: String,
    child: Child,
    pid: i32,
    pipe: Option<ChildStdin>,
    feeds: bool,
    output: Reader,
    errors: Reader,
}

impl ToolProcess {
    /// Starts a tool; `feeds`: its standard input is ours to write (the tool must end at its end, as
    /// kafka-console-producer does), otherwise it is empty.
    pub(crate) fn start(name: &str, command: &Command, feeds: bool) -> Result<Self> {
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        let first = arguments.iter().position(|argument| argument == "-cp").map_or(0, |at| at + 3);
        let title = format!("{name} {}", arguments[first.min(arguments.len())..].join(" "));
        let pid_file =
            tempfile::NamedTempFile::new().context(|| "cannot create a temporary file".to_owned())?;
        let mut shell = if feeds { direct(command) } else { watched(command, pid_file.path()) };
        let mut child = shell
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context(|| format!("cannot start {title}"))?;
        let pid =
            if feeds { child.id() as i32 } else { wait_for_pid(pid_file.path())?.as_raw_nonzero().get() };
        let pipe = child.stdin.take();
        let (output, errors) = (Reader::start(child.stdout.take()), Reader::start(child.stderr.take()));
        Ok(Self { title, child, pid, pipe, feeds, output, errors })
    }

    /// The Java process's id, for a caller that measures it.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The tool's standard input, where it was started to be fed; drop it to let the tool end.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        if self.feeds { self.pipe.take() } else { None }
    }

    /// What it wrote to its standard output so far.
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// What it wrote to its standard error so far; most tools log there.
    pub fn errors(&self) -> String {
        self.errors.text()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Closes its standard input, waits for its end, and gives back its standard output.
    ///
    /// # Errors
    /// [`Error::Tool`] on a non-zero exit code, [`Error::ToolTimeout`] after `limit`.
    pub fn finish(mut self, limit: Duration) -> Result<String> {
        drop(self.take_stdin());
        let deadline = Instant::now() + limit;
        let mut status = None;
        while status.is_none() && Instant::now() < deadline {
            status = self.child.try_wait().context(|| format!("cannot wait for {}", self.title))?;
            std::thread::sleep(STEP);
        }
        self.kill_now();
        self.output.end();
        self.errors.end();
        let both = || self.output() + &self.errors();
        let tool = self.title.clone();
        match status {
            Some(status) if status.success() => Ok(self.output()),
            Some(status) => Err(Error::Tool { tool, status: status.to_string(), output: both() }),
            None => Err(Error::ToolTimeout { tool, limit, output: both() }),
        }
    }

    /// Kills the tool.
    pub fn kill(mut self) {
        self.kill_now();
    }

    fn kill_now(&mut self) {
        if self.is_running() {
            let group = rustix::process::Pid::from_child(&self.child);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

impl Drop for ToolProcess {
    fn drop(&mut self) {
        self.kill_now();
    }
}

/// Runs a tool's [`command`] to its end with `input` on its standard input, and gives back its standard output.
///
/// # Errors
/// [`Error::Tool`] on a non-zero exit code (with all output), [`Error::ToolTimeout`] after `limit`.
pub fn run(name: &str, command: &Command, input: Option<Vec<u8>>, limit: Duration) -> Result<String> {
    let mut process = ToolProcess::start(name, command, input.is_some())?;
    if let (Some(input), Some(mut stdin)) = (input, process.take_stdin()) {
        // A tool that ends early breaks the pipe; its exit code then tells the story.
        std::thread::spawn(move || stdin.write_all(&input));
    }
    process.finish(limit)
}

fn direct(command: &Command) -> Command {
    use std::os::unix::process::CommandExt;
    let mut copy = Command::new(command.get_program());
    copy.args(command.get_args()).stdin(Stdio::piped()).process_group(0);
    copy
}

/// Reads a stream to its end on a thread of its own.
#[derive(Debug)]
struct Reader {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn start(stream: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let thread = std::thread::spawn(move || {
            let Some(mut stream) = stream else { return };
            let mut chunk = [0; 1 << 14];
            while let Ok(count @ 1..) = stream.read(&mut chunk) {
                sink.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&chunk[..count]);
            }
        });
        Self { bytes, thread: Some(thread) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    fn end(&mut self) {
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_the_release() {
        let producer = Tool::find("kafka-console-producer.sh").unwrap();
        assert_eq!(producer.class(Release::V3_9_2), "kafka.tools.ConsoleProducer");
        assert_eq!(producer.class(Release::V4_3_0), "org.apache.kafka.tools.ConsoleProducer");
    }

    #[test]
    fn an_unknown_tool_lists_the_known_ones() {
        let error = Tool::find("kafka-toppics").err().unwrap().to_string();
        assert!(error.contains("kafka-toppics") && error.contains("kafka-topics"), "{error}");
    }

    #[test]
    fn the_bootstrap_server_is_added_only_where_it_is_missing_and_understood() {
        let added = |name, arguments: &[&str]| bootstrap_arguments(name, arguments, "h:1").unwrap();
        assert_eq!(added("kafka-topics", &["--list"]), ["--bootstrap-server", "h:1"]);
        assert!(added("kafka-topics", &["--bootstrap-server", "x:2"]).is_empty());
        assert!(added("kafka-dump-log", &[]).is_empty());
    }
}
