//! The pair of detached clusters: started once, left running, ended by process id.
//!
//! Each cluster has a folder `run/<role>-<mode>-<release>` in the crate's home with its data, logs, port and pid files;
//! a lock keeps two calls from working on it at once.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kafka_clusters::{Answer, Cluster, Distribution, Error, Jvm, Release, Version, detached, home, metadata};

/// Which kind of cluster is on which side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Pair {
    /// Origin with ZooKeeper, destination with KRaft.
    ZkToKraft,
    /// Origin with KRaft, destination with ZooKeeper.
    KraftToZk,
}

/// The plaintext ports on 127.0.0.1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) origin: u16,
    pub(crate) destination: u16,
}

const ROLES: [&str; 2] = ["origin", "destination"];

/// One side of a pair, running or not.
struct Side {
    role: &'static str,
    version: Version,
    folder: PathBuf,
}

impl Side {
    fn new(role: &'static str, version: Version) -> Self {
        let name = format!("{role}-{}-{}", version.mode(), version.release().as_str());
        Self { role, version, folder: run_folder().join(name) }
    }

    /// Both kinds that may run in a role.
    fn both(role: &'static str) -> [Side; 2] {
        [Version::V39Zk, Version::V43].map(|version| Side::new(role, version))
    }

    fn runs(&self) -> bool {
        !detached::processes(&self.folder).is_empty()
    }

    /// The port of the last start.
    fn port(&self) -> Option<u16> {
        fs::read_to_string(self.folder.join("port")).ok()?.parse().ok()
    }

    fn ask(&self) -> Option<Answer> {
        metadata(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port()?))).ok()
    }

    fn end(&self) -> bool {
        let processes = detached::processes(&self.folder);
        processes.iter().for_each(|process| process.end(Duration::from_secs(20)));
        !processes.is_empty()
    }
}

/// Starts what does not run yet.
pub(crate) fn up(pair: Pair, ports: Ports) -> Result<ExitCode> {
    let _lock = lock()?;
    let versions = match pair {
        Pair::ZkToKraft => [Version::V39Zk, Version::V43],
        Pair::KraftToZk => [Version::V43, Version::V39Zk],
    };
    let sides = [Side::new(ROLES[0], versions[0]), Side::new(ROLES[1], versions[1])];
    for side in &sides {
        refuse_other_kind(side)?;
        prepare(side.version.release())?;
    }
    let wanted = [ports.origin, ports.destination];
    std::thread::scope(|scope| {
        let starts: Vec<_> =
            sides.iter().zip(wanted).map(|(side, port)| scope.spawn(move || start(side, port))).collect();
        starts.into_iter().try_for_each(|start| start.join().unwrap_or_else(|_| bail!("a start panicked")))
    })?;
    status()
}

/// Ends whatever runs, of either pair.
pub(crate) fn down(wipe: bool) -> Result<ExitCode> {
    let _lock = lock()?;
    for side in ROLES.into_iter().flat_map(Side::both) {
        if side.end() {
            eprintln!("{} stopped: {}", side.role, side.version);
        }
        if wipe && side.folder.exists() {
            fs::remove_dir_all(&side.folder)
                .with_context(|| format!("cannot remove {}", side.folder.display()))?;
            eprintln!("{} wiped: {}", side.role, side.version);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One line a role on standard output.
pub(crate) fn status() -> Result<ExitCode> {
    let mut all_up = true;
    for role in ROLES {
        let Some(side) = Side::both(role).into_iter().find(Side::runs) else {
            println!("{role:<12} down");
            all_up = false;
            continue;
        };
        let pids: Vec<String> = detached::processes(&side.folder)
            .iter()
            .map(|process| format!("{} {}", process.name, process.pid))
            .collect();
        let state = match side.ask() {
            Some(answer) => format!("up, cluster id {}", answer.cluster_id.unwrap_or_default()),
            None => format!("does not answer, see {}", side.folder.join("broker-1.log").display()),
        };
        all_up &= state.starts_with("up");
        let port = side.port().unwrap_or_default();
        println!("{role:<12} 127.0.0.1:{port}  {}  {state} (pid: {})", side.version, pids.join(", "));
    }
    Ok(if all_up { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The jars of a release; says so before a download.
pub(crate) fn prepare(release: Release) -> Result<Distribution> {
    if !Distribution::is_fetched(release) {
        eprintln!("fetching Kafka {} with Maven (about 60 MB, once)", release.as_str());
    }
    Ok(Distribution::prepare(release)?)
}

fn refuse_other_kind(side: &Side) -> Result<()> {
    match Side::both(side.role).into_iter().find(|other| other.version != side.version && other.runs()) {
        Some(other) => bail!(
            "the {} runs as {}, but {} is asked for; run `scripts/clusters down` first, or choose the other --pair",
            side.role,
            other.version,
            side.version
        ),
        None => Ok(()),
    }
}

fn start(side: &Side, port: u16) -> Result<()> {
    if side.ask().is_some() && side.runs() {
        return match side.port() {
            Some(running) if running != port => bail!(
                "the {role} runs already, on port {running}; run `scripts/clusters down` first, or pass --{role}-port {running}",
                role = side.role
            ),
            _ => Ok(()),
        };
    }
    // What is left of a cluster that lost a process.
    side.end();
    eprintln!("{} starts: {} on 127.0.0.1:{port}", side.role, side.version);
    let begun = Instant::now();
    let result = Cluster::builder()
        .version(side.version)
        .folder(&side.folder)
        .port(port)
        .heap("1g")
        .jvm(Jvm::Throughput)
        .detached()
        .start();
    match result {
        Ok(_) => fs::write(side.folder.join("port"), port.to_string())
            .with_context(|| format!("cannot write into {}", side.folder.display()))?,
        Err(error @ Error::PortTaken { .. }) => {
            return Err(anyhow::Error::new(error).context(format!(
                "the {role} cannot start (--{role}-port sets its port)",
                role = side.role
            )));
        }
        Err(error) => {
            return Err(anyhow::Error::new(error).context(format!("the {} did not start", side.role)));
        }
    }
    eprintln!("{} up after {:.1} s", side.role, begun.elapsed().as_secs_f32());
    Ok(())
}

fn run_folder() -> PathBuf {
    home().join("run")
}

/// Held for the whole of a call.
fn lock() -> Result<File> {
    let folder = run_folder();
    let open = |path: &Path| -> std::io::Result<File> {
        fs::create_dir_all(&folder)?;
        let file = File::create(path)?;
        file.lock()?;
        Ok(file)
    };
    let path = folder.join("lock");
    open(&path).with_context(|| format!("cannot lock {}", path.display()))
}
