//! Starting and stopping tasks: from a configuration to a loop on a thread of its own.

use std::sync::Arc;

use connect_api::{
    BatchTask, ConfigMap, ConnectError, ConnectorPlugin, ConnectorType, Task, TransactionContext,
};
use futures::future::{LocalBoxFuture, join_all};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::{error, info, warn};

use super::clients::{Clients, RecordProducer, TopicCreation};
use super::executor::{Outcome, panic_text};
use super::listener::{StatusListener, Voice};
use super::metrics::{TaskMetrics, TaskState};
use super::offsets::{OffsetStores, TaskOffsets};
use super::records::{Chain, Converters, ErrorHandling, ErrorSettings};
use super::settings::{parsed, text};
use super::sink::{DeadLetters, SinkRun, Subscription, run_sink};
use super::source::{
    BatchDelivery, BatchParts, Boundary, RecordDelivery, RecordParts, SourceRun, Transaction, initialise,
    run_source,
};
use super::{ExactlyOnce, StopReport, StopSignal, StopSwitch, TaskReport, Worker};
use crate::ids::InstanceId;
use crate::ids::TargetState;
use crate::ids::TaskId;

type Ended = Option<u64>;

/// A task as the worker holds it.
pub(super) struct TaskHandle {
    switch: StopSwitch,
    target: watch::Sender<TargetState>,
    /// Once it has ended: how many records it drained.
    ended: watch::Receiver<Ended>,
    voice: Voice,
}

impl TaskHandle {
    pub(super) fn set_target(&self, state: TargetState) {
        self.target.send_replace(state);
    }
}

/// What every task is made from.
struct Plan {
    worker: Worker,
    id: TaskId,
    plugin: Arc<dyn ConnectorPlugin>,
    /// The connector's configuration, variables resolved.
    connector: ConfigMap,
    /// The task's.
    config: ConfigMap,
    voice: Voice,
    stop: StopSignal,
    target: watch::Receiver<TargetState>,
    metrics: Arc<TaskMetrics>,
    exactly_once: Option<Arc<dyn ExactlyOnce>>,
}

impl Worker {
    /// Starts a task on a thread of its own and returns at once; `listener` hears what becomes of it. Variables of both
    /// configurations are resolved here. `generation` is that of the assignment, for logs: statuses are the listener's.
    /// `exactly_once` is given for source tasks when the worker has `exactly.once.source.support=enabled`.
    ///
    /// # Errors
    /// What can be refused at once: it runs already, an unknown class, settings that cannot be used, no thread. The
    /// listener hears of those too.
    #[allow(clippy::too_many_arguments)]
    pub async fn start_task(
        &self,
        id: TaskId,
        connector_config: ConfigMap,
        task_config: ConfigMap,
        target: TargetState,
        generation: i32,
        listener: Arc<dyn StatusListener>,
        exactly_once: Option<Arc<dyn ExactlyOnce>>,
    ) -> Result<(), ConnectError> {
        info!(task = %id, generation, "starting the task");
        let voice = Voice::new(InstanceId::Task(id.clone()), listener);
        let started =
            self.launch_task(&id, &connector_config, &task_config, target, voice.clone(), exactly_once).await;
        self.0.metrics.task_started(started.is_ok());
        if let Err(error) = &started {
            error!(task = %id, "the task cannot be started: {error}");
            voice.failed(error);
        }
        started
    }

    async fn launch_task(
        &self,
        id: &TaskId,
        connector: &ConfigMap,
        config: &ConfigMap,
        target: TargetState,
        voice: Voice,
        exactly_once: Option<Arc<dyn ExactlyOnce>>,
    ) -> Result<(), ConnectError> {
        if self.lock_tasks().contains_key(id) {
            return Err(ConnectError::new(format!("Task already exists in this worker: {id}")));
        }
        let connector = self.variables().resolve(connector)?;
        let config = self.variables().resolve(config)?;
        let plugin = self.plugin(&connector)?.clone();
        let (switch, stop) = StopSwitch::new();
        let (target, targets) = watch::channel(target);
        let metrics = self.0.metrics.task(id, plugin.kind());
        let plan = Plan {
            worker: self.clone(),
            id: id.clone(),
            plugin,
            connector,
            config,
            voice: voice.clone(),
            stop,
            target: targets,
            metrics: metrics.clone(),
            exactly_once,
        };
        let life = plan.life().await;
        let life = life.inspect_err(|_| self.0.metrics.forget_task(id))?;
        let (ending, ended) = watch::channel(None);
        let (name, said) = (id.clone(), voice.clone());
        let done = move |outcome| {
            let drained = conclude(&name, &said, &metrics, outcome);
            ending.send_replace(Some(drained));
        };
        let executor = &self.0.surroundings.executor;
        executor
            .run(format!("task-{id}"), life, done)
            .map_err(|error| ConnectError::new(format!("cannot start a thread for the task: {error}")))?;
        self.lock_tasks().insert(id.clone(), TaskHandle { switch, target, ended, voice });
        Ok(())
    }

