//! Kafka's command-line tools by the names of its `bin` folder, and running them with a time limit.
//!
//! Called by [`crate::Cluster::tool`] in tests and by `scripts/kafka` for people.

use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::distribution::{Distribution, Jvm, Release};
use crate::error::{Context, Error, Result};
use crate::process::{STEP, watched};

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
    local("kafka-dump-log", "kafka.tools.DumpLogSegments"),
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

/// The command that runs a tool, with standard streams inherited; a worker among the tools gets 1 GB of heap.
///
/// # Errors
/// [`Error::UnknownTool`].
pub fn command(distribution: &Distribution, name: &str, arguments: &[&str]) -> Result<Command> {
    let tool = Tool::find(name)?;
    let (heap, jvm) = match name.starts_with("connect-") || name.contains("perf-test") {
        true => ("1g", Jvm::Throughput),
        false => ("256m", Jvm::QuickStart),
    };
    let mut command = distribution.java(tool.class(distribution.release()), heap, jvm, "warn");
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

/// A running tool. Killed when dropped, and when this process ends.
#[derive(Debug)]
pub struct ToolProcess {
    title: String,
    child: Child,
    pipe: Option<ChildStdin>,
    feeds: bool,
}

impl ToolProcess {
    /// Starts a tool; `feeds`: its standard input is ours to write (the tool must end at its end, as
    /// kafka-console-producer does), otherwise it is empty.
    pub(crate) fn start(name: &str, command: &Command, feeds: bool) -> Result<Self> {
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        let class = arguments.iter().position(|argument| argument == "-cp").map_or(0, |at| at + 3);
        let title = format!("{name} {}", arguments[class.min(arguments.len())..].join(" "));
        let mut command = if feeds { direct(command) } else { watched(command, Path::new("/dev/null")) };
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context(|| format!("cannot start {title}"))?;
        let pipe = child.stdin.take();
        Ok(Self { title, child, pipe, feeds })
    }

    /// The tool's standard input, where it was started to be fed; drop it to let the tool end.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        if self.feeds { self.pipe.take() } else { None }
    }

    /// The tool's standard output, to be read while it runs; [`Self::finish`] then reports none of it.
    pub fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Closes its standard input, waits for its end, and gives back its standard output.
    ///
    /// # Errors
    /// [`Error::Tool`] on a non-zero exit code, [`Error::ToolTimeout`] after `limit`.
    pub fn finish(mut self, limit: Duration) -> Result<String> {
        drop(self.take_stdin());
        let output = reader(self.child.stdout.take());
        let errors = reader(self.child.stderr.take());
        let deadline = Instant::now() + limit;
        let mut status = None;
        while status.is_none() && Instant::now() < deadline {
            std::thread::sleep(STEP);
            status = self.child.try_wait().context(|| format!("cannot wait for {}", self.title))?;
        }
        if status.is_none() {
            self.kill_now();
        }
        let output = output.join().unwrap_or_default();
        let both = || format!("{output}{}", errors.join().unwrap_or_default());
        let tool = self.title.clone();
        match status {
            Some(status) if status.success() => Ok(output),
            Some(status) => Err(Error::Tool { tool, status: status.to_string(), output: both() }),
            None => Err(Error::ToolTimeout { tool, limit, output: both() }),
        }
    }

    /// Kills the tool.
    pub fn kill(mut self) {
        self.kill_now();
    }

    fn kill_now(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
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

/// Runs a tool to its end with `input` on its standard input.
pub(crate) fn run(name: &str, command: &Command, input: Option<Vec<u8>>, limit: Duration) -> Result<String> {
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

fn reader(stream: Option<impl std::io::Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
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
