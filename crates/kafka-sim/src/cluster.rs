//! The handle to a cluster, and the two ways in which everything touches its state: [`Cluster::with`] at
//! once, and [`Cluster::wait`] when an answer may take until something changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::state::State;
use crate::timers;

/// A cluster; clones are handles to the same one.
#[derive(Clone)]
pub struct Cluster {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    state: Mutex<State>,
    changed: Notify,
}

impl Cluster {
    pub(crate) fn new(clock: Clock, state: State) -> Self {
        let faults = Faults::new(clock.clone());
        let inner = Inner { clock, faults, state: Mutex::new(state), changed: Notify::new() };
        Self { inner: Arc::new(inner) }
    }

    /// The faults that can be made to happen, and those that have happened.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// The time it lives in.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Looks at the state, or changes it and wakes whoever waits for a change (`State::touch`).
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let value = act(&mut state);
        let touched = state.take_touched();
        drop(state);
        if touched {
            self.inner.changed.notify_waiters();
        }
        value
    }

    /// Calls `attempt` at once, after every change, and at the latest at `deadline_ms`, until it gives an
    /// answer; its second argument says that the deadline has passed, and then it must.
    pub(crate) async fn wait<T>(
        &self,
        deadline_ms: i64,
        mut attempt: impl FnMut(&mut State, bool) -> Option<T>,
    ) -> T {
        loop {
            let changed = self.inner.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = self.inner.clock.now_ms();
            let (answer, wake) = self.with(|state| {
                let answer = attempt(state, now >= deadline_ms);
                (answer, state.next_timer_ms().map_or(deadline_ms, |timer| timer.min(deadline_ms)))
            });
            if let Some(answer) = answer {
                return answer;
            }
            // At least a millisecond, so that a timer that is due now cannot spin.
            let pause = Duration::from_millis(wake.saturating_sub(now).max(1) as u64);
            tokio::select! {
                biased;
                () = changed => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock is held is a defect that its own test reports; others go on.
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        timers::run(&mut state);
        state
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cluster({})", self.bootstrap())
    }
}
