//! Failing on demand. Every method of the test connectors calls [`Fault::strike`] first.

use std::path::PathBuf;
use std::time::Duration;

use connect_api::config_def::{Setting, Validator};
use connect_api::{ConfigDef, ConfigKey, ConfigMap, ConnectError, Importance, Type};
use tokio::time::Instant;

use super::events::{EVENTS_FILE, TASK_ID};
use super::keys::{NUM_TASKS, TASKS_FILE};

/// Methods in which a fault can be.
const METHODS: [&str; 16] = [
    "connector.start",
    "taskConfigs",
    "connector.stop",
    "validate",
    "exactlyOnceSupport",
    "alterOffsets",
    "start",
    "poll",
    "commitRecord",
    "commit",
    "open",
    "put",
    "preCommit",
    "flush",
    "close",
    "stop",
];
const KINDS: &[&str] = &["throw", "retriable", "panic", "block", "hang", "slow"];

/// Time between two looks whether a call still blocks.
const LOOK: Duration = Duration::from_millis(50);

/// The settings that both test connectors have.
pub(super) fn common_definition() -> ConfigDef {
    let key = |name, kind, text| ConfigKey::new(name, kind, Importance::Low, text);
    let none = Vec::<String>::new;
    let kind = Validator::new(|_, value| match value.as_str() {
        None => Ok(()),
        Some(text) if KINDS.contains(&text) => Ok(()),
        Some(_) => Err(format!("must be one of: {}", KINDS.join(", "))),
    });
    let methods = Validator::new(|_, value| match value {
        Setting::List(items) if items.iter().all(|item| METHODS.contains(&item.as_str())) => Ok(()),
        _ => Err(format!("must be some of: {}", METHODS.join(", "))),
    });
    ConfigDef::new()
        .define(key(EVENTS_FILE, Type::String, "File to which every call is reported").optional())
        .define(key("fault", Type::String, "What goes wrong").optional().validator(kind))
        .define(key("fault.in", Type::List, "In which methods").default(none()).validator(methods))
        .define(key("fault.after.records", Type::Long, "After how many records").default(0i64))
        .define(key("fault.tasks", Type::List, "Numbers of the tasks; all if empty").default(none()))
        .define(key("fault.while.file", Type::String, "Only while this file exists").optional())
        .define(key("fault.ms", Type::Long, "How long it hangs or is slower").default(1000i64))
        .define(key(NUM_TASKS, Type::Int, "Number of tasks, even beyond tasks.max").optional())
        .define(key(TASKS_FILE, Type::String, "File with the number of tasks").optional())
}

/// A fault, and the time for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Fault {
    kind: Option<String>,
    methods: Vec<String>,
    after_records: u64,
    while_file: Option<PathBuf>,
    duration: Duration,
    handled: u64,
    /// Until when the current call is slow; it outlives a call that was dropped.
    slow_until: Option<Instant>,
}

impl Fault {
    /// # Errors
    /// If a setting cannot be used.
    pub(super) fn of(config: &ConfigMap) -> Result<Self, ConnectError> {
        let parsed = common_definition().parse(config)?;
        let tasks = parsed.list("fault.tasks");
        let concerned = match config.get(TASK_ID) {
            Some(task) => tasks.is_empty() || tasks.contains(task),
            None => true,
        };
        let positive = |key| parsed.integer(key).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
        Ok(Self {
            kind: parsed.str("fault").filter(|_| concerned).map(str::to_owned),
            methods: parsed.list("fault.in").to_vec(),
            after_records: positive("fault.after.records"),
            while_file: parsed.str("fault.while.file").map(PathBuf::from),
            duration: Duration::from_millis(positive("fault.ms")),
            handled: 0,
            slow_until: None,
        })
    }

    /// The task has handled so many more records.
    pub(super) fn handled(&mut self, records: usize) {
        self.handled += records as u64;
    }

