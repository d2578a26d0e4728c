//! `errors.*` of a connector: what is tried again and for how long, which errors are tolerated, and who hears of them.
//! Rules and texts are those of Connect's `RetryWithToleranceOperator`.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use connect_api::{ConfigMap, ConnectError, SourceRecord};
use futures::future::BoxFuture;
use tokio::time::{Instant, sleep};
use tracing::error;

use super::Consumed;
use crate::ids::TaskId;
use crate::worker::StopSignal;
use crate::worker::metrics::{ErrorMetrics, TaskMetrics};
use crate::worker::settings::{parsed, text};

const FIRST_DELAY: Duration = Duration::from_millis(300);

/// Step in which an operation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    TaskPut,
    Transformation,
    KeyConverter,
    ValueConverter,
    HeaderConverter,
    KafkaProduce,
}

impl Stage {
    /// Connect's name for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TaskPut => "TASK_PUT",
            Self::Transformation => "TRANSFORMATION",
            Self::KeyConverter => "KEY_CONVERTER",
            Self::ValueConverter => "VALUE_CONVERTER",
            Self::HeaderConverter => "HEADER_CONVERTER",
            Self::KafkaProduce => "KAFKA_PRODUCE",
        }
    }
}

/// `errors.*` of a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorSettings {
    /// `errors.retry.timeout`; `None`: without limit.
    pub(crate) retry_timeout: Option<Duration>,
    /// `errors.retry.delay.max.ms`.
    pub(crate) max_delay: Duration,
    /// `errors.tolerance=all`.
    pub(crate) tolerate_all: bool,
    /// `errors.log.enable`.
    pub(crate) log: bool,
    /// `errors.log.include.messages`.
    pub(crate) log_messages: bool,
}

impl ErrorSettings {
    pub(crate) fn from_config(config: &ConfigMap) -> Result<Self, ConnectError> {
        let timeout: i64 = parsed(config, "errors.retry.timeout", 0)?;
        Ok(Self {
            retry_timeout: u64::try_from(timeout).ok().map(Duration::from_millis),
            max_delay: Duration::from_millis(parsed(config, "errors.retry.delay.max.ms", 60_000)?),
            tolerate_all: text(config, "errors.tolerance").is_some_and(|v| v.eq_ignore_ascii_case("all")),
            log: parsed(config, "errors.log.enable", false)?,
            log_messages: parsed(config, "errors.log.include.messages", false)?,
        })
    }
}

/// The record that was being processed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    Source(&'a SourceRecord),
    Consumed(&'a Consumed),
}

/// An operation that failed.
#[derive(Debug)]
pub(crate) struct Failure<'a> {
    pub(crate) stage: Stage,
    /// Java class of what failed.
    pub(crate) class: &'a str,
    pub(crate) error: &'a ConnectError,
}

/// Ends when a report is where it belongs. Dropping it does not take the report back.
pub(crate) type Reported = BoxFuture<'static, Result<(), ConnectError>>;

/// Hears of every record that could not be processed, for example to keep it as a dead letter. Must not block.
pub(crate) trait Reporter: Send + Sync {
    fn report(&self, failure: &Failure<'_>, record: Origin<'_>) -> Reported;
}

/// Handling of errors by one task.
pub(crate) struct ErrorHandling {
    pub(crate) id: TaskId,
    pub(crate) settings: ErrorSettings,
    pub(crate) metrics: Arc<TaskMetrics>,
    pub(crate) stop: StopSignal,
    pub(crate) reporter: Option<Arc<dyn Reporter>>,
}

impl ErrorHandling {
    /// True when an operation may have to be repeated.
    pub(crate) fn retries(&self) -> bool {
        self.settings.retry_timeout != Some(Duration::ZERO)
    }

    /// Does something for a record. A retriable error is tried again as long as the settings say; after any other, or
    /// when the time is over, the record is skipped (`None`) if errors are tolerated, else the task fails.
    pub(crate) async fn attempt<T>(
        &self,
        stage: Stage,
        class: &str,
        record: Origin<'_>,
        mut operation: impl FnMut() -> Result<T, ConnectError>,
    ) -> Result<Option<T>, ConnectError> {
        let started = Instant::now();
        let mut delay = FIRST_DELAY;
        loop {
            let error = match operation() {
                Ok(value) => return Ok(Some(value)),
                Err(error) => error,
            };
            self.errors().record_errors.fetch_add(1, Relaxed);
            let left = self.settings.retry_timeout.map(|limit| limit.saturating_sub(started.elapsed()));
            if !error.is_retriable() || left == Some(Duration::ZERO) || self.stop.is_requested() {
                return self.failed(&Failure { stage, class, error: &error }, record).map(|_| None);
            }
            let pause = if delay > self.settings.max_delay { self.random_delay() } else { delay };
            delay = delay.saturating_mul(2);
            self.errors().retries.fetch_add(1, Relaxed);
            tokio::select! {
                () = sleep(left.map_or(pause, |left| pause.min(left))) => {}
                () = self.stop.requested() => {}
            }
        }
    }

