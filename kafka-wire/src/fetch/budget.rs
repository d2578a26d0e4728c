//! A bound on the memory that fetched frames hold. A fetch reserves what it may bring before it is sent; the
//! reservation shrinks to what came, and lives as long as any slice of that frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::Notify;

/// A number of bytes that may be held at the same time.
#[derive(Debug)]
pub(super) struct MemoryBudget {
    limit: AtomicUsize,
    used: AtomicUsize,
    freed: Arc<Notify>,
}

impl MemoryBudget {
    /// A budget of `limit` bytes that tells `freed` when something is given back.
    pub(super) fn new(limit: usize, freed: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self { limit: AtomicUsize::new(limit), used: AtomicUsize::new(0), freed })
    }

    /// The limit in bytes.
    pub(super) fn limit(&self) -> usize {
        self.limit.load(Ordering::Acquire)
    }

    /// Changes the limit; what is held beyond a lower one is not taken back.
    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Release);
    }

    /// Bytes held or reserved now.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    /// Reserves `bytes`, if they fit. When nothing at all is held they always fit, so that one answer larger than
    /// the whole budget cannot stop the copy for ever.
    pub(super) fn reserve(self: &Arc<Self>, bytes: usize) -> Option<Reservation> {
        let mut used = self.used();
        loop {
            if used > 0 && used + bytes > self.limit() {
                return None;
            }
            match self.used.compare_exchange_weak(used, used + bytes, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(Reservation { budget: self.clone(), bytes }),
                Err(now) => used = now,
            }
        }
    }
}

/// Bytes taken from a budget, given back on drop.
#[derive(Debug)]
pub(super) struct Reservation {
    budget: Arc<MemoryBudget>,
    bytes: usize,
}

impl Reservation {
    /// Corrects the reservation to what is really held. It may grow: a broker answers with one whole batch even
    /// when that is larger than what was asked for (KIP-74).
    fn resize(&mut self, bytes: usize) {
        if bytes >= self.bytes {
            self.budget.used.fetch_add(bytes - self.bytes, Ordering::AcqRel);
        } else {
            self.budget.used.fetch_sub(self.bytes - bytes, Ordering::AcqRel);
            self.budget.freed.notify_one();
        }
        self.bytes = bytes;
    }

    /// Ties the reservation to a frame: slices of the result hold it.
    pub(super) fn attach(mut self, frame: Bytes) -> Bytes {
        self.resize(frame.len());
        Bytes::from_owner(Held { frame, _reservation: self })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::AcqRel);
        self.budget.freed.notify_one();
    }
}

struct Held {
    frame: Bytes,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.frame
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn slices_hold_the_frame_they_come_from() {
        let budget = MemoryBudget::new(100, Arc::default());
        let frame = budget.reserve(80).unwrap().attach(Bytes::from(vec![0; 60]));
        assert_eq!(budget.used(), 60);
        assert!(budget.reserve(50).is_none());
        let slice = frame.slice(10..20);
        drop(frame);
        assert_eq!(budget.used(), 60, "a slice pins its frame");
        drop(slice);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn one_answer_larger_than_the_budget_is_let_through_alone() {
        let budget = MemoryBudget::new(10, Arc::default());
        let held = budget.reserve(50).unwrap();
        assert!(budget.reserve(1).is_none());
        drop(held);
        assert!(budget.reserve(1).is_some());
    }
}
