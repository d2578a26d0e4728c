//! State of a sink task's loop: everything that it is made of, and everything that it keeps.

use std::sync::Arc;

use connect_api::{ConfigMap, ConnectError, SinkRecord, SinkTask, SinkTaskContext};
use futures::future::BoxFuture;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::consumer::{Rebalanced, SinkConsumer};
use super::dead_letters::{DeadLetters, Open, Originals, TaskReporter};
use super::positions::{Offsets, Positions};
use super::subscription::Subscription;
use crate::ids::{TargetState, TaskId};
use crate::worker::listener::{StatusReporter, TopicsInUse};
use crate::worker::metrics::TaskMetrics;
use crate::worker::records::{Chain, Converters, ErrorHandling};
use crate::worker::stop::StopSignal;

/// One sink task with everything it needs.
pub(crate) struct SinkRun {
    pub(crate) id: TaskId,
    pub(crate) task: Box<dyn SinkTask>,
    pub(crate) config: ConfigMap,
    pub(crate) status: StatusReporter,
    pub(crate) stop: StopSignal,
    pub(crate) target: watch::Receiver<TargetState>,
    pub(crate) metrics: Arc<TaskMetrics>,
    pub(crate) chain: Chain,
    pub(crate) converters: Arc<Converters>,
    pub(crate) errors: ErrorHandling,
    pub(crate) dead_letters: Option<Arc<DeadLetters>>,
    /// Java properties of its consumer.
    pub(crate) consumer: ConfigMap,
    pub(crate) subscription: Subscription,
    /// `max.poll.records`: records of one put.
    pub(crate) max_poll_records: usize,
    /// `topic.tracking.enable`.
    pub(crate) track_topics: bool,
    pub(crate) flush_interval: Duration,
    pub(crate) flush_timeout: Duration,
}

/// A sink task at work. Its methods stand in the files of what they do.
pub(super) struct SinkLoop {
    pub(super) run: Parts,
    pub(super) consumer: SinkConsumer,
    pub(super) rebalances: mpsc::UnboundedReceiver<Rebalanced>,
    pub(super) context: SinkTaskContext,
    pub(super) reporter: Option<Arc<TaskReporter>>,
    pub(super) originals: Option<Arc<Originals>>,
    pub(super) positions: Positions,
    /// The topics that the consumer was last told to read.
    pub(super) subscribed: Vec<String>,
    /// Records that were converted and not yet put, and the offsets after them.
    pub(super) batch: Vec<SinkRecord>,
    pub(super) batch_offsets: Offsets,
    pub(super) redeliver_at: Option<Instant>,
    pub(super) paused: bool,
    pub(super) next_commit: Instant,
    pub(super) commit: Option<UnderWay>,
    pub(super) tracked: TopicsInUse,
}

/// Rest of [`SinkRun`] once the loop is made.
pub(super) struct Parts {
    pub(super) id: TaskId,
    pub(super) task: Box<dyn SinkTask>,
    pub(super) status: StatusReporter,
    pub(super) stop: StopSignal,
    pub(super) target: watch::Receiver<TargetState>,
    pub(super) metrics: Arc<TaskMetrics>,
    pub(super) chain: Chain,
    pub(super) converters: Arc<Converters>,
    pub(super) errors: Arc<ErrorHandling>,
    pub(super) dead_letters: Option<Arc<DeadLetters>>,
    pub(super) subscription: Subscription,
    pub(super) max_poll_records: usize,
    pub(super) track_topics: bool,
    pub(super) flush_interval: Duration,
    pub(super) flush_timeout: Duration,
}

/// A commit that was sent.
pub(super) struct UnderWay {
    pub(super) sequence: u64,
    pub(super) begun: Instant,
    pub(super) offsets: Offsets,
    pub(super) done: BoxFuture<'static, Result<(), String>>,
}

impl SinkLoop {
    /// A loop that has not begun.
    ///
    /// # Errors
    /// Properties that make no consumer.
    pub(super) fn new(run: SinkRun) -> Result<Self, ConnectError> {
        let (consumer, rebalances) = SinkConsumer::new(&run.consumer)?;
        let errors = Arc::new(run.errors);
        let reports = run.dead_letters.is_some() || errors.settings.log;
        let originals = reports.then(|| Arc::new(Originals::default()));
        let reporter = originals.as_ref().map(|originals| {
            Arc::new(TaskReporter {
                errors: errors.clone(),
                originals: originals.clone(),
                converters: run.converters.clone(),
                open: watch::Sender::new(Open::default()),
                runtime: tokio::runtime::Handle::current(),
            })
        });
        let context = SinkTaskContext {
            requests: Arc::default(),
            reporter: reporter.clone().map(|reporter| reporter as Arc<dyn connect_api::ErrantRecordReporter>),
        };
        let next_commit = Instant::now() + run.flush_interval;
        let run = Parts {
            id: run.id,
            task: run.task,
            status: run.status,
            stop: run.stop,
            target: run.target,
            metrics: run.metrics,
            chain: run.chain,
            converters: run.converters,
            errors,
            dead_letters: run.dead_letters,
            subscription: run.subscription,
            max_poll_records: run.max_poll_records.max(1),
            track_topics: run.track_topics,
            flush_interval: run.flush_interval,
            flush_timeout: run.flush_timeout,
        };
        Ok(Self {
            run,
            consumer,
            rebalances,
            context,
            reporter,
            originals,
            positions: Positions::default(),
            subscribed: Vec::new(),
            batch: Vec::new(),
            batch_offsets: Offsets::new(),
            redeliver_at: None,
            paused: false,
            next_commit,
            commit: None,
            tracked: TopicsInUse::default(),
        })
    }

    /// Time at which everything must be done, with a little left to tell.
    pub(super) fn end(&self) -> Instant {
        let now = Instant::now();
        let deadline = self.run.stop.deadline().unwrap_or(now + self.run.flush_timeout);
        deadline - deadline.saturating_duration_since(now) / 20
    }
}
