//! The way from the plan of a sink task to its loop: consumer, subscription and dead letter queue.

use std::sync::Arc;

use connect_api::{ConnectError, Task};

use super::clients::RecordProducer;
use super::plan::Plan;
use super::records::Reporter;
use super::report::TaskReport;
use super::settings::{parsed, text};
use super::sink::{DeadLetters, SinkRun, Subscription, run_sink};

impl Plan {
    /// Runs the sink task.
    pub(super) async fn sink(self) -> Result<TaskReport, ConnectError> {
        let Task::Sink(task) = self.plugin.task() else {
            return Err(ConnectError::new(format!("{} makes no sink tasks", self.plugin.class())));
        };
        let settings = self.worker.settings();
        let consumer = self.clients().consumer(&self.id)?;
        let dead_letters = self.dead_letters().await?;
        let mut errors = self.errors()?;
        errors.reporter = dead_letters.clone().map(|letters| letters as Arc<dyn Reporter>);
        let subscription = Subscription::from_config(&self.connector, &consumer, || {
            self.worker.cluster("connector's", &consumer)
        })?;
        run_sink(SinkRun {
            chain: self.chain()?,
            converters: Arc::new(self.converters()?),
            max_poll_records: parsed(&consumer, "max.poll.records", 500)?,
            track_topics: settings.topic_tracking,
            flush_interval: settings.offset_flush_interval,
            flush_timeout: settings.offset_flush_timeout,
            id: self.id.clone(),
            task,
            config: self.config.clone(),
            status: self.status.clone(),
            stop: self.stop.clone(),
            target: self.target.clone(),
            metrics: self.metrics.clone(),
            errors,
            dead_letters,
            consumer,
            subscription,
        })
        .await
    }

    /// The dead letter queue, its topic created if it is missing.
    async fn dead_letters(&self) -> Result<Option<Arc<DeadLetters>>, ConnectError> {
        const PREFIX: &str = "errors.deadletterqueue.";
        let Some(topic) = text(&self.connector, &format!("{PREFIX}topic.name")) else { return Ok(None) };
        let replication = parsed(&self.connector, &format!("{PREFIX}topic.replication.factor"), 3)?;
        let headers = parsed(&self.connector, &format!("{PREFIX}context.headers.enable"), false)?;
        let admin = self.clients().admin(&format!("connector-dlq-adminclient-{}", self.id))?;
        let cluster = self.worker.cluster("connector's", &admin)?;
        DeadLetters::ensure_topic(&cluster, topic, replication).await?;
        let (producer, deliveries) = RecordProducer::new(&self.clients().dead_letter_producer(&self.id)?)?;
        let (id, metrics) = (self.id.clone(), self.metrics.clone());
        Ok(Some(Arc::new(DeadLetters::open(id, topic, headers, metrics, producer, deliveries))))
    }
}
