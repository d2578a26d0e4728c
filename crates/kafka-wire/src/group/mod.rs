//! Membership of a classic group, for any protocol type: Connect's workers are members of one. What members
//! say to each other is opaque bytes here; who joins brings them as a [`Participant`].
//!
//! [`GroupMember`] is driven by its owner, a task that leads this life:
//!
//! 1. [`GroupMember::due`] returns when something is to be done: at once in the beginning, later when the
//! group
//!    rebalances, when the owner asked for it, or when the membership is lost.
//! 2. [`Due::Lost`]: whatever the membership gave is not ours any more. The owner stops it, and only then
//! goes on.
//! 3. [`Due::Join`]: [`GroupMember::join`] takes part in the rebalance to its end.
//!
//! Heartbeats go on by themselves from the first join to [`GroupMember::leave`], on a connection of their
//! own: also while the owner stops its work, while JoinGroup waits for others and while the leader computes.
//!
//! Guarantees: [`Session::is_live`] is true only while the coordinator cannot have given this member's place
//! away, by this process's own clock: an acknowledged request counts from when it was *sent*. A process that
//! was stopped for longer than the session sees false before it does anything else; and [`Due::Lost`] is said
//! before any new generation is. The same holds for an owner that lets a rebalance wait for longer than the
//! rebalance time-out. Only a *leader* that computes for longer than that learns it from the next heartbeat.

mod coordinator;
mod heartbeat;
mod member;
mod metrics;
mod requests;
mod state;

use std::time::Duration;

use bytes::Bytes;

pub use member::GroupMember;
pub use metrics::{GroupMetrics, Timing};
pub use state::Session;

use crate::error::WireError;

/// Group to join, name and patience of the member. Names and defaults in brackets are Connect's.
#[derive(Debug, Clone)]
pub struct GroupSettings {
    /// `group.id`.
    pub group_id: String,
    /// Kind of group: `connect`. Members of different types cannot be in one group.
    pub protocol_type: String,
    /// Client id on the wire, from which brokers make member ids (`connect-` and the advertised `host:port`).
    pub client_id: String,
    /// `session.timeout.ms` (10 s): without a sign of life for so long a member is out.
    pub session_timeout: Duration,
    /// `rebalance.timeout.ms` (60 s): how long the others wait for a member to join again.
    pub rebalance_timeout: Duration,
    /// `heartbeat.interval.ms` (3 s).
    pub heartbeat_interval: Duration,
    /// Time for which the coordinator may be out of reach before the membership counts as lost, if the
    /// session does not end earlier (Connect takes `heartbeat.interval.ms`).
    pub coordinator_timeout: Duration,
    /// Over which time [`Timing::average`] and [`Timing::max`] look back (`metrics.sample.window.ms` times
    /// `metrics.num.samples`: 60 s).
    pub metrics_window: Duration,
}

impl GroupSettings {
    /// Connect's defaults.
    pub fn new(group_id: &str, protocol_type: &str, client_id: &str) -> Self {
        Self {
            group_id: group_id.to_owned(),
            protocol_type: protocol_type.to_owned(),
            client_id: client_id.to_owned(),
            session_timeout: Duration::from_secs(10),
            rebalance_timeout: Duration::from_secs(60),
            heartbeat_interval: Duration::from_secs(3),
            coordinator_timeout: Duration::from_secs(3),
            metrics_window: Duration::from_secs(60),
        }
    }
}

/// Why a membership is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// The coordinator does not know this member (any more).
    #[error("the coordinator has removed this member (UNKNOWN_MEMBER_ID)")]
    UnknownMember,
    /// The group has gone on without this member.
    #[error("the group has gone on to another generation without this member (ILLEGAL_GENERATION)")]
    IllegalGeneration,
    /// No heartbeat was acknowledged for a whole session, by this process's clock: it may have been stopped.
    #[error("no heartbeat was acknowledged for a whole session (session.timeout.ms)")]
    SessionTimeout,
    /// The others waited for this member to join for so long that the coordinator has removed it, or is about
    /// to.
    #[error("the owner did not join within the time that the group waits for it (rebalance.timeout.ms)")]
    RebalanceTimeout,
    /// The coordinator could not be reached or found for [`GroupSettings::coordinator_timeout`].
    #[error("the group's coordinator cannot be reached")]
    CoordinatorUnreachable,
}

/// Task of the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Stop everything that the membership gave; said once. A join is due after it.
    Lost(Lost),
    /// Call [`GroupMember::join`]; the reason in words, for the log.
    Join(String),
}

/// A member's part in a rebalance.
pub trait Participant: Send {
    /// The protocols it knows, best first, with what it says of itself in each. Asked for each JoinGroup
    /// anew.
    ///
    /// # Errors
    /// Ends [`GroupMember::join`] with [`GroupError::Participant`].
    fn metadata(&mut self) -> Result<Vec<(String, Bytes)>, ParticipantError>;

    /// Computes the assignments, by member id, because this member leads. Others wait meanwhile, at most
    /// `rebalance.timeout.ms`; heartbeats go on.
    ///
    /// # Errors
    /// Ends [`GroupMember::join`] with [`GroupError::Participant`]; the group waits until this member joins
    /// again or leaves.
    fn assign(
        &mut self,
        election: Election,
    ) -> impl Future<Output = Result<Vec<(String, Bytes)>, ParticipantError>> + Send;
}

/// Failure of a [`Participant`].
pub type ParticipantError = Box<dyn std::error::Error + Send + Sync>;

/// This member leads the generation that has just begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Election {
    /// The new generation.
    pub generation: i32,
    /// The last generation of which this member has received an assignment, -1 for none.
    pub last_completed_generation: i32,
    /// The protocol on which the members agreed.
    pub protocol: String,
    /// This member's id.
    pub leader: String,
    /// Member ids with what they said, in the broker's order.
    pub members: Vec<(String, Bytes)>,
}

/// A rebalance that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The generation.
    pub generation: i32,
    /// This member's id.
    pub member_id: String,
    /// The leader's member id.
    pub leader_id: String,
    /// The protocol on which the members agreed.
    pub protocol: String,
    /// Assignment that the leader gave to this member; empty if it forgot it. When only this member joined,
    /// is not the leader and said what it had said before, the broker begins no generation and gives the old
    /// one's assignment again.
    pub assignment: Bytes,
}

impl Joined {
    /// True if this member computed the assignments.
    pub fn is_leader(&self) -> bool {
        self.member_id == self.leader_id
    }
}

/// Why a join ended without an assignment. Passing faults are not among these: they are waited out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// The membership was lost before or during the join. Stop what it gave, then join again.
    #[error("membership of group '{group}' is lost: {reason}")]
    Lost {
        /// `group.id`.
        group: String,
        /// Why.
        reason: Lost,
    },
    /// The cluster refuses this member; the same will happen again until something is changed.
    #[error("cannot join group '{group}': {source}{hint}")]
    Refused {
        /// `group.id`.
        group: String,
        /// The broker's words.
        source: WireError,
        /// The setting to look at, with a leading space; may be empty.
        hint: &'static str,
    },
    /// The participant failed.
    #[error("cannot take part in a rebalance of group '{group}': {source}")]
    Participant {
        /// `group.id`.
        group: String,
        /// Its words.
        source: ParticipantError,
    },
}
