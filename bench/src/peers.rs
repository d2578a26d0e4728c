//! The copiers: ours, and those that a user would run instead. Each is the command line and the files that it needs.
//!
//! Called by the drains and the latency runs with a [`Job`]; nothing of an earlier run is known to a later one, because
//! groups, storage topics and aliases carry the run's name.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::cases::Case;
use crate::lab::Lab;

/// A copier, in one configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Peer {
    /// The replicator with nothing but clusters and topic told.
    Ours,
    /// The replicator with `replicator.profile=small-memory`.
    OursSmall,
    /// The replicator with `replicator.batches=preserve`.
    OursPreserve,
    /// Another build of the replicator, the executable that the variable `REPLICATOR_BEFORE` names: before and after, in turn.
    OursBefore,
    /// A record-by-record loop around rdkafka.
    Rdkafka,
    /// MirrorMaker 2 at its defaults.
    Mm2,
    /// MirrorMaker 2 with tasks, codec, batches and fetches set for the load.
    Mm2Tuned,
    /// A plain TCP relay of as many bytes, 8 KiB buffer.
    Relay8k,
    /// The same with 256 KiB.
    Relay256k,
}

/// One copy to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'a> {
    /// The topic at the origin.
    pub(crate) topic: &'a str,
    /// A name no other run has.
    pub(crate) run: &'a str,
    /// Contents of the topic; for the settings of peers that must be told.
    pub(crate) case: &'a Case,
    /// Longest wait for a batch to fill of producers that have such a setting, ms.
    pub(crate) linger_ms: u32,
    /// For configuration files and logs.
    pub(crate) folder: &'a Path,
}

impl Peer {
    /// The name on the command line and in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Ours => "ours",
            Peer::OursSmall => "ours-small",
            Peer::OursPreserve => "ours-preserve",
            Peer::OursBefore => "ours-before",
            Peer::Rdkafka => "rdkafka",
            Peer::Mm2 => "mm2",
            Peer::Mm2Tuned => "mm2-tuned",
            Peer::Relay8k => "relay8k",
            Peer::Relay256k => "relay256k",
        }
    }

    /// The buffer of a relay, bytes; `None` for what copies topics.
    pub(crate) fn relay_buffer(self) -> Option<usize> {
        match self {
            Peer::Relay8k => Some(8 << 10),
            Peer::Relay256k => Some(256 << 10),
            _ => None,
        }
    }

    /// The executable of the project that it needs, if it needs one.
    pub(crate) fn executable(self) -> Option<&'static str> {
        match self {
            Peer::Ours | Peer::OursSmall | Peer::OursPreserve | Peer::OursBefore => Some("replicator"),
            Peer::Rdkafka => Some("rdkafka-copy"),
            Peer::Relay8k | Peer::Relay256k => Some("tcp-relay"),
            Peer::Mm2 | Peer::Mm2Tuned => None,
        }
    }

    /// The replicator, in whichever configuration.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Peer::Ours | Peer::OursSmall | Peer::OursPreserve | Peer::OursBefore)
    }

    /// Destination of the copy. MirrorMaker prefixes the alias of the origin, the others are told.
    pub(crate) fn destination_topic(self, job: &Job<'_>) -> String {
        match self {
            Peer::Mm2 | Peer::Mm2Tuned => format!("{}.{}", job.run, job.topic),
            _ => format!("{}.{}", job.topic, job.run),
        }
    }

    /// The process to start.
    pub(crate) fn command(self, lab: &Lab, job: &Job<'_>) -> Result<Command> {
        match self {
            Peer::Ours | Peer::OursSmall | Peer::OursPreserve | Peer::OursBefore => self.replicator(lab, job),
            Peer::Rdkafka => rdkafka(lab, job),
            Peer::Mm2 | Peer::Mm2Tuned => self.mirror_maker(lab, job),
            Peer::Relay8k | Peer::Relay256k => sibling("tcp-relay"),
        }
    }

    fn replicator(self, lab: &Lab, job: &Job<'_>) -> Result<Command> {
        let (run, write) = (job.run, |name: &str, text: String| write(job, name, text));
        let consumer = format!(
            "bootstrap.servers={}\ngroup.id={run}-group\nauto.offset.reset=earliest\n",
            lab.origin.cluster.bootstrap()
        );
        let producer = format!("bootstrap.servers={}\n", lab.destination.cluster.bootstrap());
        let own = match self {
            Peer::OursSmall => "replicator.profile=small-memory\n",
            Peer::OursPreserve => "replicator.batches=preserve\n",
            _ => "",
        };
        let replication = format!(
            "topic.rename.format=${{topic}}.{run}\n\
             listeners=http://127.0.0.1:{port}\n\
             offset.storage.topic={run}-offsets\nconfig.storage.topic={run}-configs\nstatus.storage.topic={run}-status\n\
             offset.storage.replication.factor=1\nconfig.storage.replication.factor=1\nstatus.storage.replication.factor=1\n\
             {own}",
            port = free_port()?,
        );
        let mut command = if self == Peer::OursBefore { before()? } else { sibling("replicator")? };
        command.arg("--cluster.id").arg(run);
        command.arg("--consumer.config").arg(write("consumer.properties", consumer)?);
        command.arg("--producer.config").arg(write("producer.properties", producer)?);
        command.arg("--replication.config").arg(write("replication.properties", replication)?);
        command.arg("--whitelist").arg(job.topic);
        Ok(command)
    }

    fn mirror_maker(self, lab: &Lab, job: &Job<'_>) -> Result<Command> {
        let mut text = mirror_maker_basics(lab, job);
        if self == Peer::Mm2Tuned {
            text += &mirror_maker_tuning(job);
        }
        let file = write(job, "mirror-maker.properties", text)?;
        let file = file.to_str().context("the temporary folder's name is not UTF-8")?;
        Ok(lab.origin.cluster.tool_command("connect-mirror-maker", &[file])?)
    }
}

