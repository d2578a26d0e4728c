//! The core: the one task that owns membership, the config store and what runs on this worker; and the handle to it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kafka_wire::Reminder;
use kafka_wire::cluster::Cluster;
use kafka_wire::group::{Due, GroupMember, GroupSettings, Lost, Session};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{info, warn};

use super::super::reader::Reader;
use super::auto_restart::AutoRestarts;
use super::grace::Grace;
use super::membership::Group;
use super::news::{News, follow};
use super::predecessor::Predecessor;
use super::reconfigure::{InternalClient, Reconfigurations};
use super::settings::DistributedSettings;
use super::updates::Pending;
use super::{Job, Shared};
use crate::group::{Assignor, ConnectProtocol};
use crate::herder::statuses::StatusWriter;
use crate::ids::TaskId;
use crate::storage::{
    ConfigState, ConfigStore, LogTail, OffsetStore, Properties, Status, StatusId, StatusStore,
};
use crate::worker::{StopReport, Worker};

/// Time for the last statuses to reach their topic.
const STATUS_FLUSH_LIMIT: Duration = Duration::from_secs(3);
/// Time for leaving the group.
const LEAVE_LIMIT: Duration = Duration::from_secs(3);
/// Pause after which the core looks round when nothing happens: keys to renew, rebalances that are due.
const ROUND: Duration = Duration::from_millis(500);

/// A worker's herder in distributed mode. REST asks it through [`crate::herder::api::Herder`].
#[derive(Clone)]
pub struct DistributedHerder {
    pub(super) shared: Arc<Shared>,
    life: Arc<Mutex<Option<Life>>>,
}

struct Life {
    stop: oneshot::Sender<()>,
    core: JoinHandle<StopReport>,
}

/// Ground that a herder stands on.
pub struct Foundation {
    /// The cluster of the group and the storage topics.
    pub cluster: Cluster,
    /// Session, rebalance and heartbeat times.
    pub group: GroupSettings,
    /// `config.storage.topic`
    pub configs: ConfigStore,
    /// `status.storage.topic`
    pub statuses: StatusStore,
    /// `offset.storage.topic`, also known to the worker.
    pub offsets: OffsetStore,
    /// Runs connectors and tasks.
    pub worker: Worker,
    /// Sends signed requests to other workers.
    pub client: Arc<dyn InternalClient>,
}

impl std::fmt::Debug for Foundation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Foundation({:?})", self.cluster)
    }
}

impl DistributedHerder {
    /// Joins the group and begins to work, on the current runtime. Returns at once.
    pub fn start(settings: DistributedSettings, foundation: Foundation) -> Self {
        let Foundation { cluster, group, mut configs, statuses, offsets, worker, client } = foundation;
        let cluster_id = cluster.id();
        let predecessor = Predecessor {
            cluster: cluster.clone(),
            group: group.group_id.clone(),
            client_id: group.client_id.clone(),
        };
        let member = GroupMember::new(cluster, group);
        let session = member.session();
        gate(&session, &statuses, &offsets);
        let grace = Grace::default();
        worker.set_send_gate(grace.gate(session.clone()));
        let (jobs, inbox) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            writer: Arc::new(StatusWriter::new(statuses.clone(), &settings.worker_id)),
            jobs,
            reader: Reader {
                cluster_id,
                worker: worker.clone(),
                configs: configs.snapshots(),
                statuses: statuses.clone(),
            },
            worker: worker.clone(),
            statuses,
            client,
            ready: AtomicBool::new(false),
            stage: Mutex::default(),
            figures: Mutex::default(),
            session: session.clone(),
            settings,
        });
        if shared.settings.exactly_once.has_transactional_leader() {
            configs.require_privileged_writer();
        }
        let core = Core {
            shared: shared.clone(),
            worker,
            assignor: Assignor::new(shared.settings.rebalance_max_delay.as_millis() as i32),
            state: configs.snapshots().borrow().clone(),
            news: follow(configs.tail()),
            configs,
            member,
            session,
            grace,
            group: Group::default(),
            pending: Pending::default(),
            started: BTreeMap::new(),
            reconfigurations: Reconfigurations::default(),
            auto_restarts: AutoRestarts::default(),
            unread: Reminder::default(),
            undone: Reminder::default(),
            birth: Instant::now(),
        };
        let (stop, stopped) = oneshot::channel();
        let core = tokio::spawn(async move {
            predecessor.remove().await;
            core.run(inbox, stopped).await
        });
        Self { shared, life: Arc::new(Mutex::new(Some(Life { stop, core }))) }
    }

    /// The group's generation of which this worker is a part, -1 for none.
    pub fn generation(&self) -> i32 {
        self.shared.session.generation()
    }

    /// `host:port` under which statuses name this worker.
    pub fn worker_id(&self) -> &str {
        &self.shared.settings.worker_id
    }

    /// The newest status of a connector or task, by whichever worker.
    pub fn status(&self, id: &StatusId) -> Option<Status> {
        self.shared.statuses.get(id)
    }

    /// The newest statuses of a connector's tasks, by number.
    pub fn task_statuses(&self, connector: &str) -> Vec<(usize, Status)> {
        self.shared.statuses.tasks(connector)
    }

    /// Stops everything that runs here, tells so, and leaves the group. Takes at most
    /// `task.shutdown.graceful.timeout.ms` and a few seconds. A second call does nothing.
    pub async fn stop(&self) -> StopReport {
        let life = self.life.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let Some(Life { stop, core }) = life else { return StopReport::default() };
        // A core that is gone needs no word.
        let _ = stop.send(());
        core.await.unwrap_or_default()
    }
}

