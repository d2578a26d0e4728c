//! Kafka's own jars, fetched once by Maven and shared by every process of the project.
//!
//! Guarantees: [`Distribution::prepare`] returns only when a whole class path is on disk; several processes may call it
//! at once (a file lock), and an interrupted download is never taken for a whole one (a folder renamed at the end).
//! Called by [`crate::ClusterBuilder`], by `scripts/kafka`, and by benches that need MirrorMaker or a Connect worker.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Context, Error, Result, create_folder, write_file};

const POM: &str = include_str!("../maven/pom.xml");

/// Which Kafka the jars are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The last line with ZooKeeper mode.
    V3_9_2,
    /// KRaft only.
    V4_3_0,
}

impl Release {
    /// Every release there is.
    pub const ALL: [Release; 2] = [Release::V3_9_2, Release::V4_3_0];

    /// The version as Maven writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Release::V3_9_2 => "3.9.2",
            Release::V4_3_0 => "4.3.0",
        }
    }
}

impl std::str::FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Release::ALL.into_iter().find(|release| release.as_str() == text).ok_or_else(|| {
            let known = Release::ALL.map(Release::as_str).join(", ");
            format!("Kafka {text} is not among the known versions: {known}")
        })
    }
}

/// How the Java machine is tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Jvm {
    /// Starts fast, runs slower: one light compiler, serial collector. For tests and tools.
    #[default]
    QuickStart,
    /// Full compiler and the collector settings of Kafka's own start scripts. For measuring.
    Throughput,
}

impl Jvm {
    fn flags(self) -> &'static [&'static str] {
        match self {
            Jvm::QuickStart => &["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"],
            Jvm::Throughput => &[
                "-server",
                "-XX:+UseG1GC",
                "-XX:MaxGCPauseMillis=20",
                "-XX:InitiatingHeapOccupancyPercent=35",
                "-XX:+ExplicitGCInvokesConcurrent",
            ],
        }
    }
}

/// A whole class path of one Kafka release, ready to run.
#[derive(Debug, Clone)]
pub struct Distribution {
    release: Release,
    folder: PathBuf,
}

impl Distribution {
    /// Finds the jars in [`home`], or has Maven fetch them (about 60 MB, once).
    ///
    /// # Errors
    /// Java older than 17 or missing, Maven missing or failing, or [`home`] not writable.
    pub fn prepare(release: Release) -> Result<Self> {
        let home = home();
        let distribution = Self { release, folder: folder_of(release) };
        check_java()?;
        if distribution.is_whole() {
            return Ok(distribution);
        }
        create_folder(&home)?;
        let lock_path = home.join(format!("kafka-{}.lock", release.as_str()));
        let lock = File::create(&lock_path).context(|| format!("cannot create {}", lock_path.display()))?;
        lock.lock().context(|| format!("cannot lock {}", lock_path.display()))?;
        if !distribution.is_whole() {
            distribution.fetch()?;
        }
        Ok(distribution)
    }

    /// Whether the jars are there, so that [`Self::prepare`] will not have to ask Maven.
    pub fn is_fetched(release: Release) -> bool {
        Self { release, folder: folder_of(release) }.is_whole()
    }

    /// The release of these jars.
    pub fn release(&self) -> Release {
        self.release
    }

    /// A class path for `java -cp`.
    pub fn class_path(&self) -> String {
        format!("{}/*", self.folder.join("libs").display())
    }

    /// `java` with class path, heap (as `-Xmx` takes it), tuning, quiet logging and `main_class`; arguments may be added.
    pub fn java(&self, main_class: &str, heap: &str, jvm: Jvm, log_level: &str) -> Command {
        let mut command = Command::new(java());
        command.arg(format!("-Xmx{heap}")).args(jvm.flags()).args([
            "-Xshare:auto",
            "-Djava.awt.headless=true",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
            "-Dlog4j2.StatusLogger.level=OFF",
        ]);
        command.arg(format!("-Dorg.slf4j.simpleLogger.defaultLogLevel={log_level}"));
        command.arg("-cp").arg(self.class_path()).arg(main_class);
        command
    }

    /// The pom is stored beside the jars, so that a changed list of artifacts is fetched anew.
    fn is_whole(&self) -> bool {
        fs::read_to_string(self.folder.join("pom.xml")).is_ok_and(|pom| pom == POM)
    }