    /// Does in `method` what the settings want. Cancel-safe.
    ///
    /// # Errors
    /// If an error is wanted.
    pub(super) async fn strike(&mut self, method: &str) -> Result<(), ConnectError> {
        match self.kind_in(method) {
            Some("block") => {
                while self.exists() {
                    tokio::time::sleep(LOOK).await;
                }
                Ok(())
            }
            Some("slow") => {
                let until = *self.slow_until.get_or_insert_with(|| Instant::now() + self.duration);
                tokio::time::sleep_until(until).await;
                self.slow_until = None;
                Ok(())
            }
            _ => self.strike_now(method),
        }
    }

    /// The same for methods that cannot wait: what waits keeps the thread.
    ///
    /// # Errors
    /// If an error is wanted.
    pub(super) fn strike_now(&self, method: &str) -> Result<(), ConnectError> {
        let text = format!("the setting `fault` asked for this in {method}");
        match self.kind_in(method) {
            Some("throw") => return Err(ConnectError::new(text)),
            Some("retriable") => return Err(ConnectError::retriable(text)),
            Some("panic") => panic!("{text}"),
            Some("hang" | "slow") => std::thread::sleep(self.duration),
            Some("block") => {
                while self.exists() {
                    std::thread::sleep(LOOK);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Kind of the fault in `method` now.
    fn kind_in(&self, method: &str) -> Option<&str> {
        let here = self.methods.iter().any(|wanted| wanted == method);
        (here && self.handled >= self.after_records && self.exists())
            .then_some(self.kind.as_deref())
            .flatten()
    }

    fn exists(&self) -> bool {
        self.while_file.as_ref().is_none_or(|file| file.exists())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fault(pairs: &[(&str, &str)]) -> Result<Fault, ConnectError> {
        Fault::of(&pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[tokio::test]
    async fn errors_come_where_and_when_they_are_wanted() {
        let mut fault =
            fault(&[("fault", "throw"), ("fault.in", "put,stop"), ("fault.after.records", "3")]).unwrap();
        fault.handled(2);
        fault.strike("put").await.unwrap();
        fault.handled(1);
        fault.strike("poll").await.unwrap();
        assert!(!fault.strike("put").await.unwrap_err().is_retriable());
        assert!(fault.strike_now("stop").is_err());
        let other = [("fault", "retriable"), ("fault.in", "put"), ("fault.tasks", "1"), ("task.id", "0")];
        self::fault(&other).unwrap().strike("put").await.unwrap();
        let mut same = other;
        same[3].1 = "1";
        assert!(self::fault(&same).unwrap().strike("put").await.unwrap_err().is_retriable());
        assert!(self::fault(&[("fault.in", "everywhere")]).is_err());
        assert!(self::fault(&[("fault", "whatever")]).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_blocks_until_the_file_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("block");
        std::fs::write(&file, "").unwrap();
        let name = file.to_str().unwrap();
        let mut fault =
            fault(&[("fault", "block"), ("fault.in", "poll"), ("fault.while.file", name)]).unwrap();
        let blocked = tokio::time::timeout(Duration::from_secs(60), fault.strike("poll")).await;
        assert!(blocked.is_err());
        std::fs::remove_file(&file).unwrap();
        fault.strike("poll").await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_call_ends_even_if_it_is_dropped_again_and_again() {
        let mut fault = fault(&[("fault", "slow"), ("fault.in", "poll"), ("fault.ms", "1000")]).unwrap();
        let begin = Instant::now();
        while tokio::time::timeout(Duration::from_millis(300), fault.strike("poll")).await.is_err() {}
        assert_eq!(begin.elapsed(), Duration::from_millis(1000));
    }

    #[test]
    #[should_panic(expected = "in commitRecord")]
    fn a_panic_is_one() {
        let _ =
            fault(&[("fault", "panic"), ("fault.in", "commitRecord")]).unwrap().strike_now("commitRecord");
    }

    #[test]
    fn a_thread_hangs_as_long_as_wanted() {
        let fault = fault(&[("fault", "hang"), ("fault.in", "validate"), ("fault.ms", "120")]).unwrap();
        let begin = std::time::Instant::now();
        fault.strike_now("validate").unwrap();
        assert!(begin.elapsed() >= Duration::from_millis(120));
    }
}