impl std::fmt::Debug for DistributedHerder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DistributedHerder({})", self.shared.settings.worker_id)
    }
}

/// A worker whose session is over writes neither statuses nor offsets: another may have its work. Before the first join nothing
/// runs that could have anything to write.
fn gate(session: &Session, statuses: &StatusStore, offsets: &OffsetStore) {
    let (first, second) = (session.clone(), session.clone());
    statuses.set_gate(Arc::new(move || first.is_live()));
    offsets.set_gate(Arc::new(move || second.is_live()));
}

/// See the module.
pub(super) struct Core {
    pub(super) shared: Arc<Shared>,
    pub(super) worker: Worker,
    pub(super) configs: ConfigStore,
    news: News,
    pub(super) member: GroupMember,
    pub(super) session: Session,
    pub(super) grace: Grace,
    pub(super) assignor: Assignor,
    /// Configurations as far as this worker has acted upon them.
    pub(super) state: Arc<ConfigState>,
    pub(super) group: Group,
    pub(super) pending: Pending,
    /// Configurations of connector and task that running tasks were started with, as stored.
    pub(super) started: BTreeMap<TaskId, (Properties, Properties)>,
    pub(super) reconfigurations: Reconfigurations,
    pub(super) auto_restarts: AutoRestarts,
    /// That the config topic cannot be read.
    pub(super) unread: Reminder,
    /// That the leader cannot do its regular duties.
    pub(super) undone: Reminder,
    /// Beginning of the assignor's clock.
    pub(super) birth: Instant,
}

/// Reasons for the core to wake.
enum Wake {
    Member(Due),
    News,
    Job(Option<Job>),
    Round,
    Stop,
}

impl Core {
    async fn run(
        mut self,
        mut jobs: mpsc::UnboundedReceiver<Job>,
        mut stopped: oneshot::Receiver<()>,
    ) -> StopReport {
        loop {
            let round = Instant::now() + ROUND;
            let wake = tokio::select! {
                biased;
                _ = &mut stopped => Wake::Stop,
                due = self.member.due() => Wake::Member(due),
                () = self.news.signal.notified() => Wake::News,
                job = jobs.recv(), if self.group.resolved => Wake::Job(job),
                () = sleep_until(round) => Wake::Round,
            };
            match wake {
                Wake::Stop | Wake::Job(None) => break,
                Wake::Member(due) => {
                    let joined = tokio::select! {
                        () = self.on_due(due) => true,
                        _ = &mut stopped => false,
                    };
                    if !joined {
                        break;
                    }
                }
                Wake::News => self.refresh().await,
                Wake::Job(Some(job)) => job(&mut self).await,
                Wake::Round => {}
            }
            self.settle().await;
            self.lead().await;
            self.rejoin_if_scheduled();
            self.reconfigure_due();
            self.restart_failed_tasks().await;
            self.note_figures();
        }
        self.shut_down().await
    }

    async fn on_due(&mut self, due: Due) {
        match due {
            Due::Lost(Lost::CoordinatorUnreachable) if self.group.protocol != ConnectProtocol::Eager => {
                let keep = self.shared.settings.session_timeout + self.shared.settings.rebalance_max_delay;
                let last = self.session.last_heartbeat_ok().unwrap_or_else(Instant::now);
                self.grace.set(Some(last + keep));
                self.group.resolved = false;
                warn!(
                    "the coordinator of group '{}' cannot be reached; the work goes on here, as nobody else can have \
                     it before {keep:?} have passed, but offsets and statuses wait",
                    self.shared.settings.group_id
                );
            }
            Due::Lost(reason) => {
                warn!("membership of group '{}' is lost: {reason}", self.shared.settings.group_id);
                self.give_up_everything().await;
            }
            Due::Join(reason) => {
                let stage = self.shared.begin_stage("ensuring membership in the cluster");
                self.join(&reason).await;
                self.shared.end_stage(stage);
            }
        }
        if self.group.resolved {
            self.shared.ready.store(true, Ordering::Release);
        }
    }

    fn rejoin_if_scheduled(&mut self) {
        if self.group.resolved && self.group.scheduled.is_some_and(|at| at <= Instant::now()) {
            self.group.scheduled = None;
            self.rejoin("the delay of the leader is over");
        }
    }

    /// Asks for a rebalance; nothing else is done before it is over.
    pub(super) fn rejoin(&mut self, reason: &str) {
        self.session.request_rejoin(reason);
        self.group.resolved = false;
    }

    /// True while this worker leads.
    pub(super) fn is_leader(&self) -> bool {
        let leader = self.group.assignment.as_ref().map(|assignment| assignment.leader.as_str());
        leader == Some(self.group.member_id.as_str()) && self.session.is_live()
    }

    /// The leader's URL, if one is known.
    pub(super) fn leader_url(&self) -> Option<String> {
        self.group.assignment.as_ref().map(|a| a.leader_url.clone()).filter(|url| !url.is_empty())
    }

    async fn shut_down(mut self) -> StopReport {
        info!(
            "stopping {} connectors and {} tasks",
            self.group.running.connectors.len(),
            self.group.running.tasks.len()
        );
        let running = std::mem::take(&mut self.group.running);
        let report = self.stop_work(&running).await;
        if !self.shared.statuses.flush(STATUS_FLUSH_LIMIT).await {
            warn!("the last statuses did not reach the status topic (status.storage.topic)");
        }
        if timeout(LEAVE_LIMIT, self.member.leave("the worker stops")).await.is_err() {
            warn!(
                "the group's coordinator did not answer; the others will notice the absence after session.timeout.ms"
            );
        }
        report
    }
}