    fn fetch(&self) -> Result<()> {
        // A name of our own: the Maven of a killed process may still be writing under its name.
        let stem = format!("kafka-{}.partial-", self.release.as_str());
        let leftovers = fs::read_dir(home()).into_iter().flatten().flatten();
        for entry in leftovers.filter(|entry| entry.file_name().to_string_lossy().starts_with(&stem)) {
            remove(&entry.path())?;
        }
        let partial = home().join(format!("{stem}{}", std::process::id()));
        create_folder(&partial)?;
        let pom = partial.join("pom.xml");
        write_file(&pom, POM)?;
        run_maven(self.release, &pom, &partial.join("libs"))?;
        remove(&self.folder)?;
        fs::rename(&partial, &self.folder).context(|| format!("cannot move {} into place", partial.display()))
    }
}

/// Where jars and running clusters are kept: `KAFKA_CLUSTERS_HOME`, or `.clusters` in the project.
pub fn home() -> PathBuf {
    match std::env::var_os("KAFKA_CLUSTERS_HOME") {
        Some(home) if !home.is_empty() => PathBuf::from(home),
        _ => {
            let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
            crate_folder.ancestors().nth(2).unwrap_or(crate_folder).join(".clusters")
        }
    }
}

fn folder_of(release: Release) -> PathBuf {
    home().join(format!("kafka-{}", release.as_str()))
}

pub(crate) fn java() -> PathBuf {
    match std::env::var_os("JAVA_HOME") {
        Some(home) if !home.is_empty() => Path::new(&home).join("bin/java"),
        _ => PathBuf::from("java"),
    }
}

/// Asks `java` for its version once per process: a JVM start is a good part of a second on a small machine.
fn check_java() -> Result<()> {
    static CHECKED: std::sync::OnceLock<Result<(), String>> = std::sync::OnceLock::new();
    let check = || {
        let path = java();
        let output = Command::new(&path)
            .arg("-version")
            .output()
            .map_err(|error| format!("cannot start {}: {error}", path.display()))?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        match java_major(&text) {
            Some(major) if major >= 17 => Ok(()),
            _ => Err(format!(
                "{} is {}",
                path.display(),
                text.lines().next().unwrap_or("of an unknown version")
            )),
        }
    };
    CHECKED.get_or_init(check).clone().map_err(Error::Prerequisite)
}

/// The major version in the first line of `java -version`; `1.8.0` is 8's old way to say 1.
fn java_major(text: &str) -> Option<u32> {
    let quoted = text.split('"').nth(1)?;
    quoted.split(['.', '-', '+']).next()?.parse().ok()
}

fn run_maven(release: Release, pom: &Path, libs: &Path) -> Result<()> {
    let output = Command::new("mvn")
        .args(["--quiet", "--batch-mode", "--file"])
        .arg(pom)
        .arg(format!("-Dkafka.version={}", release.as_str()))
        .arg(format!("-DoutputDirectory={}", libs.display()))
        // Kafka 3.9 brings a second logging backend; slf4j-simple is the one that is configured here.
        .args(["-DexcludeArtifactIds=slf4j-reload4j", "dependency:copy-dependencies"])
        .output()
        .map_err(|error| Error::Prerequisite(format!("cannot start mvn: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Err(Error::Maven { version: release.as_str(), output: crate::process::last_lines(&text, 15) })
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn java_versions_are_read_in_old_and_new_style() {
        assert_eq!(java_major("openjdk version \"17.0.15\" 2025-04-15"), Some(17));
        assert_eq!(java_major("openjdk version \"21\" 2023-09-19"), Some(21));
        assert_eq!(java_major("openjdk version \"24-ea\" 2025-03-18"), Some(24));
        assert_eq!(java_major("java version \"1.8.0_392\""), Some(1));
        assert_eq!(java_major("command not found"), None);
    }

    #[test]
    fn an_unknown_release_names_the_known_ones() {
        assert_eq!("4.3.0".parse::<Release>().unwrap(), Release::V4_3_0);
        assert!("4.2.1".parse::<Release>().unwrap_err().contains("3.9.2, 4.3.0"));
    }
}