/// Settings without which MirrorMaker does not run on clusters of one broker.
fn mirror_maker_basics(lab: &Lab, job: &Job<'_>) -> String {
    let internal = ["checkpoints.topic", "heartbeats.topic", "offset-syncs.topic"];
    let storage = ["offset.storage", "status.storage", "config.storage"];
    let factors = internal.iter().chain(&storage).map(|name| format!("{name}.replication.factor=1\n"));
    format!(
        "clusters={alias},dest\n\
         {alias}.bootstrap.servers={origin}\ndest.bootstrap.servers={destination}\n\
         {alias}->dest.enabled=true\n{alias}->dest.topics={topic}\ndest->{alias}.enabled=false\n\
         replication.factor=1\n{factors}",
        alias = job.run,
        origin = lab.origin.cluster.bootstrap(),
        destination = lab.destination.cluster.bootstrap(),
        topic = job.topic,
        factors = factors.collect::<String>(),
    )
}

/// A task for each partition, the source's codec and batches, large fetches, and producers that fit into the heap.
fn mirror_maker_tuning(job: &Job<'_>) -> String {
    format!(
        "tasks.max=12\n\
         dest.producer.compression.type={codec}\ndest.producer.batch.size={batch}\ndest.producer.linger.ms={linger}\n\
         dest.producer.buffer.memory=16777216\n\
         {alias}.consumer.fetch.max.bytes=4194304\n{alias}.consumer.max.partition.fetch.bytes=2097152\n",
        codec = job.case.codec,
        batch = job.case.client_batch_bytes(),
        linger = job.linger_ms,
        alias = job.run,
    )
}

fn rdkafka(lab: &Lab, job: &Job<'_>) -> Result<Command> {
    let mut command = sibling("rdkafka-copy")?;
    command.args(["--origin", &lab.origin.cluster.bootstrap()]);
    command.args(["--destination", &lab.destination.cluster.bootstrap()]);
    command.args(["--topic", job.topic, "--to", &Peer::Rdkafka.destination_topic(job), "--group", job.run]);
    command.args(["--compression", &job.case.codec.to_string(), "--linger-ms", &job.linger_ms.to_string()]);
    if job.case.record_bytes < 500 {
        command.arg("--small-records");
    }
    Ok(command)
}

/// An executable beside this one.
pub(crate) fn sibling(name: &str) -> Result<Command> {
    let own = std::env::current_exe().context("cannot tell where this executable is")?;
    let path = own.with_file_name(name);
    anyhow::ensure!(path.exists(), "{} is missing; start the benchmark with scripts/bench", path.display());
    Ok(Command::new(path))
}

/// The executable of another build.
fn before() -> Result<Command> {
    let path = std::env::var_os("REPLICATOR_BEFORE")
        .context("ours-before: set REPLICATOR_BEFORE to the replicator executable of the other build")?;
    Ok(Command::new(path))
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

fn write(job: &Job<'_>, name: &str, text: String) -> Result<PathBuf> {
    let path = job.folder.join(name);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
