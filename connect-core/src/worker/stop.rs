//! Asking a task to stop, from any thread and runtime.

use tokio::sync::watch;
use tokio::time::Instant;

/// The asking side.
#[derive(Debug)]
pub struct StopSwitch(watch::Sender<Option<Instant>>);

/// The asked side; clones hear the same request. A switch that was dropped counts as a request to stop at once.
#[derive(Debug, Clone)]
pub struct StopSignal(watch::Receiver<Option<Instant>>);

impl StopSwitch {
    /// A switch and its signal.
    pub fn new() -> (Self, StopSignal) {
        let (sender, receiver) = watch::channel(None);
        (Self(sender), StopSignal(receiver))
    }

    /// Asks to stop and to be done by `deadline`.
    pub fn request(&self, deadline: Instant) {
        self.0.send_replace(Some(deadline));
    }
}

impl StopSignal {
    /// Waits for the request. Cancel-safe.
    pub async fn requested(&self) {
        // An error means that the switch is gone.
        let _ = self.0.clone().wait_for(Option::is_some).await;
    }

    /// True once it has been asked for.
    pub fn is_requested(&self) -> bool {
        self.0.borrow().is_some() || self.0.has_changed().is_err()
    }

    /// When everything must be done, once that has been asked for.
    pub fn deadline(&self) -> Option<Instant> {
        *self.0.borrow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_reaches_every_clone() {
        let (switch, signal) = StopSwitch::new();
        let other = signal.clone();
        assert!(!signal.is_requested());
        let deadline = Instant::now();
        switch.request(deadline);
        other.requested().await;
        signal.requested().await;
        assert!(signal.is_requested() && signal.deadline() == Some(deadline));
    }

    #[tokio::test]
    async fn a_dropped_switch_is_a_request() {
        let (switch, signal) = StopSwitch::new();
        drop(switch);
        signal.requested().await;
        assert!(signal.is_requested());
    }
}
