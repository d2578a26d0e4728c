//! Requests under way on one connection: those that wait, and what ends them together. The connection puts
//! them in, its loops answer them.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::error::WireError;

type Reply = oneshot::Sender<Result<Bytes, WireError>>;

/// A request that was sent, or is about to be.
pub(super) struct Waiting {
    pub(super) correlation_id: i32,
    pub(super) api: &'static str,
    pub(super) header_version: i16,
    pub(super) reply: Reply,
}

/// State that a connection shares with its loops and with those who wait.
pub(super) struct Shared {
    pub(super) address: String,
    /// Why it ended.
    closed: OnceLock<String>,
    waiting: Mutex<VecDeque<Waiting>>,
}

impl Shared {
    pub(super) fn new(address: String) -> Self {
        Self { address, closed: OnceLock::new(), waiting: Mutex::new(VecDeque::new()) }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.get().is_some()
    }

    pub(super) fn waiting(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the connection for everyone who waits on it. The first reason wins.
    pub(super) fn fail(&self, reason: &str) {
        let _ = self.closed.set(reason.to_owned());
        for waiting in self.waiting().drain(..) {
            drop(waiting.reply.send(Err(self.disconnected())));
        }
    }

    pub(super) fn disconnected(&self) -> WireError {
        let reason = self.closed.get().map_or("it ended before the answer came", String::as_str);
        WireError::Disconnected { address: self.address.clone(), reason: reason.to_owned() }
    }
}

/// An answer that is awaited. After `request.timeout.ms` it fails, and the connection with it.
pub struct Pending {
    answer: oneshot::Receiver<Result<Bytes, WireError>>,
    deadline: Pin<Box<Sleep>>,
    after: Duration,
    api: &'static str,
    shared: Arc<Shared>,
}

impl Pending {
    pub(super) fn new(
        answer: oneshot::Receiver<Result<Bytes, WireError>>,
        after: Duration,
        api: &'static str,
        shared: Arc<Shared>,
    ) -> Self {
        Self { answer, deadline: Box::pin(sleep_until(Instant::now() + after)), after, api, shared }
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pending({})", self.api)
    }
}

impl Future for Pending {
    type Output = Result<Bytes, WireError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match Pin::new(&mut self.answer).poll(cx) {
            Poll::Ready(Ok(result)) => return Poll::Ready(result),
            Poll::Ready(Err(_)) => {
                return Poll::Ready(Err(self.shared.disconnected()));
            }
            Poll::Pending => {}
        }
        if self.deadline.as_mut().poll(cx).is_ready() {
            let (api, after) = (self.api, self.after);
            self.shared.fail("a request got no answer in time");
            return Poll::Ready(Err(WireError::Timeout { address: self.shared.address.clone(), api, after }));
        }
        Poll::Pending
    }
}
