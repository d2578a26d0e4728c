//! The way from the plan of a source task to its loop: transactions, producer and the delivery of its kind.

use std::sync::Arc;

use connect_api::{BatchTask, ConnectError, Task, TransactionContext};

use super::clients::{DeliveryReport, RecordProducer, TopicCreation};
use super::exactly_once::ExactlyOnce;
use super::offsets::{OffsetStores, TaskOffsets};
use super::plan::Plan;
use super::report::TaskReport;
use super::source::{
    BatchDelivery, BatchParts, Boundary, RecordDelivery, RecordParts, SourceRun, Transaction, initialise,
    run_source,
};

/// A producer whose transactions are initialised.
type Transactional = (RecordProducer, tokio::sync::mpsc::UnboundedReceiver<DeliveryReport>, Transaction);

impl Plan {
    /// Runs the source task.
    pub(super) async fn source(self, stores: OffsetStores) -> Result<TaskReport, ConnectError> {
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
            offsets: TaskOffsets::on(stores, self.status.current()),
            status: self.status.clone(),
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
            status: self.status.clone(),
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
        let topics = if self.worker.settings().topic_creation {
            TopicCreation::from_config(&self.connector, || {
                let admin = self.clients().admin(&format!("connector-adminclient-{}", self.id))?;
                self.worker.cluster("destination", &admin)
            })?
        } else {
            TopicCreation::disabled()
        };
        Ok(RecordParts {
            producer,
            deliveries,
            chain: self.chain()?,
            converters: self.converters()?,
            errors: self.errors()?,
            topics,
            status: self.status.clone(),
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
}