    /// Stops tasks, all at the same time, in at most `task.shutdown.graceful.timeout.ms`; those that are not done by then
    /// are left behind.
    pub async fn stop_tasks(&self, ids: &[TaskId]) -> StopReport {
        let deadline = Instant::now() + self.settings().shutdown_timeout;
        let mut stopping = Vec::new();
        for id in ids {
            match self.lock_tasks().remove(id) {
                Some(handle) => {
                    handle.switch.request(deadline);
                    stopping.push((id, handle));
                }
                None => warn!(task = %id, "ignoring the request to stop a task that does not run here"),
            }
        }
        let wait = |(id, mut handle): (_, TaskHandle)| async move {
            let ended = match timeout_at(deadline, handle.ended.wait_for(Option::is_some)).await {
                Ok(Ok(drained)) => *drained,
                // Its thread is gone without a word.
                Ok(Err(_)) => Some(0),
                Err(_) => None,
            };
            (id, handle, ended)
        };
        let mut report = StopReport::default();
        for (id, handle, ended) in join_all(stopping.into_iter().map(wait)).await {
            match ended {
                Some(drained) => report.drained_records += drained,
                None => {
                    warn!(
                        task = %id,
                        "the task did not stop in time and is left behind (task.shutdown.graceful.timeout.ms)"
                    );
                    handle.voice.give_up();
                    report.abandoned.push(TaskId::clone(id));
                }
            }
            self.0.metrics.forget_task(id);
        }
        report
    }
}

/// Says how a task ended; returns how many records it drained.
fn conclude(
    id: &TaskId,
    voice: &Voice,
    metrics: &TaskMetrics,
    outcome: Outcome<Result<TaskReport, ConnectError>>,
) -> u64 {
    let failure = match outcome {
        Ok(Ok(report)) => {
            info!(task = %id, "stopped, {} records drained", report.drained_records);
            metrics.set_state(TaskState::Unassigned);
            voice.shut_down();
            return report.drained_records;
        }
        Ok(Err(error)) => error,
        Err(panic) => ConnectError::new(panic_text(&*panic)),
    };
    metrics.set_state(TaskState::Failed);
    voice.failed(&failure);
    0
}

/// A task's whole life, to be made and run on its own thread.
type Life = Box<dyn FnOnce() -> LocalBoxFuture<'static, Result<TaskReport, ConnectError>> + Send>;

