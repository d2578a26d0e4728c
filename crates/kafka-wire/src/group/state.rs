//! Knowledge of a membership at this moment: one value, written by the heartbeats and by joins, read by the
//! owner and by everyone who holds a [`Session`].

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::metrics::{GroupMetrics, Meters};
use super::{Due, Lost};

/// Generation of a member that is in none.
const NO_GENERATION: i32 = -1;

/// Identity of a member in its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) member_id: String,
    pub(super) generation: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Not in the group, or not to be.
    Out,
    /// Between JoinGroup and the assignment.
    Joining,
    /// In a generation, with its assignment.
    Stable,
}

#[derive(Debug)]
struct State {
    identity: Identity,
    phase: Phase,
    /// True while the owner may act on an assignment.
    held: bool,
    last_completed: i32,
    /// When the last request was sent that the coordinator took as this member's.
    acknowledged: Option<Instant>,
    /// As `acknowledged`, of those whose answer did not ask for a join.
    calm: Option<Instant>,
    lost: Option<Lost>,
    rejoin: Option<String>,
}

/// The state, shared by a member's parts.
#[derive(Debug)]
pub(super) struct Shared {
    state: watch::Sender<State>,
    limits: Limits,
}

/// Times for which a member may be silent, and for which it may let the others wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) session: Duration,
    pub(super) rebalance: Duration,
}

/// A look at a membership from elsewhere, for writers that must not write when it may be over, and a way to
/// ask for a rebalance. Cheap to clone; says "not live" once the member is gone.
#[derive(Debug, Clone)]
pub struct Session {
    shared: Arc<Shared>,
    meters: Arc<Meters>,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, meters: Arc<Meters>) -> Self {
        Self { shared, meters }
    }

    /// Counts and measures so far.
    pub fn metrics(&self) -> GroupMetrics {
        self.meters.snapshot()
    }

    /// True while this process holds an assignment and nobody else can have got its place. By this process's
    /// clock, so it is right even just after the process was stopped for a while, before anything else of it
    /// has run.
    pub fn is_live(&self) -> bool {
        self.live_until().is_some_and(|end| Instant::now() < end)
    }

    /// Until when [`Session::is_live`] stays true without another heartbeat; `None`: it is not.
    pub fn live_until(&self) -> Option<Instant> {
        self.shared.end().map(|(end, _)| end)
    }

    /// When the last request was sent that the coordinator acknowledged as this member's; `None` while it is
    /// in no generation.
    pub fn last_heartbeat_ok(&self) -> Option<Instant> {
        self.shared.state.borrow().acknowledged
    }

    /// Current generation, -1 while in none.
    pub fn generation(&self) -> i32 {
        self.shared.state.borrow().identity.generation
    }

    /// This member's id as the broker gave it, empty before.
    pub fn member_id(&self) -> String {
        self.shared.state.borrow().identity.member_id.clone()
    }

    /// True while a rebalance goes on or is due: what was assigned may be about to change.
    pub fn is_rebalancing(&self) -> bool {
        let state = self.shared.state.borrow();
        state.phase != Phase::Stable || state.rejoin.is_some()
    }

    /// Makes a join due. The first reason is kept until the join begins.
    pub fn request_rejoin(&self, reason: &str) {
        self.shared.request_rejoin(reason);
    }
}

impl Shared {
    pub(super) fn new(limits: Limits) -> Self {
        let identity = Identity { member_id: String::new(), generation: NO_GENERATION };
        let state = State {
            identity,
            phase: Phase::Out,
            held: false,
            last_completed: NO_GENERATION,
            acknowledged: None,
            calm: None,
            lost: None,
            rejoin: Some("this worker starts".to_owned()),
        };
        Self { state: watch::channel(state).0, limits }
    }

    pub(super) fn request_rejoin(&self, reason: &str) {
        self.state.send_if_modified(|state| {
            let first = state.rejoin.is_none();
            if first {
                state.rejoin = Some(reason.to_owned());
            }
            first
        });
    }

    /// Waits until something is due; takes a loss out, leaves a join.
    pub(super) async fn due(&self) -> Due {
        let mut states = self.state.subscribe();
        // The sender lives as long as `self`: it cannot end without one.
        let _ = states.wait_for(|state| state.lost.is_some() || state.rejoin.is_some()).await;
        match self.take_lost() {
            Some(lost) => Due::Lost(lost),
            None => Due::Join(self.state.borrow().rejoin.clone().unwrap_or_default()),
        }
    }

    /// Takes a loss out, if there is one; looks at the clock for it, too.
    pub(super) fn take_lost(&self) -> Option<Lost> {
        let mut lost = None;
        self.state.send_if_modified(|state| {
            let expired = state.expire(self.limits);
            lost = state.lost.take();
            expired
        });
        lost
    }

    /// Waits until the membership is lost; takes that out.
    pub(super) async fn lost(&self) -> Lost {
        let mut states = self.state.subscribe();
        loop {
            let _ = states.wait_for(|state| state.lost.is_some()).await;
            if let Some(lost) = self.take_lost() {
                return lost;
            }
        }
    }

    /// A join begins; what asked for it is answered by it, what asks from now on is not. Why it is done.
    pub(super) fn begin_join(&self) -> String {
        let mut reason = None;
        self.state.send_modify(|state| {
            reason = state.rejoin.take();
            state.phase = Phase::Joining;
        });
        reason.unwrap_or_else(|| "the last join did not succeed".to_owned())
    }

