//! The worker's own properties about running tasks. Names, units and defaults are Connect's `WorkerConfig`.

use std::time::Duration;

use connect_api::{ConfigMap, ConnectError};

use super::clients::OverridePolicy;
pub(crate) use super::values::{list, millis, parsed, text, with_prefix};

/// Settings of a worker as far as running connectors and tasks needs them.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// `host:port` under which statuses name this worker.
    pub worker_id: String,
    /// Everything in the worker's file, config provider variables resolved: converters, `producer.*` and so on.
    pub properties: ConfigMap,
    /// `group.id`; `None` in standalone mode.
    pub group_id: Option<String>,
    /// `offset.flush.interval.ms`.
    pub offset_flush_interval: Duration,
    /// `offset.flush.timeout.ms`.
    pub offset_flush_timeout: Duration,
    /// `task.shutdown.graceful.timeout.ms`.
    pub shutdown_timeout: Duration,
    /// `topic.creation.enable`.
    pub topic_creation: bool,
    /// `topic.tracking.enable`.
    pub topic_tracking: bool,
    /// `exactly.once.source.support=enabled`.
    pub exactly_once: bool,
    /// `connector.client.config.override.policy`.
    pub override_policy: OverridePolicy,
    /// `metrics.sample.window.ms`.
    pub metrics_window: Duration,
    /// `metrics.num.samples`.
    pub metrics_samples: usize,
}

impl WorkerSettings {
    /// Reads a worker's properties.
    ///
    /// # Errors
    /// The first property that cannot be used.
    pub fn from_properties(worker_id: &str, properties: ConfigMap) -> Result<Self, ConnectError> {
        let p = &properties;
        Ok(Self {
            worker_id: worker_id.to_owned(),
            group_id: p.get("group.id").cloned(),
            offset_flush_interval: millis(p, "offset.flush.interval.ms", 60_000)?,
            offset_flush_timeout: millis(p, "offset.flush.timeout.ms", 5_000)?,
            shutdown_timeout: millis(p, "task.shutdown.graceful.timeout.ms", 5_000)?,
            topic_creation: parsed(p, "topic.creation.enable", true)?,
            topic_tracking: parsed(p, "topic.tracking.enable", true)?,
            exactly_once: text(p, "exactly.once.source.support")
                .is_some_and(|value| value.eq_ignore_ascii_case("enabled")),
            override_policy: OverridePolicy::from_properties(p)?,
            metrics_window: millis(p, "metrics.sample.window.ms", 30_000)?,
            metrics_samples: parsed(p, "metrics.num.samples", 2)?,
            properties,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_connects_and_prefixes_are_cut() {
        let settings = WorkerSettings::from_properties("w:1", ConfigMap::new()).unwrap();
        assert_eq!(settings.offset_flush_interval, Duration::from_secs(60));
        assert_eq!(settings.shutdown_timeout, Duration::from_secs(5));
        assert!(settings.topic_creation && settings.topic_tracking && !settings.exactly_once);
        let map: ConfigMap = [("producer", "0"), ("producer.acks", "1"), ("producer.x.y", "2"), ("q", "3")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into();
        let cut = with_prefix(&map, "producer.");
        assert_eq!(
            cut.into_iter().collect::<Vec<_>>(),
            [("acks".to_owned(), "1".to_owned()), ("x.y".to_owned(), "2".to_owned())]
        );
        let bad = ConfigMap::from([("offset.flush.interval.ms".to_owned(), "soon".to_owned())]);
        let error = WorkerSettings::from_properties("w:1", bad).unwrap_err().to_string();
        assert!(error.contains("offset.flush.interval.ms"), "{error}");
    }
}
