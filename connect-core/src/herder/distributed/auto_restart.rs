//! Automatic restarts of failed tasks, with a pause that doubles. Not in Apache's Connect; off unless a connector (or the worker,
//! for all of its connectors) sets `auto.restart.enabled`.
//!
//! | key | default | |
//! |---|---|---|
//! | `auto.restart.enabled` | false | |
//! | `auto.restart.max.attempts` | 10 | restarts without a success between them; -1: no limit |
//! | `auto.restart.backoff.ms` | 5000 | pause before the first restart; doubles with each |
//! | `auto.restart.backoff.max.ms` | 600000 | longest pause; a task that has run for so long begins anew |

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use super::core::Core;
use crate::api::{ConfigMap, ConnectError};
use crate::ids::TaskId;
use crate::storage::{State, StatusId};

/// Values of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoRestart {
    enabled: bool,
    max_attempts: Option<u32>,
    backoff: Duration,
    backoff_max: Duration,
}

impl AutoRestart {
    /// Reads the keys of a connector; what it does not set is the worker's.
    ///
    /// # Errors
    /// The first value that cannot be used.
    pub fn read(connector: &ConfigMap, worker: &ConfigMap) -> Result<Self, ConnectError> {
        let text = |key: &str| connector.get(key).or_else(|| worker.get(key)).map(|value| value.trim());
        let number = |key: &str, default: i64, min: i64| {
            match text(key) {
            None => Ok(default),
            Some(value) => value.parse().ok().filter(|n| *n >= min).ok_or_else(|| {
                ConnectError::config(format!(
                    "Invalid value {value} for configuration {key}: it must be a whole number of at least {min}"
                ))
            }),
        }
        };
        let enabled = match text("auto.restart.enabled") {
            None => false,
            Some(value) if value.eq_ignore_ascii_case("true") => true,
            Some(value) if value.eq_ignore_ascii_case("false") => false,
            Some(value) => {
                return Err(ConnectError::config(format!(
                    "Invalid value {value} for configuration auto.restart.enabled: Expected value to be either true or false"
                )));
            }
        };
        let millis = |n: i64| Duration::from_millis(n.unsigned_abs());
        Ok(Self {
            enabled,
            max_attempts: u32::try_from(number("auto.restart.max.attempts", 10, -1)?).ok(),
            backoff: millis(number("auto.restart.backoff.ms", 5_000, 1)?),
            backoff_max: millis(number("auto.restart.backoff.max.ms", 600_000, 1)?),
        })
    }

    fn pause(&self, attempts: u32) -> Duration {
        self.backoff.saturating_mul(1 << attempts.min(20)).min(self.backoff_max)
    }
}

/// Tasks that have failed, and how often each was restarted.
#[derive(Debug, Default)]
pub(super) struct AutoRestarts {
    tasks: BTreeMap<TaskId, Attempts>,
    /// Restarts since the worker began.
    pub(super) total: u64,
}

impl AutoRestarts {
    /// No restart is due but of these: one that somebody else restarted has its whole pause before it should it fail again.
    fn only_for(&mut self, failed: &[TaskId]) {
        for (id, attempts) in &mut self.tasks {
            attempts.due = attempts.due.filter(|_| failed.contains(id));
        }
    }
}

#[derive(Debug)]
struct Attempts {
    count: u32,
    /// When it was last restarted.
    last: Option<Instant>,
    /// When it is to be restarted, while it is failed.
    due: Option<Instant>,
}

impl Core {
    /// Looks for failed tasks of this worker and restarts those whose time has come.
    pub(super) async fn restart_failed_tasks(&mut self) {
        if !self.group.resolved {
            return;
        }
        let running = &self.group.running.tasks;
        self.auto_restarts.tasks.retain(|id, _| running.contains(id));
        let failed: Vec<TaskId> = running.iter().filter(|id| self.has_failed(id)).cloned().collect();
        self.auto_restarts.only_for(&failed);
        for id in failed {
            let connector =
                self.state.connector(&id.connector).map(crate::herder::reading::plain).unwrap_or_default();
            match AutoRestart::read(&connector, &self.worker.settings().properties) {
                Ok(settings) if settings.enabled => self.restart_in_time(&id, &settings).await,
                _ => {}
            }
        }
    }

    fn has_failed(&self, id: &TaskId) -> bool {
        let status = self.shared.statuses.get(&StatusId::Task(id.connector.clone(), id.task));
        status.is_some_and(|s| s.state == State::Failed && s.worker_id == self.shared.settings.worker_id)
    }

    async fn restart_in_time(&mut self, id: &TaskId, settings: &AutoRestart) {
        let now = Instant::now();
        let known = self.auto_restarts.tasks.entry(id.clone());
        let attempts = known.or_insert(Attempts { count: 0, last: None, due: None });
        match attempts.due {
            None => {
                if attempts.last.is_some_and(|last| now.duration_since(last) > settings.backoff_max) {
                    attempts.count = 0;
                }
                if settings.max_attempts.is_some_and(|max| attempts.count >= max) {
                    if attempts.last.take().is_some() {
                        warn!(task = %id, "failed after {} restarts, no more will follow (auto.restart.max.attempts)", attempts.count);
                    }
                    return;
                }
                let pause = settings.pause(attempts.count);
                attempts.due = Some(now + pause);
                info!(task = %id, "failed; restarting it in {pause:?} (auto.restart.backoff.ms)");
            }
            Some(due) if due <= now => {
                attempts.count += 1;
                (attempts.due, attempts.last) = (None, Some(now));
                info!(task = %id, "restart {} after a failure", attempts.count);
                self.auto_restarts.total += 1;
                self.worker.stop_tasks(std::slice::from_ref(id)).await;
                self.start_task(id).await;
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> ConfigMap {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn it_is_off_by_default_and_connectors_overrule_the_worker() {
        let worker = map(&[("auto.restart.enabled", "true"), ("auto.restart.max.attempts", "3")]);
        assert!(!AutoRestart::read(&map(&[]), &map(&[])).unwrap().enabled);
        let both = AutoRestart::read(&map(&[("auto.restart.max.attempts", "-1")]), &worker).unwrap();
        assert!(both.enabled && both.max_attempts.is_none());
        let off = AutoRestart::read(&map(&[("auto.restart.enabled", "false")]), &worker).unwrap();
        assert!(!off.enabled && off.max_attempts == Some(3));
        let error = AutoRestart::read(&map(&[("auto.restart.backoff.ms", "0")]), &worker).unwrap_err();
        assert!(error.message().contains("auto.restart.backoff.ms"), "{error}");
    }

    #[test]
    fn nothing_is_due_for_a_task_that_runs_again() {
        let due = Some(Instant::now());
        let ids = [0, 1].map(|task| TaskId { connector: "c".to_owned(), task });
        let attempts = |_| Attempts { count: 2, last: None, due };
        let mut restarts =
            AutoRestarts { tasks: ids.iter().map(|id| (id.clone(), attempts(id))).collect(), total: 0 };
        restarts.only_for(&ids[1..]);
        let left: Vec<_> = restarts.tasks.values().map(|attempts| (attempts.count, attempts.due)).collect();
        assert_eq!(left, [(2, None), (2, due)]);
    }

    #[test]
    fn the_pause_doubles_up_to_its_limit() {
        let settings = AutoRestart::read(&map(&[]), &map(&[])).unwrap();
        let seconds = |attempts| settings.pause(attempts).as_secs();
        assert_eq!([seconds(0), seconds(1), seconds(3), seconds(30)], [5, 10, 40, 600]);
    }
}