impl Plan {
    fn clients(&self) -> Clients<'_> {
        Clients { worker: self.worker.settings(), connector: &self.connector }
    }

    fn errors(&self) -> Result<ErrorHandling, ConnectError> {
        Ok(ErrorHandling {
            id: self.id.clone(),
            settings: ErrorSettings::from_config(&self.connector)?,
            metrics: self.metrics.clone(),
            stop: self.stop.clone(),
            reporter: None,
        })
    }

    fn chain(&self) -> Result<Chain, ConnectError> {
        Chain::from_config(self.worker.plugins(), &self.connector)
    }

    fn converters(&self) -> Result<Converters, ConnectError> {
        Converters::new(self.worker.plugins(), &self.connector, &self.worker.settings().properties)
    }

    async fn life(self) -> Result<Life, ConnectError> {
        // Both are checked here, where the herder hears of it, and made again on the task's thread.
        self.errors()?;
        self.chain()?;
        match self.plugin.kind() {
            ConnectorType::Source => {
                self.clients().producer(&self.id, None)?;
                if self.worker.settings().topic_creation {
                    TopicCreation::check(&self.connector)?;
                }
                let stores = self.worker.offset_stores(&self.id.connector, &self.connector).await?;
                Ok(Box::new(move || Box::pin(self.source(stores))))
            }
            ConnectorType::Sink => {
                self.clients().consumer(&self.id)?;
                self.converters()?;
                Ok(Box::new(move || Box::pin(self.sink())))
            }
        }
    }

    async fn source(self, stores: OffsetStores) -> Result<TaskReport, ConnectError> {
        let task = match self.plugin.task() {
            Task::Sink(_) => {
                return Err(ConnectError::new(format!("{} makes no source tasks", self.plugin.class())));
            }
            task => task,
        };
        let transaction = match &self.exactly_once {
            Some(hooks) => match self.begin_transactions(hooks.clone(), stores.clone()).await? {
                Some(begun) => Some(begun),
                None => return Ok(TaskReport::default()),
            },
            None => None,
        };
        let run = self.source_run(stores, transaction.as_ref());
        match task {
            Task::Source(task) => {
                let (id, stop, metrics) = (self.id.clone(), self.stop.clone(), self.metrics.clone());
                let transactional = transaction.is_some();
                let make = Box::new(move || self.record_parts(transaction));
                run_source(run, RecordDelivery::new(id, task, stop, metrics, transactional, make)).await
            }
            Task::Batches(task) => {
                run_source(run, BatchDelivery::new(self.batch_parts(task, transaction)?)).await
            }
            Task::Sink(_) => Ok(TaskReport::default()),
        }
    }

    fn source_run(&self, stores: OffsetStores, transaction: Option<&Transactional>) -> SourceRun {
        let settings = self.worker.settings();
        SourceRun {
            id: self.id.clone(),
            config: self.config.clone(),
            offsets: TaskOffsets::on(stores, self.voice.current()),
            voice: self.voice.clone(),
            stop: self.stop.clone(),
            target: self.target.clone(),
            metrics: self.metrics.clone(),
            transaction: transaction.and_then(|(_, _, transaction)| transaction.context.clone()),
            transactional: transaction.is_some(),
            flush_interval: settings.offset_flush_interval,
            flush_timeout: Some(settings.offset_flush_timeout),
        }
    }

    fn batch_parts(
        &self,
        task: Box<dyn BatchTask>,
        transaction: Option<Transactional>,
    ) -> Result<BatchParts, ConnectError> {
        let properties = self.clients().producer(&self.id, None)?;
        let (worker, settings) = (self.worker.clone(), self.worker.0.surroundings.raw.clone());
        Ok(BatchParts {
            id: self.id.clone(),
            task,
            voice: self.voice.clone(),
            metrics: self.metrics.clone(),
            track_topics: self.worker.settings().topic_tracking,
            gate: self.worker.0.send_gate.get().cloned(),
            writer: Box::new(move || Ok((worker.cluster("destination", &properties)?, settings.clone()))),
            fence: transaction.map(|(producer, _, _)| producer),
        })
    }

    fn record_parts(self, transaction: Option<Transactional>) -> Result<RecordParts, ConnectError> {
        let (producer, deliveries, transaction) = match transaction {
            Some((producer, deliveries, transaction)) => (producer, deliveries, Some(transaction)),
            None => {
                let (producer, deliveries) = RecordProducer::new(&self.clients().producer(&self.id, None)?)?;
                (producer, deliveries, None)
            }
        };
        let topics = match self.worker.settings().topic_creation {
            true => TopicCreation::from_config(&self.connector, || {
                let admin = self.clients().admin(&format!("connector-adminclient-{}", self.id))?;
                self.worker.cluster("destination", &admin)
            })?,
            false => TopicCreation::disabled(),
        };
        Ok(RecordParts {
            producer,
            deliveries,
            chain: self.chain()?,
            converters: self.converters()?,
            errors: self.errors()?,
            topics,
            voice: self.voice.clone(),
            track_topics: self.worker.settings().topic_tracking,
            transaction,
        })
    }

    /// Fences out older generations and makes the transactional producer. `None`: the task is to stop, and another may be
    /// running elsewhere already, which must not be fenced.
    async fn begin_transactions(
        &self,
        hooks: Arc<dyn ExactlyOnce>,
        offsets: OffsetStores,
    ) -> Result<Option<Transactional>, ConnectError> {
        let topic = self.worker.offset_topic(&self.connector).ok_or_else(|| {
            ConnectError::new(
                "exactly-once delivery needs an offset topic; this worker keeps offsets elsewhere",
            )
        })?;
        let boundary = Boundary::from_config(&self.connector, self.worker.settings().offset_flush_interval)?;
        tokio::select! {
            biased;
            () = self.stop.requested() => return Ok(None),
            fenced = hooks.fence(&self.id) => fenced?,
        }
        let transactional_id = self.worker.transactional_id(&self.id);
        let properties = self.clients().producer(&self.id, Some(&transactional_id))?;
        let (producer, deliveries) = RecordProducer::new(&properties)?;
        initialise(&producer, &self.stop).await?;
        hooks.verify(&self.id).await?;
        let context = (boundary == Boundary::Connector).then(TransactionContext::default);
        let transaction = Transaction::new(
            self.id.clone(),
            boundary,
            context,
            producer.clone(),
            (offsets, topic),
            self.metrics.clone(),
            self.stop.clone(),
        );
        Ok(Some((producer, deliveries, transaction)))
    }

    async fn sink(self) -> Result<TaskReport, ConnectError> {
        let Task::Sink(task) = self.plugin.task() else {
            return Err(ConnectError::new(format!("{} makes no sink tasks", self.plugin.class())));
        };
        let settings = self.worker.settings();
        let consumer = self.clients().consumer(&self.id)?;
        let dead_letters = self.dead_letters().await?;
        let mut errors = self.errors()?;
        errors.reporter = dead_letters.clone().map(|letters| letters as Arc<dyn super::records::Reporter>);
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
            voice: self.voice.clone(),
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

/// A producer whose transactions are initialised.
type Transactional =
    (RecordProducer, tokio::sync::mpsc::UnboundedReceiver<super::clients::DeliveryReport>, Transaction);
