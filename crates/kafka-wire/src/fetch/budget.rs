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
    /// The budget that this is a share of: what is held here counts there too.
    whole: Option<Arc<MemoryBudget>>,
}

impl MemoryBudget {
    /// A budget of `limit` bytes that tells `freed` when something is given back.
    pub(super) fn new(limit: usize, freed: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self { limit: AtomicUsize::new(limit), used: AtomicUsize::new(0), freed, whole: None })
    }

    /// A share, with a limit of its own beside that of the whole.
    pub(super) fn share(self: &Arc<Self>) -> Arc<Self> {
        let (limit, used) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { limit, used, freed: self.freed.clone(), whole: Some(self.clone()) })
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

    /// Reserves `bytes`, if they fit here and in the whole. When nothing at all is held they always fit, so
    /// that one answer larger than the whole budget cannot stop the copy for ever.
    pub(super) fn reserve(self: &Arc<Self>, bytes: usize) -> Option<Reservation> {
        if !self.take(bytes) {
            return None;
        }
        if self.whole.as_ref().is_some_and(|whole| !whole.take(bytes)) {
            self.used.fetch_sub(bytes, Ordering::AcqRel);
            return None;
        }
        Some(Reservation { budget: self.clone(), bytes })
    }

    fn take(&self, bytes: usize) -> bool {
        let fits = |used: usize| (used == 0 || used + bytes <= self.limit()).then_some(used + bytes);
        self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).is_ok()
    }

    fn grow(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::AcqRel);
        if let Some(whole) = &self.whole {
            whole.grow(bytes);
        }
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::AcqRel);
        match &self.whole {
            Some(whole) => whole.give_back(bytes),
            None => self.freed.notify_one(),
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
    /// Corrects the reservation to what is really held. It may grow: a broker answers with one whole batch
    /// even when that is larger than what was asked for (KIP-74).
    fn resize(&mut self, bytes: usize) {
        if bytes >= self.bytes {
            self.budget.grow(bytes - self.bytes)
        } else {
            self.budget.give_back(self.bytes - bytes)
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
        self.budget.give_back(self.bytes);
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
    fn shares_together_stay_within_the_whole() {
        let whole = MemoryBudget::new(100, Arc::default());
        let (a, b) = (whole.share(), whole.share());
        a.set_limit(80);
        b.set_limit(80);
        let held = a.reserve(80).unwrap();
        assert!(b.reserve(30).is_none(), "fits the share, not the whole");
        assert_eq!((a.used(), b.used(), whole.used()), (80, 0, 80));
        // A lane that is gone still counts while its frames are held.
        drop(a);
        assert!(b.reserve(30).is_none());
        drop(held);
        assert_eq!(whole.used(), 0);
        assert!(b.reserve(30).is_some());
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
