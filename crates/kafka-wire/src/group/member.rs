//! The member itself: what its owner calls. One rebalance is [`GroupMember::join`], from JoinGroup to the
//! assignment, as often as it takes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::{JoinGroupResponse, LeaveGroupRequest};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};

use super::coordinator::{Coordinator, Line};
use super::heartbeat::Heartbeats;
use super::metrics::{GroupMetrics, Meters};
use super::requests;
use super::state::{Identity, Limits, Session, Shared};
use super::{Due, Election, GroupError, GroupSettings, Joined, Lost, Participant, ParticipantError};
use crate::cluster::Cluster;
use crate::error::WireError;
use crate::error_code::ErrorCode;
use crate::reminder::Reminder;
use crate::settings::ClientSettings;

/// Time after the rebalance time-out at which a JoinGroup is given up (as Java does).
const JOIN_GRACE: Duration = Duration::from_secs(5);

/// A member of a group. Dropping it ends its heartbeats without leaving: the others wait until its session
/// ends.
pub struct GroupMember {
    settings: GroupSettings,
    coordinator: Arc<Coordinator>,
    shared: Arc<Shared>,
    meters: Arc<Meters>,
    /// For JoinGroup and SyncGroup. Gone while one is under way, so that a join that is given up closes it.
    line: Line,
    client: ClientSettings,
    heartbeats: AbortHandle,
}

impl std::fmt::Debug for GroupMember {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GroupMember({} as {:?})", self.settings.group_id, self.shared.member_id())
    }
}

impl Drop for GroupMember {
    fn drop(&mut self) {
        self.heartbeats.abort();
        self.shared.leave();
    }
}

/// End of an attempt to join that brought no assignment.
enum Failure {
    /// Not our turn, or passing: again after a pause, or at once.
    Again { why: WireError, at_once: bool },
    /// Nothing that time cures.
    Final(GroupError),
}

impl GroupMember {
    /// A member that has not joined yet; a join is due. Heartbeats will run on the tokio runtime of the
    /// caller, which has to have a thread that nothing blocks.
    pub fn new(cluster: Cluster, settings: GroupSettings) -> Self {
        let limits = Limits { session: settings.session_timeout, rebalance: settings.rebalance_timeout };
        let shared = Arc::new(Shared::new(limits));
        let meters = Arc::new(Meters::new(settings.metrics_window));
        let coordinator = Arc::new(Coordinator::new(cluster, settings.clone()));
        let patience = settings.rebalance_timeout + JOIN_GRACE;
        let client = coordinator.client(patience.max(coordinator.cluster().settings().request_timeout));
        let heartbeats = Heartbeats {
            settings: settings.clone(),
            coordinator: coordinator.clone(),
            shared: shared.clone(),
            meters: meters.clone(),
        };
        let heartbeats = tokio::spawn(heartbeats.run()).abort_handle();
        Self { settings, coordinator, shared, meters, line: Line::default(), client, heartbeats }
    }

    /// Waits until the owner has to do something; see the [module](super). A loss is said once, a join until
    /// it is done. May be dropped at any time.
    pub async fn due(&mut self) -> Due {
        self.shared.due().await
    }

    /// Makes a join due. The first reason is kept until the join begins.
    pub fn request_rejoin(&self, reason: &str) {
        self.shared.request_rejoin(reason);
    }

    /// A look at the membership for others.
    pub fn session(&self) -> Session {
        Session::new(self.shared.clone(), self.meters.clone())
    }

    /// Counts and measures so far.
    pub fn metrics(&self) -> GroupMetrics {
        self.meters.snapshot()
    }

    /// Takes part in a rebalance until there is an assignment. Passing faults are waited out, for ever when
    /// nothing depends on the membership yet. May be dropped: then the membership goes on as before if its
    /// heartbeats find it, and a join is still due.
    ///
    /// # Errors
    /// [`GroupError::Lost`] at once when the membership ends that the owner still relies on; it joins again
    /// afterwards. Else what only people can cure.
    pub async fn join<P: Participant>(&mut self, participant: &mut P) -> Result<Joined, GroupError> {
        if let Some(reason) = self.shared.take_lost() {
            return Err(self.lost(reason));
        }
        let shared = self.shared.clone();
        let unfinished = Unfinished(&shared);
        let joined = tokio::select! {
            biased;
            reason = shared.lost() => Err(self.lost(reason)),
            joined = self.rebalance(participant) => joined,
        };
        if joined.is_ok() {
            unfinished.done();
        }
        joined
    }

