//! Dead letters: records that could not be converted, transformed or written to the sink, kept in a topic as they were
//! read (KIP-298), and the reporter by which sink tasks hand them in (KIP-610).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use connect_api::{ConnectError, ErrantRecordReporter, SinkRecord};
use futures::future::BoxFuture;
use kafka_wire::admin::NewTopic;
use kafka_wire::cluster::Cluster;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::error;

use crate::ids::TaskId;
use crate::worker::clients::{DeliveryReport, NO_LOGIN, RecordProducer, kafka_error};
use crate::worker::metrics::TaskMetrics;
use crate::worker::records::{
    Consumed, Converters, ErrorHandling, Failure, KafkaRecord, Origin, Reported, Reporter, Stage,
};

const TASK_CLASS: &str = "org.apache.kafka.connect.sink.SinkTask";

/// Bytes of records kept for a task that may report them after a later batch.
const ORIGINALS: usize = 32 * 1024 * 1024;

struct Letter {
    record: KafkaRecord,
    done: oneshot::Sender<Result<(), ConnectError>>,
}

/// The dead letter queue of one task.
pub(crate) struct DeadLetters {
    id: TaskId,
    topic: String,
    /// `errors.deadletterqueue.context.headers.enable`.
    headers: bool,
    metrics: Arc<TaskMetrics>,
    letters: mpsc::UnboundedSender<Letter>,
    pending: Arc<watch::Sender<usize>>,
    /// The task's runtime: a task may report from a thread of its own.
    runtime: Handle,
}

impl DeadLetters {
    /// Opens the queue on the current runtime.
    pub(crate) fn open(
        id: TaskId,
        topic: &str,
        headers: bool,
        metrics: Arc<TaskMetrics>,
        producer: RecordProducer,
        deliveries: mpsc::UnboundedReceiver<DeliveryReport>,
    ) -> Self {
        let (letters, inbox) = mpsc::unbounded_channel();
        let pending = Arc::new(watch::Sender::new(0));
        tokio::spawn(post(producer, deliveries, inbox, pending.clone()));
        let runtime = Handle::current();
        Self { id, topic: topic.to_owned(), headers, metrics, letters, pending, runtime }
    }

    /// Makes sure that the topic exists.
    pub(crate) async fn ensure_topic(
        cluster: &Cluster,
        topic: &str,
        replication: i16,
    ) -> Result<(), ConnectError> {
        let failed = |error| {
            ConnectError::new("Could not initialize dead letter queue with topic=".to_owned() + topic)
                .caused_by(ConnectError::new(error))
        };
        let metadata = cluster.refresh(Some(&[topic.to_owned()])).await.map_err(failed)?;
        if metadata.topic(topic).is_some_and(|found| !found.partitions.is_empty()) {
            return Ok(());
        }
        let new = NewTopic {
            name: topic.to_owned(),
            partitions: 1,
            replication_factor: replication,
            configs: BTreeMap::new(),
        };
        cluster.create_topic(&new).await.map(drop).map_err(failed)
    }

    /// Waits until every letter is stored or refused.
    pub(super) async fn settled(&self) {
        // The sender lives as long as this.
        let _ = self.pending.subscribe().wait_for(|pending| *pending == 0).await;
    }

    fn letter(&self, failure: &Failure<'_>, original: &Consumed) -> KafkaRecord {
        let mut headers = original.headers.clone();
        if self.headers {
            headers.extend(self.context(failure, original));
        }
        KafkaRecord {
            topic: self.topic.clone(),
            partition: None,
            timestamp: original.timestamp,
            key: original.key.clone(),
            value: original.value.clone(),
            headers,
        }
    }

    fn context(&self, failure: &Failure<'_>, original: &Consumed) -> Vec<(String, Option<Bytes>)> {
        [
            ("topic", original.topic.clone()),
            ("partition", original.partition.to_string()),
            ("offset", original.offset.to_string()),
            ("connector.name", self.id.connector.clone()),
            ("task.id", self.id.task.to_string()),
            ("stage", failure.stage.name().to_owned()),
            ("class.name", failure.class.to_owned()),
            ("exception.class.name", failure.error.class().to_owned()),
            ("exception.message", failure.error.message().to_owned()),
            ("exception.stacktrace", failure.error.trace()),
        ]
        .map(|(key, value)| (format!("__connect.errors.{key}"), Some(Bytes::from(value))))
        .into()
    }
}

impl Reporter for DeadLetters {
    fn report(&self, failure: &Failure<'_>, record: Origin<'_>) -> Reported {
        let Origin::Consumed(original) = record else { return Box::pin(async { Ok(()) }) };
        self.metrics.errors.dead_letters.fetch_add(1, Relaxed);
        let (done, outcome) = oneshot::channel();
        self.pending.send_modify(|pending| *pending += 1);
        let letter = Letter { record: self.letter(failure, original), done };
        if self.letters.send(letter).is_err() {
            self.pending.send_modify(|pending| *pending -= 1);
        }
        let (metrics, topic, id) = (self.metrics.clone(), self.topic.clone(), self.id.clone());
        // Told even when nobody awaits the report.
        let told = self.runtime.spawn(async move {
            let outcome = outcome.await.unwrap_or_else(|_| Err(ConnectError::new("the task is gone")));
            if let Err(cause) = &outcome {
                metrics.errors.dead_letter_failures.fetch_add(1, Relaxed);
                error!("{id}: could not produce a message to dead letter queue. topic={topic}: {cause}");
            }
            outcome
        });
        Box::pin(async move { told.await.unwrap_or_else(|error| Err(ConnectError::new(error))) })
    }
}

