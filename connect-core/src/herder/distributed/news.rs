//! The news that the config topic has changed, for the core's loop.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::storage::LogTail;

/// Tells when the config topic has changed. A task of its own waits for that, because it must not be interrupted.
pub(super) struct News {
    pub(super) signal: Arc<Notify>,
    follower: AbortHandle,
}

pub(super) fn follow(mut tail: Box<dyn LogTail>) -> News {
    let signal = Arc::new(Notify::new());
    let told = signal.clone();
    let follower = tokio::spawn(async move {
        loop {
            tail.changed().await;
            told.notify_one();
        }
    });
    News { signal, follower: follower.abort_handle() }
}

impl Drop for News {
    fn drop(&mut self) {
        self.follower.abort();
    }
}