    async fn rebalance<P: Participant>(&mut self, participant: &mut P) -> Result<Joined, GroupError> {
        let began = Instant::now();
        let mut backoff = self.coordinator.cluster().retry_backoff();
        let mut reminder = Reminder::default();
        loop {
            let (why, at_once) = match self.attempt(participant).await {
                Ok(joined) => {
                    self.meters.rebalanced(began.elapsed());
                    info!("joined generation {} of group {}", joined.generation, self.settings.group_id);
                    return Ok(joined);
                }
                Err(Failure::Again { why, at_once }) => (why, at_once),
                Err(Failure::Final(error)) => {
                    self.meters.failed();
                    return Err(error);
                }
            };
            self.meters.failed();
            if let Some(reason) = self.shared.take_lost() {
                return Err(self.lost(reason));
            }
            if at_once {
                debug!("joining again: {why}");
                continue;
            }
            // A coordinator that is being created or elected is nothing to warn of.
            match (reminder.is_mentioned(), reminder.is_due()) {
                (false, _) => info!("{why}; trying again"),
                (true, true) => warn!("{why}; trying again"),
                (true, false) => {}
            }
            sleep(backoff.next().unwrap_or(self.settings.heartbeat_interval)).await;
        }
    }

    /// One JoinGroup and SyncGroup.
    async fn attempt<P: Participant>(&mut self, participant: &mut P) -> Result<Joined, Failure> {
        let mut line = std::mem::take(&mut self.line);
        let why = self.shared.begin_join();
        let (answer, identity) = self.join_group(&mut line, participant, &why).await?;
        let protocol = answer.protocol_name.as_deref().unwrap_or_default().to_owned();
        let leader_id = answer.leader.to_string();
        let assignments = if leader_id == identity.member_id {
            let election = self.election(answer, &protocol, &identity);
            participant.assign(election).await.map_err(|e| self.participant(e))?
        } else {
            Vec::new()
        };
        let assignment = self.sync_group(&mut line, &identity, &protocol, assignments).await?;
        self.line = line;
        let Identity { member_id, generation } = identity;
        Ok(Joined { generation, member_id, leader_id, protocol, assignment })
    }

    fn election(&self, answer: JoinGroupResponse, protocol: &str, identity: &Identity) -> Election {
        let members = answer.members.into_iter().map(|m| (m.member_id.to_string(), m.metadata));
        Election {
            generation: identity.generation,
            last_completed_generation: self.shared.last_completed(),
            protocol: protocol.to_owned(),
            leader: identity.member_id.clone(),
            members: members.collect(),
        }
    }

    async fn join_group<P: Participant>(
        &self,
        line: &mut Line,
        participant: &mut P,
        why: &str,
    ) -> Result<(JoinGroupResponse, Identity), Failure> {
        // Metadata is asked for last, so that it is fresh when the request goes out.
        self.coordinator.connect(line, &self.client).await.map_err(|e| self.failed(e))?;
        let offers = participant.metadata().map_err(|e| self.participant(e))?;
        let old = self.shared.identity_now();
        let request = requests::join(&self.settings, &old.member_id, offers, why);
        let sent = Instant::now();
        let answer = self.coordinator.call(line, &self.client, &request).await.map_err(|e| self.failed(e))?;
        self.meters.join(sent.elapsed());
        let again = |code| {
            let why = WireError::broker(self.coordinator.context("join"), code);
            Failure::Again { why, at_once: true }
        };
        match ErrorCode::try_from_code(answer.error_code) {
            None => {}
            Some(code @ ErrorCode::MemberIdRequired) => {
                self.shared.set_member_id(&answer.member_id);
                return Err(again(code));
            }
            Some(code @ ErrorCode::UnknownMemberId) => {
                // If the owner relies on it, it hears of that first.
                self.shared.lose(&old, Lost::UnknownMember);
                return Err(again(code));
            }
            Some(code) => return Err(self.answered("join", code).await),
        }
        let identity = Identity { member_id: answer.member_id.to_string(), generation: answer.generation_id };
        self.shared.joined(&identity);
        Ok((answer, identity))
    }

