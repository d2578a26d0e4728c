//! Heartbeats, for as long as a member is in a generation. The only place that says that a membership is lost
//! without being asked: by the coordinator's word, by this process's clock, or because the coordinator is out
//! of reach.

use std::sync::Arc;

use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use super::coordinator::{Coordinator, Line};
use super::metrics::Meters;
use super::requests;
use super::state::{Identity, Shared};
use super::{GroupSettings, Lost};
use crate::error::WireError;
use crate::error_code::ErrorCode;
use crate::settings::ClientSettings;

/// Sender of the heartbeats of one member.
pub(super) struct Heartbeats {
    pub(super) settings: GroupSettings,
    pub(super) coordinator: Arc<Coordinator>,
    pub(super) shared: Arc<Shared>,
    pub(super) meters: Arc<Meters>,
}

/// Outcome of a heartbeat.
enum Beat {
    Acknowledged,
    /// Try again soon.
    Failed(WireError),
    /// Another generation is being joined; its first heartbeat decides.
    Outdated,
    Lost(Lost),
}

impl Heartbeats {
    /// Runs until it is aborted.
    pub(super) async fn run(self) {
        // An answer has to come early enough for a second try within the session.
        let patience = self.settings.session_timeout / 2;
        let client =
            self.coordinator.client(patience.min(self.coordinator.cluster().settings().request_timeout));
        let mut line = Line::default();
        loop {
            let identity = self.shared.identity().await;
            tokio::select! {
                biased;
                () = self.shared.changed_from(&identity) => {}
                why = self.beat_on(&mut line, &client, &identity) => {
                    if self.shared.lose(&identity, why) {
                        warn!("{}: {why}", self.coordinator.context("member of"));
                    }
                }
            }
        }
    }

    /// Beats for one identity until it is lost.
    async fn beat_on(&self, line: &mut Line, client: &ClientSettings, identity: &Identity) -> Lost {
        let cluster = self.coordinator.cluster();
        let mut backoff = cluster.retry_backoff();
        let mut failing: Option<Instant> = None;
        loop {
            let began = Instant::now();
            // After a pause of the whole process the clock speaks first.
            let beat = tokio::select! {
                biased;
                why = self.too_late(failing) => return why,
                beat = self.beat(line, client, identity) => beat,
            };
            let next = match beat {
                Beat::Acknowledged | Beat::Outdated => {
                    (failing, backoff) = (None, cluster.retry_backoff());
                    began + self.settings.heartbeat_interval
                }
                Beat::Failed(error) => {
                    if failing.is_none() {
                        failing = Some(Instant::now());
                        info!("{error}; looking for the coordinator of group {}", self.settings.group_id);
                    }
                    Instant::now() + backoff.next().unwrap_or(self.settings.heartbeat_interval)
                }
                Beat::Lost(why) => return why,
            };
            tokio::select! {
                biased;
                why = self.too_late(failing) => return why,
                () = sleep_until(next) => {}
            }
        }
    }

    /// Resolves when the session ends, or the coordinator has been out of reach for too long; never while
    /// nothing depends on this membership.
    async fn too_late(&self, failing: Option<Instant>) -> Lost {
        let unreachable = failing.map(|since| since + self.settings.coordinator_timeout);
        loop {
            let (end, why) = match (self.shared.end(), unreachable) {
                (None, _) => return std::future::pending().await,
                (Some((end, _)), Some(reach)) if reach < end => (reach, Lost::CoordinatorUnreachable),
                (Some(end), _) => end,
            };
            if Instant::now() >= end {
                return why;
            }
            sleep_until(end).await;
        }
    }

    async fn beat(&self, line: &mut Line, client: &ClientSettings, identity: &Identity) -> Beat {
        let request = requests::heartbeat(&self.settings, identity);
        // Without a way to it nothing is sent, and the time of the session does not begin.
        if let Err(error) = self.coordinator.connect(line, client).await {
            return Beat::Failed(error);
        }
        let sent = Instant::now();
        self.meters.heartbeat_sent();
        let answer = match self.coordinator.call(line, client, &request).await {
            Ok(answer) => answer,
            Err(error) => return Beat::Failed(error),
        };
        self.meters.heartbeat(sent.elapsed());
        match ErrorCode::try_from_code(answer.error_code) {
            rebalance @ (None | Some(ErrorCode::RebalanceInProgress)) => {
                self.shared.acknowledged(identity, sent, rebalance.is_some());
                Beat::Acknowledged
            }
            Some(ErrorCode::UnknownMemberId) => Beat::Lost(Lost::UnknownMember),
            Some(ErrorCode::IllegalGeneration) if self.shared.is_joining() => Beat::Outdated,
            Some(ErrorCode::IllegalGeneration) => Beat::Lost(Lost::IllegalGeneration),
            Some(code) => {
                if matches!(code, ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator) {
                    self.coordinator.forget().await;
                }
                Beat::Failed(WireError::broker(self.coordinator.context("heartbeat of"), code))
            }
        }
    }
}