/// Sends letters and tells what became of them, until the queue is dropped and its last letter settled.
async fn post(
    producer: RecordProducer,
    mut deliveries: mpsc::UnboundedReceiver<DeliveryReport>,
    mut inbox: mpsc::UnboundedReceiver<Letter>,
    pending: Arc<watch::Sender<usize>>,
) {
    let mut waiting: HashMap<usize, oneshot::Sender<Result<(), ConnectError>>> = HashMap::new();
    let mut next = 0;
    let mut open = true;
    let mut stored = false;
    while open || !waiting.is_empty() {
        let delivery = tokio::select! {
            letter = inbox.recv(), if open => match letter {
                None => {
                    open = false;
                    continue;
                }
                Some(Letter { record, done }) => {
                    next += 1;
                    waiting.insert(next, done);
                    match producer.send(&record, next).await {
                        Ok(()) => continue,
                        Err(error) => DeliveryReport { number: next, result: Err(error) },
                    }
                }
            },
            Some(delivery) = deliveries.recv() => delivery,
        };
        stored |= delivery.result.is_ok();
        if delivery.number == NO_LOGIN && !stored {
            for (_, done) in waiting.drain() {
                let _ = done.send(Err(producer.refused_login()));
                pending.send_modify(|pending| *pending -= 1);
            }
        }
        if let Some(done) = waiting.remove(&delivery.number) {
            // Nobody need listen.
            let _ = done.send(delivery.result.map(drop).map_err(|error| kafka_error(&error)));
            pending.send_modify(|pending| *pending -= 1);
        }
    }
    producer.close();
}

/// The last records read, as they were, for a task that reports some of them.
#[derive(Default)]
pub(super) struct Originals(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    records: HashMap<(String, i32, i64), Consumed>,
    order: VecDeque<((String, i32, i64), usize)>,
    bytes: usize,
}

impl Originals {
    pub(super) fn keep(&self, record: &Consumed) {
        let mut kept = self.lock();
        let size =
            64 + record.key.as_ref().map_or(0, Bytes::len) + record.value.as_ref().map_or(0, Bytes::len);
        let key = (record.topic.clone(), record.partition, record.offset);
        kept.bytes += size;
        kept.order.push_back((key.clone(), size));
        kept.records.insert(key, record.clone());
        while kept.bytes > ORIGINALS
            && let Some((key, size)) = kept.order.pop_front()
        {
            kept.bytes -= size;
            kept.records.remove(&key);
        }
    }

    fn of(&self, record: &SinkRecord) -> Option<Consumed> {
        let key = (record.original_topic.clone(), record.original_partition, record.original_offset);
        self.lock().records.get(&key).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reporter that a sink task has.
pub(super) struct TaskReporter {
    pub(super) errors: Arc<ErrorHandling>,
    pub(super) originals: Arc<Originals>,
    pub(super) converters: Arc<Converters>,
    /// Reports on their way: offsets are not committed before they have ended.
    pub(super) open: watch::Sender<Open>,
    pub(super) runtime: Handle,
}

/// Reports that have not ended, and the first that failed.
#[derive(Default)]
pub(super) struct Open {
    pub(super) reports: usize,
    pub(super) failure: Option<ConnectError>,
}

impl TaskReporter {
    /// Waits for all reports; the error is the first that failed.
    pub(super) async fn settled(&self) -> Result<(), ConnectError> {
        // The sender lives as long as this.
        let _ = self.open.subscribe().wait_for(|open| open.reports == 0).await;
        match self.open.borrow().failure.clone() {
            Some(failure) => Err(ConnectError::new("Failed to write an errant record").caused_by(failure)),
            None => Ok(()),
        }
    }
}

impl ErrantRecordReporter for TaskReporter {
    fn report(
        &self,
        record: &SinkRecord,
        error: &ConnectError,
    ) -> BoxFuture<'static, Result<(), ConnectError>> {
        let original = match self.originals.of(record).map_or_else(|| self.converters.original(record), Ok) {
            Ok(original) => original,
            Err(error) => return Box::pin(async { Err(error) }),
        };
        let failure = Failure { stage: Stage::TaskPut, class: TASK_CLASS, error };
        let reported = match self.errors.failed(&failure, Origin::Consumed(&original)) {
            Ok(reported) => reported,
            Err(error) => return Box::pin(async { Err(error) }),
        };
        self.open.send_modify(|open| open.reports += 1);
        let open = self.open.clone();
        let told = self.runtime.spawn(async move {
            let outcome = reported.await;
            open.send_modify(|open| {
                open.reports -= 1;
                open.failure = open.failure.take().or_else(|| outcome.clone().err());
            });
            outcome
        });
        Box::pin(async move { told.await.unwrap_or_else(|error| Err(ConnectError::new(error))) })
    }
}