    async fn sync_group(
        &self,
        line: &mut Line,
        identity: &Identity,
        protocol: &str,
        assignments: Vec<(String, Bytes)>,
    ) -> Result<Bytes, Failure> {
        let request = requests::sync(&self.settings, identity, protocol, assignments);
        self.coordinator.connect(line, &self.client).await.map_err(|e| self.failed(e))?;
        let sent = Instant::now();
        let answer = self.coordinator.call(line, &self.client, &request).await.map_err(|e| self.failed(e))?;
        self.meters.sync(sent.elapsed());
        let again = |code| {
            let why = WireError::broker(self.coordinator.context("synchronise"), code);
            Failure::Again { why, at_once: true }
        };
        match ErrorCode::try_from_code(answer.error_code) {
            None if self.shared.synced(identity, sent) => Ok(answer.assignment),
            None => Err(again(ErrorCode::RebalanceInProgress)),
            Some(code @ (ErrorCode::RebalanceInProgress | ErrorCode::IllegalGeneration)) => Err(again(code)),
            Some(code @ ErrorCode::UnknownMemberId) => {
                self.shared.lose(identity, Lost::UnknownMember);
                Err(again(code))
            }
            Some(code) => Err(self.answered("synchronise", code).await),
        }
    }

    /// Leaves, so that the others need not wait for the session's end. The owner has stopped its work before.
    /// Nothing is due afterwards until [`GroupMember::request_rejoin`]. Does what it can within half a
    /// session: an error is only logged, for the session ends anyway.
    pub async fn leave(&mut self, reason: &str) {
        self.line = Line::default();
        let member_id = self.shared.leave();
        if member_id.is_empty() {
            return;
        }
        let limit = self.settings.session_timeout / 2;
        let left = timeout(limit, self.leave_group(&member_id, reason)).await;
        match left {
            Ok(Ok(())) => info!("left group {} ({reason})", self.settings.group_id),
            Ok(Err(error)) => info!("could not leave group {}: {error}", self.settings.group_id),
            Err(_) => info!("could not leave group {}: no answer within {limit:?}", self.settings.group_id),
        }
    }

    async fn leave_group(&self, member_id: &str, reason: &str) -> Result<(), WireError> {
        let mut line = Line::default();
        let connection = self.coordinator.connect(&mut line, &self.client).await?;
        let version = connection.versions().pick::<LeaveGroupRequest>(connection.address())?;
        let answer = connection.call(&requests::leave(&self.settings, member_id, reason, version)).await?;
        let member = answer.members.first().map(|member| member.error_code);
        match std::iter::once(answer.error_code).chain(member).find_map(ErrorCode::try_from_code) {
            None => Ok(()),
            Some(code) => Err(WireError::broker(self.coordinator.context("leave"), code)),
        }
    }

    /// Judges an error code that is not about the membership.
    async fn answered(&self, what: &str, code: ErrorCode) -> Failure {
        if matches!(code, ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator) {
            self.coordinator.forget().await;
        }
        let error = WireError::broker(self.coordinator.context(what), code);
        match code {
            ErrorCode::RebalanceInProgress => Failure::Again { why: error, at_once: false },
            _ => self.failed(error),
        }
    }

    fn failed(&self, error: WireError) -> Failure {
        if error.is_retriable() {
            return Failure::Again { why: error, at_once: false };
        }
        let hint = requests::hint(error.code());
        Failure::Final(GroupError::Refused { group: self.settings.group_id.clone(), source: error, hint })
    }

    fn participant(&self, source: ParticipantError) -> Failure {
        Failure::Final(GroupError::Participant { group: self.settings.group_id.clone(), source })
    }

    fn lost(&self, reason: Lost) -> GroupError {
        GroupError::Lost { group: self.settings.group_id.clone(), reason }
    }
}

/// A join that ends without an assignment is still due.
struct Unfinished<'a>(&'a Shared);

impl Unfinished<'_> {
    fn done(self) {
        std::mem::forget(self);
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.request_rejoin("the last join did not succeed");
    }
}
