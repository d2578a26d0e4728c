//! Levels of loggers that can be changed while the worker runs (`/admin/loggers`, KIP-495 and KIP-976).
//!
//! A logger is a Java-like name; whoever set up the log gives a function that puts [`Loggers::directives`] into force.
//! Herders hold one `Loggers` and answer REST from it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::answers::{LoggerLevel, LoggerLevels};

/// The loggers of this process, once [`install`] has said what they stand for.
static PROCESS: OnceLock<Loggers> = OnceLock::new();

/// Says, once, how this process begins to log and how that is changed. Later calls change nothing.
pub fn install(root: Level, apply: Apply) {
    PROCESS.get_or_init(|| Loggers::new(root, apply));
}

/// The loggers of this process. Without [`install`] levels are remembered but change nothing.
pub fn process() -> &'static Loggers {
    PROCESS.get_or_init(|| Loggers::new(Level::Info, Arc::new(|_| {})))
}

/// All loggers of this process that have a level of their own.
pub fn all() -> LoggerLevels {
    process().all()
}

/// A logger of this process; `None` when it has no level of its own.
pub fn level(logger: &str) -> Option<LoggerLevel> {
    process().level(logger)
}

/// Sets the level of a logger of this process, see [`Loggers::set`].
pub fn set_level(namespace: &str, level: &str) -> Vec<String> {
    process().set(namespace, level)
}

/// Name of the logger above all others.
pub const ROOT: &str = "root";

/// Java packages, and the parts of this program that do the same work.
const PACKAGES: [(&str, &[&str]); 8] = [
    ("org.apache.kafka.connect.runtime.rest", &["connect_core::rest"]),
    ("org.apache.kafka.connect.runtime.distributed", &["connect_core::herder", "connect_core::group"]),
    ("org.apache.kafka.connect.runtime", &["connect_core"]),
    ("org.apache.kafka.connect.storage", &["connect_core::storage"]),
    ("org.apache.kafka.connect", &["connect_core", "connect_plugins"]),
    ("org.apache.kafka.clients", &["kafka_wire", "rdkafka", "librdkafka"]),
    ("org.apache.kafka", &["connect_core", "connect_plugins", "kafka_wire", "rdkafka", "librdkafka"]),
    ("io.confluent.connect.replicator", &["replicator"]),
];

/// A level by its name in Java.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Level {
    Off,
    Fatal,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
    All,
}

impl Level {
    /// Reads a name in any case; `None` for what is no level.
    pub fn from_name(name: &str) -> Option<Self> {
        const ALL: [Level; 8] = [
            Level::Off,
            Level::Fatal,
            Level::Error,
            Level::Warn,
            Level::Info,
            Level::Debug,
            Level::Trace,
            Level::All,
        ];
        ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(name))
    }

    /// As REST shows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Fatal => "FATAL",
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
            Self::Trace => "TRACE",
            Self::All => "ALL",
        }
    }

    /// As the filter of the log knows it: there is nothing above `error`, nothing below `trace`.
    fn filter(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Fatal | Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace | Self::All => "trace",
        }
    }
}

/// Puts directives (see [`Loggers::directives`]) into force.
pub type Apply = Arc<dyn Fn(&str) + Send + Sync>;

/// Levels, and when they were last changed, by name.
type Levels = BTreeMap<String, (Level, Option<i64>)>;

/// The loggers that have a level of their own. Clones are handles to the same.
#[derive(Clone)]
pub struct Loggers {
    levels: Arc<Mutex<Levels>>,
    apply: Apply,
}

impl std::fmt::Debug for Loggers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Loggers").field(&self.lock().keys()).finish()
    }
}

impl Loggers {
    /// Everything at `root`.
    pub fn new(root: Level, apply: Apply) -> Self {
        let levels = BTreeMap::from([(ROOT.to_owned(), (root, None))]);
        Self { levels: Arc::new(Mutex::new(levels)), apply }
    }

    /// All that were given a level.
    pub fn all(&self) -> LoggerLevels {
        let levels = self.lock();
        let given = levels.iter().filter(|(name, (_, changed))| *name == ROOT || changed.is_some());
        given.map(|(name, level)| (name.clone(), shown(*level))).collect()
    }

    /// One of them; `None` when it has no level of its own.
    pub fn level(&self, logger: &str) -> Option<LoggerLevel> {
        self.lock().get(canonical(logger)).copied().map(shown)
    }