    /// Identity of this member now; the id is empty for a new one.
    pub(super) fn identity_now(&self) -> Identity {
        self.state.borrow().identity.clone()
    }

    /// The id under which it is known, empty for a new member.
    pub(super) fn member_id(&self) -> String {
        self.state.borrow().identity.member_id.clone()
    }

    /// The broker gave this id, or wants another one (empty).
    pub(super) fn set_member_id(&self, id: &str) {
        self.state.send_modify(|state| {
            id.clone_into(&mut state.identity.member_id);
            state.identity.generation = NO_GENERATION;
        });
    }

    pub(super) fn last_completed(&self) -> i32 {
        self.state.borrow().last_completed
    }

    /// JoinGroup was answered: heartbeats are for this generation from now on.
    pub(super) fn joined(&self, identity: &Identity) {
        self.state.send_modify(|state| state.identity = identity.clone());
    }

    /// SyncGroup, sent at `sent`, was answered: the owner gets an assignment. False if the membership was
    /// lost meanwhile, or if no request was acknowledged that was sent within the last session.
    pub(super) fn synced(&self, identity: &Identity, sent: Instant) -> bool {
        let mut good = false;
        self.state.send_if_modified(|state| {
            let acknowledged = state.acknowledged.max(Some(sent));
            let fresh = acknowledged.is_some_and(|at| at.elapsed() < self.limits.session);
            if state.identity != *identity || state.expire(self.limits) || !fresh {
                return state.lost.is_some();
            }
            state.phase = Phase::Stable;
            state.held = true;
            state.last_completed = identity.generation;
            (state.acknowledged, state.calm) = (acknowledged, acknowledged);
            good = true;
            true
        });
        good
    }

    /// True between JoinGroup and the assignment.
    pub(super) fn is_joining(&self) -> bool {
        self.state.borrow().phase == Phase::Joining
    }

    /// The coordinator took a heartbeat, sent at `sent`, as this identity's. `rebalance`: it asked for a
    /// join.
    pub(super) fn acknowledged(&self, identity: &Identity, sent: Instant, rebalance: bool) {
        self.state.send_if_modified(|state| {
            if state.identity != *identity {
                return false;
            }
            if state.expire(self.limits) {
                return true;
            }
            state.acknowledged = state.acknowledged.max(Some(sent));
            if !rebalance {
                state.calm = state.acknowledged;
            }
            let news = rebalance && state.phase == Phase::Stable && state.rejoin.is_none();
            if news {
                state.rejoin = Some("the group rebalances".to_owned());
            }
            news
        });
    }

    /// The membership of `identity` is over, unless it is another one by now. True if it was.
    pub(super) fn lose(&self, identity: &Identity, why: Lost) -> bool {
        self.state.send_if_modified(|state| {
            if state.identity != *identity {
                return false;
            }
            state.lose(why);
            true
        })
    }

    /// The owner leaves; nothing is due until it asks for it. The id to leave with, empty if there is none.
    pub(super) fn leave(&self) -> String {
        let mut id = String::new();
        self.state.send_modify(|state| {
            id = std::mem::take(&mut state.identity.member_id);
            (state.lost, state.rejoin, state.phase) = (None, None, Phase::Out);
            state.leave_generation();
        });
        id
    }

    /// Waits until this member is in a generation.
    pub(super) async fn identity(&self) -> Identity {
        let mut states = self.state.subscribe();
        loop {
            let found = states.wait_for(|state| state.identity.generation != NO_GENERATION).await;
            if let Ok(state) = found {
                return state.identity.clone();
            }
        }
    }

    /// Waits until this member is somebody else than `identity`.
    pub(super) async fn changed_from(&self, identity: &Identity) {
        let _ = self.state.subscribe().wait_for(|state| state.identity != *identity).await;
    }

    /// When the session ends that the owner relies on, and what is then lost; `None` while it relies on none.
    pub(super) fn end(&self) -> Option<(Instant, Lost)> {
        self.state.borrow().end(self.limits)
    }
}

impl State {
    fn end(&self, limits: Limits) -> Option<(Instant, Lost)> {
        let acknowledged = self.acknowledged.filter(|_| self.held)?;
        let session = (acknowledged + limits.session, Lost::SessionTimeout);
        // The coordinator's patience began after the last answer that did not ask for a join.
        let waited_for = self.calm.filter(|calm| self.phase == Phase::Stable && *calm < acknowledged);
        let patience = waited_for.map(|calm| (calm + limits.rebalance, Lost::RebalanceTimeout));
        patience.filter(|(end, _)| *end < session.0).or(Some(session))
    }

    /// Notices that the session has ended by this process's clock. True if it has just done so.
    fn expire(&mut self, limits: Limits) -> bool {
        match self.end(limits) {
            Some((end, why)) if Instant::now() >= end => {
                self.lose(why);
                true
            }
            _ => false,
        }
    }

    fn lose(&mut self, why: Lost) {
        // Under its old name a member need not be waited for, unless the coordinator has forgotten that.
        if why == Lost::UnknownMember {
            self.identity.member_id.clear();
        }
        // A join that is under way before anything was held goes on by itself.
        if self.held {
            self.lost = Some(why);
            self.rejoin.get_or_insert_with(|| why.to_string());
        }
        self.phase = Phase::Out;
        self.leave_generation();
    }

    fn leave_generation(&mut self) {
        self.identity.generation = NO_GENERATION;
        self.held = false;
        (self.acknowledged, self.calm) = (None, None);
    }
}