    fn random_delay(&self) -> Duration {
        self.settings.max_delay.mul_f64(fastrand::f64())
    }

    /// A record could not be processed: everybody concerned hears of it. An error when that is not tolerated.
    pub(crate) fn failed(&self, failure: &Failure<'_>, record: Origin<'_>) -> Result<Reported, ConnectError> {
        let errors = self.errors();
        errors.record_failures.fetch_add(1, Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        errors.last_error.store(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), Relaxed);
        if self.settings.log {
            errors.errors_logged.fetch_add(1, Relaxed);
            error!("{}: {}", self.describe(failure, record), failure.error.trace().trim_end());
        }
        let reported = self.reporter.as_ref().map(|reporter| reporter.report(failure, record));
        if !self.settings.tolerate_all {
            return Err(
                ConnectError::new("Tolerance exceeded in error handler").caused_by(failure.error.clone())
            );
        }
        errors.records_skipped.fetch_add(1, Relaxed);
        Ok(reported.unwrap_or_else(|| Box::pin(async { Ok(()) })))
    }

    /// One line about a failure, as Connect's `LogReporter` writes it.
    fn describe(&self, failure: &Failure<'_>, record: Origin<'_>) -> String {
        let mut text = format!(
            "Error encountered in task {}. Executing stage '{}' with class '{}'",
            self.id,
            failure.stage.name(),
            failure.class
        );
        if self.settings.log_messages {
            match record {
                Origin::Source(record) => text.push_str(&format!(", where source record is = {record:?}")),
                Origin::Consumed(record) => text.push_str(&format!(
                    ", where consumed record is {{topic='{}', partition={}, offset={}, timestamp={}, \
                     timestampType={:?}}}",
                    record.topic,
                    record.partition,
                    record.offset,
                    record.timestamp.unwrap_or(-1),
                    record.timestamp_type
                )),
            }
        }
        text.push('.');
        text
    }

    fn errors(&self) -> &ErrorMetrics {
        &self.metrics.errors
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use crate::worker::StopSwitch;
    use crate::worker::metrics::{Metrics, Windows};
    use connect_api::ConnectorType;
    use std::sync::Mutex;

    pub(crate) fn handling(entries: &[(&str, &str)]) -> (ErrorHandling, StopSwitch) {
        let config = entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let id = TaskId { connector: "c".to_owned(), task: 0 };
        let windows = Windows { window: Duration::from_secs(30), samples: 2 };
        let (switch, stop) = StopSwitch::new();
        let metrics = Metrics::new(windows).task(&id, ConnectorType::Sink);
        let settings = ErrorSettings::from_config(&config).unwrap();
        (ErrorHandling { id, settings, metrics, stop, reporter: None }, switch)
    }

    pub(crate) fn consumed() -> Consumed {
        Consumed {
            topic: "t".to_owned(),
            partition: 0,
            offset: 7,
            timestamp: Some(5),
            timestamp_type: connect_api::TimestampType::CreateTime,
            key: None,
            value: None,
            headers: Vec::new(),
        }
    }

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Reporter for Heard {
        fn report(&self, failure: &Failure<'_>, _: Origin<'_>) -> Reported {
            self.0.lock().unwrap().push(format!("{} {}", failure.stage.name(), failure.error));
            Box::pin(async { Ok(()) })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn passing_errors_are_tried_again_for_the_time_allowed() {
        let (handling, _switch) = handling(&[("errors.retry.timeout", "2000"), ("errors.tolerance", "all")]);
        let record = consumed();
        let mut tries = 0;
        let result = handling
            .attempt(Stage::Transformation, "x.Y", Origin::Consumed(&record), || {
                tries += 1;
                if tries < 3 { Err(ConnectError::retriable("not yet")) } else { Ok(tries) }
            })
            .await;
        assert_eq!(result.unwrap(), Some(3));
        let begun = Instant::now();
        let result = handling
            .attempt::<()>(Stage::Transformation, "x.Y", Origin::Consumed(&record), || {
                Err(ConnectError::retriable("never"))
            })
            .await;
        assert_eq!(result.unwrap(), None, "tolerated");
        assert!(begun.elapsed() >= Duration::from_secs(2) && begun.elapsed() < Duration::from_secs(4));
        let errors = &handling.metrics.errors;
        assert_eq!((errors.record_failures.load(Relaxed), errors.records_skipped.load(Relaxed)), (1, 1));
    }

    #[tokio::test]
    async fn without_tolerance_reporters_hear_of_it_and_the_task_fails() {
        let (mut handling, _switch) = handling(&[]);
        let heard = Arc::new(Heard::default());
        handling.reporter = Some(heard.clone());
        let record = consumed();
        let error = handling
            .attempt::<()>(Stage::KeyConverter, "x.Y", Origin::Consumed(&record), || {
                Err(ConnectError::data("bad byte"))
            })
            .await
            .unwrap_err();
        assert_eq!(
            error.trace(),
            "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
             Caused by: org.apache.kafka.connect.errors.DataException: bad byte\n"
        );
        assert_eq!(*heard.0.lock().unwrap(), ["KEY_CONVERTER bad byte"]);
    }
}