    /// Sets the level of a logger and of all whose names begin like it; returns their names, sorted. A name that is no level
    /// changes nothing.
    pub fn set(&self, namespace: &str, level: &str) -> Vec<String> {
        let Some(level) = Level::from_name(level) else { return Vec::new() };
        let namespace = canonical(namespace);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let changed: Vec<String> = {
            let mut levels = self.lock();
            // A new one has had the level of the nearest above it so far: the same again is no change.
            let inherited = inherited(&levels, namespace);
            levels.entry(namespace.to_owned()).or_insert((inherited, None));
            let under = |name: &str| namespace == ROOT || name.starts_with(namespace);
            let mut changed = Vec::new();
            for (name, entry) in levels.iter_mut().filter(|(name, _)| under(name)) {
                if entry.0 != level {
                    *entry = (level, Some(now));
                }
                changed.push(name.clone());
            }
            changed
        };
        (self.apply)(&self.directives());
        changed
    }

    /// The levels as `tracing`'s filters read them: `info,connect_core::rest=debug`. Dots are `::`; Java's packages stand for
    /// the parts of this program that do their work.
    pub fn directives(&self) -> String {
        let levels = self.lock();
        let mut parts: BTreeMap<String, &str> = BTreeMap::new();
        // Shorter names come first, so that what is said of a part of them wins.
        for (name, (level, _)) in levels.iter().filter(|(name, _)| *name != ROOT) {
            for target in targets(name) {
                parts.insert(target, level.filter());
            }
        }
        let root = levels.get(ROOT).map_or("info", |(level, _)| level.filter());
        let parts = parts.into_iter().map(|(target, level)| format!(",{target}={level}"));
        format!("{root}{}", parts.collect::<String>())
    }

    fn lock(&self) -> MutexGuard<'_, Levels> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn inherited(levels: &Levels, name: &str) -> Level {
    let above = name.match_indices('.').rev().map(|(at, _)| &name[..at]).chain([ROOT]);
    above.filter_map(|above| levels.get(above)).map(|(level, _)| *level).next().unwrap_or(Level::Info)
}

fn canonical(name: &str) -> &str {
    if name.eq_ignore_ascii_case(ROOT) { ROOT } else { name }
}

fn shown((level, last_modified): (Level, Option<i64>)) -> LoggerLevel {
    LoggerLevel { level: level.name().to_owned(), last_modified }
}

fn targets(name: &str) -> Vec<String> {
    let inside = |package: &str| name == package || name.starts_with(&format!("{package}."));
    match PACKAGES.iter().find(|(package, _)| inside(package)) {
        Some((_, targets)) => targets.iter().map(|target| (*target).to_owned()).collect(),
        // What is no name of a target would make the whole filter unreadable.
        None if name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-')) => {
            vec![name.replace('.', "::")]
        }
        None => vec![],
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn loggers() -> (Loggers, Arc<Mutex<String>>) {
        let applied = Arc::new(Mutex::new(String::new()));
        let seen = applied.clone();
        (Loggers::new(Level::Info, Arc::new(move |text| *seen.lock().unwrap() = text.to_owned())), applied)
    }

    #[test]
    fn a_level_reaches_the_loggers_below() {
        let (loggers, applied) = loggers();
        assert_eq!(loggers.level("a.b"), None);
        assert_eq!(loggers.set("a.b", "debug"), ["a.b"]);
        assert_eq!(loggers.set("a", "Warn"), ["a", "a.b"]);
        assert_eq!(loggers.level("a.b").unwrap().level, "WARN");
        assert!(loggers.level("a.b").unwrap().last_modified.is_some());
        assert_eq!(*applied.lock().unwrap(), "info,a=warn,a::b=warn");
        assert_eq!(loggers.set("ROOT", "error"), ["a", "a.b", "root"]);
        assert_eq!(loggers.all().len(), 3);
        assert_eq!(loggers.set("a", "loud"), Vec::<String>::new());
        assert_eq!(loggers.set("a.b.c", "error"), ["a.b.c"]);
        assert_eq!(loggers.level("a.b.c").unwrap().last_modified, None, "no change");
        assert_eq!(loggers.all().len(), 3);
    }

    #[test]
    fn javas_packages_are_ours() {
        let (loggers, applied) = loggers();
        loggers.set("org.apache.kafka.connect.runtime.rest.RestServer", "TRACE");
        assert_eq!(*applied.lock().unwrap(), "info,connect_core::rest=trace");
        loggers.set("an odd=name", "TRACE");
        assert_eq!(*applied.lock().unwrap(), "info,connect_core::rest=trace");
    }
}
