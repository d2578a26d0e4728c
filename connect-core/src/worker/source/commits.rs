//! Commits of one source task: at most one at a time at the offset store, and beside it one at the source.

use std::time::Duration;

use connect_api::ConnectError;
use futures::future::BoxFuture;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::warn;

use super::delivery::Offsets;
use crate::ids::TaskId;
use crate::worker::offsets::TaskOffsets;

/// The commits of one task; `T` is what its delivery wants back with the outcome.
pub(super) struct Commits<T> {
    id: TaskId,
    offsets: TaskOffsets,
    /// `offset.flush.timeout.ms`; `None`: a commit may take as long as it needs.
    limit: Option<Duration>,
    last: Instant,
    at_store: Option<BoxFuture<'static, Outcome<T>>>,
    at_source: Option<BoxFuture<'static, Result<(), ConnectError>>>,
}

/// Outcome of a commit at the offset store.
pub(super) struct Outcome<T> {
    pub(super) taken: T,
    pub(super) begun: Instant,
    pub(super) result: Result<(), String>,
}

impl<T: Send + 'static> Commits<T> {
    pub(super) fn new(id: TaskId, offsets: TaskOffsets, limit: Option<Duration>) -> Self {
        Self { id, offsets, limit, last: Instant::now(), at_store: None, at_source: None }
    }

    /// Begin of the newest commit at the offset store.
    pub(super) fn last(&self) -> Instant {
        self.last
    }

    /// True while a commit at the offset store is under way.
    pub(super) fn is_under_way(&self) -> bool {
        self.at_store.is_some()
    }

    /// True while a commit at the source is under way.
    pub(super) fn is_under_way_at_source(&self) -> bool {
        self.at_source.is_some()
    }

    /// Starts a commit at the offset store.
    pub(super) fn start(&mut self, taken: T, values: Offsets) {
        let (offsets, limit) = (self.offsets.clone(), self.limit);
        let begun = Instant::now();
        self.last = begun;
        self.at_store = Some(Box::pin(async move {
            let commit = offsets.commit(&values);
            let result = match limit {
                None => commit.await.map_err(|e| e.to_string()),
                Some(limit) => match timeout(limit, commit).await {
                    Ok(result) => result.map_err(|e| e.to_string()),
                    Err(_) => Err("not within offset.flush.timeout.ms".to_owned()),
                },
            };
            Outcome { taken, begun, result }
        }));
    }

    /// Starts a commit at the source, in place of one under way.
    pub(super) fn start_at_source(&mut self, commit: BoxFuture<'static, Result<(), ConnectError>>) {
        self.at_source = Some(commit);
    }

    /// Waits for the commit under way at the offset store; without one, for ever. A commit at the source that ends in
    /// the meantime is done with here. Cancel-safe.
    pub(super) async fn next(&mut self) -> Outcome<T> {
        loop {
            tokio::select! {
                biased;
                done = under_way(&mut self.at_store) => {
                    self.at_store = None;
                    return done;
                }
                done = under_way(&mut self.at_source) => self.done_at_source(done),
            }
        }
    }

    /// Waits for the commit under way at the offset store, at most until `deadline`, after which it is given up.
    pub(super) async fn finish(&mut self, deadline: Instant) -> Option<Outcome<T>> {
        timeout_at(deadline, self.at_store.take()?).await.ok()
    }

    /// Waits for the commit under way at the source, at most until `deadline`, after which it is given up.
    pub(super) async fn finish_at_source(&mut self, deadline: Instant) {
        if let Some(commit) = self.at_source.take() {
            match timeout_at(deadline, commit).await {
                Ok(result) => self.done_at_source(result),
                Err(_) => warn!("{}: no time was left to commit positions at the source", self.id),
            }
        }
    }

    fn done_at_source(&mut self, result: Result<(), ConnectError>) {
        self.at_source = None;
        if let Err(error) = result {
            warn!("{}: positions were not committed at the source: {error}", self.id);
        }
    }
}

/// Waits for a future that may not be there; without it, for ever.
async fn under_way<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => futures::future::pending().await,
    }
}
